/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_query: what is looked for in a trace: terms, all of which hold, each of which says that one of some columns has
 * one of some values.
 */
#ifndef PENSTOCK_TRACE_QUERY_H
#define PENSTOCK_TRACE_QUERY_H

#include "milter/trace/trace_row.h"

enum { TRACE_TERMS_MAX = 8, TRACE_CHOICES_MAX = 24 };

struct trace_choice {
	int column; /* enum trace_column, or TRACE_DOMAIN */
	uint64_t hash;
	char written[TRACE_VALUE_MAX];
};

struct trace_term {
	int rank;   /* the lower, the fewer messages have it */
	bool later; /* rows of later days than the message's may say it */
	int count;
	struct trace_choice choices[TRACE_CHOICES_MAX];
};

struct trace_query {
	int64_t since_ms, until_ms; /* of the message; until_ms itself is outside */
	int64_t most;		    /* messages */
	int count;
	struct trace_term terms[TRACE_TERMS_MAX];
	bool have_key; /* hashed recipients are found, too */
	uint64_t key[2];
	bool cut_tag; /* accounts.cut_tag */
};

/* What options say: id, word of the option, columns. Each adds a term; false: there is no room. */
enum trace_what {
	TRACE_WHAT_ANY, /* any of these */
	TRACE_WHAT_ACCOUNT,
	TRACE_WHAT_SENDER,
	TRACE_WHAT_RCPT, /* an address, or a domain */
	TRACE_WHAT_QUEUE_ID,
	TRACE_WHAT_MESSAGE_ID,
	TRACE_WHAT_REFERENCE,
};
bool trace_query_add(struct trace_query *query, enum trace_what what, const char *value);

/* The term with the lowest rank; NULL: there is none. */
const struct trace_term *trace_query_best(const struct trace_query *query);
/* Does the row itself say it? */
bool trace_term_holds(const struct trace_term *term, const struct trace_row *row);

#endif
