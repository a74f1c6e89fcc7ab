/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/store.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/networks.h"
#include "redis-schema/store_inside.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "policy/base/banned.h"

/* One request of the store's users. */
struct request {
	struct store *store;
	union {
		store_fetch_done *fetch;
		store_charge_done *charge;
		store_network_done *network;
		store_command_done *command;
	} done;
	void *arg;
	int64_t number;
	struct charge charge;		/* of a fetch its account alone */
	struct charge_result local;	/* how the message was judged where Redis did not answer */
};

/* ---- fetch */

static void count(struct store *store, uint64_t *counter)
{
	pthread_mutex_lock(&store->lock);
	(*counter)++;
	pthread_mutex_unlock(&store->lock);
}

static struct request *request_new(struct store *store, const char *account, void *arg)
{
	struct request *request = calloc(1, sizeof *request);
	if (request == NULL)
		return NULL;
	request->store = store;
	request->arg = arg;
	text_copy(request->charge.account, sizeof request->charge.account, account);
	return request;
}

/* Calls `run` in the next turn of the loop, so that no `done` is called before the request's function returned. */
static void soon(struct store *store, event_callback_fn run, struct request *request)
{
	if (event_base_once(store->base, -1, EV_TIMEOUT, run, request, NULL) != 0)
		run(-1, 0, request);
}

static void fetch_local(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	struct store *store = request->store;
	struct account_state state = { .known = KNOWLEDGE_NONE, .limits = limits_unset };
	(void)fd;
	(void)what;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_find(store->recent, request->charge.account);
	if (row != NULL) {
		state = row->state;
		state.known = KNOWLEDGE_LOCAL;
	}
	store->stats.local_answers++;
	pthread_mutex_unlock(&store->lock);
	request->done.fetch(request->arg, &state, NULL);
	free(request);
}

static void fetched(void *arg, enum wire_end end, const struct account_state *state)
{
	struct request *request = arg;
	struct store *store = request->store;
	store_noted(store, end);
	if (end != WIRE_OK) {
		fetch_local(-1, 0, request);
		return;
	}
	struct account_state known = *state;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, request->charge.account);
	if (row != NULL && row->owed != NULL) {	/* Redis does not know yet what we do */
		int64_t since_s = known.history.level_since_s;
		known.history = row->state.history;
		known.history.level_since_s = since_s;
	}
	if (row != NULL)
		row->state = known;
	pthread_mutex_unlock(&store->lock);
	request->done.fetch(request->arg, &known, NULL);
	free(request);
}

void store_fetch(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	static const struct account_state unknown = { .known = KNOWLEDGE_NONE, .limits = { .plan = "" } };
	struct request *request = request_new(store, account, arg);
	count(store, &store->stats.fetches);
	if (request == NULL) {
		done(arg, &unknown, NULL);
		return;
	}
	request->done.fetch = done;
	if (!wire_fetch(store->wire, account, fetched, request))
		soon(store, fetch_local, request);
}

/* ---- charge */

static void told(const struct request *request, const struct charge_result *result)
{
	if (request->done.charge != NULL)
		request->done.charge(request->arg, result);
}

static struct charge_result charge_row(struct store *store, const struct charge *charge)
{
	struct charge_result result = { .known = KNOWLEDGE_NONE };
	result.breach = breach_none;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, charge->account);
	if (row != NULL)
		result = recent_charge(row, charge);
	store->stats.local_answers++;
	pthread_mutex_unlock(&store->lock);
	return result;
}

/* The local table follows what Redis did. */
static void follow(struct store *store, const struct request *request, const struct wire_charged *charged)
{
	struct charge done = request->charge;
	done.checked = false;
	if (charged->status == WIRE_OVER) {
		done.quota = false;
		memset(done.counts, 0, sizeof done.counts);
		done.counts[COUNTER_BREACHES] = 1;
	}
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, done.account);
	if (row != NULL) {
		recent_charge(row, &done);
		row->state.history.rates = charged->rates;
	}
	pthread_mutex_unlock(&store->lock);
}

static void charge_local(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	(void)fd;
	(void)what;
	request->local = charge_row(request->store, &request->charge);
	store_owe(request->store, &request->charge, &request->local, request->number);
	told(request, &request->local);
	free(request);
}

/* What became of a charge that had no answer in time: the message was judged by the local table meanwhile. */
static void charge_told_late(void *arg, enum wire_end end, const struct wire_charged *charged)
{
	struct request *request = arg;
	struct store *store = request->store;
	const struct charge *charge = &request->charge;
	bool turned_away = charge->checked && request->local.breach.window != WINDOW_COUNT && !charge_passes(charge);
	if (end == WIRE_LOST) {
		store_owe(store, charge, &request->local, request->number);
	} else if (end == WIRE_OK && charged->status == WIRE_AGAIN) {
		store_jump(store, charged->number);
		store_owe(store, charge, &request->local, 0);
	} else if (end == WIRE_REFUSED || (end == WIRE_OK && charged->status == WIRE_OVER && !turned_away)) {
		store_owe(store, charge, &request->local, 0);
	}
	free(request);
}

static void charged(void *arg, enum wire_end end, const struct wire_charged *answer)
{
	struct request *request = arg;
	struct store *store = request->store;
	if (end == WIRE_LATE) {	/* charge_told_late has the request from here on, perhaps before store_noted() returns */
		request->local = charge_row(store, &request->charge);
		told(request, &request->local);
		store_noted(store, end);
		return;
	}
	store_note_taken(store, end);
	store_noted(store, end);
	if (end == WIRE_OK && (answer->status == WIRE_CHARGED || answer->status == WIRE_OVER)) {
		follow(store, request, answer);
		struct charge_result result = { .known = KNOWLEDGE_FULL, .rates = answer->rates };
		result.breach = breach_none;
		result.breach.window = answer->over;
		if (answer->over != WINDOW_COUNT)
			charge_breach(&request->charge, &answer->rates, &result.breach);
		told(request, &result);
		free(request);
		return;
	}
	if (end == WIRE_OK && answer->status == WIRE_AGAIN)
		store_jump(store, answer->number);
	bool here_alone = end == WIRE_ERROR || (end == WIRE_OK && answer->status != WIRE_AGAIN);
	if (here_alone) {	/* a key that we may not touch, or cannot read */
		request->local = charge_row(store, &request->charge);
		told(request, &request->local);
		free(request);
		return;
	}
	request->number = end == WIRE_LOST ? request->number : 0;
	charge_local(-1, 0, request);
}

/* Redis takes rising numbers only: what the account owes goes first. */
static bool owes_unsent(struct store *store, const char *account)
{
	pthread_mutex_lock(&store->lock);
	const struct recent_row *row = store->stats.pending > 0 ? recent_find(store->recent, account) : NULL;
	const struct owed *owed = row != NULL ? row->owed : NULL;
	while (owed != NULL && owed->in_flight)
		owed = owed->next;
	pthread_mutex_unlock(&store->lock);
	return owed != NULL;
}

void store_charge(struct store *store, const struct message_charge *message, store_charge_done *done, void *arg)
{
	const struct charge *charge = &message->charge;
	struct request *request = request_new(store, charge->account, arg);
	count(store, &store->stats.charges);
	if (request == NULL) {
		struct charge_result unknown = { .known = KNOWLEDGE_NONE };
		unknown.breach = breach_none;
		if (done != NULL)
			done(arg, &unknown);
		return;
	}
	request->done.charge = done;
	request->charge = *charge;
	struct wire_charge sent = { charge, store->number + 1 };
	if (!owes_unsent(store, charge->account) &&
	    wire_charge(store->wire, &sent, charged, charge_told_late, request)) {
		request->number = ++store->number;
		return;
	}
	request->number = 0;
	soon(store, charge_local, request);
}

void store_report(struct store *store, const char *account, enum counter counter, double count_, int64_t now_ms)
{
	struct message_charge message = { .charge = { .now_ms = now_ms, .limits = limits_unset } };
	text_copy(message.charge.account, sizeof message.charge.account, account);
	message.charge.counts[counter] = count_;
	store_charge(store, &message, NULL, NULL);
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


static void network_unknown(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	(void)fd;
	(void)what;
	request->done.network(request->arg, NULL);
	free(request);
}

static void network_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct request *request = arg;
	const char *account = NULL;
	(void)error;
	for (int i = 0; i < count && account == NULL; i++)	/* longest first */
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
	struct request *request = request_new(store, "", arg);
	count(store, &store->stats.commands);
	if (request == NULL) {
		done(arg, NULL);
		return;
	}
	request->done.network = done;
	snprintf(key, sizeof key, KEY_NETWORKS, store->settings.prefix);
	networks_of(address, &networks);
	for (int i = 0; i < networks.count; i++)
		argv[i + 2] = networks.field[i];
	if (!wire_command(store->wire, networks.count + 2, argv, network_come, request))
		soon(store, network_unknown, request);
}

static void command_refused(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	(void)fd;
	(void)what;
	if (request->done.command != NULL)
		request->done.command(request->arg, "Redis is away", 0, NULL);
	free(request);
}

static void command_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct request *request = arg;
	store_noted(request->store, end);
	if (request->done.command != NULL)
		request->done.command(request->arg, end == WIRE_OK ? NULL : error, count, items);
	free(request);
}

/* argv[1] is replaced by `key`. */
static void command_on_key(struct store *store, const char *key, int argc, const char *const *argv,
			   store_command_done *done, void *arg)
{
	enum { WORDS_MAX = 40 };
	const char *words[WORDS_MAX];
	struct request *request = argc >= 2 && argc <= WORDS_MAX ? request_new(store, "", arg) : NULL;
	count(store, &store->stats.commands);
	if (request == NULL) {
		if (done != NULL)
			done(arg, "too many words in one command", 0, NULL);
		return;
	}
	request->done.command = done;
	memcpy(words, argv, (size_t)argc * sizeof words[0]);
	words[1] = key;
	if (!wire_command(store->wire, argc, words, command_come, request))
		soon(store, command_refused, request);
}

void store_account_command(struct store *store, const char *account, int argc, const char *const *argv,
			   store_command_done *done, void *arg)
{
	char key[KEY_MAX];
	snprintf(key, sizeof key, KEY_OF_ACCOUNT, store->settings.prefix, account, argc >= 2 ? argv[1] : "");
	command_on_key(store, key, argc, argv, done, arg);
}

void store_key_command(struct store *store, int argc, const char *const *argv, store_command_done *done, void *arg)
{
	char key[KEY_MAX];
	snprintf(key, sizeof key, KEY_OF_ALL, store->settings.prefix, argc >= 2 ? argv[1] : "");
	command_on_key(store, key, argc, argv, done, arg);
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

struct store *store_new(struct event_base *base, const struct store_settings *settings, store_say *say,
			void *say_arg, char *error, size_t error_size)
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
	store->number = (int64_t)now.tv_sec * 1000000 + now.tv_usec;	/* above all of an earlier start */
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
