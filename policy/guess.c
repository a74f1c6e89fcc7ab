/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/guess.h"

#include <string.h>

#include "policy/base/banned.h"

enum { HOUR_S = 3600, HASH_BITS = 32, LEVEL_MAX = 24 };

static uint16_t guess_hour(int64_t now_s)
{
	return (uint16_t)(now_s / HOUR_S);
}

/* More than a day ago, or more than that ahead, as after a clock that was wrong. The 16 bits of hours come round after
 * seven years. */
static bool guess_is_over(uint16_t then, uint16_t now)
{
	return (uint16_t)(now - then + GUESS_HOURS) > 2 * GUESS_HOURS;
}

static bool guess_is_sampled(uint32_t hash, int level)
{
	return level == 0 || hash >> (HASH_BITS - level) == 0;
}

static void guess_set_drop(struct guess_set *set, int which)
{
	set->count--;
	set->hash[which] = set->hash[set->count];
	set->hour[which] = set->hour[set->count];
}

static void guess_set_forget(struct guess_set *set, uint16_t now)
{
	for (int i = set->count - 1; i >= 0; i--)
		if (guess_is_over(set->hour[i], now))
			guess_set_drop(set, i);
	while (set->level > 0 && set->count < GUESS_EXACT / 8)
		set->level--;
}

static void guess_set_thin(struct guess_set *set)
{
	set->level++;
	for (int i = set->count - 1; i >= 0; i--)
		if (!guess_is_sampled(set->hash[i], set->level))
			guess_set_drop(set, i);
}

static int guess_set_find(const struct guess_set *set, uint32_t hash)
{
	for (int i = 0; i < set->count; i++)
		if (set->hash[i] == hash)
			return i;
	return -1;
}

void guess_set_add(struct guess_set *set, uint64_t hash, int64_t seen_s, int64_t now_s)
{
	uint16_t now = guess_hour(now_s), hour = guess_hour(seen_s < now_s ? seen_s : now_s);
	uint32_t mark = (uint32_t)hash;
	guess_set_forget(set, now);
	int at = guess_set_find(set, mark);
	if (at >= 0) {
		if ((uint16_t)(hour - set->hour[at]) <= GUESS_HOURS)
			set->hour[at] = hour;
		return;
	}
	while (set->count == GUESS_EXACT && set->level < LEVEL_MAX)
		guess_set_thin(set);
	if (!guess_is_sampled(mark, set->level) || set->count == GUESS_EXACT || now_s - seen_s > GUESS_HOURS * HOUR_S)
		return;
	set->hash[set->count] = mark;
	set->hour[set->count++] = hour;
}

static double guess_set_sum(const struct guess_set *set, int64_t now_s, int without)
{
	uint16_t now = guess_hour(now_s);
	int count = 0;
	for (int i = 0; i < set->count; i++)
		count += i != without && !guess_is_over(set->hour[i], now);
	return (double)count * (double)(1u << set->level);
}

double guess_set_count(const struct guess_set *set, int64_t now_s)
{
	return guess_set_sum(set, now_s, -1);
}

double guess_set_count_without(const struct guess_set *set, uint64_t hash, int64_t now_s)
{
	return guess_set_sum(set, now_s, set->level == 0 ? guess_set_find(set, (uint32_t)hash) : -1);
}

bool guess_set_is_sound(const struct guess_set *set)
{
	return set->count <= GUESS_EXACT && set->level <= LEVEL_MAX;
}

bool guess_is_guesser(double names)
{
	return names >= GUESS_NAMES_LEAST;
}

bool guess_is_attacked(double clients)
{
	return clients >= GUESS_CLIENTS_LEAST;
}

bool guess_got_in(double others)
{
	return others >= GUESS_NAMES_LEAST;
}
