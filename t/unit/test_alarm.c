/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/alarm.h"

#include "t/unit/tap.h"

#include <event2/event.h>

static struct event_base *base;
static int rung;

static void ring(void *arg)
{
	(void)arg;
	rung++;
}

static void ring_on(void *arg)
{
	(void)arg;
	if (++rung < 100)
		alarm_soon(base, ring_on, NULL);
}

static void check_alarms(void)
{
	struct alarm *alarm = alarm_new(base, ring, NULL);
	alarm_set(alarm, 0);
	alarm_set(alarm, 1000000);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ok(rung == 0, "set anew");
	alarm_set(alarm, 0);
	is_int(rung, 0, "rings in a later turn");
	while (rung == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ok(rung == 1, "once");
	alarm_set(alarm, 0);
	alarm_clear(alarm);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ok(rung == 1, "not when it is cleared");
	alarm_free(&alarm);
	ok(alarm == NULL, "freed");
	alarm_free(&alarm);
	rung = 0;
	alarm_soon(base, ring_on, NULL);
	event_base_loop(base, EVLOOP_ONCE);
	ok(rung <= 1, "a chain of them does not hold up a turn");
	while (rung < 100)
		event_base_loop(base, EVLOOP_ONCE);
}

int main(void)
{
	base = event_base_new();
	check_alarms();
	event_base_free(base);
	return done_testing();
}
