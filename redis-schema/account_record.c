/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes of a record. Numbers are little endian; whole ones stand as LEB128 in its shortest form, seven bits a byte,
 * the lowest first. In this order:
 *
 *   version (1)
 *   newest write: writer (5), number (5)
 *   how many other writes (1), and these, 10 bytes each
 *   time of rates and counters, ms (6)
 *   rates: a set of the counts that are not nought (3), and each of them whole: of each window the present period, then
 *     the one before
 *   counters: a set of those that are not nought (3), and of each a single of IEEE 754 (4)
 *   level (1), its place in LEVEL_ROWS; since when, first message, pardon: Unix time, whole
 *   score in hundredths, a signed number (2)
 *   domain that SPF does not authorise: length (1), bytes
 *   places, known recipients, texts (not in version 4): each length (1), bytes as policy/habits_bytes.c writes them
 *   week: a set of its bytes that are not nought (4), and these
 *
 * Nothing stands behind it. What is read is held to all of it: half a history would be taken for a whole one.
 */
#include "redis-schema/account_record.h"

#include "policy/base/panic.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	VERSIONS = 32,	/* that there may be one day: what begins with more is somebody's text */
	NAME_BYTES = 5, /* of a writer, and of a number */
	WRITE_BYTES = 2 * NAME_BYTES,
	TIME_BYTES = 6,
	WHOLE_BYTES = 8,  /* of a count, at most */
	MOMENT_BYTES = 6, /* of a moment, at most */
	SET_BYTES = 3,
	SINGLE_BYTES = 4,
	COUNTS = 2 * WINDOW_SUMS,
	SUMS_BYTES = SET_BYTES + COUNTS * WHOLE_BYTES,
	SCORE_BYTES = 2,
	WEEK_BYTES = 24 + 7,
	WEEK_SET_BYTES = 4,
	COUNTERS_BYTES = SET_BYTES + COUNTER_COUNT * SINGLE_BYTES,
	STANDING_BYTES = 1 + 3 * MOMENT_BYTES + SCORE_BYTES + 1 + STATE_DOMAIN_MAX,
	HABITS_BYTES = 3 * (1 + HABIT_BYTES_MAX) + WEEK_SET_BYTES + WEEK_BYTES,
	VERSION_BEFORE = 4,
};

#define NAME_MAX_VALUE (((uint64_t)1 << 8 * NAME_BYTES) - 1)
#define TIME_MAX (((int64_t)1 << 8 * TIME_BYTES) - 1)
#define COUNT_MAX ((uint64_t)1 << 53) /* whole numbers of a double end there */
#define MOMENT_MAX ((uint64_t)1 << 40)
#define SCORE_MAX 327.67
#define COUNTER_LEAST 0.0001
#define COUNTER_LARGE 0x45800000U /* the single of 4096; those of positive numbers are in their order */
#define SIGN 0x80000000U

_Static_assert(RECORD_HEAD == 1 + WRITE_BYTES, "the head is the version and a write");
_Static_assert(RECORD_HEAD + 1 + (RECORD_WRITERS - 1) * WRITE_BYTES + TIME_BYTES + SUMS_BYTES + COUNTERS_BYTES +
			       STANDING_BYTES + HABITS_BYTES <=
		       RECORD_MAX,
	       "the longest record fits");
_Static_assert(COUNT_MAX >> 7 * WHOLE_BYTES == 0 && MOMENT_MAX >> 7 * MOMENT_BYTES == 0, "so do the longest numbers");
_Static_assert(COUNTER_COUNT <= 8 * SET_BYTES, "each counter has its bit");
_Static_assert(COUNTS <= 8 * SET_BYTES, "so has each count");
_Static_assert(STATE_DOMAIN_MAX < 256 && HABIT_BYTES_MAX < 256, "a length is one byte");
_Static_assert(sizeof(float) == SINGLE_BYTES, "a float is a single");

/* The week is written by itself, and the version before had no texts. */
static const enum habit_part record_parts[] = { HABIT_PLACES, HABIT_KNOWN, HABIT_TEXT };
enum { PARTS = sizeof record_parts / sizeof record_parts[0] };

/* -- writing -- */

static char *record_put(char *at, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*at++ = (char)(unsigned char)(number >> 8 * i);
	return at;
}

static char *record_put_whole(char *at, uint64_t number, uint64_t most)
{
	number = number < most ? number : most;
	for (; number >= 0x80; number >>= 7)
		*at++ = (char)(unsigned char)(number | 0x80);
	return record_put(at, number, 1);
}

static char *put_moment(char *at, int64_t moment_s)
{
	return record_put_whole(at, moment_s > 0 ? (uint64_t)moment_s : 0, MOMENT_MAX);
}

/* Of what is added one by one a large counter would lose all in three bytes. What would be rounded to one is one. */
static char *record_put_counter(char *at, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	bool whole = bits + 0x80 >= COUNTER_LARGE;
	bits = whole ? (bits > COUNTER_LARGE ? bits : COUNTER_LARGE) | SIGN : bits + 0x80; /* rounded */
	for (int shift = 24; shift >= (whole ? 0 : 8); shift -= 8)
		*at++ = (char)(unsigned char)(bits >> shift);
	return at;
}

static char *put_write(char *at, const struct record_write *write)
{
	at = record_put(at, write->writer, NAME_BYTES);
	return record_put(at, write->number, NAME_BYTES);
}

static int record_count_writes(const struct account_record *record)
{
	int count = 0;
	while (count < RECORD_WRITERS && record->writes[count].writer != 0)
		count++;
	return count;
}

static char *record_put_head(char *at, const struct account_record *record, uint8_t version)
{
	at = record_put(at, version, 1);
	return put_write(at, &record->writes[0]);
}

static char *record_put_writes(char *at, const struct account_record *record)
{
	int count = record_count_writes(record);
	at = record_put(at, (uint64_t)(count > 1 ? count - 1 : 0), 1);
	for (int i = 1; i < count; i++)
		at = put_write(at, &record->writes[i]);
	return at;
}

static double record_count(const struct rates *rates, int at)
{
	double count = at % 2 == 0 ? rates->present[at / 2] : rates->before[at / 2];
	return fmin(fmax(round(count), 0), (double)COUNT_MAX); /* nought, too, for what is no number */
}

static char *record_put_rates(char *at, const struct rates *rates)
{
	uint64_t set = 0;
	for (int i = 0; i < COUNTS; i++)
		set |= record_count(rates, i) > 0 ? (uint64_t)1 << i : 0;
	at = record_put(at, (uint64_t)rates->at_ms, TIME_BYTES);
	at = record_put(at, set, SET_BYTES);
	for (int i = 0; i < COUNTS; i++)
		if (set >> i & 1)
			at = record_put_whole(at, (uint64_t)record_count(rates, i), COUNT_MAX);
	return at;
}

/* What has decayed to nothing is nought. */
static float record_kept(const struct counters *counters, int counter)
{
	double value = counters->value[counter], cap = counter_cap((enum counter)counter);
	return value >= COUNTER_LEAST ? (float)fmin(value, cap) : 0;
}

static char *record_put_counters(char *at, const struct counters *counters)
{
	uint64_t set = 0;
	for (int i = 0; i < COUNTER_COUNT; i++)
		set |= record_kept(counters, i) > 0 ? (uint64_t)1 << i : 0;
	at = record_put(at, set, SET_BYTES);
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (set >> i & 1)
			at = record_put_counter(at, record_kept(counters, i));
	return at;
}

/* No byte in it that would be a line's or a string's end. */
static bool record_domain_fits(const char *bytes, size_t length)
{
	bool fits = length <= STATE_DOMAIN_MAX;
	for (size_t i = 0; i < length && fits; i++)
		fits = (unsigned char)bytes[i] >= 0x20 && bytes[i] != 0x7f;
	return fits;
}

static char *record_put_standing(char *at, const struct history *history)
{
	unsigned level = (unsigned)history->level;
	at = record_put(at, level < LEVEL_COUNT ? level : LEVEL_UNKNOWN, 1);
	at = put_moment(at, history->level_since_s);
	at = put_moment(at, history->first_s);
	at = put_moment(at, history->pardoned_s);
	double score = isfinite(history->score) ? fmin(fmax(history->score, -SCORE_MAX), SCORE_MAX) : 0;
	at = record_put(at, (uint64_t)(int64_t)round(100 * score), SCORE_BYTES);
	const char *end = memchr(history->unauthorised, '\0', sizeof history->unauthorised);
	size_t length = end != NULL ? (size_t)(end - history->unauthorised) : 0;
	length = record_domain_fits(history->unauthorised, length) ? length : 0;
	at = record_put(at, length, 1);
	memcpy(at, history->unauthorised, length);
	return at + length;
}

/* Most hours of most accounts are empty. */
static char *record_put_week(char *at, const struct habits *habits)
{
	char bytes[HABIT_BYTES_MAX];
	size_t length = habits_write(habits, HABIT_WEEK, bytes);
	uint64_t set = 0;
	for (size_t i = 0; i < length; i++)
		set |= bytes[i] != 0 ? (uint64_t)1 << i : 0;
	at = record_put(at, set, WEEK_SET_BYTES);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 0)
			*at++ = bytes[i];
	return at;
}

static char *record_put_habits(char *at, const struct habits *habits)
{
	char bytes[HABIT_BYTES_MAX];
	for (int i = 0; i < PARTS; i++) {
		size_t length = habits_write(habits, record_parts[i], bytes);
		at = record_put(at, length, 1);
		memcpy(at, bytes, length);
		at += length;
	}
	return record_put_week(at, habits);
}

size_t record_write(const struct account_record *record, char bytes[RECORD_MAX])
{
	struct rates rates = record->history.rates;
	struct counters counters = record->history.counters;
	int64_t at_ms = rates.at_ms > counters.at_ms ? rates.at_ms : counters.at_ms;
	at_ms = at_ms < 0 ? 0 : at_ms < TIME_MAX ? at_ms : TIME_MAX;
	rates_roll(&rates, at_ms); /* one time stands for both */
	counters_decay(&counters, at_ms);
	rates.at_ms = at_ms;
	char *at = record_put_head(bytes, record, RECORD_VERSION);
	at = record_put_writes(at, record);
	at = record_put_rates(at, &rates);
	at = record_put_counters(at, &counters);
	at = record_put_standing(at, &record->history);
	at = record_put_habits(at, &record->history.habits);
	return (size_t)(at - bytes);
}

size_t record_head(const struct account_record *record, char bytes[RECORD_HEAD])
{
	if (record->writes[0].writer == 0)
		return 0;
	uint8_t version = record->earlier != 0 ? record->earlier : RECORD_VERSION;
	return (size_t)(record_put_head(bytes, record, version) - bytes);
}

/* -- reading -- */

struct record_bytes {
	const char *at, *end; /* borrowed */
	bool broken;	      /* what comes then is nought */
};

static const char *record_take(struct record_bytes *from, size_t length)
{
	const char *at = from->at;
	from->broken = from->broken || (size_t)(from->end - at) < length;
	if (from->broken)
		return NULL;
	from->at += length;
	return at;
}

static uint64_t record_get(struct record_bytes *from, int bytes)
{
	const char *at = record_take(from, (size_t)bytes);
	uint64_t number = 0;
	for (int i = 0; i < bytes && at != NULL; i++)
		number |= (uint64_t)(unsigned char)at[i] << 8 * i;
	return number;
}

static uint64_t record_get_most(struct record_bytes *from, uint64_t most)
{
	uint64_t number = record_get(from, 1);
	from->broken = from->broken || number > most;
	return from->broken ? 0 : number;
}

static uint64_t record_get_whole(struct record_bytes *from, uint64_t most)
{
	uint64_t number = 0, byte = 0x80;
	int shift = 0;
	for (; byte >= 0x80 && shift < 7 * WHOLE_BYTES; shift += 7) {
		byte = record_get(from, 1);
		number |= (byte & 0x7f) << shift;
	}
	bool longer = byte >= 0x80 || (byte == 0 && shift > 7);
	from->broken = from->broken || longer || number > most;
	return from->broken ? 0 : number;
}

static double record_get_counter(struct record_bytes *from)
{
	uint32_t bits = (uint32_t)record_get(from, 1) << 24;
	bool whole = (bits & SIGN) != 0;
	float number;
	for (int shift = 16; shift >= (whole ? 0 : 8); shift -= 8)
		bits |= (uint32_t)record_get(from, 1) << shift;
	bits &= ~SIGN;
	from->broken = from->broken || whole != (bits >= COUNTER_LARGE);
	memcpy(&number, &bits, sizeof number);
	from->broken = from->broken || !isfinite(number) || number <= 0;
	return from->broken ? 0 : number;
}

/* NULL, or the bytes behind a byte of length. */
static const char *record_get_string(struct record_bytes *from, size_t most, size_t *length_out)
{
	*length_out = record_get_most(from, most);
	return record_take(from, *length_out);
}

/* A writer that is there already is none, and neither is one without a number: each record was made by a write. */
static void record_get_write(struct record_bytes *from, struct account_record *record, int at)
{
	uint64_t writer = record_get(from, NAME_BYTES), number = record_get(from, NAME_BYTES);
	bool twice = writer != 0 && record_last(record, writer) != 0;
	from->broken = from->broken || twice || writer == 0 || number == 0;
	record->writes[at] = (struct record_write){ writer, number };
}

static void record_get_writes(struct record_bytes *from, struct account_record *record)
{
	record_get_write(from, record, 0);
	int others = (int)record_get_most(from, RECORD_WRITERS - 1);
	for (int i = 1; i <= others && !from->broken; i++)
		record_get_write(from, record, i);
}

static void record_get_rates(struct record_bytes *from, struct rates *rates)
{
	rates->at_ms = (int64_t)record_get(from, TIME_BYTES);
	uint64_t set = record_get(from, SET_BYTES);
	from->broken = from->broken || set >> COUNTS != 0;
	for (int i = 0; i < COUNTS && !from->broken; i++) {
		if ((set >> i & 1) == 0)
			continue;
		uint64_t count = record_get_whole(from, COUNT_MAX);
		from->broken = from->broken || count == 0;
		*(i % 2 == 0 ? &rates->present[i / 2] : &rates->before[i / 2]) = (double)count;
	}
}

/* More than its cap is as much as its cap: caps may change. */
static void record_get_counters(struct record_bytes *from, struct counters *counters)
{
	uint64_t set = record_get(from, SET_BYTES);
	from->broken = from->broken || set >> COUNTER_COUNT != 0;
	for (int i = 0; i < COUNTER_COUNT && !from->broken; i++) {
		if ((set >> i & 1) == 0)
			continue;
		counters->value[i] = fmin(record_get_counter(from), counter_cap((enum counter)i));
	}
}

static void record_get_standing(struct record_bytes *from, struct history *history)
{
	size_t length;
	history->level = (enum level)record_get_most(from, LEVEL_COUNT - 1);
	history->level_since_s = (int64_t)record_get_whole(from, MOMENT_MAX);
	history->first_s = (int64_t)record_get_whole(from, MOMENT_MAX);
	history->pardoned_s = (int64_t)record_get_whole(from, MOMENT_MAX);
	history->score = (int16_t)(uint16_t)record_get(from, SCORE_BYTES) / 100.0;
	const char *domain = record_get_string(from, STATE_DOMAIN_MAX, &length);
	from->broken = from->broken || !record_domain_fits(domain, length);
	if (!from->broken)
		memcpy(history->unauthorised, domain, length);
}

static void record_get_week(struct record_bytes *from, struct habits *habits)
{
	char bytes[WEEK_BYTES] = { 0 };
	uint64_t set = record_get(from, WEEK_SET_BYTES);
	from->broken = from->broken || set >> (WEEK_BYTES) != 0;
	for (int i = 0; i < WEEK_BYTES && !from->broken; i++)
		if (set >> i & 1) {
			bytes[i] = (char)record_get(from, 1);
			from->broken = from->broken || bytes[i] == 0;
		}
	if (!from->broken && set != 0)
		from->broken = !habits_read(habits, HABIT_WEEK, bytes, WEEK_BYTES);
}

static void record_get_habits(struct record_bytes *from, int parts, struct habits *habits)
{
	for (int i = 0; i < parts; i++) {
		size_t length;
		const char *bytes = record_get_string(from, HABIT_BYTES_MAX, &length);
		from->broken = from->broken || !habits_read(habits, record_parts[i], bytes, length);
	}
	record_get_week(from, habits);
}

enum record_kind record_read(const char *bytes, size_t length, struct account_record *record_out)
{
	*record_out = (struct account_record){ .writes = { { 0, 0 } } };
	if (bytes == NULL || length == 0)
		return RECORD_NONE;
	if (bytes[0] != RECORD_VERSION && bytes[0] != VERSION_BEFORE)
		return bytes[0] > 0 && bytes[0] < VERSIONS ? RECORD_OTHER : RECORD_BROKEN;
	struct record_bytes from = { .at = bytes + 1, .end = bytes + length };
	struct history *history = &record_out->history;
	record_out->earlier = bytes[0] == VERSION_BEFORE ? VERSION_BEFORE : 0;
	record_get_writes(&from, record_out);
	record_get_rates(&from, &history->rates);
	history->counters.at_ms = history->rates.at_ms;
	record_get_counters(&from, &history->counters);
	record_get_standing(&from, history);
	record_get_habits(&from, record_out->earlier != 0 ? PARTS - 1 : PARTS, &history->habits);
	if (!from.broken && from.at == from.end)
		return RECORD_FINE;
	*record_out = (struct account_record){ .writes = { { 0, 0 } } };
	return RECORD_BROKEN;
}

/* -- writes -- */

/* Whose a name is, by its last two bits. */
enum { OF_PASSING, OF_DAEMON, OF_FOLLOWER, OF_MASK, OF_KINDS = OF_MASK };

static const int record_most[OF_KINDS] = {
	[OF_PASSING] = 1, [OF_DAEMON] = RECORD_DAEMONS, [OF_FOLLOWER] = RECORD_FOLLOWERS
};

static int record_whose(uint64_t writer)
{
	return writer & OF_DAEMON ? OF_DAEMON : (int)(writer & OF_MASK);
}

uint64_t record_daemon(uint64_t lot)
{
	return (lot & NAME_MAX_VALUE) | OF_DAEMON;
}

uint64_t record_follower(uint64_t lot)
{
	return (lot & NAME_MAX_VALUE & ~(uint64_t)OF_MASK) | OF_FOLLOWER;
}

uint64_t record_passing(uint64_t lot)
{
	lot &= NAME_MAX_VALUE & ~(uint64_t)OF_MASK;
	return lot != 0 ? lot : OF_MASK + 1;
}

void record_sign(struct account_record *record, struct record_write write)
{
	MUST(write.writer != 0 && write.writer <= NAME_MAX_VALUE && write.number != 0 &&
	     write.number <= NAME_MAX_VALUE);
	struct record_write was[RECORD_WRITERS];
	int count = 1, kept[OF_KINDS] = { [OF_PASSING] = 1 }; /* one that is not the newest goes */
	memcpy(was, record->writes, sizeof was);
	memset(record->writes, 0, sizeof record->writes);
	record->writes[0] = write;
	record->earlier = 0;
	kept[record_whose(write.writer)] = 1;
	for (int i = 0; i < RECORD_WRITERS && was[i].writer != 0; i++) {
		int whose = record_whose(was[i].writer);
		if (was[i].writer != write.writer && kept[whose]++ < record_most[whose])
			record->writes[count++] = was[i];
	}
}

uint64_t record_last(const struct account_record *record, uint64_t writer)
{
	for (int i = 0; i < RECORD_WRITERS && record->writes[i].writer != 0; i++)
		if (record->writes[i].writer == writer)
			return record->writes[i].number;
	return 0;
}
