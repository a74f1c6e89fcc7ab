/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/guesses.h"

#include "milter/base/clock.h"
#include "milter/clients/guesses_inside.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { V6_CLIENT_BITS = 64, V4_CLIENT_BITS = 32, HOUR_S = 3600 };

struct guess_table the_guesses;
pthread_mutex_t guesses_lock = PTHREAD_MUTEX_INITIALIZER;

bool guesses_start(void)
{
	pthread_mutex_lock(&guesses_lock);
	MUST(getrandom(the_guesses.key, sizeof the_guesses.key, 0) == (ssize_t)sizeof the_guesses.key);
	for (int side = 0; side < GUESS_SIDES; side++)
		if (the_guesses.rows[side] == NULL)
			the_guesses.rows[side] = calloc(GUESS_ROWS, sizeof *the_guesses.rows[side]);
	bool there = the_guesses.rows[GUESS_CLIENTS] != NULL && the_guesses.rows[GUESS_NAMES] != NULL;
	pthread_mutex_unlock(&guesses_lock);
	if (!there)
		guesses_stop();
	return there;
}

void guesses_stop(void)
{
	pthread_mutex_lock(&guesses_lock);
	for (int side = 0; side < GUESS_SIDES; side++)
		free(the_guesses.rows[side]);
	the_guesses = (struct guess_table){ .key = { 0 } };
	pthread_mutex_unlock(&guesses_lock);
}

/* What it is to the tables: IPv4 as it is, IPv6 its /64. */
static struct netaddr guesses_client(const struct netaddr *client)
{
	return netaddr_network(client, client->family == NETADDR_V6 ? V6_CLIENT_BITS : V4_CLIENT_BITS);
}

/* ---- with the lock */

static uint64_t guesses_hash(enum guess_side side, const void *bytes, size_t length)
{
	uint64_t hash = hash_keyed((const uint64_t[]){ the_guesses.key[0], the_guesses.key[1] ^ (uint64_t)side }, bytes,
				   length);
	return hash != 0 ? hash : 1;
}

static uint64_t guesses_hash_client(const struct netaddr *client)
{
	uint8_t bytes[1 + sizeof client->bytes] = { (uint8_t)client->family };
	memcpy(bytes + 1, client->bytes, client->family == NETADDR_V4 ? 4 : sizeof client->bytes);
	return guesses_hash(GUESS_CLIENTS, bytes, sizeof bytes);
}

/* Alice and alice are one. */
static uint64_t guesses_hash_name(const char *name)
{
	char folded[CLIENT_NOTE_NAME_MAX + 1];
	size_t length = 0;
	for (; name[length] != '\0' && length < CLIENT_NOTE_NAME_MAX; length++)
		folded[length] = text_lower(name[length]);
	return guesses_hash(GUESS_NAMES, folded, length);
}

struct guess_entry *guesses_bucket(enum guess_side side, uint64_t hash)
{
	return &the_guesses.rows[side][(hash >> 32) % GUESS_BUCKETS * GUESS_WAYS];
}

static struct guess_entry *guesses_find(enum guess_side side, uint64_t hash)
{
	struct guess_entry *bucket = guesses_bucket(side, hash);
	for (int i = 0; i < GUESS_WAYS; i++)
		if (bucket[i].hash == hash)
			return &bucket[i];
	return NULL;
}

/* Is `a` worth less than `b`? Who has tried fewer, and of two alike who was longer away. */
static bool guesses_is_less(const struct guess_entry *a, const struct guess_entry *b, int64_t now_s)
{
	double left = guess_set_count(&a->others, now_s), right = guess_set_count(&b->others, now_s);
	if (a->hash == 0 || b->hash == 0)
		return a->hash == 0 && b->hash != 0;
	return left != right ? left < right : a->last_s < b->last_s;
}

static struct guess_entry *guesses_get(enum guess_side side, uint64_t hash, int64_t now_s)
{
	struct guess_entry *found = guesses_find(side, hash), *bucket = guesses_bucket(side, hash);
	if (found != NULL)
		return found;
	struct guess_entry *least = bucket;
	for (int i = 1; i < GUESS_WAYS; i++)
		if (guesses_is_less(&bucket[i], least, now_s))
			least = &bucket[i];
	if (least->hash != 0)
		the_guesses.stats.forgotten[side]++;
	else
		the_guesses.stats.rows[side]++;
	*least = (struct guess_entry){ .hash = hash };
	return least;
}

static void guesses_count(struct guess_entry *entry, const struct client_note *note, int64_t seen_s, bool ours)
{
	entry->failures++;
	if (entry->first_s == 0 || seen_s < entry->first_s)
		entry->first_s = seen_s;
	if (seen_s > entry->last_s)
		entry->last_s = seen_s;
	entry->services |= (uint16_t)(1u << note->service);
	entry->ours = ours;
}

static bool guesses_is_at_it(enum guess_side side, double others)
{
	return side == GUESS_CLIENTS ? guess_is_guesser(others) : guess_is_attacked(others);
}

static struct guess_row guesses_row(enum guess_side side, const struct guess_entry *entry, int64_t now_s)
{
	struct guess_row row = {
		.client = entry->client,
		.others = guess_set_count(&entry->others, now_s),
		.failures = entry->failures,
		.first_s = entry->first_s,
		.last_s = entry->last_s,
		.services = entry->services,
		.ours = entry->ours != 0,
	};
	text_copy(row.name, sizeof row.name, entry->name);
	row.told = guesses_is_at_it(side, row.others) && !row.ours;
	return row;
}

/* May it be told? Of each once a day, and of few of a kind in an hour. */
static bool guesses_may_tell(enum guess_news_kind kind, struct guess_entry *entry, int64_t *told_s, int64_t now_s,
			     bool *too_many_out)
{
	struct guess_hour *within = &the_guesses.hour[kind];
	int64_t hour = now_s / HOUR_S;
	if (*told_s != 0 && now_s >= *told_s && now_s - *told_s < GUESS_TOLD_AGAIN_S)
		return false;
	if (within->hour != hour)
		*within = (struct guess_hour){ .hour = hour };
	if (within->told >= GUESS_TOLD_AN_HOUR) {
		*too_many_out = within->told++ == GUESS_TOLD_AN_HOUR;
		the_guesses.stats.untold += entry->kept_back_hour != hour;
		entry->kept_back_hour = hour;
		return false;
	}
	within->told++;
	the_guesses.stats.told[kind == GUESS_NEWS_ATTACKED ? GUESS_NAMES : GUESS_CLIENTS]++;
	*told_s = now_s;
	return true;
}

static void guesses_consider(enum guess_side side, struct guess_entry *entry, int64_t now_s, struct guess_news *news)
{
	enum guess_news_kind kind = side == GUESS_CLIENTS ? GUESS_NEWS_GUESSER : GUESS_NEWS_ATTACKED;
	news->row[side] = guesses_row(side, entry, now_s);
	if (news->row[side].told)
		news->tell[kind] = guesses_may_tell(kind, entry, &entry->told_s, now_s, &news->too_many[kind]);
}

static void guesses_failed(const struct client_note *note, bool ours, int64_t seen_s, int64_t now_s,
			   struct guess_news *news)
{
	struct netaddr from = guesses_client(&note->client);
	uint64_t client_hash = guesses_hash_client(&from), name_hash = guesses_hash_name(note->name);
	struct guess_entry *client = guesses_get(GUESS_CLIENTS, client_hash, now_s);
	bool proven = client_event_as(note->event, note->service) == CLIENT_EVENT_AUTH_FAILURE;
	bool named = proven && note->name[0] != '\0';
	the_guesses.stats.failures++;
	the_guesses.stats.unnamed += !named && proven;
	the_guesses.stats.unproven += !proven;
	client->client = from;
	guesses_count(client, note, seen_s, ours);
	if (!named)
		return;
	guess_set_add(&client->others, name_hash, seen_s, now_s);
	guesses_consider(GUESS_CLIENTS, client, now_s, news);
	struct guess_entry *name = guesses_get(GUESS_NAMES, name_hash, now_s);
	if (name->name[0] == '\0')
		text_copy(name->name, sizeof name->name, note->name);
	guesses_count(name, note, seen_s, false);
	guess_set_add(&name->others, client_hash, seen_s, now_s);
	guesses_consider(GUESS_NAMES, name, now_s, news);
}

/* A login that works says nothing, but from a client that guessed. */
static void guesses_worked(const struct client_note *note, int64_t now_s, struct guess_news *news)
{
	struct netaddr from = guesses_client(&note->client);
	struct guess_entry *client = guesses_find(GUESS_CLIENTS, guesses_hash_client(&from));
	the_guesses.stats.logins++;
	if (client == NULL || client->ours ||
	    !guess_got_in(guess_set_count_without(&client->others, guesses_hash_name(note->name), now_s)))
		return;
	the_guesses.stats.got_in++;
	if (strcmp(client->name, note->name) != 0)
		client->got_in_s = 0;
	text_copy(client->name, sizeof client->name, note->name);
	news->row[GUESS_CLIENTS] = guesses_row(GUESS_CLIENTS, client, now_s);
	news->tell[GUESS_NEWS_GOT_IN] = guesses_may_tell(GUESS_NEWS_GOT_IN, client, &client->got_in_s, now_s,
							 &news->too_many[GUESS_NEWS_GOT_IN]);
	text_copy(news->login, sizeof news->login, note->name);
}

/* ---- any thread */

void guesses_note(const struct client_note *note, bool ours)
{
	int64_t now_s = clock_now_ms() / 1000, seen_s = note->time_s < now_s ? note->time_s : now_s;
	struct guess_news news = { .tell = { false } };
	if (note->client.family == NETADDR_UNKNOWN)
		return;
	pthread_mutex_lock(&guesses_lock);
	if (the_guesses.rows[GUESS_CLIENTS] == NULL) {
		pthread_mutex_unlock(&guesses_lock);
		return;
	}
	if (note->event == CLIENT_EVENT_AUTH_FAILURE)
		guesses_failed(note, ours, seen_s, now_s, &news);
	else if (note->event == CLIENT_EVENT_LOGIN)
		guesses_worked(note, now_s, &news);
	pthread_mutex_unlock(&guesses_lock);
	guesses_tell(&news);
}

double guesses_of_client(const struct netaddr *client, const char *login)
{
	int64_t now_s = clock_now_ms() / 1000;
	struct netaddr from = guesses_client(client);
	double others = 0;
	pthread_mutex_lock(&guesses_lock);
	const struct guess_entry *found = from.family == NETADDR_UNKNOWN || the_guesses.rows[GUESS_CLIENTS] == NULL
						  ? NULL
						  : guesses_find(GUESS_CLIENTS, guesses_hash_client(&from));
	if (found != NULL && !found->ours)
		others = login[0] == '\0' ? guess_set_count(&found->others, now_s)
					  : guess_set_count_without(&found->others, guesses_hash_name(login), now_s);
	pthread_mutex_unlock(&guesses_lock);
	return others;
}

static bool guesses_is_worse(const struct guess_row *a, const struct guess_row *b)
{
	if (a->others != b->others)
		return a->others > b->others;
	return a->failures != b->failures ? a->failures > b->failures : a->last_s > b->last_s;
}

/* Into its place among the `count` worst; how many there are then. */
static size_t guesses_insert(struct guess_row *rows, size_t count, size_t most, const struct guess_row *row)
{
	size_t at = count;
	while (at > 0 && guesses_is_worse(row, &rows[at - 1]))
		at--;
	if (at == most)
		return count;
	size_t moved = (count < most ? count : most - 1) - at;
	memmove(&rows[at + 1], &rows[at], moved * sizeof *rows);
	rows[at] = *row;
	return count < most ? count + 1 : most;
}

size_t guesses_worst(enum guess_side side, struct guess_row *rows_out, size_t most)
{
	int64_t now_s = clock_now_ms() / 1000;
	size_t count = 0;
	pthread_mutex_lock(&guesses_lock);
	const struct guess_entry *entries = the_guesses.rows[side];
	for (int i = 0; entries != NULL && i < GUESS_ROWS; i++) {
		if (entries[i].hash == 0)
			continue;
		struct guess_row row = guesses_row(side, &entries[i], now_s);
		count = guesses_insert(rows_out, count, most, &row);
	}
	pthread_mutex_unlock(&guesses_lock);
	return count;
}

struct guess_stats guesses_stats(void)
{
	pthread_mutex_lock(&guesses_lock);
	struct guess_stats stats = the_guesses.stats;
	pthread_mutex_unlock(&guesses_lock);
	stats.size = GUESS_ROWS;
	return stats;
}
