/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/store/store.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/networks.h"
#include "redis-schema/store/store_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* One request of the store's users. */
struct store_request {
	struct store *store;
	union {
		store_network_done *network;
		store_command_done *command;
	} done;
	void *arg;
};

static struct store_request *store_request_new(struct store *store, void *arg)
{
	struct store_request *request = calloc(1, sizeof *request);
	if (request == NULL)
		return NULL;
	request->store = store;
	request->arg = arg;
	return request;
}

/* ---- networks and commands */

static void store_network_unknown(void *arg)
{
	struct store_request *request = arg;
	request->done.network(request->arg, NULL);
	free(request);
}

static void store_network_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct store_request *request = arg;
	const char *account = NULL;
	store_noted(request->store, end);
	if (end == WIRE_OK && count == 1 && answers[0].error == NULL)
		for (int i = 0; i < answers[0].count && account == NULL; i++) /* longest first */
			account = answers[0].text[i];
	request->done.network(request->arg, account);
	free(request);
}

void store_network(struct store *store, const struct netaddr *address, store_network_done *done, void *arg)
{
	struct networks networks;
	struct request asked;
	struct store_request *request = store_request_new(store, arg);
	store_count(store, &store->stats.commands);
	if (request == NULL) {
		done(arg, NULL);
		return;
	}
	request->done.network = done;
	request_begin(&asked);
	request_command(&asked, "HMGET");
	request_text(&asked, KEY_NETWORKS, store->settings.prefix);
	networks_of(address, &networks);
	for (int i = 0; i < networks.count; i++)
		request_word(&asked, networks.field[i]);
	if (!store_send(store, &asked, store_network_come, NULL, request) &&
	    !alarm_soon(store->base, store_network_unknown, request))
		store_network_unknown(request);
}

static void store_command_refused(void *arg)
{
	struct store_request *request = arg;
	if (request->done.command != NULL)
		request->done.command(request->arg, "Redis is away", 0, NULL);
	free(request);
}

static void store_command_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct store_request *request = arg;
	const char *error = end == WIRE_LATE ? "no answer in time" : "the connection to Redis ended";
	store_noted(request->store, end);
	if (end == WIRE_OK)
		error = answers[0].error;
	if (request->done.command != NULL)
		request->done.command(request->arg, error, error == NULL ? answers[0].count : 0,
				      error == NULL ? answers[0].text : NULL);
	(void)count;
	free(request);
}

static void store_command(struct store *store, const struct request *asked, store_command_done *done, void *arg)
{
	struct store_request *request = store_request_new(store, arg);
	store_count(store, &store->stats.commands);
	if (request == NULL) {
		if (done != NULL)
			done(arg, "no memory", 0, NULL);
		return;
	}
	request->done.command = done;
	if (!store_send(store, asked, store_command_come, NULL, request) &&
	    !alarm_soon(store->base, store_command_refused, request))
		store_command_refused(request);
}

/* argv[1] is replaced by `key`. */
static void store_command_on_key(struct store *store, const char *key, int argc, const char *const *argv,
				 store_command_done *done, void *arg)
{
	enum { WORDS_MAX = 40 };
	struct request asked;
	if (argc < 2 || argc > WORDS_MAX) {
		if (done != NULL)
			done(arg, "too many words in one command", 0, NULL);
		return;
	}
	request_begin(&asked);
	request_command(&asked, argv[0]);
	request_word(&asked, key);
	for (int i = 2; i < argc; i++)
		request_word(&asked, argv[i]);
	store_command(store, &asked, done, arg);
}

void store_account_command(struct store *store, const char *account, int argc, const char *const *argv,
			   store_command_done *done, void *arg)
{
	char key[KEY_MAX];
	snprintf(key, sizeof key, KEY_OF_ACCOUNT, store->settings.prefix, account, argc >= 2 ? argv[1] : "");
	store_command_on_key(store, key, argc, argv, done, arg);
}

void store_key_command(struct store *store, int argc, const char *const *argv, store_command_done *done, void *arg)
{
	char key[KEY_MAX];
	snprintf(key, sizeof key, KEY_OF_ALL, store->settings.prefix, argc >= 2 ? argv[1] : "");
	store_command_on_key(store, key, argc, argv, done, arg);
}

void store_scan(struct store *store, const char *cursor, const char *pattern, int count, store_command_done *done,
		void *arg)
{
	char match[3 * KEY_MAX], most[16];
	struct text text = text_over(match, sizeof match);
	for (const char *at = store->settings.prefix; *at != '\0'; at++)
		text_addf(&text, strchr("*?[]\\^", *at) != NULL ? "\\%c" : "%c", *at);
	text_addf(&text, ":%s", pattern);
	snprintf(most, sizeof most, "%d", count);
	store_command_on_key(store, cursor, 6, (const char *[]){ "SCAN", "", "MATCH", match, "COUNT", most }, done,
			     arg);
}

void store_size(struct store *store, store_command_done *done, void *arg)
{
	struct request asked;
	request_begin(&asked);
	request_command(&asked, "DBSIZE");
	store_command(store, &asked, done, arg);
}

/* Its row in the local table, so that a reset holds at once. */
static void store_forget(struct store *store, const char *account)
{
	pthread_mutex_lock(&store->lock);
	recent_forget(store->recent, account);
	pthread_mutex_unlock(&store->lock);
}

void store_reset(struct store *store, const char *account, store_command_done *done, void *arg)
{
	static const char *const parts[] = { KEY_PART_RECORD, KEY_PART_STATE, KEY_PART_KNOWN };
	struct request asked;
	store_forget(store, account);
	request_begin(&asked);
	request_command(&asked, "DEL");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		store_key(&asked, store, account, parts[i]);
	if (account_is_group(account) && store->clock_known)
		store_group_add_keys(&asked, store, account, store_now_ms(store, 0));
	store_command(store, &asked, done, arg);
}

bool store_secret(struct store *store, uint64_t key_out[2])
{
	pthread_mutex_lock(&store->lock);
	memcpy(key_out, store->secret, sizeof store->secret);
	bool shared = store->secret_shared;
	pthread_mutex_unlock(&store->lock);
	return shared;
}

/* ---- numbers */

struct store_stats store_stats(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	struct store_stats stats = store->stats;
	stats.recent = recent_count(store->recent);
	stats.useless_limits = recent_useless(store->recent);
	stats.foreign_records = recent_foreign(store->recent);
	stats.useless_plans = (uint64_t)plans_useless(store->plans);
	stats.secret_shared = store->secret_shared;
	stats.away_s = store->away_since_s == 0 ? 0 : (uint64_t)(store_clock_s() - store->away_since_s);
	pthread_mutex_unlock(&store->lock);
	return stats;
}

size_t store_top(struct store *store, enum store_top_order order, size_t most, struct store_top_row *rows)
{
	pthread_mutex_lock(&store->lock);
	size_t filled = recent_top(store->recent, order, most, rows);
	pthread_mutex_unlock(&store->lock);
	return filled;
}

/* ---- life */

struct store *store_new(struct event_base *base, const struct store_settings *settings, store_say *say, void *say_arg,
			char *error, size_t error_size)
{
	struct store *store = calloc(1, sizeof *store);
	snprintf(error, error_size, "no memory for the table of recent accounts");
	if (store == NULL)
		return NULL;
	pthread_mutex_init(&store->lock, NULL);
	store->base = base;
	store->settings = *settings;
	store->say = say;
	store->say_arg = say_arg;
	store->recent = recent_new((size_t)settings->recent_accounts);
	store->plans = plans_new();
	if (store->recent == NULL || store->plans == NULL || !store_link_open(store, error, error_size))
		store_free(&store);
	return store;
}

void store_free(struct store **store)
{
	if (*store == NULL)
		return;
	struct store *freed = *store;
	*store = NULL;
	store_link_close(freed);
	for (struct recent_row *row = freed->recent != NULL ? recent_first(freed->recent) : NULL; row != NULL;
	     row = row->older)
		store_book_free(row);
	recent_free(&freed->recent);
	plans_free(&freed->plans);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}
