/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/alarm.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "policy/base/banned.h"

struct alarm {
	struct event *event; /* owned */
	alarm_rings *rings;
	void *arg; /* the caller's */
};

int64_t alarm_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The one who is called may free the alarm. */
static void alarm_on_timer(evutil_socket_t fd, short what, void *arg)
{
	const struct alarm *alarm = arg;
	(void)fd;
	(void)what;
	alarm->rings(alarm->arg);
}

struct alarm *alarm_new(struct event_base *base, alarm_rings *rings, void *arg)
{
	struct alarm *alarm = calloc(1, sizeof *alarm);
	if (alarm == NULL)
		return NULL;
	*alarm = (struct alarm){ .event = evtimer_new(base, alarm_on_timer, alarm), .rings = rings, .arg = arg };
	if (alarm->event == NULL)
		alarm_free(&alarm);
	return alarm;
}

void alarm_free(struct alarm **alarm)
{
	if (*alarm == NULL)
		return;
	if ((*alarm)->event != NULL)
		event_free((*alarm)->event);
	free(*alarm);
	*alarm = NULL;
}

void alarm_set(struct alarm *alarm, int64_t ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(alarm->event, &wait);
}

void alarm_clear(struct alarm *alarm)
{
	evtimer_del(alarm->event);
}

/* ---- once */

struct alarm_call {
	alarm_rings *rings;
	void *arg; /* the caller's */
};

static void alarm_on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct alarm_call call = *(struct alarm_call *)arg;
	(void)fd;
	(void)what;
	free(arg);
	call.rings(call.arg);
}

bool alarm_soon(struct event_base *base, alarm_rings *rings, void *arg)
{
	/* libevent calls a timer of zero in this very turn, and a chain of them would never let the turn end */
	static const struct timeval next_turn = { .tv_usec = 1 };
	struct alarm_call *call = malloc(sizeof *call);
	if (call == NULL)
		return false;
	*call = (struct alarm_call){ rings, arg };
	if (event_base_once(base, -1, EV_TIMEOUT, alarm_on_soon, call, &next_turn) == 0)
		return true;
	free(call);
	return false;
}
