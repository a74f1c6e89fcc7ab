/* SPDX-License-Identifier: BSD-2-Clause
 *
 * replies: what a server's refusal means, by a table of wordings (etc/replies.conf, which says how it is written).
 * Immutable once loaded: any thread may ask.
 */
#ifndef PENSTOCK_REPLIES_H
#define PENSTOCK_REPLIES_H

#include "milter/follow/log_event.h"
#include "policy/outcome.h"
#include "policy/receiver.h"

enum {
	REPLIES_ROWS_MAX = 2000,
	REPLIES_LIST_MAX = 63,
};

struct replies;

/* NULL with one sentence in `error`, which begins with FILE:LINE where a line is at fault. Each row must have a test,
 * and each test be classed by its row. */
struct replies *replies_load(const char *file, char *error, size_t error_size);
void replies_free(struct replies **replies);

struct reply_class {
	enum outcome outcome;
	const char *row;		 /* "replies.conf:17", of `replies`; NULL: no row, by status or code alone */
	char list[REPLIES_LIST_MAX + 1]; /* OUTCOME_LISTED: the list's domain, as the reply names it; "": it does not */
	bool unknown_wording;		 /* a reply whose words no row knows */
};

/* The outcome of a LOG_DELIVERY or LOG_EXPIRED. `receiver` as receiver_name() has it. */
void replies_class(const struct replies *replies, const char *receiver, const struct log_event *event,
		   struct reply_class *class_out);

/* The table's name for the receiver whose host it is (lower case, no dot at its end); NULL: it has none. */
const char *replies_receiver(const struct replies *replies, const char *host);

#endif
