/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/feed.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/base/json_read.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { RETRY_S = 1 };

struct feed_entry {
	struct feed_entry *next;
	enum event_kind kind;
	char account[ACCOUNT_MAX + 1];
	char *json; /* owned */
};

struct feed {
	struct event *retry;
	struct feed_entry *first, **last;
	bool asking; /* the first is being added */
	bool said;
	pthread_mutex_t lock; /* of what follows */
	struct event_sink_stats stats;
	int64_t failing_since_ms;
};

static void feed_add_first(struct feed *feed);

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	feed_add_first(arg);
}

struct feed *feed_new(struct loop *loop)
{
	struct feed *feed = calloc(1, sizeof *feed);
	if (feed == NULL)
		return NULL;
	feed->last = &feed->first;
	pthread_mutex_init(&feed->lock, NULL);
	feed->retry = evtimer_new(loop_base(loop), on_retry, feed);
	if (feed->retry == NULL)
		feed_free(&feed);
	return feed;
}

static void feed_drop_first(struct feed *feed)
{
	struct feed_entry *entry = feed->first;
	feed->first = entry->next;
	if (feed->first == NULL)
		feed->last = &feed->first;
	free(entry->json);
	free(entry);
}

void feed_free(struct feed **feed)
{
	struct feed *freed = *feed;
	*feed = NULL;
	if (freed == NULL)
		return;
	if (freed->stats.waiting > 0)
		log_line(SEVERITY_WARNING, "events: %" PRIu64 " that Redis has not taken are lost",
			 freed->stats.waiting);
	while (freed->first != NULL)
		feed_drop_first(freed);
	if (freed->retry != NULL)
		event_free(freed->retry);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}

static void feed_note(struct feed *feed, bool taken)
{
	pthread_mutex_lock(&feed->lock);
	feed->stats.sent += taken;
	feed->stats.waiting -= taken;
	feed->stats.retried += !taken;
	if (taken)
		feed->failing_since_ms = 0;
	else if (feed->failing_since_ms == 0)
		feed->failing_since_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&feed->lock);
}

/* One whose answer was lost is added again: its id tells a reader. */
static void feed_on_added(void *arg, const char *error, int count, const char *const *items)
{
	struct feed *feed = arg;
	(void)count;
	(void)items;
	feed->asking = false;
	feed_note(feed, error == NULL);
	if (the_daemon.store == NULL) /* it ends, and answers what it was asked */
		return;
	if (error != NULL) {
		if (!feed->said && store_stats(the_daemon.store).up)
			log_line(SEVERITY_WARNING,
				 "events: Redis does not take them: %s; they are kept and added later", error);
		feed->said = true;
		evtimer_add(feed->retry, &(struct timeval){ .tv_sec = RETRY_S });
		return;
	}
	feed->said = false;
	feed_drop_first(feed);
	feed_add_first(feed);
}

/* One at a time, so that they stay in order. */
static void feed_add_first(struct feed *feed)
{
	char keep[24];
	const struct feed_entry *entry = feed->first;
	if (entry == NULL || feed->asking)
		return;
	struct setup *setup = setup_hold();
	snprintf(keep, sizeof keep, "%" PRId64, setup->config->set.events_keep);
	setup_drop(&setup);
	const char *argv[] = {
		"XADD",	   "events",	   "MAXLEN", "~",	 keep, "*", "event", notice_word(entry->kind),
		"account", entry->account, "json",   entry->json
	};
	feed->asking = true;
	store_key_command(the_daemon.store, (int)(sizeof argv / sizeof argv[0]), argv, feed_on_added, feed);
}

void feed_add(struct feed *feed, const struct notice *event, const char *json)
{
	struct feed_entry *entry = feed->stats.waiting < EVENT_WAITING_MAX ? calloc(1, sizeof *entry) : NULL;
	if (entry != NULL)
		entry->json = strdup(json);
	pthread_mutex_lock(&feed->lock);
	bool kept = entry != NULL && entry->json != NULL;
	feed->stats.waiting += kept;
	feed->stats.given_up += !kept;
	feed->stats.lost += !kept;
	pthread_mutex_unlock(&feed->lock);
	if (!kept) {
		free(entry);
		return;
	}
	entry->kind = event->kind;
	text_copy(entry->account, sizeof entry->account, event->account);
	*feed->last = entry;
	feed->last = &entry->next;
	feed_add_first(feed);
}

struct event_sink_stats feed_stats(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	struct event_sink_stats stats = feed->stats;
	if (feed->failing_since_ms != 0)
		stats.failing_s = (uint64_t)(clock_monotonic_ms() - feed->failing_since_ms) / 1000;
	pthread_mutex_unlock(&feed->lock);
	return stats;
}

json_t *feed_list(int count, const char *const *items)
{
	char why[300];
	json_int_t strange = 0;
	json_t *list = json_array();
	for (int i = 0; i + 1 < count; i++) {
		if (items[i] == NULL || items[i + 1] == NULL || strcmp(items[i], "json") != 0)
			continue;
		json_t *event = json_read(JSON_OF_STORE, items[i + 1], strlen(items[i + 1]), why, sizeof why);
		if (event != NULL)
			json_array_append_new(list, event);
		else
			strange++;
	}
	return json_pack("{s:o, s:I}", "events", list, "strange", strange);
}
