/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/event.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/base/loop.h"
#include "milter/base/own_hash.h"
#include "milter/tell/feed.h"
#include "milter/tell/webhook_backlog.h"
#include "milter/tell/admin_mail.h"
#include "milter/tell/http_client.h"
#include "milter/tell/seen.h"
#include "milter/tell/webhook.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

static struct {
	struct loop *loop;
	char host[256];
	int64_t started_s; /* part of the ids, so that two lives of a daemon do not share one */
	atomic_bool open;
	atomic_int inbox; /* told, and not yet seen by the loop */
	_Atomic uint64_t told, quiet, dropped, numbers;
	struct feed *feed;
	struct courier *webhook, *mail;
	struct seen mailed; /* loop thread: what this daemon mailed about */
} tell;

static pthread_mutex_t quiet_lock = PTHREAD_MUTEX_INITIALIZER;
static struct seen quiet;

static const int64_t quiet_for_s[EVENT_COUNT] = {
#define EVENT_QUIET(id, word, quiet_s) [EVENT_##id] = quiet_s,
	EVENT_ROWS(EVENT_QUIET)
#undef EVENT_QUIET
};

/* ---- on the loop thread: to each sink */

static struct parcel *event_parcel_of(enum event_kind kind, const char *id, const char *text)
{
	size_t length = strlen(text);
	struct parcel *parcel = calloc(1, sizeof *parcel + length + 1);
	if (parcel == NULL) {
		stats_job_dropped();
		return NULL;
	}
	parcel->kind = kind;
	text_copy(parcel->id, sizeof parcel->id, id);
	parcel->length = length;
	memcpy(parcel->text, text, length + 1);
	return parcel;
}

static bool wanted(unsigned kinds, enum event_kind kind)
{
	return (kinds & 1u << kind) != 0;
}

static void event_send_letter(const struct notice *event)
{
	enum { LETTERS_MAX = 200 };
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	struct admin_mail_settings settings = {
		.from = set->admin_mail_from,
		.to = set->admin_mail_to,
		.host = tell.host,
		.now_s = clock_now_ms() / 1000,
	};
	char *letter = admin_mail_of(event, &settings);
	if (letter != NULL && tell.mail != NULL)
		courier_take(tell.mail, event_parcel_of(event->kind, event->id, letter), LETTERS_MAX);
	if (letter == NULL)
		stats_job_dropped();
	free(letter);
	setup_drop(&setup);
}

/* Whom it is about, in the form of an account's name: under it Redis keeps that it was mailed. */
static void event_about(const struct notice *event, char name[ACCOUNT_MAX + 1])
{
	if (event->account[0] != '\0')
		text_copy(name, ACCOUNT_MAX + 1, event->account);
	else if (event->pool[0] != '\0')
		snprintf(name, ACCOUNT_MAX + 1, "pool:%s", event->pool);
	else if (event->transport[0] != '\0')
		snprintf(name, ACCOUNT_MAX + 1, "transport:%s", event->transport);
	else if (event->kind == EVENT_GUESSER)
		snprintf(name, ACCOUNT_MAX + 1, "client:%s", event->address);
	else
		snprintf(name, ACCOUNT_MAX + 1, "host:%s", the_daemon.node);
}

/* Redis says whether another daemon has mailed already; where it does not say, this one's own table did. */
static void event_on_may_mail(void *arg, const char *error, int count, const char *const *items)
{
	struct notice *event = arg;
	bool first = error != NULL || (count > 0 && items[0] != NULL);
	if (first && atomic_load(&tell.open)) /* at the end the store answers what it was asked, without a setup */
		event_send_letter(event);
	free(event);
}

static void event_offer_mail(const struct config *config, const struct notice *event)
{
	const struct settings *set = &config->set;
	char name[ACCOUNT_MAX + 1], part[32], seconds[24];
	int64_t period_s = (int64_t)(set->admin_mail_period_hours * 3600);
	if (set->admin_mail_to[0] == '\0' || !wanted(config->admin_mail_kinds, event->kind) ||
	    !admin_mail_wanted(event))
		return;
	event_about(event, name);
	uint64_t what = own_hash_string(name, 1 + (uint64_t)event->kind);
	if (period_s > 0 && seen_before(&tell.mailed, what, clock_now_ms() / 1000, period_s))
		return;
	struct notice *copy = malloc(sizeof *copy);
	if (copy == NULL) {
		stats_job_dropped();
		return;
	}
	*copy = *event;
	if (period_s <= 0) {
		event_on_may_mail(copy, "no period", 0, NULL);
		return;
	}
	snprintf(part, sizeof part, "told:%s", notice_word(event->kind));
	snprintf(seconds, sizeof seconds, "%" PRId64, period_s);
	const char *argv[] = { "SET", part, "1", "EX", seconds, "NX" };
	store_account_command(the_daemon.store, name, (int)(sizeof argv / sizeof argv[0]), argv, event_on_may_mail,
			      copy);
}

/* What the webhook of an earlier life did not take. */
static void event_send_kept(const char *id, enum event_kind kind, const char *json, int64_t age_s)
{
	struct parcel *parcel = atomic_load(&tell.open) ? event_parcel_of(kind, id, json) : NULL;
	if (parcel == NULL)
		return;
	parcel->since_ms = clock_monotonic_ms() - age_s * 1000;
	struct setup *setup = setup_hold();
	courier_take(tell.webhook, parcel, setup->config->set.webhook_queue);
	setup_drop(&setup);
}

struct telling {
	struct loop_job job; /* first */
	struct notice event;
};

static void event_hand_on(struct loop_job *job)
{
	struct telling *telling = (struct telling *)job;
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	json_t *json = event_json(&telling->event);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
	json_decref(json);
	atomic_fetch_sub(&tell.inbox, 1);
	if (text != NULL) {
		if (set->events_keep > 0)
			feed_add(tell.feed, &telling->event, text);
		if (set->webhook_url[0] != '\0' && tell.webhook != NULL &&
		    wanted(setup->config->webhook_kinds, telling->event.kind)) {
			webhook_backlog_add(telling->event.id, text);
			courier_take(tell.webhook, event_parcel_of(telling->event.kind, telling->event.id, text),
				     set->webhook_queue);
		}
		event_offer_mail(setup->config, &telling->event);
	} else {
		stats_job_dropped();
	}
	free(text);
	setup_drop(&setup);
	free(telling);
}

/* ---- any thread */

static bool event_is_quiet(const struct notice *event)
{
	int64_t period_s = quiet_for_s[event->kind];
	if (period_s == 0)
		return false;
	uint64_t what = own_hash_string(event->account, ((uint64_t)event->kind << 16) + ((uint64_t)event->to << 8) +
								(uint64_t)event->limit.window);
	pthread_mutex_lock(&quiet_lock);
	bool before = seen_before(&quiet, what, event->time_s, period_s);
	pthread_mutex_unlock(&quiet_lock);
	return before;
}

void event_tell(const struct notice *event)
{
	struct notice stamped = *event;
	if (!atomic_load(&tell.open))
		return;
	if (stamped.time_s == 0)
		stamped.time_s = clock_now_ms() / 1000;
	if (event_is_quiet(&stamped)) {
		atomic_fetch_add(&tell.quiet, 1);
		return;
	}
	struct telling *telling = atomic_load(&tell.inbox) < EVENT_WAITING_MAX ? calloc(1, sizeof *telling) : NULL;
	if (telling == NULL) {
		atomic_fetch_add(&tell.dropped, 1);
		return;
	}
	atomic_fetch_add(&tell.inbox, 1);
	snprintf(stamped.id, sizeof stamped.id, "%s-%" PRIx64 "-%" PRIu64, the_daemon.node, (uint64_t)tell.started_s,
		 atomic_fetch_add(&tell.numbers, 1) + 1);
	telling->event = stamped;
	telling->job.run = event_hand_on;
	atomic_fetch_add(&tell.told, 1);
	loop_post(tell.loop, &telling->job);
}

/* ---- life */

bool event_start(struct loop *loop)
{
	tell.loop = loop;
	if (gethostname(tell.host, sizeof tell.host - 1) != 0)
		text_copy(tell.host, sizeof tell.host, "localhost");
	tell.started_s = clock_now_ms() / 1000;
	tell.feed = feed_new(loop);
	tell.webhook = courier_new("webhook", webhook_send, webhook_backlog_done);
	tell.mail = courier_new("admin mail", admin_mail_send, NULL);
	bool open = http_client_open() && tell.feed != NULL && tell.webhook != NULL && tell.mail != NULL &&
		    webhook_backlog_start(loop, the_daemon.node, tell.started_s, event_send_kept);
	atomic_store(&tell.open, open);
	return open;
}

void event_stop(void)
{
	atomic_store(&tell.open, false);
	courier_stop(tell.webhook); /* the loop may be about to hand them something, and status to ask */
	courier_stop(tell.mail);
}

void event_clear(void)
{
	courier_free(&tell.webhook);
	courier_free(&tell.mail);
	feed_free(&tell.feed);
	webhook_backlog_stop();
}

void event_hurry(void)
{
	if (!atomic_load(&tell.open))
		return;
	courier_hurry(tell.webhook);
	courier_hurry(tell.mail);
}

struct event_stats event_stats(void)
{
	struct event_stats stats = { .told = atomic_load(&tell.told),
				     .quiet = atomic_load(&tell.quiet),
				     .dropped = atomic_load(&tell.dropped) };
	if (!atomic_load(&tell.open))
		return stats;
	stats.stream = feed_stats(tell.feed);
	stats.webhook = courier_stats(tell.webhook);
	stats.mail = courier_stats(tell.mail);
	return stats;
}
