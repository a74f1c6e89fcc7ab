/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/habits.h"

#include "policy/habits_inside.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	DAY_S = 86400,
	HOUR_S = 3600,
	DAYS_MAX = 255,
	DAYS_AHEAD_MAX = 2,  /* a day further ahead is of a clock that was wrong */
	HOUR_TRUST_DAYS = 5, /* below that many days nothing is said of unused hours */
	STEPS = 20,	     /* of a byte of the week for a doubling */
};

/* name, of the many; size */
#define LIST_ROWS(ROW) \
	ROW(network, networks, HABIT_NETWORKS) \
	ROW(as, ases, HABIT_ASES) \
	ROW(wide, wides, HABIT_WIDES) \
	ROW(sender, senders, HABIT_SENDERS) \
	ROW(mailer, mailers, HABIT_MAILERS)

#define LIST_HAS(name, many, size) \
	bool habit_has_##name(const struct habits *habits, uint64_t name) \
	{ \
		return habits_has_entry(habits->many, size, name); \
	}
LIST_ROWS(LIST_HAS)
#undef LIST_HAS

#define LIST_COUNT(many, size) \
	int habit_count_##many(const struct habits *habits) \
	{ \
		return habits_count_old(habits->many, size); \
	}
LIST_COUNT(networks, HABIT_NETWORKS)
LIST_COUNT(ases, HABIT_ASES)
LIST_COUNT(senders, HABIT_SENDERS)
LIST_COUNT(mailers, HABIT_MAILERS)
#undef LIST_COUNT

/* -- distinct things of a day -- */

static int64_t day_of(int64_t seconds)
{
	return seconds >= 0 ? seconds / DAY_S : 0;
}

/* Days from the one that is noted to now; a clock that is behind by little stands still. */
static int64_t habits_days_passed(const struct habits *habits, int64_t now_s)
{
	int64_t passed = day_of(now_s) - habits->day;
	if (habits->day == 0 || passed < -DAYS_AHEAD_MAX)
		return INT64_MAX;
	return passed > 0 ? passed : 0;
}

static int map_bits(int which)
{
	return which == COUNTED_ASES - COUNTED_SUMS ? 32 : 64;
}

static double habits_map_estimate(uint64_t map, int bits)
{
	int clear = bits;
	if (bits < 64)
		map &= ((uint64_t)1 << bits) - 1;
	for (; map != 0; map &= map - 1) /* most have few bits */
		clear--;
	return clear == bits ? 0 : -bits * log((clear > 0 ? clear : 0.5) / bits);
}

static uint64_t map_bit(int which, const struct habit_facts *facts)
{
	const uint64_t hash[DISTINCT_COUNT] = { facts->address, facts->network, facts->as };
	return hash[which] == 0 ? 0 : (uint64_t)1 << hash[which] % (unsigned)map_bits(which);
}

double habit_distinct_before(const struct habits *habits, enum counted what, const struct habit_facts *facts)
{
	int which = (int)what - COUNTED_SUMS;
	int64_t passed = habits_days_passed(habits, facts->now_s);
	if (passed == 0)
		return habits->distinct[which].yesterday;
	return passed == 1 ? habits_map_estimate(habits->distinct[which].today, map_bits(which)) : 0;
}

double habit_distinct(const struct habits *habits, enum counted what, const struct habit_facts *facts)
{
	int which = (int)what - COUNTED_SUMS;
	uint64_t map = habits_days_passed(habits, facts->now_s) == 0 ? habits->distinct[which].today : 0;
	double today = habits_map_estimate(map | map_bit(which, facts), map_bits(which));
	double before = habit_distinct_before(habits, what, facts);
	double reaches_back = 1 - (double)(facts->now_s % DAY_S) / DAY_S;
	return today + fmax(before - today, 0) * reaches_back;
}

/* -- the week -- */

static int hour_of(int64_t local_s)
{
	return local_s < 0 ? 0 : (int)(local_s / HOUR_S % 24);
}

static int weekday_of(int64_t local_s)
{
	return local_s < 0 ? 0 : (int)((local_s / DAY_S + 4) % 7); /* 1970 began on a Thursday; 0: Sunday */
}

static uint8_t habits_highest(const uint8_t *bytes, int count)
{
	uint8_t high = 0;
	for (int i = 0; i < count; i++)
		high = bytes[i] > high ? bytes[i] : high;
	return high;
}

/* Of those that are not 0; 0: none. */
static double habits_mean_of(const uint8_t *bytes, int count)
{
	int sum = 0, some = 0;
	for (int i = 0; i < count; i++) {
		sum += bytes[i];
		some += bytes[i] > 0;
	}
	return some > 0 ? (double)sum / some : 0;
}

/* An hour in which it never sent counts as half of the ones beside it, or a quarter of the mean. */
static double habits_hour_level(const struct habits *habits, int hour)
{
	if (habits->hours[hour] > 0)
		return habits->hours[hour];
	uint8_t before = habits->hours[(hour + 23) % 24], after = habits->hours[(hour + 1) % 24];
	double beside = (before > after ? before : after) - STEPS;
	return fmax(beside, habits_mean_of(habits->hours, 24) - 2 * STEPS);
}

double habit_hour_expected(const struct habits *habits, int64_t now_s, int64_t local_offset_s)
{
	double mean = habits_mean_of(habits->weekdays, 7);
	if (mean <= 0 || habits_highest(habits->hours, 24) == 0)
		return NAN;
	uint8_t weekday = habits->weekdays[weekday_of(now_s + local_offset_s)];
	double of_day = weekday > 0 ? weekday - mean : -STEPS;
	double level = habits_hour_level(habits, hour_of(now_s + local_offset_s)) + of_day;
	return exp2(fmax(level, 0) / STEPS) - 1;
}

bool habit_hour_unused(const struct habits *habits, int64_t now_s, int64_t local_offset_s)
{
	int hour = hour_of(now_s + local_offset_s), used = 0;
	for (int i = 0; i < 24; i++)
		used += habits->hours[i] > 0;
	return habits->days >= HOUR_TRUST_DAYS && used > 0 && habits->hours[hour] == 0 &&
	       habits->hours[(hour + 23) % 24] == 0 && habits->hours[(hour + 1) % 24] == 0;
}

/* One unusual hour moves what is usual by a quarter of the way; an hour that was never used begins at the highest of
 * the others at most. */
static void habits_smooth(uint8_t *bytes, int count, int at, double level)
{
	uint8_t high = habits_highest(bytes, count);
	if (bytes[at] == 0)
		level = high > 0 ? fmin(level, high) : level;
	else
		level = bytes[at] + (level - bytes[at]) / 4;
	bytes[at] = (uint8_t)fmin(fmax(round(level), 1), 255);
}

/* True where an hour has ended since the last message. */
static bool habits_note_week(struct habits *habits, const struct habit_facts *facts)
{
	if (facts->last_s <= 0 || !(facts->hour_messages > 0) || facts->now_s / HOUR_S <= facts->last_s / HOUR_S)
		return false;
	int64_t local_s = facts->last_s + facts->local_offset_s;
	double level = log2(1 + facts->hour_messages) * STEPS;
	habits_smooth(habits->hours, 24, hour_of(local_s), level);
	habits_smooth(habits->weekdays, 7, weekday_of(local_s), level);
	return true;
}

static bool habits_note_reach(struct habits *habits, const struct habit_facts *facts)
{
	uint8_t reach = (uint8_t)fmin(round(log2(1 + fmax(facts->hour_rcpts, 0)) * STEPS), 255);
	bool more = reach > habits->reach;
	habits->reach = more ? reach : habits->reach;
	return more;
}

double habit_reach(const struct habits *habits)
{
	return exp2((double)habits->reach / STEPS) - 1;
}

/* Everything fades: 3.5 per cent a day, so that an hour that is not used any more is forgotten within months. */
static void habits_fade_week(struct habits *habits, int64_t days)
{
	for (int i = 0; i < 24; i++)
		habits->hours[i] = (uint8_t)(habits->hours[i] > days ? habits->hours[i] - days : 0);
	for (int i = 0; i < 7; i++)
		habits->weekdays[i] = (uint8_t)(habits->weekdays[i] > days ? habits->weekdays[i] - days : 0);
	habits->reach = (uint8_t)(habits->reach > days ? habits->reach - days : 0);
}

/* -- noting -- */

static void habits_begin_day(struct habits *habits, const struct habit_facts *facts, int64_t passed)
{
	for (int i = 0; i < DISTINCT_COUNT; i++) {
		double count = passed == 1 ? habits_map_estimate(habits->distinct[i].today, map_bits(i)) : 0;
		habits->distinct[i].yesterday = (uint8_t)fmin(round(count), 255);
		habits->distinct[i].today = 0;
	}
	bool first = habits->day == 0;
	habits->days = (uint8_t)(habits->days + (!first && facts->behaves && habits->days < DAYS_MAX));
	habits->day = (uint16_t)day_of(facts->now_s);
}

/* Returns the parts that changed because time passed. */
static unsigned habits_note_time(struct habits *habits, const struct habit_facts *facts)
{
	int64_t passed = habits_days_passed(habits, facts->now_s);
	bool half = facts->now_s % DAY_S >= DAY_S / 2;
	bool known = passed != INT64_MAX; /* how much time: not after a clock that was wrong */
	int64_t halves = known ? 2 * (passed > 2 ? 2 : passed) + half - habits->half : 0;
	if (passed == 0 && (day_of(facts->now_s) < habits->day || halves <= 0))
		return 0;
	habits->half = half;
	if (passed > 0)
		habits_begin_day(habits, facts, passed);
#define LIST_AGE(name, many, size) habits_age_list(habits->many, size, halves);
	LIST_ROWS(LIST_AGE)
#undef LIST_AGE
	habits_age_texts(habits, halves);
	if (passed == 0 || !known)
		return HABIT_PLACES | HABIT_TEXT;
	habits_fade_week(habits, passed > 255 ? 255 : passed);
	return HABIT_PLACES | HABIT_WEEK | HABIT_TEXT;
}

static bool habits_note_maps(struct habits *habits, const struct habit_facts *facts)
{
	bool changed = false;
	for (int i = 0; i < DISTINCT_COUNT; i++) {
		uint64_t map = habits->distinct[i].today | map_bit(i, facts);
		changed = changed || map != habits->distinct[i].today;
		habits->distinct[i].today = map;
	}
	return changed;
}

unsigned habits_note(struct habits *habits, const struct habit_facts *facts)
{
	unsigned changed = habits_note_time(habits, facts);
	bool places = habits_note_maps(habits, facts), texts = habits_note_last_text(habits, facts->text);
	if (!facts->behaves || facts->suspect)
		texts = habits_forget_texts(habits) || texts;
	if (!facts->behaves) {
#define LIST_DROP(name, many, size) places = habits_drop_new(habits->many, size) || places;
		LIST_ROWS(LIST_DROP)
#undef LIST_DROP
	} else if (facts->homely) {
#define LIST_NOTE(name, many, size) places = habits_note_entry(habits->many, size, facts->name) || places;
		LIST_ROWS(LIST_NOTE)
#undef LIST_NOTE
		changed |= habits_note_week(habits, facts) ? HABIT_WEEK : 0U;
		texts = (facts->alone && habits_note_reach(habits, facts)) || texts;
		texts = (!facts->suspect && habits_note_text(habits, facts)) || texts;
	}
	/* of lists in both parts nobody asks which one it was */
	return changed | (places || texts ? HABIT_PLACES | HABIT_TEXT : 0U);
}

bool habit_knows(const struct habits *habits, uint32_t rcpt)
{
	rcpt = rcpt != 0 ? rcpt : 1;
	for (int i = 0; i < HABIT_KNOWN_MAX && habits->known[i] != 0; i++)
		if (habits->known[i] == rcpt)
			return true;
	return false;
}

bool habits_note_rcpt(struct habits *habits, uint32_t rcpt)
{
	if (habits->many || habit_knows(habits, rcpt))
		return false;
	if (habits->known[HABIT_KNOWN_MAX - 1] != 0) {
		habits->many = true;
		return true;
	}
	memmove(&habits->known[1], &habits->known[0], sizeof habits->known - sizeof habits->known[0]);
	habits->known[0] = rcpt != 0 ? rcpt : 1;
	return true;
}

void habits_keep(struct habits *habits, const struct habits *held)
{
	habits->many = habits->many || held->many;
	for (int i = 0; i < DISTINCT_COUNT && habits->day == held->day; i++)
		habits->distinct[i].today |= held->distinct[i].today;
}
