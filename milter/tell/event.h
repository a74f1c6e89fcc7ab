/* SPDX-License-Identifier: BSD-2-Clause
 *
 * event: something happened that somebody wants to hear of: an account's level changed, a limit was passed, one of our
 * addresses is listed. Told once, to whoever is configured: a stream in Redis, a webhook, mail to the admin. None of
 * them is ever in mail's way: telling copies the event and returns.
 *
 * The JSON of an event (event_json) is a contract: penstock.conf(5), "EVENTS".
 */
#ifndef PENSTOCK_EVENT_H
#define PENSTOCK_EVENT_H

#include "policy/notice.h"

#include <jansson.h>

struct loop;

enum { EVENT_WAITING_MAX = 1024 };

/* Any thread; never waits. Where EVENT_WAITING_MAX wait to be handed on, it is counted as dropped. */
void event_tell(const struct notice *event);
/* event_text.c. A new reference; NULL: no memory. */
json_t *event_json(const struct notice *event);

/* Before the loop starts, with store, setup and node there. Stop: before the loop stops, and waits for what is
 * being sent to give up; what still waits is counted in the log. */
bool event_start(struct loop *loop); /* false: no memory */
void event_stop(void);
/* With the loop stopped. */
void event_clear(void);
/* After a reload: what failed is tried again now. */
void event_hurry(void);

/* Any thread. */
struct event_sink_stats {
	uint64_t sent, retried, given_up, waiting;
	uint64_t lost; /* of those given up: that would have been wanted, but too many waited, or they were too old */
	uint64_t failing_s;	 /* for how long nothing has been taken although it was tried; 0: all is well */
	uint64_t refused;	 /* in a row, that the other side does not want and has never again */
	int64_t failing_since_s; /* Unix time of the first failure in the row; 0: all is well */
	char why[200]; /* the newest failure of the row: what follows "hooks.example.com "; "" : none is known */
};
struct event_stats {
	uint64_t told, quiet, dropped; /* quiet: the same was told a moment ago */
	struct event_sink_stats stream, webhook, mail;
};
struct event_stats event_stats(void);

#endif
