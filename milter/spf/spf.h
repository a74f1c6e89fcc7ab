/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf: Sender Policy Framework, RFC 7208, by libspf2 behind fences: a stranger's DNS can crash it or make it ask for
 * ever.
 *
 * libspf2 is run on the loop thread (spf_run.h) with the answers that are there already; where one is missing the run
 * is thrown away, the question is asked of the engine, and the run repeated when its answer has come. So nothing
 * waits. What a record leads to is asked as soon as it is read.
 *
 * The fences: a record is read strictly, and cut down to names, before libspf2 sees it (spf_record.h); it is at most
 * SPF_RECORD_MAX bytes with SPF_MACROS_MAX macros, names are at most 253 bytes; for each client at most 10 terms, 10
 * hosts of an mx, SPF_QUESTIONS_MAX questions, SPF_VOID_MAX of them void. More is permerror. exp= is never asked for.
 * A check of many clients asks at most so many for each of the two families, and 8 more for each further client; those
 * that would need more are permerror too. Answers that DNS did not give are temperror, but those about PTR, which
 * count as none (section 5.5).
 *
 * Results are remembered, for a domain and the whole list of clients, as long as the shortest-lived answer (temperror:
 * at most 30 s); not where a record asks for the sender's local part or the HELO name. What is remembered is there
 * when spf_ask returns, without the loop.
 */
#ifndef PENSTOCK_SPF_H
#define PENSTOCK_SPF_H

#include "policy/netaddr.h"
#include "policy/spf_answer.h"

#include <stddef.h>

struct engine;
struct loop;
struct spf_check;

enum {
	SPF_QUESTIONS_MAX = 40,
	SPF_VOID_MAX = 2,      /* RFC 7208 section 4.6.4 */
	SPF_RECORD_MAX = 2048, /* bytes, printable ASCII */
	SPF_MACROS_MAX = 30,   /* in one record */
	SPF_CLIENTS_MAX = 64,  /* addresses of one check */
};

struct spf_request {
	struct engine *engine; /* borrowed until spf_release; to be freed on the loop thread, behind the check's
				  job, or when the loop has stopped: what is open ends as unknown */
	const char
		*sender;  /* envelope sender without brackets; "": postmaster at the HELO name. Borrowed for the call */
	const char *helo; /* likewise; "" where not known */
	const struct netaddr *clients; /* each is checked by itself; ::ffff:a.b.c.d is a.b.c.d. Borrowed for the call */
	int client_count;	       /* 1..SPF_CLIENTS_MAX */
};

/* A sender without a domain, or with one that cannot be a name in DNS (section 4.3; letters other than ASCII among
 * them), is none. */

/* Any thread. Starts and returns at once. NULL: no memory. */
struct spf_check *spf_ask(struct loop *loop, const struct spf_request *request);

/* Any thread. Waits until the deadline (clock_monotonic_ms) for all results; fills client_count of them, in the order
 * of the clients, SPF_ANSWER_UNKNOWN where there is none yet. May be called again. NULL check: nothing is filled in. */
void spf_collect(struct spf_check *check, int64_t deadline_ms, enum spf_answer *answers);

/* The asker lets go. Clears the pointer; NULL is fine. */
void spf_release(struct spf_check **check);

/* "1.2.10": the library's version. */
const char *spf_library(void);

#endif
