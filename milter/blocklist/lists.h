/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lists: one question to one block list: whether it is fit to be asked, has budget left and knows such things; what is
 * cached; the question itself; and what the list's fitness learns of the answer. All who ask block lists ask here: the
 * milter about its clients (rbl.h), and the checks of addresses and names (check.h).
 *
 * Lists that the milter asks are tested at the start and hourly, others when they are asked for the first time and at
 * most hourly after that (sooner only while no test was answered, or after an answer that cannot be true): who never
 * looks at a list sends it nothing.
 *
 * Questions that are sent are counted by list and UTC day, tests (48 a day for a list of the milter's) and those for
 * the text of a listing included. The counts outlive a reload, not a restart.
 *
 * Loop thread only, but for what says otherwise.
 */
#ifndef PENSTOCK_LISTS_H
#define PENSTOCK_LISTS_H

#include "milter/blocklist/fitness.h"
#include "policy/netaddr.h"

struct lists;

struct lists_settings {
	struct engine *engine;	  /* borrowed until lists_free, and freed soon after it */
	const struct list *lists; /* borrowed; must live as long as every question */
	int list_count;
	struct breaker_settings breaker;
};

/* NULL: no memory. Any thread. */
struct lists *lists_new(struct loop *loop, const struct lists_settings *settings);
/* In a later turn of the loop than lists_new, or after it has stopped. Questions under way end as unknown, here or when
 * the engine is freed; a `done` may still call lists_ask. Clears the pointer; NULL is fine. */
void lists_free(struct lists **lists);

enum list_state {
	LIST_STATE_UNKNOWN,  /* no answer, or one that cannot be true (then `reply` has it), or it was not asked: left
			      * alone for a while, or its budget is spent */
	LIST_STATE_ANSWERED, /* listed or not: reply.outcome is DNS_FOUND or DNS_NONE */
	LIST_STATE_SKIPPED,  /* not used: it fails its test */
};

struct list_answer {
	enum list_state state;
	struct list_reply reply;
	bool cached;
	int64_t took_ms;  /* 0 where cached */
	int64_t holds_ms; /* how long it may be remembered; 0: not at all */
	const char *why;  /* where not ANSWERED: one clause, borrowed for the call; else "" */
};

/* Embed it; owned by the asker until `done` is called. */
struct list_question {
	void (*done)(struct list_question *question, const struct list_answer *answer);
	/* the rest is the function's */
	struct fitness_waiter waiter;
	struct lists *lists;
	int list;
	enum lists_use use;
	bool cached;
	int64_t asked_ms, took_ms;
	struct list_reply reply;
};

/* `prefix` is what stands before the zone: a reversed address, or a domain. `done` is called exactly once, and may be
 * called before this returns. */
void lists_ask(struct lists *lists, int list, const char *prefix, enum lists_use use, struct list_question *question);

/* The asker is about to ask a list for the text of its listing, by himself: it is counted. False: it may not be asked.
 */
bool lists_may_ask_text(struct lists *lists, int list, enum lists_use use);

/* Any thread. */
const struct list *lists_at(const struct lists *lists, int list);
int lists_count(const struct lists *lists);

/* Whether the list is asked about such things, NETADDR_UNKNOWN: domains; about one that is `reserved`
 * (netaddr_reserved) only where it is for such, too. Any thread. */
bool list_takes(const struct list *list, enum netaddr_family family, bool reserved);

/* NULL after lists_free. */
struct fitness *lists_fitness(struct lists *lists);

/* Questions to all lists, but for tests. */
struct lists_stats {
	uint64_t questions, answers, failures, timeouts, refused_inflight;
	uint64_t recent_failures; /* of the milter's questions, in a row since the last good answer: DNS is away */
};
struct lists_stats lists_stats(const struct lists *lists); /* any thread */

/* How a list does. */
struct lists_report {
	const char *state;	      /* a word of FITNESS_ROWS */
	char why[LIST_REPLY_WHY_MAX]; /* where it is not asked, or its test is not answered: what it does, without "it";
					 else "" */
	bool asked;		      /* it is in use */
	bool passes;		      /* its last test, or has none */
	bool used;		      /* it is the milter's, or was asked something */
	uint64_t answers, failures;
	int64_t median_ms;   /* of its last answers; -1: none yet */
	int64_t retry_s;     /* until it is asked or tested again; -1: nothing is due */
	int64_t asked_today; /* questions sent (UTC), tests included */
};
void lists_report(const struct lists *lists, int list, struct lists_report *report_out);
bool lists_all_useless(const struct lists *lists); /* as fitness_all_useless */

#endif
