/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/stats.h"

#include "milter/base/clock.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "policy/base/banned.h"

typedef _Atomic uint64_t counter;

static struct {
	_Atomic int64_t started_ms, last_message_ms, last_login_ms, last_unmarked_ms;
	counter strangers_since, messages, sessions, sessions_peak, sessions_total, forged_headers, recipients;
	counter checks, checks_running, checks_refused[STATS_REFUSED_COUNT];
	counter jobs_dropped, feedback[FEEDBACK_COUNT];
	counter closed[STATS_CLOSED_COUNT], http_refused[STATS_HTTP_REFUSED_COUNT];
	counter took[STATS_TOOK_BOUNDS + 1], took_ms;
	counter actions[ACTION_COUNT], levels[LEVEL_COUNT], reasons[REASON_COUNT];
} counts;

/* Rows are only ever added. A row's name is written before `transport_count` lets readers see it. */
static struct {
	char name[TRANSPORT_NAME_MAX + 1];
	counter messages;
} transports[STATS_TRANSPORTS_MAX];
static atomic_int transport_count;
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static void add(counter *to, uint64_t more)
{
	atomic_fetch_add_explicit(to, more, memory_order_relaxed);
}

static uint64_t get(counter *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

void stats_start(void)
{
	atomic_store_explicit(&counts.started_ms, clock_monotonic_ms(), memory_order_relaxed);
}

void stats_session_opened(void)
{
	uint64_t open = atomic_fetch_add_explicit(&counts.sessions, 1, memory_order_relaxed) + 1;
	uint64_t peak = get(&counts.sessions_peak);
	add(&counts.sessions_total, 1);
	while (open > peak && !atomic_compare_exchange_weak_explicit(&counts.sessions_peak, &peak, open,
								     memory_order_relaxed, memory_order_relaxed))
		;
}

void stats_session_closed(void)
{
	atomic_fetch_sub_explicit(&counts.sessions, 1, memory_order_relaxed);
}

uint64_t stats_sessions(void)
{
	return get(&counts.sessions);
}

static int stats_transport_row(const char *name)
{
	int count = atomic_load_explicit(&transport_count, memory_order_acquire);
	for (int i = 0; i < count; i++)
		if (strcmp(transports[i].name, name) == 0)
			return i;
	return -1;
}

/* -1: the table is full; only a reload that brings more than STATS_TRANSPORTS_MAX new names gets there. */
static int stats_transport_add(const char *name)
{
	pthread_mutex_lock(&adding);
	int row = stats_transport_row(name);
	int count = atomic_load_explicit(&transport_count, memory_order_relaxed);
	if (row < 0 && count < STATS_TRANSPORTS_MAX) {
		row = count;
		text_copy(transports[row].name, sizeof transports[row].name, name);
		atomic_store_explicit(&transport_count, count + 1, memory_order_release);
	}
	pthread_mutex_unlock(&adding);
	return row;
}

static void stats_count_transport(const struct transport *transport)
{
	int row = stats_transport_row(transport->name);
	if (row < 0)
		row = stats_transport_add(transport->name);
	if (row >= 0)
		add(&transports[row].messages, 1);
}

static void stats_count_took(int64_t took_ms)
{
	static const int bounds_ms[STATS_TOOK_BOUNDS] = STATS_TOOK_BOUNDS_MS;
	int bucket = 0;
	while (bucket < STATS_TOOK_BOUNDS && took_ms > bounds_ms[bucket])
		bucket++;
	add(&counts.took[bucket], 1);
	add(&counts.took_ms, took_ms > 0 ? (uint64_t)took_ms : 0);
}

void stats_verdict(const struct verdict *verdict, bool ended, uint64_t recipients, uint64_t forged_headers,
		   int64_t took_ms)
{
	stats_count_took(took_ms);
	add(&counts.actions[verdict->action], 1);
	add(&counts.levels[verdict->level], 1);
	for (int i = 0; i < verdict->reason_count; i++)
		add(&counts.reasons[verdict->reasons[i].id], 1);
	add(&counts.recipients, recipients);
	add(&counts.forged_headers, forged_headers);
	atomic_store_explicit(&counts.last_message_ms, clock_monotonic_ms(), memory_order_relaxed);
	if (!ended)
		return;
	add(&counts.messages, 1);
	if (verdict_mark(verdict) != NULL)
		stats_count_transport(verdict_mark(verdict));
}

void stats_login(void)
{
	atomic_store_explicit(&counts.last_login_ms, clock_monotonic_ms(), memory_order_relaxed);
	atomic_store_explicit(&counts.strangers_since, 0, memory_order_relaxed);
}

void stats_stranger(void)
{
	add(&counts.strangers_since, 1);
}

void stats_check_begins(void)
{
	add(&counts.checks, 1);
	add(&counts.checks_running, 1);
}

void stats_check_ends(void)
{
	atomic_fetch_sub_explicit(&counts.checks_running, 1, memory_order_relaxed);
}

void stats_check_refused(enum stats_refused why)
{
	add(&counts.checks_refused[why], 1);
}

void stats_job_dropped(void)
{
	add(&counts.jobs_dropped, 1);
}

void stats_closed(enum stats_closed why)
{
	add(&counts.closed[why], 1);
}

void stats_http_refused(enum stats_http_refused why)
{
	add(&counts.http_refused[why], 1);
}

void stats_feedback(enum feedback feedback)
{
	add(&counts.feedback[feedback], 1);
	if (feedback == FEEDBACK_UNMARKED)
		atomic_store_explicit(&counts.last_unmarked_ms, clock_monotonic_ms(), memory_order_relaxed);
}

const char *stats_feedback_word(enum feedback feedback)
{
	static const char *const words[] = {
#define FEEDBACK_WORD(id, word) word,
		FEEDBACK_ROWS(FEEDBACK_WORD)
#undef FEEDBACK_WORD
	};
	return words[feedback];
}

static void read_rows(uint64_t *to, counter *from, int count)
{
	for (int i = 0; i < count; i++)
		to[i] = get(&from[i]);
}

void stats_read(struct stats *stats_out)
{
	*stats_out = (struct stats){
		.started_ms = atomic_load_explicit(&counts.started_ms, memory_order_relaxed),
		.last_message_ms = atomic_load_explicit(&counts.last_message_ms, memory_order_relaxed),
		.last_login_ms = atomic_load_explicit(&counts.last_login_ms, memory_order_relaxed),
		.last_unmarked_ms = atomic_load_explicit(&counts.last_unmarked_ms, memory_order_relaxed),
		.strangers_since = get(&counts.strangers_since),
		.messages = get(&counts.messages),
		.sessions = get(&counts.sessions),
		.sessions_peak = get(&counts.sessions_peak),
		.sessions_total = get(&counts.sessions_total),
		.forged_headers = get(&counts.forged_headers),
		.recipients = get(&counts.recipients),
		.took_ms = get(&counts.took_ms),
		.checks = get(&counts.checks),
		.checks_running = get(&counts.checks_running),
		.jobs_dropped = get(&counts.jobs_dropped),
		.transport_count = atomic_load_explicit(&transport_count, memory_order_acquire),
	};
	read_rows(stats_out->took, counts.took, STATS_TOOK_BOUNDS + 1);
	read_rows(stats_out->actions, counts.actions, ACTION_COUNT);
	read_rows(stats_out->levels, counts.levels, LEVEL_COUNT);
	read_rows(stats_out->reasons, counts.reasons, REASON_COUNT);
	read_rows(stats_out->checks_refused, counts.checks_refused, STATS_REFUSED_COUNT);
	read_rows(stats_out->feedback, counts.feedback, FEEDBACK_COUNT);
	read_rows(stats_out->closed, counts.closed, STATS_CLOSED_COUNT);
	read_rows(stats_out->http_refused, counts.http_refused, STATS_HTTP_REFUSED_COUNT);
	for (int i = 0; i < stats_out->transport_count; i++) {
		text_copy(stats_out->transports[i].name, sizeof stats_out->transports[i].name, transports[i].name);
		stats_out->transports[i].messages = get(&transports[i].messages);
	}
}
