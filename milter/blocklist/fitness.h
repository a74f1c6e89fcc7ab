/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fitness: how each block list does, and so whether it is asked. One that gives no answers is left alone for a while,
 * so that it does not cost every connection a time-out; whether it is back is asked apart from them. One that fails the
 * test of RFC 5782 section 5 (127.0.0.2 is listed, 127.0.0.1 is not) is not used: it is gone, it refuses us, or a
 * resolver rewrites its answers. One whose daily budget is spent is not asked until tomorrow. Each is said once.
 *
 * Lists that mail is looked up in are tested at the start, hourly, when answers look wrong and when other DNS servers
 * are asked; others when they are used, at most hourly while they answer: who never looks at a list sends it nothing.
 *
 * Loop thread only, but for what says otherwise.
 */
#ifndef PENSTOCK_FITNESS_H
#define PENSTOCK_FITNESS_H

#include "milter/blocklist/breaker.h"
#include "milter/blocklist/list_reply.h"

struct engine;
struct fitness;
struct loop;

/* id, word */
#define FITNESS_ROWS(ROW) \
	ROW(UNTESTED, "untested") /* used; its test entries have not answered yet, or it has none */ \
	ROW(OK, "ok") \
	ROW(AWAY, "away")   /* left alone for a while, unknown meanwhile */ \
	ROW(UNFIT, "unfit") /* not used */ \
	ROW(SPENT, "spent") /* its budget is: unknown until tomorrow */

enum fitness_state {
#define FITNESS_ENUM(id, word) FITNESS_##id,
	FITNESS_ROWS(FITNESS_ENUM)
#undef FITNESS_ENUM
};

/* A check leaves a quarter of a list's daily budget to the mail, and to the watch over our own addresses: no stranger
 * can blind it by asking much. */
enum lists_use { LISTS_FOR_MAIL, LISTS_FOR_CHECK, LISTS_FOR_OURS };

struct fitness_settings {
	struct engine *engine;	  /* borrowed until fitness_free */
	const struct list *lists; /* borrowed */
	int list_count;
	struct breaker_settings breaker;
};

/* NULL: no memory. Any thread. */
struct fitness *fitness_new(struct loop *loop, const struct fitness_settings *settings);
/* Tests that are under way end with the engine. Clears the pointer; NULL is fine. */
void fitness_free(struct fitness **fitness);
/* Begins the tests. Those who want a list's answer before its first test is over wait for it: fitness_wait. */
void fitness_start(struct fitness *fitness);

/* Somebody wants to know what a list says: one that is not for mail is tested now where that is due. */
void fitness_use(struct fitness *fitness, int list, enum lists_use use);
/* FITNESS_OK, FITNESS_UNTESTED: ask, then tell fitness_asked and fitness_heard. FITNESS_AWAY, FITNESS_SPENT: unknown,
 * for *left_ms_out at least. FITNESS_UNFIT: as if the list were not there. */
enum fitness_state fitness_may_ask(const struct fitness *fitness, int list, enum lists_use use, int64_t *left_ms_out);
/* `sent`: not one that joined an equal question, which costs the list nothing. */
void fitness_asked(struct fitness *fitness, int list, bool sent);
/* A question besides those: it is counted. False: the budget has no room for it. */
bool fitness_spend(struct fitness *fitness, int list, enum lists_use use);
/* `quiet`: DNS as a whole is away; that was said already. An answer that cannot be true makes the list unfit. */
void fitness_heard(struct fitness *fitness, int list, const struct list_reply *reply, int64_t took_ms, bool quiet);

/* Questions that were sent to it today (UTC), tests included. Any thread. */
int64_t fitness_spent(const struct fitness *fitness, int list);
/* SPENT was the answer: the log says it once a day, apart for mail and checks; `why` is one clause. */
void fitness_say_spent(struct fitness *fitness, int list, enum lists_use use, char why[LIST_REPLY_WHY_MAX]);

bool fitness_unfit(const struct fitness *fitness, int list);

/* Somebody who waits for the end of a list's test; embed it. Owned by the waiter until `ready` is called. */
struct fitness_waiter {
	struct fitness_waiter *next;
	void (*ready)(struct fitness_waiter *waiter);
};
/* False: no test is under way whose end matters to anybody; `ready` will not be called. */
bool fitness_wait(struct fitness *fitness, int list, struct fitness_waiter *waiter);
/* Every list for mail says yes: these are tested again, at most every ten minutes. False: not now. */
bool fitness_suspect(struct fitness *fitness);

/* Any thread: another number after each change of which lists for mail are used. */
uint32_t fitness_generation(struct fitness *fitness);

struct fitness_report {
	enum fitness_state state;
	char why[LIST_REPLY_WHY_MAX]; /* of AWAY, UNFIT, SPENT and of tests without answers: what it does, without "it";
					 else "" */
	bool passes; /* its last test, or has none; false: it failed, or has had no answer for ten minutes */
	uint64_t answers, failures;
	int64_t median_ms; /* of the last answers; -1: none yet */
	int64_t retry_s;   /* until it is asked or tested again; -1: nothing is due */
};
void fitness_report(const struct fitness *fitness, int list, struct fitness_report *report_out);
/* There are lists for mail, and none of them passes. */
bool fitness_all_useless(const struct fitness *fitness);
const char *fitness_word(enum fitness_state state);

#endif
