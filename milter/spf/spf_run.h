/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_run: one evaluation of a sender's SPF policy for one client by libspf2, with the answers that are there already.
 * The one place that names libspf2. Loop thread only.
 *
 * libspf2 walks the record: it follows include and redirect, goes from MX and PTR names to addresses, and says what a
 * match means. All that it reads and asks goes through here: records are read and rewritten before it sees them
 * (spf_record.h), it is we who count terms, questions and void answers, and each answer is made of the check's own
 * table.
 */
#ifndef PENSTOCK_SPF_RUN_H
#define PENSTOCK_SPF_RUN_H

#include "milter/spf/spf_table.h"
#include "policy/netaddr.h"
#include "policy/spf_answer.h"

/* A libspf2 server; one for a check, as it is cheaper to keep than to make. */
struct spf_runner;
struct spf_runner *spf_runner_new(void);	  /* NULL: no memory */
void spf_runner_free(struct spf_runner **runner); /* clears the pointer; NULL is fine */

struct spf_run {
	struct spf_table *table; /* borrowed, as all of it */
	struct netaddr client;
	const char *domain; /* as spf_name_read leaves it */
	const char *sender; /* local@domain, printable ASCII */
	const char *helo;   /* likewise, not empty */

	const struct spf_fact *missing; /* out: it is not known yet, and `answer` means nothing; NULL: it holds ... */
	enum spf_answer answer;
	int64_t holds_s;      /* ... so long */
	bool personal;	      /* it may be another one for another local part or HELO name */
	int questions, voids; /* that it took */
};

void spf_run(struct spf_runner *runner, struct spf_run *run);

#endif
