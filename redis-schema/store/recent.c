/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/store/recent.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { SHARED_ROWS = 1024 };

struct recent {
	size_t most, count, bucket_count, useless, foreign;
	uint64_t key[2]; /* a stranger may choose account names: he cannot choose our buckets */
	struct recent_row **buckets;
	struct recent_row *newest, *oldest;
	struct rates shared[SHARED_ROWS];
};

struct recent *recent_new(size_t rows)
{
	struct recent *recent = calloc(1, sizeof *recent);
	if (recent == NULL)
		return NULL;
	recent->most = rows;
	recent->bucket_count = rows * 2 + 1;
	recent->buckets = calloc(recent->bucket_count, sizeof recent->buckets[0]);
	if (recent->buckets == NULL || getrandom(recent->key, sizeof recent->key, 0) != (ssize_t)sizeof recent->key) {
		free(recent->buckets);
		free(recent);
		return NULL;
	}
	return recent;
}

static struct recent_row **bucket_of(struct recent *recent, const char *account)
{
	return &recent->buckets[hash_keyed(recent->key, account, strlen(account)) % recent->bucket_count];
}

static void list_remove(struct recent *recent, struct recent_row *row)
{
	*(row->newer != NULL ? &row->newer->older : &recent->newest) = row->older;
	*(row->older != NULL ? &row->older->newer : &recent->oldest) = row->newer;
}

static void recent_list_add(struct recent *recent, struct recent_row *row)
{
	row->newer = NULL;
	row->older = recent->newest;
	*(recent->newest != NULL ? &recent->newest->newer : &recent->oldest) = row;
	recent->newest = row;
}

static void recent_row_free(struct recent *recent, struct recent_row *row)
{
	struct recent_row **at = bucket_of(recent, row->account);
	while (*at != row)
		at = &(*at)->next_in_bucket;
	*at = row->next_in_bucket;
	list_remove(recent, row);
	recent->count--;
	recent->useless -= row->useless;
	recent->foreign -= row->foreign;
	free(row);
}

void recent_free(struct recent **recent)
{
	if (*recent == NULL)
		return;
	while ((*recent)->newest != NULL)
		recent_row_free(*recent, (*recent)->newest);
	free((*recent)->buckets);
	free(*recent);
	*recent = NULL;
}

struct recent_row *recent_find(struct recent *recent, const char *account)
{
	struct recent_row *row = *bucket_of(recent, account);
	while (row != NULL && strcmp(row->account, account) != 0)
		row = row->next_in_bucket;
	return row;
}

static bool recent_owes(const struct recent_row *row)
{
	return row->book != NULL || row->owed_charges > 0 || row->paying_charges > 0;
}

/* Looks no further than a few rows: where the oldest all owe, Redis is long away and the table full of debts. */
static bool recent_make_room(struct recent *recent)
{
	enum { TRIES = 64 };
	struct recent_row *row = recent->oldest;
	for (int i = 0; i < TRIES && row != NULL; i++, row = row->newer)
		if (!recent_owes(row)) {
			recent_row_free(recent, row);
			return true;
		}
	return false;
}

struct recent_row *recent_take(struct recent *recent, const char *account, size_t more)
{
	struct recent_row *row = recent_find(recent, account);
	if (row != NULL) {
		list_remove(recent, row);
		recent_list_add(recent, row);
		return row;
	}
	while (recent->count >= recent->most && recent_make_room(recent))
		;
	if (recent->count >= recent->most + more)
		return NULL;
	row = calloc(1, sizeof *row);
	if (row == NULL)
		return NULL;
	text_copy(row->account, sizeof row->account, account);
	row->state.limits = limits_unset;
	row->state.known = KNOWLEDGE_LOCAL;
	row->group = account_is_group(account);
	struct recent_row **bucket = bucket_of(recent, account);
	row->next_in_bucket = *bucket;
	*bucket = row;
	recent_list_add(recent, row);
	recent->count++;
	return row;
}

void recent_forget(struct recent *recent, const char *account)
{
	struct recent_row *row = recent_find(recent, account);
	if (row == NULL)
		return;
	if (!recent_owes(row)) {
		recent_row_free(recent, row);
		return;
	}
	row->state = (struct account_state){ .known = KNOWLEDGE_LOCAL, .limits = limits_unset };
	row->based = false;
	recent_count_useless(recent, row);
}

void recent_count_useless(struct recent *recent, struct recent_row *row)
{
	bool useless = row->state.useless > 0;
	recent->useless += (size_t)useless - (size_t)row->useless;
	row->useless = useless;
	recent->foreign += (size_t)row->state.unreadable - (size_t)row->foreign;
	row->foreign = row->state.unreadable;
}

size_t recent_foreign(const struct recent *recent)
{
	return recent->foreign;
}

size_t recent_useless(const struct recent *recent)
{
	return recent->useless;
}

size_t recent_count(const struct recent *recent)
{
	return recent->count;
}

struct recent_row *recent_first(struct recent *recent)
{
	return recent->newest;
}

struct rates *recent_shared(struct recent *recent, const char *account)
{
	return &recent->shared[hash_keyed(recent->key, account, strlen(account)) % SHARED_ROWS];
}

static double top_value(const struct account_state *state, enum store_top_order order)
{
	if (order == STORE_TOP_SCORE)
		return state->history.score;
	return rates_used(&state->history.rates, WINDOW_RCPTS_PER_DAY);
}

/* Not only looked at: by a client that got no further than MAIL, or by a look-up of Postfix's. */
static bool has_sent(const struct history *history)
{
	return history->rates.at_ms != 0 || history->level != LEVEL_UNKNOWN;
}

/* Orders pointers: a state is large, and the store's lock is held. */
size_t recent_top(struct recent *recent, enum store_top_order order, size_t most, struct store_top_row *rows)
{
	size_t filled = 0;
	const struct recent_row **top = calloc(most, sizeof *top);
	for (const struct recent_row *row = recent->newest; row != NULL && top != NULL && most > 0; row = row->older) {
		if (row->group || !has_sent(&row->state.history))
			continue;
		double value = top_value(&row->state, order);
		size_t at = filled;
		while (at > 0 && top_value(&top[at - 1]->state, order) < value)
			at--;
		if (at == most)
			continue;
		size_t kept = filled < most ? filled : most - 1;
		memmove(&top[at + 1], &top[at], (kept - at) * sizeof top[0]);
		top[at] = row;
		filled = kept + 1;
	}
	for (size_t i = 0; i < filled; i++) {
		text_copy(rows[i].account, sizeof rows[i].account, top[i]->account);
		rows[i].state = top[i]->state;
	}
	free(top);
	return filled;
}
