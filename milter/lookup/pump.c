/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/lookup/pump.h"

#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <event2/event.h>

#include "policy/base/banned.h"

enum { TURN_MOST = 256, WAIT_MS = 20 };

static void wake_in(struct pump *pump, int ms)
{
	struct timeval in = { .tv_usec = ms * 1000 };
	/* a timer, not event_active: that one would come before the sockets are looked at */
	evtimer_add(pump->turn, &in);
}

static bool has_room(const struct pump *pump)
{
	struct resolver_load load = engine_load(pump->engine);
	int64_t most = pump->many ? load.most * 3 / 8 : load.most / 2;
	return load.under_way < (most > 0 ? most : 1);
}

static void pump_on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct pump *pump = arg;
	struct step *step;
	(void)fd;
	(void)what;
	pump_hold(pump);
	for (int i = 0; i < TURN_MOST && !pump->ended && pump->engine != NULL && has_room(pump); i++) {
		step = TAILQ_FIRST(&pump->waiting);
		if (step == NULL)
			break;
		TAILQ_REMOVE(&pump->waiting, step, place);
		step->begin(step);
	}
	if (!pump->ended)
		pump->after(pump);
	if (!pump->ended && pump->engine != NULL && pump_waits(pump))
		wake_in(pump, has_room(pump) ? 0 : WAIT_MS);
	pump_release(pump);
}

bool pump_init(struct pump *pump, struct loop *loop)
{
	TAILQ_INIT(&pump->waiting);
	pump->references = 1;
	pump->turn = evtimer_new(loop_base(loop), pump_on_turn, pump);
	return pump->turn != NULL;
}

void pump_end(struct pump *pump)
{
	pump->ended = true;
	if (pump->turn != NULL)
		event_free(pump->turn);
	pump->turn = NULL;
	pump_release(pump);
}

void pump_push(struct pump *pump, struct step *step, bool soon)
{
	if (soon)
		TAILQ_INSERT_HEAD(&pump->waiting, step, place);
	else
		TAILQ_INSERT_TAIL(&pump->waiting, step, place);
	pump_wake(pump);
}

void pump_wake(struct pump *pump)
{
	if (!pump->ended)
		wake_in(pump, 0);
}

bool pump_waits(const struct pump *pump)
{
	return !TAILQ_EMPTY(&pump->waiting);
}

void pump_hold(struct pump *pump)
{
	pump->references++;
}

bool pump_heard(struct pump *pump)
{
	if (pump->ended)
		return false;
	if (pump->engine != NULL && engine_load(pump->engine).most == 0)
		pump->engine = NULL;
	pump_wake(pump);
	return true;
}

void pump_release(struct pump *pump)
{
	if (--pump->references == 0)
		pump->free(pump);
}

/* ---- lookup */

static void pump_tell(struct lookup *lookup, const struct dns_answer *answer)
{
	struct pump *pump = lookup->pump;
	if (pump_heard(pump))
		lookup->done(lookup, answer);
	pump_release(pump);
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
	pump_tell(arg, answer);
}

/* An equal question that is under way is joined, at no cost. */
static bool may_leave(struct lookup *lookup)
{
	return lookup->leaves == NULL || engine_asks(lookup->pump->engine, lookup->name, lookup->type) ||
	       lookup->leaves(lookup);
}

static void pump_begin_lookup(struct step *step)
{
	struct lookup *lookup = (struct lookup *)(void *)step;
	struct dns_data data;
	struct dns_answer answer;
	pump_hold(lookup->pump);
	if (engine_find(lookup->pump->engine, lookup->name, lookup->type, &data, &answer)) {
		pump_tell(lookup, &answer);
		return;
	}
	if (may_leave(lookup) && engine_ask(lookup->pump->engine, lookup->name, lookup->type, on_answer, lookup))
		return;
	answer = (struct dns_answer){ .type = lookup->type, .rcode = DNS_RCODE_NONE };
	pump_tell(lookup, &answer); /* there was room: it may not leave, or memory is missing */
}

bool lookup_ask(struct lookup *lookup, struct pump *pump, const char *head, const char *zone, enum dns_type type,
		void (*done)(struct lookup *lookup, const struct dns_answer *answer))
{
	struct text name = text_over(lookup->name, sizeof lookup->name);
	text_add(&name, head);
	text_add(&name, *zone == '\0' ? "" : ".");
	text_add(&name, zone);
	if (name.cut)
		return false;
	lookup->step.begin = pump_begin_lookup;
	lookup->pump = pump;
	lookup->done = done;
	lookup->type = type;
	pump_push(pump, &lookup->step, true);
	return true;
}
