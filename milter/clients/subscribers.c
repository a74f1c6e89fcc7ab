/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/subscribers.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "policy/base/text.h"
#include "policy/judge.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	LOOK_MS = 1000,
	EVERY_MS = 10000,   /* from the end of one search to the next ... */
	EVERY_TIMES = 50,   /* ... and so many times as long as it took */
	PIECE = 500,	    /* keys that Redis looks at for one answer */
	WANTED_S = 3600,    /* the list is kept up for so long after somebody wanted it */
	KEYS_MOST = 100000, /* of one piece: a broken server cannot fill the memory */
};

static const char pattern[] = "{" ACCOUNT_CLIENT ":*}:*";

static struct {
	struct event *tick; /* owned */
	bool under_way;
	int64_t began_ms, due_ms; /* monotonic */
	char cursor[24];
	bool last_piece;
	char **keys; /* owned: of the piece at hand */
	int key_count, key_at;
	char account[ACCOUNT_MAX + 1]; /* that is asked about */
	struct zone_list bad, exempt;  /* found by the search under way */
	atomic_llong wanted_s;
} search;

static pthread_mutex_t subscribers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone_list known_bad, known_exempt; /* by the last whole search */
static int64_t known_s;

static void subscribers_go_on(void);

/* ---- the end of a search */

static void subscribers_drop_keys(void)
{
	while (search.key_count > 0)
		free(search.keys[--search.key_count]);
	free(search.keys);
	search.keys = NULL;
	search.key_at = 0;
}

static void subscribers_end(bool whole)
{
	int64_t now_ms = clock_monotonic_ms(), pause_ms = EVERY_TIMES * (now_ms - search.began_ms);
	subscribers_drop_keys();
	search.under_way = false;
	search.due_ms = now_ms + (pause_ms > EVERY_MS ? pause_ms : EVERY_MS);
	/* whoever is exempt must not be forgotten */
	if (whole && search.exempt.left_out == 0) {
		struct zone_list bad = known_bad, exempt = known_exempt;
		zone_list_sort(&search.bad);
		zone_list_sort(&search.exempt);
		pthread_mutex_lock(&subscribers_lock);
		known_bad = search.bad;
		known_exempt = search.exempt;
		known_s = clock_now_ms() / 1000;
		pthread_mutex_unlock(&subscribers_lock);
		search.bad = bad;
		search.exempt = exempt;
	}
	zone_list_free(&search.bad);
	zone_list_free(&search.exempt);
}

/* ---- one account */

static void subscribers_take(const struct account_state *state)
{
	struct zone_entry entry = { 0 };
	struct setup *setup = setup_hold();
	int64_t now_ms = clock_now_ms();
	enum level level = state->history.level == LEVEL_UNKNOWN ? LEVEL_UNKNOWN
								 : judge_level(&setup->config->policy, state, now_ms);
	setup_drop(&setup);
	/* the name ends with "/64" where it is of IPv6 */
	char address[NETADDR_TEXT_MAX];
	text_copy(address, sizeof address, search.account + strlen(ACCOUNT_CLIENT ":"));
	address[strcspn(address, "/")] = '\0';
	if (!netaddr_parse(address, &entry.client))
		return;
	entry.since_s = entry.seen_s = now_ms / 1000;
	entry.code = client_code_of_account(level, state->block[0] != '\0');
	if (state->exempt[0] != '\0')
		zone_list_add(&search.exempt, &entry);
	else if (entry.code != CLIENT_CODE_NONE)
		zone_list_add(&search.bad, &entry);
}

static void subscribers_on_look(void *arg, const struct account_state *state, const struct known *known)
{
	(void)arg;
	(void)known;
	if (state->known != KNOWLEDGE_FULL) {
		subscribers_end(false);
		return;
	}
	subscribers_take(state);
	subscribers_go_on();
}

/* A level gets no worse by itself: what was written says who need not be looked at. */
static void subscribers_on_level(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	if (error != NULL && strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) != 0) {
		subscribers_end(false);
		return;
	}
	enum level level = error == NULL && count == 1 && items[0] != NULL ? level_find(items[0]) : LEVEL_UNKNOWN;
	if (client_code_of_account(level, false) != CLIENT_CODE_NONE)
		store_look(the_daemon.store, search.account, subscribers_on_look, NULL);
	else
		subscribers_go_on();
}

/* Asks about the account whose key it is. False: it is none that says anything. */
static bool subscribers_ask(const char *key)
{
	const char *name = strstr(key, "{" ACCOUNT_CLIENT ":"), *end = name == NULL ? NULL : strstr(name, "}:");
	if (end == NULL || end - name - 1 > ACCOUNT_MAX)
		return false;
	const char *part = end + 2;
	snprintf(search.account, sizeof search.account, "%.*s", (int)(end - name - 1), name + 1);
	if (strcmp(part, KEY_PART_STATE) == 0)
		store_account_command(the_daemon.store, search.account, 3, (const char *[]){ "HMGET", part, "level" },
				      subscribers_on_level, NULL);
	else if (strcmp(part, KEY_PART_BLOCK) == 0 || strcmp(part, KEY_PART_EXEMPT) == 0)
		store_look(the_daemon.store, search.account, subscribers_on_look, NULL);
	else
		return false;
	return true;
}

/* ---- the pieces */

static void subscribers_on_piece(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	if (error != NULL || count < 1 || count > KEYS_MOST || items[0] == NULL) {
		subscribers_end(false);
		return;
	}
	subscribers_drop_keys();
	text_copy(search.cursor, sizeof search.cursor, items[0]);
	search.last_piece = strcmp(items[0], "0") == 0;
	search.keys = calloc((size_t)count, sizeof search.keys[0]);
	for (int i = 1; search.keys != NULL && i < count; i++)
		if (items[i] != NULL && (search.keys[search.key_count] = strdup(items[i])) != NULL)
			search.key_count++;
	if (search.keys == NULL)
		subscribers_end(false);
	else
		subscribers_go_on();
}

static void subscribers_go_on(void)
{
	while (search.key_at < search.key_count)
		if (subscribers_ask(search.keys[search.key_at++]))
			return;
	if (search.last_piece)
		subscribers_end(true);
	else
		store_scan(the_daemon.store, search.cursor, pattern, PIECE, subscribers_on_piece, NULL);
}

static void subscribers_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	struct setup *setup = setup_hold();
	bool zone = setup->config->set.clients_zone[0] != '\0';
	setup_drop(&setup);
	int64_t now_ms = clock_monotonic_ms();
	bool wanted = zone || clock_now_ms() / 1000 - atomic_load(&search.wanted_s) < WANTED_S;
	if (search.under_way || !wanted || now_ms < search.due_ms)
		return;
	search.under_way = true;
	search.last_piece = false;
	search.began_ms = now_ms;
	text_copy(search.cursor, sizeof search.cursor, "0");
	subscribers_go_on();
}

bool subscribers_start(struct event_base *base)
{
	struct timeval every = { .tv_sec = LOOK_MS / 1000 };
	search.tick = event_new(base, -1, EV_PERSIST, subscribers_on_tick, NULL);
	return search.tick != NULL && event_add(search.tick, &every) == 0;
}

void subscribers_stop(void)
{
	if (search.tick != NULL)
		event_free(search.tick);
	search.tick = NULL;
	subscribers_drop_keys();
	zone_list_free(&search.bad);
	zone_list_free(&search.exempt);
	zone_list_free(&known_bad);
	zone_list_free(&known_exempt);
	search.under_way = false;
	known_s = 0;
}

/* ---- for the list */

void subscribers_want(int64_t now_s)
{
	atomic_store(&search.wanted_s, now_s);
}

int64_t subscribers_add(struct zone_list *bad, struct zone_list *exempt, int64_t now_s)
{
	pthread_mutex_lock(&subscribers_lock);
	for (size_t i = 0; i < known_bad.count; i++) {
		struct zone_entry entry = known_bad.entries[i];
		entry.since_s = entry.seen_s = now_s;
		zone_list_add(bad, &entry);
	}
	for (size_t i = 0; i < known_exempt.count; i++)
		zone_list_add(exempt, &known_exempt.entries[i]);
	int64_t s = known_s;
	pthread_mutex_unlock(&subscribers_lock);
	return s;
}
