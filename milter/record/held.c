/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/record/held.h"

#include "milter/base/clock.h"
#include "milter/tell/event.h"
#include "milter/base/log.h"
#include "milter/daemon/outbox.h"
#include "milter/base/json.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { COUNT_EVERY_S = 30 };

static struct {
	pthread_mutex_t lock; /* of stats */
	struct held_stats stats;
	struct event *timer;		 /* owned */
	bool asking, running, said_late; /* the loop thread's */
	char late_before[24];
} held_all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- members */

void held_write(const struct held *held, char member[HELD_MEMBER_MAX + 1])
{
	snprintf(member, HELD_MEMBER_MAX + 1, "%s %s %s %s", held->node, held->queue_id, held->reference,
		 held->account);
}

/* The next word into `word`; false where it does not fit, or is none. */
static bool held_take_word(const char **at, char *word, size_t size)
{
	size_t length = strcspn(*at, " ");
	if (length == 0 || length >= size)
		return false;
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length + ((*at)[length] == ' ');
	return true;
}

bool held_read(const char *member, struct held *held_out)
{
	const char *at = member;
	int64_t second;
	char reference[REFERENCE_MAX + 1], again[HELD_MEMBER_MAX + 1];
	for (const unsigned char *byte = (const unsigned char *)member; *byte != '\0'; byte++)
		if (*byte < ' ' || *byte == 0x7f)
			return false;
	bool read = held_take_word(&at, held_out->node, sizeof held_out->node) &&
		    held_take_word(&at, held_out->queue_id, sizeof held_out->queue_id) &&
		    queue_id_fine(held_out->queue_id) &&
		    held_take_word(&at, held_out->reference, sizeof held_out->reference) &&
		    reference_read(held_out->reference, reference, &second) &&
		    strcmp(held_out->reference, reference) == 0 &&
		    held_take_word(&at, held_out->account, sizeof held_out->account);
	if (!read)
		return false;
	held_write(held_out, again);
	return strcmp(again, member) == 0;
}

/* As JSON can say it: by what held.list says the member is taken off again. */
static void copy_account(const char *account, struct held *held)
{
	json_t *text = json_text(account);
	text_copy(held->account, sizeof held->account, text != NULL ? json_string_value(text) : account);
	json_decref(text);
}

void held_note(const struct session *session, const char *queue_id)
{
	const struct message *message = session->message;
	const struct verdict *verdict = &message->verdict;
	struct held held;
	char member[HELD_MEMBER_MAX + 1], score[24];
	if (queue_id == NULL || !queue_id_fine(queue_id)) {
		log_line(SEVERITY_WARNING,
			 "held: a message of reference %s is held and cannot be listed: its queue id is \"%.40s\", "
			 "expected %d to %d letters and digits; release it by hand",
			 message->reference, queue_id != NULL ? queue_id : "", QUEUE_ID_LEAST, QUEUE_ID_MOST);
		return;
	}
	int64_t until_s = verdict->hold_s > 0 ? message->facts.now_ms / 1000 + verdict->hold_s : HELD_NEVER_S;
	text_copy(held.node, sizeof held.node, the_daemon.node);
	text_copy(held.queue_id, sizeof held.queue_id, queue_id);
	text_copy(held.reference, sizeof held.reference, message->reference);
	copy_account(message->facts.account, &held);
	held_write(&held, member);
	snprintf(score, sizeof score, "%lld", (long long)until_s);
	outbox_send(OUTBOX_HELD, 4, (const char *[]){ "ZADD", "held", score, member });
}

/* ---- counting */

/* Of the host, not of an account: what is broken is the release. */
static void held_tell_late(uint64_t late, const struct held *oldest)
{
	struct notice event;
	notice_init(&event, EVENT_HELD, "");
	snprintf(event.reason, sizeof event.reason,
		 "%" PRIu64 " held %s past the release date by %d minutes and more, "
		 "the oldest is %s of %.200s",
		 late, text_noun((int64_t)late, "message is", "messages are"), HELD_LATE_S / 60, oldest->queue_id,
		 oldest->account);
	text_copy(event.done, sizeof event.done,
		  "nothing: they stay held until penstockctl held release runs on this host");
	text_copy(event.reference, sizeof event.reference, oldest->reference);
	event_tell(&event);
}

/* `oldest`: of those that are late, where there are any. */
static void held_set_late(uint64_t late, const struct held *oldest)
{
	pthread_mutex_lock(&held_all.lock);
	held_all.stats.late = late;
	pthread_mutex_unlock(&held_all.lock);
	if (late > 0 && !held_all.said_late) {
		held_tell_late(late, oldest);
		log_line(SEVERITY_WARNING,
			 "held: %" PRIu64 " %s past the release date by %d minutes and more, and nothing releases "
			 "mail: systemctl enable --now penstock-release.timer",
			 late, text_noun((int64_t)late, "message is", "messages are"), HELD_LATE_S / 60);
	}
	held_all.said_late = late > 0;
}

static void held_on_late(void *arg, const char *error, int count, const char *const *items)
{
	uint64_t late = 0;
	struct held held, oldest;
	(void)arg;
	held_all.asking = false;
	for (int i = 0; i < count; i++)
		if (items[i] != NULL && held_read(items[i], &held) && strcmp(held.node, the_daemon.node) == 0 &&
		    late++ == 0)
			oldest = held;
	if (error == NULL && held_all.running)
		held_set_late(late, &oldest);
}

static void held_on_count(void *arg, const char *error, int count, const char *const *items)
{
	int64_t messages = 0;
	(void)arg;
	held_all.asking = false;
	if (error != NULL || !held_all.running || count != 1 || items[0] == NULL ||
	    !text_to_int(items[0], 0, INT64_MAX, &messages))
		return;
	pthread_mutex_lock(&held_all.lock);
	held_all.stats.messages = (uint64_t)messages;
	pthread_mutex_unlock(&held_all.lock);
	if (messages == 0) {
		held_set_late(0, NULL);
		return;
	}
	held_all.asking = true;
	snprintf(held_all.late_before, sizeof held_all.late_before, "%lld",
		 (long long)(clock_now_ms() / 1000 - HELD_LATE_S));
	store_key_command(
		the_daemon.store, 7,
		(const char *[]){ "ZRANGEBYSCORE", "held", "-inf", held_all.late_before, "LIMIT", "0", "1000" },
		held_on_late, NULL);
}

void held_count(void)
{
	if (held_all.asking || !held_all.running)
		return;
	held_all.asking = true;
	store_key_command(the_daemon.store, 2, (const char *[]){ "ZCARD", "held" }, held_on_count, NULL);
}

static void held_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	held_count();
}

struct held_stats held_stats(void)
{
	pthread_mutex_lock(&held_all.lock);
	struct held_stats stats = held_all.stats;
	pthread_mutex_unlock(&held_all.lock);
	stats.waiting = outbox_stats(OUTBOX_HELD).waiting;
	return stats;
}

bool held_start(struct event_base *base)
{
	struct timeval every = { .tv_sec = COUNT_EVERY_S };
	held_all.stats = (struct held_stats){ 0 };
	held_all.asking = held_all.said_late = false;
	held_all.running = true;
	held_all.timer = event_new(base, -1, EV_PERSIST, held_on_timer, NULL);
	return held_all.timer != NULL && event_add(held_all.timer, &every) == 0;
}

void held_stop(void)
{
	held_all.running = false;
	if (held_all.timer != NULL)
		event_free(held_all.timer);
	held_all.timer = NULL;
}
