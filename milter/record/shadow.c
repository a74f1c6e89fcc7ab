/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/record/shadow.h"

#include "milter/base/clock.h"
#include "milter/base/own_hash.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum {
	ROWS = 16384, /* a power of 2 above SHADOW_FIELDS_MAX and the few that are no account's */
	FIELD_MAX = ACCOUNT_MAX + 80,
	AT_ONCE = 256, /* commands a second */
	DAY_TEXT_MAX = 40,
	DAY_MS = 86400000,
};

struct shadow_row {
	char *field; /* owned; NULL: free */
	uint64_t owed;
};

static struct {
	pthread_mutex_t lock;
	struct event *timer;
	int64_t day; /* of the rows */
	size_t count;
	struct shadow_row rows[ROWS];
	atomic_uint_fast64_t all; /* owed; counted without the lock, by every message */
} shadow = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void shadow_key_of(int64_t day, char key[DAY_TEXT_MAX])
{
	time_t seconds = (time_t)(day * 86400);
	struct tm utc;
	if (gmtime_r(&seconds, &utc) == NULL || strftime(key, DAY_TEXT_MAX, "shadow:%Y-%m-%d", &utc) == 0)
		text_copy(key, DAY_TEXT_MAX, "shadow:1970-01-01");
}

/* ---- to Redis. While it is away the sums grow here, in rows that are bounded, and go to the day on which they began;
 * only what was under way when it left is lost, a second's: it is a report for people, and not worth a second look. */

static void shadow_send_count(const char *key, const char *field, uint64_t count)
{
	char number[24];
	const char *argv[] = { "HINCRBY", key, field, number };
	snprintf(number, sizeof number, "%llu", (unsigned long long)count);
	store_key_command(the_daemon.store, 4, argv, NULL, NULL);
}

/* With the lock held: at most `most` commands. */
static void shadow_send_owed(int most)
{
	char key[DAY_TEXT_MAX], seconds[24];
	int sent = 0;
	if (!store_stats(the_daemon.store).up)
		return;
	shadow_key_of(shadow.day, key);
	uint64_t all = atomic_exchange(&shadow.all, 0);
	if (all > 0) {
		shadow_send_count(key, "all", all);
		sent++;
	}
	for (size_t i = 0; i < ROWS && sent < most && shadow.count > 0; i++) {
		if (shadow.rows[i].owed == 0)
			continue;
		shadow_send_count(key, shadow.rows[i].field, shadow.rows[i].owed);
		shadow.rows[i].owed = 0;
		sent++;
	}
	const char *argv[] = { "EXPIRE", key, seconds };
	snprintf(seconds, sizeof seconds, "%d", (SHADOW_DAYS + 1) * 86400);
	if (sent > 0)
		store_key_command(the_daemon.store, 3, argv, NULL, NULL);
}

static void shadow_forget_rows(void)
{
	for (size_t i = 0; i < ROWS; i++)
		free(shadow.rows[i].field);
	memset(shadow.rows, 0, sizeof shadow.rows);
	shadow.count = 0;
}

/* A day ends here, up to a second late: what is owed for it goes at once. */
static void shadow_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	int64_t today = clock_now_ms() / DAY_MS;
	pthread_mutex_lock(&shadow.lock);
	if (today != shadow.day && store_stats(the_daemon.store).up) {
		shadow_send_owed(ROWS + 1);
		shadow_forget_rows();
		shadow.day = today;
	}
	shadow_send_owed(AT_ONCE);
	pthread_mutex_unlock(&shadow.lock);
}

/* ---- counting */

static struct shadow_row *shadow_find(const char *field)
{
	size_t at = own_hash_string(field, 0) & (ROWS - 1);
	while (shadow.rows[at].field != NULL && strcmp(shadow.rows[at].field, field) != 0)
		at = (at + 1) & (ROWS - 1);
	return &shadow.rows[at];
}

static void shadow_count(const char *what, const char *account)
{
	char field[FIELD_MAX];
	struct text text = text_over(field, sizeof field);
	text_addf(&text, "%s %s", what, account);
	struct shadow_row *row = shadow_find(field);
	if (row->field == NULL && shadow.count >= SHADOW_FIELDS_MAX) {
		text = text_over(field, sizeof field);
		text_addf(&text, "%s other", what);
		row = shadow_find(field);
	}
	if (row->field == NULL) {
		if (shadow.count >= ROWS / 4 * 3 || (row->field = strdup(field)) == NULL)
			return;
		shadow.count++;
	}
	row->owed++;
}

static const char *shadow_what_of(const struct would *would, const struct verdict *verdict)
{
	if (would->action > verdict->action && would->action >= ACTION_DEFER)
		return would->cause == REASON_LIMIT || would->cause == REASON_RCPTS_PER_MESSAGE ? "limited" : "refused";
	if (would->action > verdict->action)
		return "held";
	/* who is refused anyway leaves by no pool */
	return would->level != verdict->leaves_as && !verdict_refuses(verdict) ? "moved" : NULL;
}

/* What rules that run in shadow mode would have done to a message, "limited:limit" or "moved:suspect"; false: nothing
 * else.
 */
static bool shadow_says(const struct verdict *verdict, char said[SHADOW_SAID_MAX])
{
	const struct would *would = &verdict->would;
	const char *what = would->shown ? shadow_what_of(would, verdict) : NULL;
	if (what == NULL)
		return false;
	bool moved = strcmp(what, "moved") == 0;
	snprintf(said, SHADOW_SAID_MAX, "%s:%s", what, moved ? level_word(would->level) : reason_word(would->cause));
	return true;
}

/* Of recipients that are refused the message itself is told at its end. */
void shadow_note(const struct session *session, enum stage stage, const char *queue_id)
{
	const struct message *message = session->message;
	char said[SHADOW_SAID_MAX];
	(void)queue_id;
	if (stage == STAGE_RCPT)
		return;
	atomic_fetch_add(&shadow.all, 1);
	if (!shadow_says(&message->verdict, said))
		return;
	pthread_mutex_lock(&shadow.lock);
	shadow_count(said, message->facts.account);
	pthread_mutex_unlock(&shadow.lock);
}

/* ---- the report */

struct report {
	int days; /* still to be asked about, with the one under way */
	int64_t day;
	size_t rows;
	uint64_t all;
	json_t *whats, *accounts; /* by name; of accounts an object by what */
	int asked;
	void (*done)(void *arg, json_t *json, const char *error);
	void *arg;
};

/* Counts of a hash that anybody may have written: a sum stands still where it would overflow. */
static void add_to(json_t *object, const char *name, json_int_t more)
{
	json_int_t sum = json_integer_value(json_object_get(object, name));
	json_object_set_new(object, name, json_integer(sum < INT64_MAX - more ? sum + more : INT64_MAX));
}

static void shadow_take_field(struct report *report, const char *field, int64_t number)
{
	char what[FIELD_MAX];
	const char *blank = strchr(field, ' ');
	if (strcmp(field, "all") == 0)
		report->all += (uint64_t)number;
	if (blank == NULL || !text_copy(what, sizeof what, field))
		return;
	what[blank - field] = '\0';
	json_t *account = json_object_get(report->accounts, blank + 1);
	if (account == NULL) {
		account = json_object();
		if (json_object_set_new(report->accounts, blank + 1, account) != 0)
			return; /* no UTF-8 */
	}
	add_to(report->whats, what, number);
	add_to(account, what, number);
	add_to(account, "messages", number);
}

struct named {
	const char *name;
	json_t *counts;
	json_int_t messages;
};

static int more_first(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	return x->messages != y->messages ? (x->messages < y->messages ? 1 : -1) : strcmp(x->name, y->name);
}

static json_t *shadow_sorted(json_t *accounts, size_t most)
{
	size_t count = 0;
	struct named *named = calloc(json_object_size(accounts) + 1, sizeof *named);
	json_t *list = json_array(), *value;
	const char *name;
	if (named == NULL)
		return list;
	json_object_foreach(accounts, name, value) named[count++] =
		(struct named){ name, value, json_integer_value(json_object_get(value, "messages")) };
	qsort(named, count, sizeof *named, more_first);
	for (size_t i = 0; i < count && i < most; i++) {
		json_object_set_new(named[i].counts, "account", json_string(named[i].name));
		json_array_append(list, named[i].counts);
	}
	free(named);
	return list;
}

static void shadow_end_report(struct report *report, const char *error)
{
	json_t *json = NULL;
	if (error == NULL)
		json = json_pack("{s:i, s:I, s:I, s:o, s:O}", "days", report->asked, "all", (json_int_t)report->all,
				 "accounts", (json_int_t)json_object_size(report->accounts), "most",
				 shadow_sorted(report->accounts, report->rows), "what", report->whats);
	report->done(report->arg, json, error);
	json_decref(report->whats);
	json_decref(report->accounts);
	free(report);
}

static void shadow_ask_day(struct report *report);

static void shadow_day_come(void *arg, const char *error, int count, const char *const *items)
{
	struct report *report = arg;
	for (int i = 0; error == NULL && i + 1 < count; i += 2) {
		int64_t number;
		if (items[i] != NULL && items[i + 1] != NULL && text_to_int(items[i + 1], 1, INT64_MAX, &number))
			shadow_take_field(report, items[i], number);
	}
	report->day--;
	if (error != NULL || --report->days == 0)
		shadow_end_report(report, error);
	else
		shadow_ask_day(report);
}

static void shadow_ask_day(struct report *report)
{
	char key[DAY_TEXT_MAX];
	const char *argv[] = { "HGETALL", key };
	shadow_key_of(report->day, key);
	store_key_command(the_daemon.store, 2, argv, shadow_day_come, report);
}

void shadow_report(int days, size_t rows, void (*done)(void *arg, json_t *json, const char *error), void *arg)
{
	struct report *report = calloc(1, sizeof *report);
	if (report == NULL) {
		done(arg, NULL, "no memory");
		return;
	}
	*report = (struct report){ .days = days,
				   .asked = days,
				   .day = clock_now_ms() / DAY_MS,
				   .rows = rows,
				   .whats = json_object(),
				   .accounts = json_object(),
				   .done = done,
				   .arg = arg };
	pthread_mutex_lock(&shadow.lock);
	shadow_send_owed(ROWS + 1); /* ahead of the question, so that the last second is in the answer */
	pthread_mutex_unlock(&shadow.lock);
	shadow_ask_day(report);
}

/* ---- life */

bool shadow_start(struct event_base *base)
{
	struct timeval second = { .tv_sec = 1 };
	shadow.day = clock_now_ms() / DAY_MS;
	shadow.timer = event_new(base, -1, EV_PERSIST, shadow_on_timer, NULL);
	return shadow.timer != NULL && event_add(shadow.timer, &second) == 0;
}

void shadow_stop(void)
{
	if (shadow.timer != NULL)
		event_free(shadow.timer);
	shadow.timer = NULL;
	shadow_forget_rows();
	atomic_store(&shadow.all, 0);
}
