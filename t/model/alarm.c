/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In the place of redis-schema/wire/alarm.c.
 */
#include "redis-schema/wire/alarm.h"

#include "t/model/time.h"

#include <stdlib.h>

#include "policy/base/banned.h"

struct alarm {
	struct alarm *next; /* owned by the list */
	alarm_rings *rings;
	void *arg;     /* the caller's */
	int64_t at_ms; /* INT64_MAX: it is not set */
};

struct alarm_call {
	struct alarm_call *next; /* owned by the queue */
	alarm_rings *rings;
	void *arg; /* the caller's */
};

static int64_t now_ms;
static struct alarm *alarms;
static struct alarm_call *calls, **last_call = &calls;
static struct alarm_call *dropped; /* kept: what they hold is no leak of a daemon that goes on */

void time_begin(int64_t ms)
{
	now_ms = ms;
}

void time_forward(int64_t ms)
{
	now_ms += ms;
}

int64_t alarm_clock_ms(void)
{
	return now_ms;
}

struct alarm *alarm_new(struct event_base *base, alarm_rings *rings, void *arg)
{
	struct alarm *alarm = calloc(1, sizeof *alarm);
	(void)base;
	if (alarm == NULL)
		return NULL;
	*alarm = (struct alarm){ .next = alarms, .rings = rings, .arg = arg, .at_ms = INT64_MAX };
	alarms = alarm;
	return alarm;
}

void alarm_free(struct alarm **alarm)
{
	struct alarm **at = &alarms;
	if (*alarm == NULL)
		return;
	while (*at != *alarm)
		at = &(*at)->next;
	*at = (*alarm)->next;
	free(*alarm);
	*alarm = NULL;
}

void alarm_set(struct alarm *alarm, int64_t ms)
{
	alarm->at_ms = now_ms + ms;
}

bool alarm_is_set(const struct alarm *alarm)
{
	return alarm->at_ms != INT64_MAX;
}

void alarm_clear(struct alarm *alarm)
{
	alarm->at_ms = INT64_MAX;
}

bool alarm_soon(struct event_base *base, alarm_rings *rings, void *arg)
{
	struct alarm_call *call = malloc(sizeof *call);
	(void)base;
	if (call == NULL)
		return false;
	*call = (struct alarm_call){ NULL, rings, arg };
	*last_call = call;
	last_call = &call->next;
	return true;
}

/* ---- the schedule's side */

static struct alarm *alarm_next(void)
{
	struct alarm *next = alarms;
	for (struct alarm *alarm = alarms; alarm != NULL; alarm = alarm->next)
		if (alarm->at_ms < next->at_ms)
			next = alarm;
	return next;
}

int64_t time_next_alarm(void)
{
	const struct alarm *next = alarm_next();
	return next != NULL ? next->at_ms : INT64_MAX;
}

bool time_ring(void)
{
	struct alarm *alarm = alarm_next();
	if (alarm == NULL || alarm->at_ms > now_ms)
		return false;
	alarm->at_ms = INT64_MAX;
	alarm->rings(alarm->arg);
	return true;
}

bool time_call_soon(void)
{
	if (calls == NULL)
		return false;
	struct alarm_call *first = calls, call = *first;
	calls = first->next;
	if (calls == NULL)
		last_call = &calls;
	free(first);
	call.rings(call.arg);
	return true;
}

void time_drop_soon(void)
{
	*last_call = dropped;
	dropped = calls;
	calls = NULL;
	last_call = &calls;
}

bool time_is_empty(void)
{
	return alarms == NULL && calls == NULL;
}
