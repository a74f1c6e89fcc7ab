/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/store.h"

#include "policy/base/text.h"
#include "policy/hash.h"
#include "redis-schema/keys.h"
#include "redis-schema/networks.h"
#include "redis-schema/plans.h"
#include "redis-schema/recent.h"
#include "redis-schema/wire.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "policy/base/banned.h"

enum { RETRY_MOST_MS = 30000, TICK_S = 1, SAID_ROWS = 256, SAID_AGAIN_S = 600 };

struct store {
	struct event_base *base;
	struct store_settings settings;	/* its strings live as long as the store */
	store_say *say;
	void *say_arg;
	struct wire *wire;
	struct event *retry, *tick;
	int64_t retry_ms;		/* the next wait */
	int64_t failures;		/* in a row */
	int64_t number;			/* of the last charge */
	bool said_away, plans_asked;
	bool refused;			/* the last charge had an error for an answer: a replica, or full memory */
	struct {
		uint64_t line;
		int64_t at_s;
	} said[SAID_ROWS];
	pthread_mutex_t lock;		/* of what follows; never held while somebody's `done` runs */
	struct recent *recent;
	struct plans *plans;
	struct store_stats stats;
};

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

/* ---- saying things */

static void say(struct store *store, const char *line)
{
	store->say(store->say_arg, line);
}

/* What a panel wrote is said once in ten minutes, not once a message. */
static void say_seldom(void *arg, const char *line)
{
	struct store *store = arg;
	uint64_t hash = hash_string(line, 0);
	struct timeval now;
	event_base_gettimeofday_cached(store->base, &now);
	size_t row = hash % SAID_ROWS;
	if (store->said[row].line == hash && now.tv_sec - store->said[row].at_s < SAID_AGAIN_S)
		return;
	store->said[row].line = hash;
	store->said[row].at_s = now.tv_sec;
	say(store, line);
}

/* ---- health of the connection */

static void failed(struct store *store, enum wire_end end)
{
	pthread_mutex_lock(&store->lock);
	store->stats.failures++;
	store->stats.timeouts += end == WIRE_LATE;
	pthread_mutex_unlock(&store->lock);
	/* at the end of the daemon the wire is gone before its last requests end */
	if (++store->failures == store->settings.breaker_failures && store->wire != NULL) {
		char line[120];
		snprintf(line, sizeof line, "%lld requests in a row failed, the last %s",
			 (long long)store->failures, end == WIRE_LATE ? "had no answer in time" : "by an error");
		wire_disconnect(store->wire, line);
	}
}

static void noted(struct store *store, enum wire_end end)
{
	if (end == WIRE_OK)
		store->failures = 0;
	else
		failed(store, end);
}

static void on_down(void *arg, const char *why)
{
	struct store *store = arg;
	char line[500];
	pthread_mutex_lock(&store->lock);
	store->stats.up = false;
	store->stats.breaker_open = true;
	size_t rows = recent_count(store->recent);
	pthread_mutex_unlock(&store->lock);
	if (!store->said_away) {
		snprintf(line, sizeof line, "redis %s is away: %s; limits go on from the table of %zu recent accounts",
			 store->settings.server, why, rows);
		say(store, line);
	}
	store->said_away = true;
	store->plans_asked = false;
	int64_t wait_ms = store->retry_ms / 2 + (int64_t)(random() % (store->retry_ms / 2 + 1));
	struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	store->retry_ms = store->retry_ms * 2 < RETRY_MOST_MS ? store->retry_ms * 2 : RETRY_MOST_MS;
	evtimer_add(store->retry, &wait);
}

static void say_up(struct store *store, unsigned long long pending)
{
	char line[200];
	snprintf(line, sizeof line, "redis %s answers again; %llu charges were kept for it", store->settings.server, pending);
	if (store->said_away)
		say(store, line);
	store->said_away = false;
	store->retry_ms = store->settings.retry_ms;
}

/* A Redis that greets us and takes no charges (READONLY, OOM) would otherwise be away and back at each try. */
static void note_taken(struct store *store, enum wire_end end)
{
	if (end == WIRE_OK && store->refused)
		say_up(store, store_stats(store).pending);
	if (end == WIRE_OK || end == WIRE_ERROR)
		store->refused = end == WIRE_ERROR;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	wire_connect(((struct store *)arg)->wire);
}

/* ---- what Redis is owed */

struct payment {
	struct store *store;
	struct owed *owed;	/* stays where it is while in flight */
	bool fresh;		/* its number was given for this try */
};

/* The charge's number was not above the last one that Redis knows of this node: the clock went back while the daemon
 * was away, or two daemons have one node name. Go on above it. */
static void jump(struct store *store, int64_t known)
{
	char line[160];
	if (known > store->number)
		store->number = known;
	snprintf(line, sizeof line, "redis knows a later charge of node %s than this daemon's: a clock that went back, "
				    "or two daemons with one node name", store->settings.node);
	say_seldom(store, line);
}

static void owe(struct store *store, const struct request *request, int64_t number)
{
	struct charge charge = request->charge;
	bool passes = charge.limits.over == OVER_SLOW || charge.limits.over == OVER_HOLD;
	if (request->local.over != WINDOW_COUNT && charge.checked && !passes) {
		charge.quota = false;	/* it was turned away: nothing left, but it was tried */
		memset(charge.counts, 0, sizeof charge.counts);
		charge.counts[COUNTER_BREACHES] = 1;
	}
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, charge.account);
	struct owed *last = row != NULL ? row->owed : NULL;
	while (last != NULL && last->next != NULL)
		last = last->next;
	bool joins = last != NULL && last->number == 0 && !last->in_flight && number == 0;
	if (row == NULL || recent_owe(row, &charge, number) == NULL)
		store->stats.dropped++;
	else
		store->stats.pending += !joins;
	pthread_mutex_unlock(&store->lock);
}

static void paid(void *arg, enum wire_end end, const struct wire_charged *charged)
{
	struct payment *payment = arg;
	struct store *store = payment->store;
	struct owed *owed = payment->owed;
	if (end == WIRE_LATE) {	/* its true end is told later */
		noted(store, end);
		return;
	}
	bool retry_above = end == WIRE_OK && charged->status == WIRE_AGAIN && payment->fresh;
	note_taken(store, end);
	if (retry_above)
		jump(store, charged->number);
	pthread_mutex_lock(&store->lock);
	owed->in_flight = false;
	if (end == WIRE_ERROR || retry_above) {
		owed->number = 0;
	} else if (end == WIRE_OK) {
		recent_paid(owed);
		store->stats.pending--;
		store->stats.merged++;
	}
	pthread_mutex_unlock(&store->lock);
	free(payment);
	noted(store, end);
}

/* False: the wire takes no more for now. */
static bool pay(struct store *store, struct owed *owed)
{
	struct payment *payment = malloc(sizeof *payment);
	if (payment == NULL)
		return false;
	*payment = (struct payment){ store, owed, owed->number == 0 };
	int64_t number = payment->fresh ? store->number + 1 : owed->number;
	struct wire_charge charge = { &owed->charge, number };
	if (!wire_charge(store->wire, &charge, paid, paid, payment)) {
		free(payment);
		return false;
	}
	if (payment->fresh)
		owed->number = store->number = number;
	owed->in_flight = true;
	return true;
}

/* Each account's oldest charge first: Redis takes rising numbers only. */
static void pay_all(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	bool going = store->stats.pending > 0;
	for (struct recent_row *row = recent_first(store->recent); row != NULL && going; row = row->older)
		for (struct owed *owed = row->owed; owed != NULL && going; owed = owed->next)
			if (!owed->in_flight)
				going = pay(store, owed);
	pthread_mutex_unlock(&store->lock);
}

static void ask_plans(struct store *store);

static void on_up(void *arg)
{
	struct store *store = arg;
	pthread_mutex_lock(&store->lock);
	store->stats.up = true;
	store->stats.breaker_open = false;
	unsigned long long pending = store->stats.pending;
	pthread_mutex_unlock(&store->lock);
	store->failures = 0;
	if (!store->refused)
		say_up(store, pending);
	pay_all(store);	/* before any new charge of the same accounts */
	ask_plans(store);
}

/* ---- plans */

static void plans_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct store *store = arg;
	store->plans_asked = false;
	if (end == WIRE_OK) {
		pthread_mutex_lock(&store->lock);
		plans_set(store->plans, count, items, store->say, store->say_arg);
		pthread_mutex_unlock(&store->lock);
	} else if (end == WIRE_ERROR && error != NULL) {
		char line[700], key[KEY_MAX];
		snprintf(key, sizeof key, KEY_PLANS, store->settings.prefix);
		snprintf(line, sizeof line, "redis: key %s cannot be read as a hash of plans: %s", key, error);
		say_seldom(store, line);
	}
	noted(store, end == WIRE_ERROR ? WIRE_OK : end);
}

static void ask_plans(struct store *store)
{
	char key[KEY_MAX];
	if (store->plans_asked)
		return;
	snprintf(key, sizeof key, KEY_PLANS, store->settings.prefix);
	store->plans_asked = wire_command(store->wire, 2, (const char *[]){ "HGETALL", key }, plans_come, store);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	(void)fd;
	(void)what;
	pay_all(store);
	ask_plans(store);
}

bool store_plan(struct store *store, const char *name, struct limits *limits_out)
{
	pthread_mutex_lock(&store->lock);
	const struct limits *limits = plans_find(store->plans, name);
	if (limits != NULL)
		*limits_out = *limits;
	pthread_mutex_unlock(&store->lock);
	return limits != NULL;
}

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
	request->done.fetch(request->arg, &state);
	free(request);
}

static void fetched(void *arg, enum wire_end end, const struct account_state *state)
{
	struct request *request = arg;
	struct store *store = request->store;
	noted(store, end);
	if (end != WIRE_OK) {
		fetch_local(-1, 0, request);
		return;
	}
	struct account_state known = *state;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, request->charge.account);
	if (row != NULL && row->owed != NULL) {	/* Redis does not know yet what we do */
		known.rates = row->state.rates;
		known.counters = row->state.counters;
		known.level = row->state.level;
	}
	if (row != NULL)
		row->state = known;
	pthread_mutex_unlock(&store->lock);
	request->done.fetch(request->arg, &known);
	free(request);
}

void store_fetch(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	static const struct account_state unknown = { .known = KNOWLEDGE_NONE, .limits = { .plan = "" } };
	struct request *request = request_new(store, account, arg);
	count(store, &store->stats.fetches);
	if (request == NULL) {
		done(arg, &unknown);
		return;
	}
	request->done.fetch = done;
	if (!wire_fetch(store->wire, account, fetched, request))
		soon(store, fetch_local, request);
}

/* ---- charge */

static struct charge_result charge_row(struct store *store, const struct charge *charge)
{
	struct charge_result result = { .known = KNOWLEDGE_NONE, .over = WINDOW_COUNT };
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
		row->state.rates = charged->rates;
	}
	pthread_mutex_unlock(&store->lock);
}

static void charge_local(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	(void)fd;
	(void)what;
	request->local = charge_row(request->store, &request->charge);
	owe(request->store, request, request->number);
	request->done.charge(request->arg, &request->local);
	free(request);
}

/* What became of a charge that had no answer in time: the message was judged by the local table meanwhile. */
static void charge_told_late(void *arg, enum wire_end end, const struct wire_charged *charged)
{
	struct request *request = arg;
	struct store *store = request->store;
	if (end == WIRE_LOST) {
		owe(store, request, request->number);
	} else if (end == WIRE_ERROR || charged->status == WIRE_OVER) {
		owe(store, request, 0);
	} else if (charged->status == WIRE_AGAIN) {
		jump(store, charged->number);
		owe(store, request, 0);
	}
	free(request);
}

static void charged(void *arg, enum wire_end end, const struct wire_charged *answer)
{
	struct request *request = arg;
	struct store *store = request->store;
	if (end == WIRE_LATE) {	/* charge_told_late has the request from here on, perhaps before noted() returns */
		request->local = charge_row(store, &request->charge);
		request->done.charge(request->arg, &request->local);
		noted(store, end);
		return;
	}
	note_taken(store, end);
	noted(store, end);
	if (end == WIRE_OK && (answer->status == WIRE_CHARGED || answer->status == WIRE_OVER)) {
		follow(store, request, answer);
		struct charge_result result = { KNOWLEDGE_FULL, answer->over, answer->rates };
		request->done.charge(request->arg, &result);
		free(request);
		return;
	}
	if (end == WIRE_OK && answer->status == WIRE_AGAIN)
		jump(store, answer->number);
	if (end == WIRE_OK && answer->status != WIRE_AGAIN) {	/* a key that we may not touch: count here alone */
		request->local = charge_row(store, &request->charge);
		request->done.charge(request->arg, &request->local);
		free(request);
		return;
	}
	request->number = end == WIRE_LOST ? request->number : 0;
	charge_local(-1, 0, request);
}

void store_charge(struct store *store, const struct charge *charge, store_charge_done *done, void *arg)
{
	struct request *request = request_new(store, charge->account, arg);
	count(store, &store->stats.charges);
	if (request == NULL) {
		struct charge_result unknown = { .known = KNOWLEDGE_NONE, .over = WINDOW_COUNT };
		done(arg, &unknown);
		return;
	}
	request->done.charge = done;
	request->charge = *charge;
	struct wire_charge sent = { charge, store->number + 1 };
	if (wire_charge(store->wire, &sent, charged, charge_told_late, request)) {
		request->number = ++store->number;
		return;
	}
	request->number = 0;
	soon(store, charge_local, request);
}

/* ---- networks and commands */

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
	noted(request->store, end == WIRE_ERROR ? WIRE_OK : end);
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
	request->done.command(request->arg, "Redis is away", 0, NULL);
	free(request);
}

static void command_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct request *request = arg;
	noted(request->store, end == WIRE_ERROR ? WIRE_OK : end);
	request->done.command(request->arg, end == WIRE_OK ? NULL : error, count, items);
	free(request);
}

void store_account_command(struct store *store, const char *account, int argc, const char *const *argv,
			   store_command_done *done, void *arg)
{
	enum { WORDS_MAX = 40 };
	char key[KEY_MAX];
	const char *words[WORDS_MAX];
	struct request *request = argc >= 2 && argc <= WORDS_MAX ? request_new(store, account, arg) : NULL;
	count(store, &store->stats.commands);
	if (request == NULL) {
		done(arg, "too many words in one command", 0, NULL);
		return;
	}
	request->done.command = done;
	snprintf(key, sizeof key, KEY_OF_ACCOUNT, store->settings.prefix, account, argv[1]);
	memcpy(words, argv, (size_t)argc * sizeof words[0]);
	words[1] = key;
	if (!wire_command(store->wire, argc, words, command_come, request))
		soon(store, command_refused, request);
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

struct store *store_new(struct event_base *base, const struct store_settings *settings, store_say *say_line,
			void *say_arg, char *error, size_t error_size)
{
	struct store *store = calloc(1, sizeof *store);
	struct timeval now, tick = { .tv_sec = TICK_S };
	snprintf(error, error_size, "no memory for the table of recent accounts");
	if (store == NULL)
		return NULL;
	pthread_mutex_init(&store->lock, NULL);
	store->base = base;
	store->settings = *settings;
	store->say = say_line;
	store->say_arg = say_arg;
	store->retry_ms = settings->retry_ms;
	gettimeofday(&now, NULL);
	store->number = (int64_t)now.tv_sec * 1000000 + now.tv_usec;	/* above all of an earlier start */
	struct wire_events events = { on_up, on_down, say_seldom, store };
	store->recent = recent_new((size_t)settings->recent_accounts);
	store->plans = plans_new();
	store->retry = evtimer_new(base, on_retry, store);
	store->tick = event_new(base, -1, EV_PERSIST, on_tick, store);
	if (store->recent != NULL && store->plans != NULL && store->retry != NULL && store->tick != NULL)
		store->wire = wire_new(base, &store->settings, &events, error, error_size);
	if (store->wire == NULL) {
		store_free(&store);
		return NULL;
	}
	evtimer_add(store->retry, &(struct timeval){ 0 });
	event_add(store->tick, &tick);
	return store;
}

void store_free(struct store **store)
{
	if (*store == NULL)
		return;
	struct store *freed = *store;
	*store = NULL;
	wire_free(&freed->wire);
	if (freed->retry != NULL)
		event_free(freed->retry);
	if (freed->tick != NULL)
		event_free(freed->tick);
	recent_free(&freed->recent);
	plans_free(&freed->plans);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}
