/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store's connection: breaker, probes, what was charged while Redis was away, and the plans of panels.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/hash.h"
#include "redis-schema/keys.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>

#include "policy/base/banned.h"

enum { RETRY_MOST_MS = 30000, TICK_S = 1, SAID_AGAIN_S = 600 };

/* ---- saying things */

static void say(struct store *store, const char *line)
{
	store->say(store->say_arg, line);
}

/* The row of a line that was said, or the one to forget for it: the oldest. */
static size_t link_said_row(const struct store *store, uint64_t line)
{
	size_t oldest = 0;
	for (size_t row = 0; row < SAID_ROWS; row++) {
		if (store->said[row].line == line)
			return row;
		if (store->said[row].at_s < store->said[oldest].at_s)
			oldest = row;
	}
	return oldest;
}

static bool link_said_lately(struct store *store, const char *line)
{
	uint64_t hash = hash_keyed(store->said_key, line, strlen(line));
	size_t row = link_said_row(store, hash);
	if (store->said[row].line == hash && store_clock_s() - store->said[row].at_s < SAID_AGAIN_S)
		return true;
	store->said[row].line = hash;
	store->said[row].at_s = store_clock_s();
	return false;
}

/* What a panel wrote is said once in ten minutes, not once a message. */
static void store_say_seldom(void *arg, const char *line)
{
	if (!link_said_lately(arg, line))
		say(arg, line);
}

void store_say_of_account(void *arg, const char *line)
{
	struct store *store = arg;
	char more[200];
	if (link_said_lately(store, line))
		return;
	if (store_clock_s() - store->accounts_said_from_s >= SAID_AGAIN_S) {
		store->accounts_said_from_s = store_clock_s();
		store->accounts_said = 0;
	}
	if (++store->accounts_said <= SAID_MOST) {
		say(store, line);
	} else if (store->accounts_said == SAID_MOST + 1) {
		snprintf(more, sizeof more,
			 "redis: more than %d lines about accounts in ten minutes; what comes until they are over is "
			 "not written: penstockctl account check names all",
			 SAID_MOST);
		say(store, more);
	}
}

/* ---- health of the connection */

static void link_failed(struct store *store, enum wire_end end)
{
	pthread_mutex_lock(&store->lock);
	store->stats.failures++;
	store->stats.timeouts += end == WIRE_LATE;
	pthread_mutex_unlock(&store->lock);
	/* at the end of the daemon the wire is gone before its last requests end */
	if (++store->failures == store->settings.breaker_failures && store->wire != NULL) {
		char line[120];
		snprintf(line, sizeof line, "%lld requests in a row failed, the last %s", (long long)store->failures,
			 end == WIRE_LATE ? "had no answer in time" : "by an error");
		wire_disconnect(store->wire, line);
	}
}

int64_t store_clock_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void store_noted(struct store *store, enum wire_end end)
{
	if (end == WIRE_OK)
		store->failures = 0;
	else if (end != WIRE_ERROR) /* an error about one request says nothing about the next one */
		link_failed(store, end);
}

static void link_on_down(void *arg, const char *why)
{
	struct store *store = arg;
	char line[500];
	pthread_mutex_lock(&store->lock);
	store->stats.up = false;
	store->stats.breaker_open = true;
	if (!store->said_away)
		store->away_since_s = store_clock_s();
	size_t rows = recent_count(store->recent);
	pthread_mutex_unlock(&store->lock);
	if (!store->said_away) {
		snprintf(line, sizeof line, "redis %s is away: %s; limits go on from the table of %zu recent accounts",
			 store->settings.server, why, rows);
		say(store, line);
	}
	store->said_away = true;
	store->plans_asked = store->secret_asked = false;
	int64_t wait_ms = store->retry_ms / 2 + (int64_t)(random() % (store->retry_ms / 2 + 1));
	struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	store->retry_ms = store->retry_ms * 2 < RETRY_MOST_MS ? store->retry_ms * 2 : RETRY_MOST_MS;
	evtimer_add(store->retry, &wait);
}

static void link_say_up(struct store *store)
{
	char line[200];
	pthread_mutex_lock(&store->lock);
	unsigned long long pending = store->stats.pending;
	store->away_since_s = 0;
	pthread_mutex_unlock(&store->lock);
	snprintf(line, sizeof line, "redis %s answers again; %llu charges were kept for it", store->settings.server,
		 pending);
	if (store->said_away)
		say(store, line);
	store->said_away = false;
	store->retry_ms = store->settings.retry_ms;
}

/* A Redis that greets us and takes no charges (READONLY, OOM) would otherwise be away and back at each try. */
void store_note_taken(struct store *store, enum wire_end end)
{
	if (end == WIRE_OK && store->refused)
		link_say_up(store);
	if (end == WIRE_OK || end == WIRE_REFUSED)
		store->refused = end == WIRE_REFUSED;
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
	struct owed *owed; /* stays where it is while in flight */
	bool fresh;	   /* its number was given for this try */
};

/* The charge's number was not above the last one that Redis knows of this node: the clock went back while the daemon
 * was away, or two daemons have one node name. Go on above it. */
void store_jump(struct store *store, int64_t known)
{
	char line[160];
	if (known > store->number)
		store->number = known;
	snprintf(line, sizeof line,
		 "redis knows a later charge of node %s than this daemon's: a clock that went back, "
		 "or two daemons with one node name",
		 store->settings.node);
	store_say_seldom(store, line);
}

void store_owe(struct store *store, const struct charge *charge_made, const struct charge_result *local, int64_t number)
{
	struct charge charge = *charge_made;
	if (charge_turned_away(&charge, &local->breach))
		charge_turn_away(&charge, account_scope(charge.account));
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

static void link_paid(void *arg, enum wire_end end, const struct wire_charged *charged)
{
	struct payment *payment = arg;
	struct store *store = payment->store;
	struct owed *owed = payment->owed;
	if (end == WIRE_LATE) { /* its true end is told later */
		store_noted(store, end);
		return;
	}
	bool retry_above = end == WIRE_OK && charged->status == WIRE_AGAIN && payment->fresh;
	store_note_taken(store, end);
	if (retry_above)
		store_jump(store, charged->number);
	pthread_mutex_lock(&store->lock);
	owed->in_flight = false;
	/* one that Redis may have taken before keeps its number, whatever was said to its repetition */
	if ((end == WIRE_REFUSED && payment->fresh) || retry_above) {
		owed->number = 0;
	} else if (end == WIRE_OK || end == WIRE_ERROR) {
		recent_paid(owed);
		store->stats.pending--;
		*(end == WIRE_OK ? &store->stats.merged : &store->stats.dropped) += 1;
	}
	pthread_mutex_unlock(&store->lock);
	free(payment);
	store_noted(store, end);
}

/* False: the wire takes no more for now. */
static bool link_pay(struct store *store, struct owed *owed)
{
	struct payment *payment = malloc(sizeof *payment);
	if (payment == NULL)
		return false;
	*payment = (struct payment){ store, owed, owed->number == 0 };
	int64_t number = payment->fresh ? store->number + 1 : owed->number;
	struct wire_charge charge = { .charge = &owed->charge, .number = number };
	if (!wire_charge(store->wire, &charge, link_paid, link_paid, payment)) {
		free(payment);
		return false;
	}
	if (payment->fresh)
		owed->number = store->number = number;
	owed->in_flight = true;
	return true;
}

/* Each account's oldest charge first: Redis takes rising numbers only. */
static void link_pay_all(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	bool going = store->stats.pending > 0;
	for (struct recent_row *row = recent_first(store->recent); row != NULL && going; row = row->older)
		for (struct owed *owed = row->owed; owed != NULL && going; owed = owed->next)
			if (!owed->in_flight)
				going = link_pay(store, owed);
	pthread_mutex_unlock(&store->lock);
}

static void link_ask_plans(struct store *store);
static void link_ask_secret(struct store *store);

static void link_on_up(void *arg)
{
	struct store *store = arg;
	pthread_mutex_lock(&store->lock);
	store->stats.up = true;
	store->stats.breaker_open = false;
	pthread_mutex_unlock(&store->lock);
	store->failures = 0;
	if (!store->refused)
		link_say_up(store);
	link_ask_secret(store); /* its answer comes before that of any fetch */
	link_pay_all(store);	/* before any new charge of the same accounts */
	link_ask_plans(store);
}

/* ---- plans */

static void link_plans_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
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
		store_say_seldom(store, line);
	}
	store_noted(store, end);
}

static void link_ask_plans(struct store *store)
{
	char key[KEY_MAX];
	if (store->plans_asked)
		return;
	snprintf(key, sizeof key, KEY_PLANS, store->settings.prefix);
	store->plans_asked = wire_command(store->wire, 2, (const char *[]){ "HGETALL", key }, link_plans_come, store);
}

static void link_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;
	(void)fd;
	(void)what;
	link_pay_all(store);
	link_ask_secret(store);
	link_ask_plans(store);
}

/* ---- the secret */

static bool link_read_secret(const char *text, uint64_t key[2])
{
	enum { HALF = 16 };
	char half[HALF + 1], *end;
	if (strspn(text, "0123456789abcdef") != 2 * HALF || text[2 * HALF] != '\0')
		return false;
	for (int i = 0; i < 2; i++) {
		memcpy(half, text + i * HALF, HALF);
		half[HALF] = '\0';
		key[i] = strtoull(half, &end, 16);
	}
	return true;
}

static void link_say_secret(struct store *store, const char *line)
{
	char whole[KEY_MAX + 200], key[KEY_MAX];
	snprintf(key, sizeof key, KEY_SECRET, store->settings.prefix);
	snprintf(whole, sizeof whole, "redis: key %s %s", key, line);
	store_say_seldom(store, whole);
}

/* The first daemon that asks makes it. Where it was lost, the next one writes its own, which is the same. */
static void link_secret_come(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	struct store *store = arg;
	uint64_t key[2];
	store->secret_asked = false;
	store_noted(store, end);
	bool there = end == WIRE_OK && count == 1 && items[0] != NULL;
	store->secret_missing = end == WIRE_OK && !there;
	if (end == WIRE_ERROR)
		link_say_secret(store, error != NULL ? error : "cannot be read");
	if (!there)
		return;
	if (!link_read_secret(items[0], key)) {
		link_say_secret(store, "is not 32 hexadecimal digits: delete it, and a daemon makes a new one");
		return;
	}
	pthread_mutex_lock(&store->lock);
	bool changed = store->secret_shared && memcmp(store->secret, key, sizeof key) != 0;
	memcpy(store->secret, key, sizeof key);
	store->secret_shared = true;
	pthread_mutex_unlock(&store->lock);
	if (changed)
		link_say_secret(store,
				"changed: what accounts are used to (recipients, places, senders) is learnt anew");
}

static void link_secret_made(void *arg, enum wire_end end, const char *error, int count, const char *const *items)
{
	(void)count;
	(void)items;
	store_noted(arg, end);
	if (end == WIRE_ERROR)
		link_say_secret(arg, error != NULL ? error : "cannot be written");
}

static void link_ask_secret(struct store *store)
{
	char key[KEY_MAX], text[33];
	if (store->secret_asked)
		return;
	snprintf(key, sizeof key, KEY_SECRET, store->settings.prefix);
	if (!store->secret_shared || store->secret_missing) {
		snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, store->secret[0], store->secret[1]);
		wire_command(store->wire, 4, (const char *[]){ "SET", key, text, "NX" }, link_secret_made, store);
	}
	store->secret_asked = wire_command(store->wire, 2, (const char *[]){ "GET", key }, link_secret_come, store);
}

/* ---- life */

bool store_link_open(struct store *store, char *error, size_t error_size)
{
	struct timeval tick = { .tv_sec = TICK_S };
	struct wire_events events = { link_on_up, link_on_down, store_say_of_account, store };
	store->retry_ms = store->settings.retry_ms;
	if (getrandom(store->secret, sizeof store->secret, 0) != (ssize_t)sizeof store->secret ||
	    getrandom(store->said_key, sizeof store->said_key, 0) != (ssize_t)sizeof store->said_key) {
		snprintf(error, error_size, "the system gives no random bytes");
		return false;
	}
	store->retry = evtimer_new(store->base, on_retry, store);
	store->tick = event_new(store->base, -1, EV_PERSIST, link_on_tick, store);
	if (store->retry != NULL && store->tick != NULL)
		store->wire = wire_new(store->base, &store->settings, &events, error, error_size);
	if (store->wire == NULL)
		return false;
	evtimer_add(store->retry, &(struct timeval){ 0 });
	event_add(store->tick, &tick);
	return true;
}

void store_link_close(struct store *store)
{
	wire_free(&store->wire);
	if (store->retry != NULL)
		event_free(store->retry);
	if (store->tick != NULL)
		event_free(store->tick);
}
