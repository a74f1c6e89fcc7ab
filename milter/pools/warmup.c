/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/warmup.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "policy/base/text.h"
#include "policy/ramp.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum {
	DAY_S = 86400,
	TICK_S = 1,
	KEY_MAX = 32, /* "warmup:2026-01-31" */
};

#define KEEP_S "259200" /* of a day's hash: clocks of hosts may differ, and people may look at yesterday */

struct warmup_row {
	char name[TRANSPORT_NAME_MAX + 1];
	int64_t since_s, first_day;
	int64_t cap;	   /* today's */
	int64_t total;	   /* in Redis, as it was said last */
	int64_t in_flight; /* handed to Redis, which has not said so yet */
	int64_t unsent;
};

static struct {
	atomic_bool any;				/* a transport warms up */
	pthread_mutex_t lock;				/* of rows, count, day */
	struct warmup_row rows[2 * TRANSPORTS_ALL_MAX]; /* a reload has old and new ones there for a moment */
	int count;
	int64_t day;	      /* of UTC, which the rows count */
	struct event *tick;   /* owned; this and what follows is the loop thread's */
	bool asking, refused; /* Redis is asked; it did not take what was added */
	int64_t asked_day;
} warmup = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- rows, with the lock held */

static int64_t sent_of(const struct warmup_row *row)
{
	return row->total + row->in_flight + row->unsent;
}

static void set_cap(struct warmup_row *row)
{
	row->cap = ramp_cap(row->first_day, RAMP_GROWTH_DEFAULT, warmup.day - row->since_s / DAY_S);
}

/* What was not yet handed over at midnight is of no use to anybody any more. */
static int64_t warmup_roll(void)
{
	int64_t now_s = clock_now_ms() / 1000;
	if (now_s / DAY_S == warmup.day)
		return now_s;
	warmup.day = now_s / DAY_S;
	for (int i = 0; i < warmup.count; i++) {
		struct warmup_row *row = &warmup.rows[i];
		row->total = row->in_flight = row->unsent = 0;
		set_cap(row);
	}
	return now_s;
}

static struct warmup_row *warmup_find_row(const char *name)
{
	for (int i = 0; i < warmup.count; i++)
		if (strcmp(warmup.rows[i].name, name) == 0)
			return &warmup.rows[i];
	return NULL;
}

/* Takes the transport's row to the place `to`, which is not behind it; makes one where there is none. */
static void warmup_take_row(const struct transport *transport, int to)
{
	struct warmup_row *place = &warmup.rows[to], *was = warmup_find_row(transport->name);
	struct warmup_row row = was != NULL ? *was : (struct warmup_row){ .total = 0 };
	if (was == NULL) { /* whoever stands there moves to the end */
		if (to < warmup.count)
			warmup.rows[warmup.count] = *place;
		warmup.count++;
	} else {
		*was = *place;
	}
	text_copy(row.name, sizeof row.name, transport->name);
	row.since_s = transport->warmup_since_s;
	row.first_day = transport->warmup_first_day;
	set_cap(&row);
	*place = row;
}

/* ---- the configuration */

static bool warms(const struct transport *transport)
{
	return transport->warmup_first_day > 0;
}

void warmup_reload(const struct config *config)
{
	int count = 0;
	pthread_mutex_lock(&warmup.lock);
	warmup_roll();
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			if (warms(&config->pools[i].transports[j]))
				warmup_take_row(&config->pools[i].transports[j], count++);
	warmup.count = count;
	pthread_mutex_unlock(&warmup.lock);
	atomic_store(&warmup.any, count > 0);
}

/* ---- messages */

/* Of one pool: a pool is not left without a transport for the sake of warming up, above all not to one that is listed.
 */
static void warmup_raise_pool(const struct pool *pool, struct transport_state *states, int64_t now_s)
{
	unsigned char before[TRANSPORTS_MAX];
	bool all_out = true;
	for (int i = 0; i < pool->transport_count; i++) {
		const struct transport *transport = &pool->transports[i];
		struct transport_state *state = &states[transport->index];
		const struct warmup_row *row = warms(transport) ? warmup_find_row(transport->name) : NULL;
		int withheld = row == NULL ? 0 : ramp_withheld(row->cap, sent_of(row), now_s);
		before[i] = state->withheld;
		if (withheld > state->withheld)
			state->withheld = (unsigned char)withheld;
		all_out = all_out && state->withheld == TRANSPORT_OUT;
	}
	for (int i = 0; all_out && i < pool->transport_count; i++)
		states[pool->transports[i].index].withheld = before[i];
}

void warmup_states(const struct config *config, struct transport_state *states)
{
	if (!atomic_load(&warmup.any))
		return;
	pthread_mutex_lock(&warmup.lock);
	int64_t now_s = warmup_roll();
	for (int i = 0; i < config->pool_count; i++)
		warmup_raise_pool(&config->pools[i], states, now_s);
	pthread_mutex_unlock(&warmup.lock);
}

void warmup_count(const struct transport *transport)
{
	if (!atomic_load(&warmup.any))
		return;
	pthread_mutex_lock(&warmup.lock);
	warmup_roll();
	struct warmup_row *row = warmup_find_row(transport->name);
	if (row != NULL)
		row->unsent++;
	pthread_mutex_unlock(&warmup.lock);
}

bool warmup_view(const struct transport *transport, struct warmup_view *view_out)
{
	pthread_mutex_lock(&warmup.lock);
	int64_t now_s = warmup_roll();
	const struct warmup_row *row = warms(transport) ? warmup_find_row(transport->name) : NULL;
	if (row != NULL)
		*view_out = (struct warmup_view){
			.cap = row->cap,
			.sent = sent_of(row),
			.withheld = ramp_withheld(row->cap, sent_of(row), now_s),
		};
	pthread_mutex_unlock(&warmup.lock);
	return row != NULL;
}

/* ---- Redis */

/* With the lock held; the answer is of the day that the rows count. */
static void warmup_take_totals(int count, const char *const *items)
{
	for (int i = 0; i < warmup.count; i++)
		warmup.rows[i].total = 0;
	for (int i = 0; i + 1 < count; i += 2) {
		struct warmup_row *row = items[i] == NULL ? NULL : warmup_find_row(items[i]);
		if (row != NULL && items[i + 1] != NULL)
			text_to_int(items[i + 1], 0, LIMIT_MAX, &row->total);
	}
}

/* What Redis did not take is handed to it again; where only its answer was lost it counts twice, and the address warms
 * up a little slower. */
static void warmup_on_totals(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	warmup.asking = false;
	pthread_mutex_lock(&warmup.lock);
	warmup_roll();
	if (warmup.day == warmup.asked_day) {
		for (int i = 0; i < warmup.count; i++) {
			struct warmup_row *row = &warmup.rows[i];
			row->unsent += error != NULL || warmup.refused ? row->in_flight : 0;
			row->in_flight = 0;
		}
		if (error == NULL)
			warmup_take_totals(count, items);
	}
	pthread_mutex_unlock(&warmup.lock);
}

static void warmup_on_added(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	(void)count;
	(void)items;
	warmup.refused = warmup.refused || error != NULL;
}

static void warmup_key_of_day(int64_t day, char key[KEY_MAX])
{
	time_t when = (time_t)(day * DAY_S);
	struct tm tm;
	gmtime_r(&when, &tm);
	strftime(key, KEY_MAX, "warmup:%Y-%m-%d", &tm);
}

static void add_row(const char *key, const char *name, int64_t messages)
{
	char number[24];
	snprintf(number, sizeof number, "%lld", (long long)messages);
	store_key_command(the_daemon.store, 4, (const char *[]){ "HINCRBY", key, name, number }, warmup_on_added, NULL);
}

static void warmup_ask(void)
{
	static struct warmup_row rows[TRANSPORTS_ALL_MAX]; /* the loop thread's alone */
	char key[KEY_MAX];
	bool adds = false;
	pthread_mutex_lock(&warmup.lock);
	warmup_roll();
	int count = warmup.count;
	warmup.asked_day = warmup.day;
	for (int i = 0; i < count; i++) {
		rows[i] = warmup.rows[i];
		warmup.rows[i].in_flight = rows[i].unsent;
		warmup.rows[i].unsent = 0;
	}
	pthread_mutex_unlock(&warmup.lock);
	warmup_key_of_day(warmup.asked_day, key);
	warmup.asking = true;
	warmup.refused = false;
	for (int i = 0; i < count; i++)
		if (rows[i].unsent > 0) {
			add_row(key, rows[i].name, rows[i].unsent);
			adds = true;
		}
	if (adds)
		store_key_command(the_daemon.store, 3, (const char *[]){ "EXPIRE", key, KEEP_S }, NULL, NULL);
	store_key_command(the_daemon.store, 2, (const char *[]){ "HGETALL", key }, warmup_on_totals, NULL);
}

static void warmup_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (atomic_load(&warmup.any) && !warmup.asking)
		warmup_ask();
}

bool warmup_start(struct event_base *base, const struct config *config)
{
	struct timeval every = { .tv_sec = TICK_S };
	warmup_reload(config);
	warmup.tick = event_new(base, -1, EV_PERSIST, warmup_on_tick, NULL);
	return warmup.tick != NULL && event_add(warmup.tick, &every) == 0;
}

void warmup_stop(void)
{
	if (warmup.tick != NULL)
		event_free(warmup.tick);
	warmup.tick = NULL;
	warmup.asking = false;
	warmup.count = 0;
	atomic_store(&warmup.any, false);
}
