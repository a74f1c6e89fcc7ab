/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lists: one question to one block list: whether it is fit to be asked, has budget left and knows such things; what is
 * cached; the question itself; and what the list's fitness learns of the answer. All who ask block lists ask here: the
 * milter about its clients (rbl.h), and the checks of addresses and names (check.h).
 *
 * Lists that the milter asks are tested at the start and hourly, others when they are asked for the first time and at
 * most hourly after that: who never looks at a list sends it nothing.
 *
 * Loop thread only, but for what says otherwise.
 */
#ifndef PENSTOCK_LISTS_H
#define PENSTOCK_LISTS_H

#include "milter/dns/fitness.h"

struct lists;

struct lists_settings {
	struct engine *engine;		/* borrowed until lists_free, and freed soon after it */
	const struct list *lists;	/* borrowed; must live as long as every question */
	int list_count;
	struct breaker_settings breaker;
};

/* NULL: no memory. Any thread. */
struct lists *lists_new(struct loop *loop, const struct lists_settings *settings);
/* Questions under way end as unknown when the engine is freed. Clears the pointer; NULL is fine. */
void lists_free(struct lists **lists);

/* A check leaves a quarter of a list's daily budget to the mail. */
enum lists_use { LISTS_FOR_MAIL, LISTS_FOR_CHECK };

enum list_state {
	LIST_STATE_UNKNOWN,	/* no answer, or left alone for a while, or its budget is spent */
	LIST_STATE_ANSWERED,	/* listed or not: reply.outcome is DNS_FOUND or DNS_NONE */
	LIST_STATE_SKIPPED,	/* not used: it fails its test */
};

struct list_answer {
	enum list_state state;
	struct list_reply reply;
	bool cached;
	int64_t took_ms;	/* 0 where cached */
	int64_t holds_ms;	/* how long it may be remembered; 0: not at all */
	const char *why;	/* where not ANSWERED: one clause, borrowed for the call; else "" */
};

/* Embed it; owned by the asker until `done` is called. */
struct list_question {
	void (*done)(struct list_question *question, const struct list_answer *answer);
	/* the rest is the function's */
	struct fitness_waiter waiter;
	struct lists *lists;
	int list;
	enum lists_use use;
	int64_t asked_ms;
	struct list_reply reply;
};

/* `prefix` is what stands before the zone: a reversed address, or a domain. `done` is called exactly once, and may be
 * called before this returns. */
void lists_ask(struct lists *lists, int list, const char *prefix, enum lists_use use, struct list_question *question);

const struct list *lists_at(const struct lists *lists, int list);
int lists_count(const struct lists *lists);

/* Questions asked today (UTC), tests included. Any thread. */
int64_t lists_spent(const struct lists *lists, int list);

/* Whether the list knows the thing asked about. */
bool list_knows(const struct list *list, enum netaddr_family family);

struct fitness *lists_fitness(struct lists *lists);

#endif
