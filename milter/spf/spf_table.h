/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_table: the answers that one SPF check has seen, so that each run of it sees the same. Loop thread only.
 */
#ifndef PENSTOCK_SPF_TABLE_H
#define PENSTOCK_SPF_TABLE_H

#include "milter/dns/answer.h"

struct engine;
struct spf_table;

enum spf_fact_state {
	SPF_FACT_WANTED, /* nobody has asked yet */
	SPF_FACT_ASKED,
	SPF_FACT_KNOWN,
};

struct spf_fact {
	enum spf_fact_state state;
	struct dns_answer answer;		       /* of TXT only the SPF records; its `data` is the fact's own */
	uint32_t seen;				       /* the run's, see spf_run.c */
	uint8_t followed;			       /* likewise */
	struct spf_fact *next_in_bucket, *next_wanted; /* the table's */
	char name[];				       /* in lower case, without a dot at the end */
};

/* `most`: questions that it holds. NULL: no memory. */
struct spf_table *spf_table_new(struct engine *engine, int most);
void spf_table_free(struct spf_table **table); /* clears the pointer; NULL is fine */

/* What is known of the name, in the table or the engine's cache; else WANTED. NULL: the table is full, or no memory. */
struct spf_fact *spf_table_get(struct spf_table *table, const char *name, enum dns_type type);
/* The same for what may be needed soon; not where many questions were asked already. */
void spf_table_want(struct spf_table *table, const char *name, enum dns_type type);

/* One that is to be asked, and is ASKED from now on; NULL: none. */
struct spf_fact *spf_table_next(struct spf_table *table);
void spf_fact_fill(struct spf_fact *fact, const struct dns_answer *answer);

#endif
