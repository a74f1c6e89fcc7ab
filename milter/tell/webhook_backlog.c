/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/webhook_backlog.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/base/json_read.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "milter/daemon/outbox.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	PAGE = 500,	  /* members of one answer */
	NUMBER_BITS = 21, /* of a score: start and number together stay whole in a double */
	SCORE_TEXT = 24,
	NAMED_S = 5, /* until it looks again whether there is a webhook */
};

static struct {
	const char *node;
	int64_t started_s;
	webhook_backlog_take *take;
	struct event *ask; /* owned */
	bool running;
	char last[SCORE_TEXT]; /* score of the last one that was read */
	uint64_t found, strange;
} kept;

static void key_of(char key[40])
{
	snprintf(key, 40, "webhook:%s", kept.node);
}

/* Ids are NODE-START-NUMBER: the start of a daemon's life in hex, and a number that it counts up. */
static bool backlog_parts_of(const char *id, uint64_t *started_out, uint64_t *number_out)
{
	const char *last = strrchr(id, '-'), *start = last;
	while (start != NULL && start > id && start[-1] != '-')
		start--;
	if (start == NULL || start == id)
		return false;
	*started_out = strtoull(start, NULL, 16);
	*number_out = strtoull(last + 1, NULL, 10);
	return true;
}

void webhook_backlog_add(const char *id, const char *json)
{
	char key[40], score[SCORE_TEXT];
	uint64_t started = 0, number = 0;
	const char *argv[] = { "ZADD", key, score, json };
	key_of(key);
	backlog_parts_of(id, &started, &number);
	snprintf(score, sizeof score, "%" PRIu64, (started << NUMBER_BITS) + (number & ((1U << NUMBER_BITS) - 1)));
	outbox_send(OUTBOX_WEBHOOK, 4, argv);
}

static void backlog_forget(const char *json)
{
	char key[40];
	const char *argv[] = { "ZREM", key, json };
	key_of(key);
	outbox_send(OUTBOX_WEBHOOK, 3, argv);
}

void webhook_backlog_done(const struct parcel *parcel)
{
	backlog_forget(parcel->text);
}

/* It goes into a header of the request: whoever wrote it there may not end that header. */
static bool id_fine(const char *id)
{
	static const char plain[] = "-0123456789abcdefghijklmnopqrstuvwxyz"; /* a node's letters, and hex */
	size_t length = strlen(id);
	return length <= EVENT_ID_MAX && strspn(id, plain) == length;
}

static void backlog_take(const char *text)
{
	char why[300];
	json_t *json = json_read(JSON_OF_STORE, text, strlen(text), why, sizeof why);
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *word = json_string_value(json_object_get(json, "event"));
	int64_t time_s = json_integer_value(json_object_get(json, "time_s"));
	uint64_t started = 0, number = 0;
	unsigned kinds = 0;
	char wrong[32];
	bool ours = id != NULL && word != NULL && *word != '\0' && id_fine(id) && notice_kinds(word, &kinds, wrong) &&
		    backlog_parts_of(id, &started, &number);
	if (!ours) {
		kept.strange++;
		backlog_forget(text);
	} else if ((int64_t)started != kept.started_s) { /* else the courier has it */
		enum event_kind kind = 0;
		while (kind < EVENT_COUNT - 1 && (kinds & 1u << kind) == 0)
			kind++;
		kept.found++;
		int64_t age_s = clock_now_ms() / 1000 - (time_s > 0 ? time_s : 0);
		kept.take(id, kind, text, age_s > 0 ? age_s : 0);
	}
	json_decref(json);
}

static void backlog_on_page(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	if (!kept.running || the_daemon.store == NULL)
		return;
	if (error != NULL) {
		evtimer_add(kept.ask, &(struct timeval){ .tv_sec = 1 });
		return;
	}
	for (int i = 0; i + 1 < count; i += 2)
		if (items[i] != NULL && items[i + 1] != NULL) {
			backlog_take(items[i]);
			text_copy(kept.last, sizeof kept.last, items[i + 1]);
		}
	if (count >= 2 * PAGE) {
		evtimer_add(kept.ask, &(struct timeval){ 0 });
		return;
	}
	if (kept.strange > 0)
		log_line(SEVERITY_WARNING, "webhook: %" PRIu64 " %s of another form than ours; deleted", kept.strange,
			 text_noun((int64_t)kept.strange, "entry of the list of kept events is",
				   "entries of the list of kept events are"));
	if (kept.found > 0)
		log_line(SEVERITY_INFO,
			 "webhook: %" PRIu64 " %s that nobody had taken when the daemon ended %s sent now", kept.found,
			 text_noun((int64_t)kept.found, "event", "events"),
			 text_noun((int64_t)kept.found, "is", "are"));
}

/* From the score behind the last one on: what is taken meanwhile moves no other. */
static void backlog_on_ask(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	char key[40], from[SCORE_TEXT + 1], most[12];
	struct setup *setup = setup_hold();
	bool told = setup->config->set.webhook_url[0] != '\0';
	setup_drop(&setup);
	if (!told) { /* a reload may name one */
		evtimer_add(kept.ask, &(struct timeval){ .tv_sec = NAMED_S });
		return;
	}
	key_of(key);
	snprintf(from, sizeof from, "(%s", kept.last);
	snprintf(most, sizeof most, "%d", PAGE);
	const char *argv[] = {
		"ZRANGEBYSCORE", key, kept.last[0] == '\0' ? "-inf" : from, "+inf", "WITHSCORES", "LIMIT", "0", most
	};
	store_key_command(the_daemon.store, (int)(sizeof argv / sizeof argv[0]), argv, backlog_on_page, NULL);
}

bool webhook_backlog_start(struct loop *loop, const char *node, int64_t started_s, webhook_backlog_take *take_it)
{
	kept.node = node;
	kept.started_s = started_s;
	kept.take = take_it;
	kept.found = kept.strange = 0;
	kept.last[0] = '\0';
	kept.ask = evtimer_new(loop_base(loop), backlog_on_ask, NULL);
	kept.running = kept.ask != NULL && evtimer_add(kept.ask, &(struct timeval){ 0 }) == 0;
	return kept.running;
}

void webhook_backlog_stop(void)
{
	kept.running = false;
	if (kept.ask != NULL)
		event_free(kept.ask);
	kept.ask = NULL;
}
