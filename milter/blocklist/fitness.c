/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/fitness.h"

#include "milter/base/clock.h"
#include "milter/blocklist/fitness_inside.h"
#include "milter/dns/engine.h"
#include "milter/blocklist/track.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	TICK_S = 1,
	SUSPECT_MS = 600 * 1000,
};

/* ---- lists that do not answer */

static void fitness_note(struct fitness *fitness, int list, const struct list_reply *reply, int64_t took_ms, bool quiet)
{
	struct track *track = &fitness->shapes[list].track;
	if (list_reply_tells(reply))
		track_answered(track, fitness_list(fitness, list), took_ms);
	else
		track_failed(track, fitness_list(fitness, list), &fitness->settings.breaker, quiet);
}

static void fitness_on_probe(void *arg, const struct dns_answer *answer)
{
	struct test *probe = arg;
	struct fitness *fitness = probe->fitness;
	struct list_reply reply = list_reply_of(answer);
	if (!fitness->ending)
		fitness_note(fitness, probe->list, &reply, clock_monotonic_ms() - probe->asked_ms, true);
	fitness_drop(fitness);
	free(probe);
}

/* Whether a list for mail is back is asked here, so that no connection waits for it. */
static void probe(struct fitness *fitness, int list, int64_t now_ms)
{
	struct breaker *breaker = &fitness->shapes[list].track.breaker;
	if (breaker_may_ask(breaker, now_ms) && !fitness_ask_entry(fitness, list, LIST_ENTRY_YES, fitness_on_probe))
		breaker_unasked(breaker);
}

/* What the servers of before did not answer says nothing any more. */
static void fitness_start_anew(struct fitness *fitness)
{
	fitness->servers = engine_generation(fitness->settings.engine);
	for (int i = 0; i < fitness->settings.list_count; i++) {
		struct shape *shape = &fitness->shapes[i];
		shape->track.breaker = (struct breaker){ 0 };
		shape->test_due_ms = clock_monotonic_ms();
		shape->anew = fitness_list(fitness, i)->mail;
	}
}

static void fitness_tend(struct fitness *fitness, int list, int64_t now_ms)
{
	struct shape *shape = &fitness->shapes[list];
	if (breaker_open(&shape->track.breaker))
		probe(fitness, list, now_ms);
	else if (shape->test_due_ms <= now_ms || (shape->anew && shape->tests_open == 0))
		fitness_start_test(fitness, list, shape->anew);
}

static void fitness_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct fitness *fitness = arg;
	int64_t now_ms = clock_monotonic_ms();
	(void)fd;
	(void)what;
	if (fitness->servers != engine_generation(fitness->settings.engine))
		fitness_start_anew(fitness);
	for (int i = 0; i < fitness->settings.list_count; i++)
		if (fitness_list(fitness, i)->mail)
			fitness_tend(fitness, i, now_ms);
}

bool fitness_wait(struct fitness *fitness, int list, struct fitness_waiter *waiter)
{
	struct shape *shape = &fitness->shapes[list];
	if (!shape->matters)
		return false;
	waiter->next = shape->waiters;
	shape->waiters = waiter;
	return true;
}

bool fitness_suspect(struct fitness *fitness)
{
	int64_t now_ms = clock_monotonic_ms();
	if (fitness->ending || now_ms < fitness->suspect_due_ms)
		return false;
	fitness->suspect_due_ms = now_ms + SUSPECT_MS;
	fitness_start_that_matters(fitness);
	return true;
}

/* ---- life */

static bool fitness_open_shapes(struct fitness *fitness)
{
	bool all = true;
	for (int i = 0; i < fitness->settings.list_count; i++) {
		const struct list *list = fitness_list(fitness, i);
		fitness->shapes[i].matters = list->mail && list->test;
		fitness->shapes[i].budget = budget_open(list->asked_zone, clock_now_ms());
		all = all && fitness->shapes[i].budget != NULL;
	}
	return all;
}

struct fitness *fitness_new(struct loop *loop, const struct fitness_settings *settings)
{
	struct fitness *fitness = calloc(1, sizeof *fitness + (size_t)settings->list_count * sizeof fitness->shapes[0]);
	if (fitness == NULL)
		return NULL;
	fitness->references = 1;
	fitness->settings = *settings;
	atomic_init(&fitness->generation, 0);
	fitness->tick = event_new(loop_base(loop), -1, EV_PERSIST, fitness_on_tick, fitness);
	if (!fitness_open_shapes(fitness) || fitness->tick == NULL)
		fitness_free(&fitness);
	return fitness;
}

void fitness_free(struct fitness **fitness)
{
	struct fitness *old = *fitness;
	*fitness = NULL;
	if (old == NULL)
		return;
	old->ending = true;
	if (old->tick != NULL)
		event_free(old->tick);
	for (int i = 0; i < old->settings.list_count; i++)
		if (old->shapes[i].tests_open == 0) /* it was not begun; others end with the engine */
			fitness_let_go(&old->shapes[i]);
	fitness_drop(old);
}

void fitness_start(struct fitness *fitness)
{
	struct timeval tick = { .tv_sec = TICK_S };
	fitness->servers = engine_generation(fitness->settings.engine);
	fitness_start_that_matters(fitness);
	event_add(fitness->tick, &tick);
}

/* ---- in use */

void fitness_use(struct fitness *fitness, int list, enum lists_use use)
{
	struct shape *shape = &fitness->shapes[list];
	if (fitness_list(fitness, list)->mail || breaker_open(&shape->track.breaker) ||
	    shape->test_due_ms > clock_monotonic_ms() || !fitness_has_room(fitness, list, use, LIST_ENTRIES + 1))
		return;
	fitness_start_test(fitness, list, true);
}

/* Nobody probes a list that is not for mail: one of the questions that it is asked does. */
static bool is_away(const struct fitness *fitness, int list, int64_t now_ms)
{
	const struct breaker *breaker = &fitness->shapes[list].track.breaker;
	return breaker_open(breaker) && (fitness_list(fitness, list)->mail || !breaker_due(breaker, now_ms));
}

enum fitness_state fitness_may_ask(const struct fitness *fitness, int list, enum lists_use use, int64_t *left_ms_out)
{
	const struct shape *shape = &fitness->shapes[list];
	int64_t now_ms = clock_monotonic_ms();
	bool again = shape->matters && shape->tests_open > 0;
	*left_ms_out = 0;
	if (shape->test == FITNESS_UNFIT && !again)
		return FITNESS_UNFIT;
	if (is_away(fitness, list, now_ms)) {
		*left_ms_out = breaker_left_ms(&shape->track.breaker, now_ms);
		return FITNESS_AWAY;
	}
	if (!fitness_has_room(fitness, list, use, 1)) {
		*left_ms_out = budget_left_ms(clock_now_ms());
		return FITNESS_SPENT;
	}
	return again ? FITNESS_UNTESTED : shape->test;
}

void fitness_asked(struct fitness *fitness, int list, bool sent)
{
	struct shape *shape = &fitness->shapes[list];
	breaker_may_ask(&shape->track.breaker, clock_monotonic_ms());
	if (sent)
		budget_count(shape->budget, clock_now_ms());
}

bool fitness_spend(struct fitness *fitness, int list, enum lists_use use)
{
	bool room = fitness_has_room(fitness, list, use, 1);
	if (room)
		budget_count(fitness->shapes[list].budget, clock_now_ms());
	return room;
}

bool fitness_unfit(const struct fitness *fitness, int list)
{
	return fitness->shapes[list].test == FITNESS_UNFIT;
}

void fitness_heard(struct fitness *fitness, int list, const struct list_reply *reply, int64_t took_ms, bool quiet)
{
	char why[LIST_REPLY_WHY_MAX];
	fitness_note(fitness, list, reply, took_ms, quiet);
	if (!list_reply_odd(fitness_list(fitness, list), reply, why))
		return;
	fitness_set_unfit(fitness, list, why);
	fitness->shapes[list].test_due_ms = clock_monotonic_ms() + FITNESS_TEST_SOON_MS;
}

uint32_t fitness_generation(struct fitness *fitness)
{
	return atomic_load_explicit(&fitness->generation, memory_order_relaxed);
}

/* ---- report */

static enum fitness_state fitness_state_of(const struct fitness *fitness, int list)
{
	const struct shape *shape = &fitness->shapes[list];
	if (shape->test == FITNESS_UNFIT)
		return FITNESS_UNFIT;
	if (!fitness_has_room(fitness, list, fitness_list(fitness, list)->mail ? LISTS_FOR_MAIL : LISTS_FOR_CHECK, 1))
		return FITNESS_SPENT;
	return breaker_open(&shape->track.breaker) ? FITNESS_AWAY : shape->test;
}

static int64_t fitness_due_of(const struct shape *shape, enum fitness_state state)
{
	int64_t now_ms = clock_monotonic_ms();
	if (state == FITNESS_AWAY)
		return breaker_left_ms(&shape->track.breaker, now_ms);
	if (state == FITNESS_SPENT)
		return budget_left_ms(clock_now_ms());
	if (state == FITNESS_UNFIT)
		return shape->test_due_ms > now_ms ? shape->test_due_ms - now_ms : 0;
	return -1;
}

void fitness_report(const struct fitness *fitness, int list, struct fitness_report *report_out)
{
	const struct shape *shape = &fitness->shapes[list];
	enum fitness_state state = fitness_state_of(fitness, list);
	int64_t due_ms = fitness_due_of(shape, state);
	*report_out = (struct fitness_report){
		.state = state,
		.answers = shape->track.answers,
		.failures = shape->track.failures,
		.median_ms = track_median_ms(&shape->track),
		.retry_s = due_ms < 0 ? -1 : (due_ms + 999) / 1000,
		.passes = fitness_passes(shape),
	};
	struct text why = text_over(report_out->why, sizeof report_out->why);
	if (state == FITNESS_AWAY)
		text_add(&why, "gives no answer");
	else if (state == FITNESS_SPENT)
		text_addf(&why, "has spent its budget of %lld questions a day",
			  (long long)fitness_list(fitness, list)->budget);
	else if (state == FITNESS_UNFIT)
		text_add(&why, shape->why);
	else if (shape->told_unanswered)
		text_addf(&why, "has not answered its test for %lld minutes",
			  (long long)(clock_monotonic_ms() - shape->unanswered_ms) / 60000);
}

bool fitness_all_useless(const struct fitness *fitness)
{
	return fitness_useless(fitness) > 0;
}
