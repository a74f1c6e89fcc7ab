/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/record/trap_hits.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/record/factlog.h"
#include "milter/base/loop.h"
#include "policy/account.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { MINUTE_MS = 60000, LEAST_PART = 6, TICK_MS = 200 };

struct hit {
	struct loop_job job; /* first */
	struct hit *next;
	int64_t due_ms; /* clock_monotonic_ms() */
	double count;
	char account[ACCOUNT_MAX + 1];
};

/* Of the loop thread, but for `waiting`. */
static struct {
	struct event *tick; /* owned */
	struct hit *first;  /* owned, in any order */
	atomic_uint_fast64_t waiting;
} hits;

static void trap_tell(struct hit *hit)
{
	store_feedback(the_daemon.store, hit->account, COUNTER_TRAPS, hit->count, clock_now_ms());
	factlog_feedback(hit->account, COUNTER_TRAPS, hit->count, clock_now_ms());
	atomic_fetch_sub(&hits.waiting, 1);
	free(hit);
}

static void trap_tell_due(int64_t now_ms)
{
	for (struct hit **at = &hits.first; *at != NULL;) {
		struct hit *hit = *at;
		if (hit->due_ms > now_ms) {
			at = &hit->next;
			continue;
		}
		*at = hit->next;
		trap_tell(hit);
	}
}

static void trap_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	trap_tell_due(clock_monotonic_ms());
}

/* Where too many wait, the one that is due first is told: the newcomer waits like any other. */
static void trap_tell_first(void)
{
	struct hit **first = &hits.first;
	for (struct hit **at = &hits.first; *at != NULL; at = &(*at)->next)
		if ((*at)->due_ms < (*first)->due_ms)
			first = at;
	struct hit *hit = *first;
	*first = hit->next;
	trap_tell(hit);
}

static void trap_take(struct loop_job *job)
{
	struct hit *hit = (struct hit *)(void *)job;
	if (hit->due_ms == 0) {
		trap_tell(hit);
		return;
	}
	if (hits.first != NULL && atomic_load(&hits.waiting) > TRAP_HITS_MAX)
		trap_tell_first();
	hit->next = hits.first;
	hits.first = hit;
}

/* 0: at once. */
static int64_t trap_due_ms(int64_t delay_minutes)
{
	uint64_t lot;
	if (delay_minutes == 0 || getrandom(&lot, sizeof lot, 0) != (ssize_t)sizeof lot)
		return 0;
	int64_t most = delay_minutes * MINUTE_MS, least = most / LEAST_PART;
	return clock_monotonic_ms() + least + (int64_t)(lot % (uint64_t)(most - least));
}

void trap_hits_note(const char *account, int64_t count, int64_t delay_minutes)
{
	struct hit *hit = count > 0 ? calloc(1, sizeof *hit) : NULL;
	if (hit == NULL) {
		if (count > 0)
			stats_job_dropped();
		return;
	}
	atomic_fetch_add(&hits.waiting, 1);
	hit->job.run = trap_take;
	hit->due_ms = trap_due_ms(delay_minutes);
	hit->count = (double)count;
	text_copy(hit->account, sizeof hit->account, account);
	loop_post(the_daemon.loop, &hit->job);
}

bool trap_hits_start(struct loop *loop)
{
	struct timeval every = { .tv_usec = TICK_MS * 1000 };
	hits.tick = event_new(loop_base(loop), -1, EV_PERSIST, trap_on_tick, NULL);
	return hits.tick != NULL && event_add(hits.tick, &every) == 0;
}

void trap_hits_end(void)
{
	trap_tell_due(INT64_MAX);
}

void trap_hits_stop(void)
{
	if (hits.tick != NULL)
		event_free(hits.tick);
	hits.tick = NULL;
	while (hits.first != NULL) {
		struct hit *hit = hits.first;
		hits.first = hit->next;
		free(hit);
	}
	atomic_store(&hits.waiting, 0);
}

uint64_t trap_hits_waiting(void)
{
	return atomic_load(&hits.waiting);
}
