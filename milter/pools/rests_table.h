/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rests_table: what penstock-follow tells of receivers in the key follow:NODE, read (redis-schema/follow_head.h).
 * Anybody who can write into Redis may have written it: it has bounds, and what is not as it should be is an error.
 *
 * Counted and immutable. Any thread.
 */
#ifndef PENSTOCK_RESTS_TABLE_H
#define PENSTOCK_RESTS_TABLE_H

#include "policy/receiver.h"
#include "redis-schema/follow_head.h"

#include <stdatomic.h>
#include <stddef.h>

enum {
	RESTS_ROWS_MAX = 1000,
	RESTS_DOMAINS_MAX = 5000,
	RESTS_DOMAIN_MAX = 127,
	RESTS_TROUBLES_MAX = 8,
	RESTS_TROUBLE_BYTES = 200,
	RESTS_AHEAD_MAX_S = 2 * 86400, /* an end that is further away is none */
};

struct rests_row {
	char transport[TRANSPORT_NAME_MAX + 1], receiver[RECEIVER_NAME_MAX + 1];
	struct receiver_row row; /* state, since, until, counts and wording; the rest is 0 */
	double refused;		 /* receiver_refused_share() */
	int senders;		 /* receiver_senders(); 0: not said */
};

struct rests_domain {
	char name[RESTS_DOMAIN_MAX + 1];
	char receiver[RECEIVER_NAME_MAX + 1];
};

struct rests_table {
	atomic_int references;
	struct follow_head head;
	bool quits; /* it releases mail that waits for the end of its session */
	int row_count, domain_count, trouble_count;
	char troubles[RESTS_TROUBLES_MAX][RESTS_TROUBLE_BYTES]; /* half sentences, printable ASCII */
	struct rests_row *rows;					/* owned; as they came: the first ones matter most */
	struct rests_domain *domains;				/* owned; by name */
};

/* One reference. NULL: the value is none, and `error` says in half a sentence that begins with "it" why not. */
struct rests_table *rests_table_read(const char *bytes, size_t length, char *error, size_t error_size);
void rests_table_hold(struct rests_table *table);
/* Clears the pointer; NULL is nothing. */
void rests_table_drop(struct rests_table **table);

/* NULL: the table has none. A domain in lower case. */
const char *rests_table_receiver(const struct rests_table *table, const char *domain);
const struct rests_row *rests_table_find(const struct rests_table *table, const char *transport, const char *receiver);

/* How the row stands at `now_ms`. */
enum receiver_state rests_row_state(const struct rests_row *row, int64_t now_ms);

#endif
