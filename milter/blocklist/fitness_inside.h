/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fitness_inside: what fitness_state.c, fitness_test.c and fitness.c, which uses both, share.
 */
#ifndef PENSTOCK_FITNESS_INSIDE_H
#define PENSTOCK_FITNESS_INSIDE_H

#include "milter/blocklist/budget.h"
#include "milter/blocklist/fitness.h"
#include "milter/blocklist/track.h"
#include "milter/dns/resolver.h"

#include <stdatomic.h>

enum { FITNESS_TEST_SOON_MS = 60 * 1000 }; /* after an answer that cannot be true, or a test that was not answered */

/* A question about a test entry: of a test, or only whether the list answers. */
struct test {
	struct fitness *fitness; /* one reference */
	int list;
	enum list_entry entry;
	int64_t asked_ms;
};

/* How one list does. */
struct shape {
	enum fitness_state test; /* UNTESTED, OK or UNFIT */
	char why[LIST_REPLY_WHY_MAX];
	struct budget *budget; /* owned */
	struct track track;
	int64_t test_due_ms;
	int64_t unanswered_ms; /* since then no test had all its answers; 0: the last one had */
	bool told_unanswered;  /* that was said, and is trouble */
	bool anew;	       /* other servers are asked: it is tested as soon as no test is under way */
	int tests_open;	       /* questions of a test under way */
	bool matters;	       /* whoever has an answer waits for its end */
	struct list_reply replies[LIST_ENTRIES];
	struct fitness_waiter *waiters;
};

/* Counted: the owner's reference, one for each question about a test entry. */
struct fitness {
	int references;
	struct fitness_settings settings;
	bool ending;
	struct event *tick; /* owned */
	atomic_uint generation;
	int64_t suspect_due_ms;
	bool told_all;
	unsigned servers; /* those that the lists are asked by: engine_generation */
	struct shape shapes[];
};

/* ---- fitness_state.c */

void fitness_drop(struct fitness *fitness);
const struct list *fitness_list(const struct fitness *fitness, int list);
bool fitness_has_room(const struct fitness *fitness, int list, enum lists_use use, int questions);
void fitness_note_all(struct fitness *fitness);
void fitness_set_unfit(struct fitness *fitness, int list, const char *why);
void fitness_set_fit(struct fitness *fitness, int list, enum fitness_state state);
bool fitness_passes(const struct shape *shape);
/* How many lists there are for mail, or 0 where one of them passes its test, has yet to, or has none. */
int fitness_useless(const struct fitness *fitness);

/* ---- fitness_test.c */

void fitness_let_go(struct shape *shape);
bool fitness_ask_entry(struct fitness *fitness, int list, enum list_entry entry, resolver_done *done);
void fitness_start_test(struct fitness *fitness, int list, bool matters);
void fitness_start_that_matters(struct fitness *fitness);

#endif
