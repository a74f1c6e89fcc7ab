/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/losses.h"

#include "milter/base/clock.h"
#include "milter/clients/clients_report.h"
#include "milter/clients/history.h"
#include "milter/daemon/daemon.h"
#include "milter/tell/event.h"
#include "milter/base/log.h"
#include "milter/daemon/outbox.h"
#include "milter/daemon/stats.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

/* All counters of one moment. */
struct moment {
	struct event_stats events;
	struct outbox_stats boxes[OUTBOX_COUNT];
	struct store_stats store;
	struct stats stats;
	struct clients_stats clients;
	uint64_t history_lost;
};

/* what, things, what became of them, why, counter */
/* clang-format off */
#define LOSS_ROWS(ROW)                                                                             \
	ROW("events", "events", "dropped", "too many wait to be handed on", events.dropped)        \
	ROW("events", "events", "not added to the stream in Redis", "too many wait for it", events.stream.lost) \
	ROW("webhook", "events", "given up", "too many wait, or they are too old", events.webhook.lost) \
	ROW("admin mail", "events", "given up", "too many wait, or they are too old", events.mail.lost) \
	ROW("redis", "charges", "given up", "too many accounts wait for Redis", store.dropped)     \
	ROW("redis", "dates of held messages", "lost", "too many wait for Redis, or it " \
	    "refuses them", boxes[OUTBOX_HELD].dropped) \
	ROW("redis", "explanations", "lost", "too many wait for Redis, or it " \
	    "refuses them", boxes[OUTBOX_EXPLAIN].dropped) \
	ROW("redis", "notes of what the webhook is to get", "lost", "too many wait for Redis, or it refuses them", \
	    boxes[OUTBOX_WEBHOOK].dropped)                                                         \
	ROW("memory", "notes and events", "dropped", "the daemon is out of memory", stats.jobs_dropped) \
	ROW("socketmap", "connections", "closed", "more want to be open at once " \
	    "than may", stats.closed[STATS_CLOSED_SOCKETMAP]) \
	ROW("clients", "clients of whom something is known", "forgotten", "clients.most has no room for more", \
	    clients.forgotten_known) \
	ROW("clients", "batches of notes", "lost", "they had left the stream in Redis before they were read", clients.gaps) \
	ROW("clients", "rows of the history of throttling", "lost", "too many wait for the disk, or it takes none", \
	    history_lost) \
	ROW("clients", "notes", "ignored", "their rows in Redis are of another form", clients.bad_rows) \
	ROW("control", "connections", "closed", "more want to be open at once " \
	    "than may", stats.closed[STATS_CLOSED_CONTROL])
/* clang-format on */

static const struct {
	const char *what, *things, *done, *why;
	size_t offset;
} rows[] = {
#define LOSS_ROW(what, things, done, why, member) { what, things, done, why, offsetof(struct moment, member) },
	LOSS_ROWS(LOSS_ROW)
#undef LOSS_ROW
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static struct losses_state {
	uint64_t count, before; /* as it was last; when it began */
	int64_t last_ms;	/* monotonic; when the newest was lost */
	int64_t since_s;	/* 0: it does not go on */
} states[ROWS];

static void losses_read_moment(struct moment *moment_out)
{
	char why[200];
	*moment_out = (struct moment){ .events = event_stats(), .store = store_stats(the_daemon.store) };
	for (int i = 0; i < OUTBOX_COUNT; i++)
		moment_out->boxes[i] = outbox_stats((enum outbox)i);
	stats_read(&moment_out->stats);
	clients_stats(&moment_out->clients);
	moment_out->history_lost = history_lost(why);
}

static void losses_look_now(int row, uint64_t count)
{
	struct losses_state *state = &states[row];
	if (count > state->count) {
		state->last_ms = clock_monotonic_ms();
		if (state->since_s == 0) {
			state->since_s = clock_now_ms() / 1000;
			state->before = state->count;
			log_line(SEVERITY_WARNING, "%s: %s are %s (%" PRIu64 " so far): %s", rows[row].what,
				 rows[row].things, rows[row].done, count - state->before, rows[row].why);
		}
	} else if (state->since_s != 0 && clock_monotonic_ms() - state->last_ms >= LOSSES_QUIET_S * INT64_C(1000)) {
		state->since_s = 0;
		log_line(SEVERITY_INFO, "%s: no %s are %s any more: none in %d minutes, %" PRIu64 " before",
			 rows[row].what, rows[row].things, rows[row].done, LOSSES_QUIET_S / 60, count - state->before);
	}
	state->count = count;
}

void losses_look(void)
{
	static struct moment moment; /* large */
	losses_read_moment(&moment);
	for (int i = 0; i < ROWS; i++) {
		uint64_t count;
		memcpy(&count, (const char *)&moment + rows[i].offset, sizeof count);
		losses_look_now(i, count);
	}
}

bool losses_next(int *at, struct loss *loss_out)
{
	while (*at < ROWS && states[*at].since_s == 0)
		++*at;
	if (*at == ROWS)
		return false;
	const struct losses_state *state = &states[*at];
	*loss_out = (struct loss){
		rows[*at].what, rows[*at].things, rows[*at].done, rows[*at].why, state->count - state->before,
		state->since_s
	};
	++*at;
	return true;
}
