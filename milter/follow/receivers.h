/* SPDX-License-Identifier: BSD-2-Clause
 *
 * receivers: the table of transports and receivers, as the log fills it (policy/receiver.h has what a row is and when a
 * transport rests), which recipient domains belong to which receiver, and both as text for the daemons.
 *
 * Bounded: the least used rows and the domains not heard of for longest give way, and those that a single sender writes
 * to before all others: he may have made them up. Only times of the log count, so that
 * reading the same lines again from the same checkpoint ends in the same table.
 */
#ifndef PENSTOCK_RECEIVERS_H
#define PENSTOCK_RECEIVERS_H

#include "policy/receiver.h"
#include "redis-schema/follow_head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

enum {
	RECEIVERS_ROWS_MAX = 4000,
	RECEIVERS_DOMAINS_MAX = 5000,
	RECEIVERS_DOMAIN_MAX = 127,    /* bytes; a longer one is not remembered */
	RECEIVERS_SHOWN_MAX = 1000,    /* rows that the daemons are told of: those that rest, then the most used */
	RECEIVERS_TOLD_DOMAINS = 2000, /* domains, of receivers for whom a transport rests: the newest */
};

struct receivers;

/* One answer of a receiver. All strings are borrowed for the call. */
struct receivers_answer {
	const char *transport;	   /* one that the configuration does not name is not followed */
	const char *receiver;	   /* receiver_name()'s; "" : not known, and not followed */
	const char *domain;	   /* of the recipient; NULL or "": not known */
	enum receiver_count count; /* RECEIVER_COUNTS: no answer that is counted; the domain is learnt all the same */
	bool final;		   /* false: it is tried again */
	const char *sender;	   /* whose message it was, a customer or an account; NULL or "": not known */
	const char *wording;	   /* any bytes; NULL: none */
	size_t wording_length;
	int64_t time_ms; /* of the line */
};

/* `config` is borrowed for the call: its pools' transports are followed. NULL: no memory. */
struct receivers *receivers_new(const struct config *config);
void receivers_free(struct receivers **receivers);

/* True: a rest began or ended. The daemons should be told at once. */
bool receivers_hear(struct receivers *receivers, const struct receivers_answer *answer);
/* Time of the log has passed; the same. */
bool receivers_pass(struct receivers *receivers, int64_t now_ms);

/* The whole table as bytes for the checkpoint; the caller frees them. NULL: no memory. */
char *receivers_write(const struct receivers *receivers, size_t *length_out);
/* Into a table that is new. Rows of transports that the configuration no longer names are left out. False with half a
 * sentence that begins with "it" where they are damaged: the table is then to be thrown away. */
bool receivers_read(struct receivers *receivers, const char *bytes, size_t length, char *error, size_t error_size);

/* The value of the key KEY_PART_FOLLOW (keys.h) of Redis, at `now_ms` of the log: `head` and the JSON behind it, at
 * most FOLLOW_VALUE_MAX bytes. Absolute: writing it twice is as good as once. head->number is the caller's: another one
 * wherever it is written with other rows. `troubles`: half sentences for an admin, a NULL behind the last one; NULL:
 * none. `quits`: mail that waits for the end of its session is released then. The caller frees it. NULL: no memory. */
char *receivers_value(const struct receivers *receivers, const struct follow_head *head, const char *const *troubles,
		      bool quits, int64_t now_ms);

#endif
