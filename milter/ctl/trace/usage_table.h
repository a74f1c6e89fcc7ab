/* SPDX-License-Identifier: BSD-2-Clause
 *
 * usage_table: what each account or customer sent, and what became of it, summed from rows of a trace.
 *
 * A message counts for the customer that its own row names: who moves an account to another customer moves none of its
 * earlier mail. A delivery counts for the customer that the account's last message before it named.
 */
#ifndef PENSTOCK_USAGE_TABLE_H
#define PENSTOCK_USAGE_TABLE_H

#include "milter/trace/trace_row.h"
#include "policy/outcome.h"

#include <jansson.h>

struct usage {
	const char *name;		 /* of an account or a customer, as a trace writes it; "": of no customer */
	int64_t messages, rcpts, kbytes; /* that were accepted; recipients as Penstock counted them */
	int64_t refused;		 /* messages that were not */
	int64_t delivered, returned;	 /* recipients: taken by a server; refused for good, or given up */
	int64_t deferrals;		 /* attempts that were put off */
	int64_t outcomes[OUTCOME_COUNT]; /* attempts, of each kind */
};

struct usage_table {
	bool by_customer;
	int64_t from_ms, to_ms; /* to_ms itself is outside */
	struct usage *rows;	/* owned, as their names */
	int count, room;
	json_t *row_of;	     /* by name */
	json_t *customer_of; /* by account; of by_customer */
};

void usage_table_init(struct usage_table *table, bool by_customer, int64_t from_ms, int64_t to_ms);
void usage_table_add(struct usage_table *table, const struct trace_row *row);
/* Most recipients first; ends the adding. */
void usage_table_sort(struct usage_table *table);
struct usage usage_table_total(const struct usage_table *table);
void usage_table_free(struct usage_table *table);

#endif
