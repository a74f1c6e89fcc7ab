/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store's connection: breaker and new tries, what an answer says of Redis, and what it is owed when it is back.
 */
#include "redis-schema/script.h"
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { RETRY_MOST_MS = 30000, TICK_MS = 1000, PAID_A_TICK = 4096 };

/* ---- the connection */

static void link_say_away(struct store *store, const char *why, size_t rows)
{
	char line[900];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis %s is away: %s; ", store->settings.server, why);
	if (store->settings.credits_only)
		text_add(&text, "credits wait until it is back");
	else
		text_addf(&text, "limits go on from the table of %zu recent accounts", rows);
	store->say(store->say_arg, line);
}

static void link_on_down(void *arg, const char *why)
{
	struct store *store = arg;
	store->serving = false;
	pthread_mutex_lock(&store->lock);
	store->stats.up = false;
	store->stats.breaker_open = true;
	text_copy(store->stats.why, sizeof store->stats.why, why);
	if (!store->said_away)
		store->away_since_s = store_clock_s();
	size_t rows = recent_count(store->recent);
	pthread_mutex_unlock(&store->lock);
	if (!store->said_away)
		link_say_away(store, why, rows);
	store->said_away = true;
	store->plans_asked = store->secret_asked = false;
	memset(store->buckets, 0, sizeof store->buckets);
	alarm_set(store->retry, store->retry_ms / 2 + (int64_t)(random() % (store->retry_ms / 2 + 1)));
	store->retry_ms = store->retry_ms * 2 < RETRY_MOST_MS ? store->retry_ms * 2 : RETRY_MOST_MS;
}

static void link_on_retry(void *arg)
{
	wire_connect(((struct store *)arg)->wire);
}

/* ---- what Redis is owed */

/* Not all at once, where it was long away. */
static void link_pay_all(struct store *store)
{
	uint64_t before = store->stats.pending;
	int rows = 0;
	struct recent_row *next;
	if (before == 0 || !store->serving)
		return;
	for (struct recent_row *row = recent_first(store->recent); row != NULL && rows < PAID_A_TICK && store->serving;
	     row = next) {
		next = row->older;
		if (row->book == NULL && row->owed_charges == 0)
			continue;
		rows++;
		store_book_pay(store, row);
		store_group_pay(store, row);
	}
}

static void link_on_tick(void *arg)
{
	struct store *store = arg;
	alarm_set(store->tick, TICK_MS);
	if (!store->serving)
		return;
	link_pay_all(store);
	store_ask_secret(store);
	store_ask_plans(store);
}

/* ---- the greeting: the script, and what may be asked */

static void link_serve(struct store *store)
{
	store->serving = true;
	store->failures = 0;
	pthread_mutex_lock(&store->lock);
	store->stats.up = !store->refused;
	pthread_mutex_unlock(&store->lock);
	if (!store->refused)
		store_say_up(store);
	store_ask_secret(store); /* its answer comes before that of any fetch */
	link_pay_all(store);
	store_ask_plans(store);
}

/* The log knows why Redis went, and not yet why it is of no use now that it is back. */
static void link_refuse(struct store *store, const char *why)
{
	char line[900], kept[sizeof store->stats.why];
	text_copy(kept, sizeof kept, why);
	snprintf(line, sizeof line, "redis %s is still away: %s", store->settings.server, why);
	if (store->said_away && strcmp(store->stats.why, kept) != 0)
		store_say_seldom(store, line);
	wire_disconnect(store->wire, why);
}

static void link_probed(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct store *store = arg;
	char why[500] = "";
	if (end == WIRE_OK && store_probe_passed(store, count, answers, why, sizeof why))
		link_serve(store);
	else if (end != WIRE_LOST)
		link_refuse(store, end == WIRE_LATE ? "no answer to the probe of its commands" : why);
}

static void link_refuse_greeting(struct store *store, const char *error)
{
	char line[300], shown[160];
	struct text text = text_over(line, sizeof line);
	text_copy(shown, sizeof shown, error);
	text_addf(&text, "redis answered the greeting with \"%s\"", shown);
	link_refuse(store, line);
}

static void link_greeted(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct store *store = arg;
	if (end == WIRE_LOST)
		return;
	if (end == WIRE_LATE) {
		wire_disconnect(store->wire, "no answer to the greeting");
		return;
	}
	for (int i = 0; i < count; i++)
		if (answers[i].error != NULL) {
			link_refuse_greeting(store, answers[i].error);
			return;
		}
	text_copy(store->sha, sizeof store->sha, answers[0].text[0] != NULL ? answers[0].text[0] : "");
	store_take_time(store, &answers[1]);
	store_probe(store, link_probed);
}

static void link_on_up(void *arg)
{
	struct store *store = arg;
	struct request request;
	request_begin(&request);
	request_command(&request, "SCRIPT");
	request_word(&request, "LOAD");
	request_word(&request, script_text);
	request_command(&request, "TIME");
	if (!wire_ask(store->wire, request.command, request.count, link_greeted, NULL, store))
		wire_disconnect(store->wire, "the greeting cannot be sent");
}

/* ---- life */

bool store_link_open(struct store *store, char *error, size_t error_size)
{
	struct wire_events events = { link_on_up, link_on_down, store };
	enum { WRITER_BITS = 40 };
	store->retry_ms = store->settings.retry_ms;
	if (getrandom(store->secret, sizeof store->secret, 0) != (ssize_t)sizeof store->secret ||
	    getrandom(&store->writer, sizeof store->writer, 0) != (ssize_t)sizeof store->writer ||
	    getrandom(store->said_key, sizeof store->said_key, 0) != (ssize_t)sizeof store->said_key) {
		snprintf(error, error_size, "the system gives no random bytes");
		return false;
	}
	store->credit_writer = record_passing(store->writer >> (64 - WRITER_BITS));
	store->writer = record_daemon(store->writer);
	store->retry = alarm_new(store->base, link_on_retry, store);
	store->tick = alarm_new(store->base, link_on_tick, store);
	if (store->retry != NULL && store->tick != NULL)
		store->wire = wire_new(store->base, &store->settings, &events, error, error_size);
	if (store->wire == NULL)
		return false;
	alarm_set(store->retry, 0);
	alarm_set(store->tick, TICK_MS);
	return true;
}

void store_link_close(struct store *store)
{
	store->serving = false;
	wire_free(&store->wire);
	alarm_free(&store->retry);
	alarm_free(&store->tick);
}
