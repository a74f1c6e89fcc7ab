/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/store/store.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/networks.h"
#include "redis-schema/store/store_inside.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "policy/base/banned.h"

/* One request of the store's users. */
struct store_request {
	struct store *store;
	union {
		store_fetch_done *fetch;
		store_network_done *network;
		store_command_done *command;
	} done;
	void *arg;
	bool looks; /* a fetch that leaves the table of recent accounts as it is */
	char account[ACCOUNT_MAX + 1];
};

/* ---- fetch */

void store_count(struct store *store, uint64_t *counter)
{
	pthread_mutex_lock(&store->lock);
	(*counter)++;
	pthread_mutex_unlock(&store->lock);
}

void store_count_answer(struct store *store, bool local)
{
	enum { ANSWERS = 100 };
	store->stats.local_answers += local;
	store->stats.local_share += (local - store->stats.local_share) / ANSWERS;
}

static const struct known no_known = { NULL, 0 };

static struct store_request *store_request_new(struct store *store, const char *account, void *arg)
{
	struct store_request *request = calloc(1, sizeof *request);
	if (request == NULL)
		return NULL;
	request->store = store;
	request->arg = arg;
	text_copy(request->account, sizeof request->account, account);
	return request;
}

void store_soon(struct store *store, event_callback_fn run, void *arg)
{
	if (event_base_once(store->base, -1, EV_TIMEOUT, run, arg, NULL) != 0)
		run(-1, 0, arg);
}

static void store_fetch_local(evutil_socket_t fd, short what, void *arg)
{
	struct store_request *request = arg;
	struct store *store = request->store;
	struct account_state state = { .known = KNOWLEDGE_NONE, .limits = limits_unset };
	(void)fd;
	(void)what;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_find(store->recent, request->account);
	if (row != NULL) {
		state = row->state;
		state.known = KNOWLEDGE_LOCAL;
	}
	store_count_answer(store, true);
	pthread_mutex_unlock(&store->lock);
	request->done.fetch(request->arg, &state, &no_known);
	free(request);
}

bool store_plan_missing(struct store *store, const char *account, const char *plan)
{
	char line[600];
	struct limits limits;
	if (*plan == '\0' || store->settings.has_plan == NULL || store_plan(store, plan, &limits) ||
	    store->settings.has_plan(plan))
		return false;
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis: %s ", account_is_group(account) ? "group" : "account");
	text_add_word(&text, account);
	text_add(&text, ": plan is \"");
	text_add_word(&text, plan);
	text_add(&text,
		 "\", expected a plan of the configuration file or of the hash plans; what holds without one holds");
	store_say_of_account(store, line);
	return true;
}

static void store_fetched(void *arg, enum wire_end end, const struct account_state *state, const struct known *rcpts)
{
	struct store_request *request = arg;
	struct store *store = request->store;
	store_noted(store, end);
	if (end != WIRE_OK) {
		store_fetch_local(-1, 0, request);
		return;
	}
	struct account_state known = *state;
	known.useless += store_plan_missing(store, request->account, known.limits.plan);
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = request->looks ? recent_find(store->recent, request->account)
						: recent_take(store->recent, request->account);
	/* Redis does not know yet what we do, or can take nothing of it: then the limits go on from here */
	if (row != NULL && (row->owed != NULL || known.unreadable)) {
		int64_t since_s = known.history.level_since_s;
		known.history = row->state.history;
		if (!known.unreadable)
			known.history.level_since_s = since_s;
	}
	if (row != NULL) {
		row->state = known;
		recent_count_useless(store->recent, row);
	}
	store_count_answer(store, false);
	pthread_mutex_unlock(&store->lock);
	request->done.fetch(request->arg, &known, rcpts);
	free(request);
}

static void store_fetch_state(struct store *store, const char *account, bool looks, store_fetch_done *done, void *arg)
{
	struct store_request *request = store_request_new(store, account, arg);
	store_count(store, &store->stats.fetches);
	if (request == NULL) {
		done(arg, &(struct account_state){ .known = KNOWLEDGE_NONE, .limits = limits_unset }, &no_known);
		return;
	}
	request->done.fetch = done;
	request->looks = looks;
	if (!wire_fetch(store->wire, account, store_fetched, request))
		store_soon(store, store_fetch_local, request);
}

void store_fetch(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	store_fetch_state(store, account, false, done, arg);
}

void store_look(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	store_fetch_state(store, account, true, done, arg);
}

/* ---- plans, networks and commands */

bool store_plan(struct store *store, const char *name, struct limits *limits_out)
{
	pthread_mutex_lock(&store->lock);
	const struct limits *limits = plans_find(store->plans, name);
	if (limits != NULL)
		*limits_out = *limits;
	pthread_mutex_unlock(&store->lock);
	return limits != NULL;
}

static void store_network_unknown(evutil_socket_t fd, short what, void *arg)
{
	struct store_request *request = arg;
	(void)fd;
	(void)what;
	request->done.network(request->arg, NULL);
	free(request);
}

static void store_network_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct store_request *request = arg;
	const char *account = NULL;
	(void)error;
	for (int i = 0; i < count && account == NULL; i++) /* longest first */
		account = items[i];
	store_noted(request->store, end);
	request->done.network(request->arg, account);
	free(request);
}

void store_network(struct store *store, const struct netaddr *address, store_network_done *done, void *arg)
{
	struct networks networks;
	char key[KEY_MAX];
	const char *argv[NETWORKS_MOST + 2] = { "HMGET", key };
	struct store_request *request = store_request_new(store, "", arg);
	store_count(store, &store->stats.commands);
	if (request == NULL) {
		done(arg, NULL);
		return;
	}
	request->done.network = done;
	snprintf(key, sizeof key, KEY_NETWORKS, store->settings.prefix);
	networks_of(address, &networks);
	for (int i = 0; i < networks.count; i++)
		argv[i + 2] = networks.field[i];
	if (!wire_command(store->wire, networks.count + 2, argv, store_network_come, request))
		store_soon(store, store_network_unknown, request);
}

static void store_command_refused(evutil_socket_t fd, short what, void *arg)
{
	struct store_request *request = arg;
	(void)fd;
	(void)what;
	if (request->done.command != NULL)
		request->done.command(request->arg, "Redis is away", 0, NULL);
	free(request);
}

static void store_command_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct store_request *request = arg;
	store_noted(request->store, end);
	if (request->done.command != NULL)
		request->done.command(request->arg, end == WIRE_OK ? NULL : error, count, items);
	free(request);
}

static void store_command(struct store *store, int argc, const char *const *argv, store_command_done *done, void *arg)
{
	struct store_request *request = store_request_new(store, "", arg);
	store_count(store, &store->stats.commands);
	if (request == NULL) {
		if (done != NULL)
			done(arg, "no memory", 0, NULL);
		return;
	}
	request->done.command = done;
	if (!wire_command(store->wire, argc, argv, store_command_come, request))
		store_soon(store, store_command_refused, request);
}

/* argv[1] is replaced by `key`. */
static void store_command_on_key(struct store *store, const char *key, int argc, const char *const *argv,
				 store_command_done *done, void *arg)
{
	enum { WORDS_MAX = 40 };
	const char *words[WORDS_MAX];
	if (argc < 2 || argc > WORDS_MAX) {
		if (done != NULL)
			done(arg, "too many words in one command", 0, NULL);
		return;
	}
	memcpy(words, argv, (size_t)argc * sizeof words[0]);
	words[1] = key;
	store_command(store, argc, words, done, arg);
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
	store_command(store, 1, (const char *[]){ "DBSIZE" }, done, arg);
}

bool store_secret(struct store *store, uint64_t key_out[2])
{
	pthread_mutex_lock(&store->lock);
	memcpy(key_out, store->secret, sizeof store->secret);
	bool shared = store->secret_shared;
	pthread_mutex_unlock(&store->lock);
	return shared;
}

void store_forget(struct store *store, const char *account)
{
	pthread_mutex_lock(&store->lock);
	recent_forget(store->recent, account);
	pthread_mutex_unlock(&store->lock);
}

/* ---- numbers */

struct store_stats store_stats(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	struct store_stats stats = store->stats;
	stats.recent = recent_count(store->recent);
	stats.useless_limits = recent_useless(store->recent);
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
	struct timeval now;
	snprintf(error, error_size, "no memory for the table of recent accounts");
	if (store == NULL)
		return NULL;
	pthread_mutex_init(&store->lock, NULL);
	store->base = base;
	store->settings = *settings;
	store->say = say;
	store->say_arg = say_arg;
	gettimeofday(&now, NULL);
	store->number = (int64_t)now.tv_sec * 1000000 + now.tv_usec; /* above all of an earlier start */
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
	recent_free(&freed->recent);
	plans_free(&freed->plans);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}
