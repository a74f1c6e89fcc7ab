/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/account_record.h"

#include "t/unit/tap.h"

#include "policy/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700006400000)
enum { HOUR_MS = 3600000 };

static uint64_t seed = 88172645463325252U;

static int64_t some(int64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int64_t)(seed % (uint64_t)below);
}

static void add_habits(struct charge *charge, const struct habits *before, int64_t places)
{
	int64_t place = some(places);
	uint64_t hash = hash_bytes(&place, sizeof place, 7);
	struct habit_facts facts = {
		.now_s = charge->now_ms / 1000,
		.address = hash,
		.network = hash,
		.as = hash,
		.sender = hash,
		.mailer = hash,
		.behaves = some(20) != 0,
		.hour_messages = (double)some(9),
		.last_s = charge->now_ms / 1000 - some(7200),
	};
	charge->habits = *before;
	charge->habits_changed = habits_note(&charge->habits, &facts);
	if (habits_note_rcpt(&charge->habits, (uint32_t)hash))
		charge->habits_changed |= HABIT_KNOWN;
}

/* One message, as the judge would charge it. */
static void charge_some(struct history *history, int64_t now_ms, int64_t places)
{
	struct charge charge = { .now_ms = now_ms, .limits = limits_unset, .quota = true };
	charge.amounts = (struct amounts){ .of = { 1, 1 + some(5), some(100), some(2) } };
	charge.counts[COUNTER_MESSAGES] = 1;
	charge.counts[COUNTER_RCPTS] = (double)charge.amounts.of[COUNTED_RECIPIENTS];
	charge.counts[some(COUNTER_COUNT)] += (double)some(1000) / 300;
	charge.level = (enum level)some(LEVEL_COUNT);
	charge.score = (double)some(1000) / 100 - 6;
	charge.pardoned_s = some(50) == 0 ? now_ms / 1000 : 0;
	if (some(50) == 0)
		snprintf(charge.unauthorised, sizeof charge.unauthorised, "domain%d.example", (int)some(100));
	add_habits(&charge, &history->habits, places);
	history_charge(history, &charge);
}

static struct account_record record_of(int messages, int64_t places, int writers)
{
	struct account_record record = { .writes = { { 0, 0 } } };
	int64_t now_ms = START_MS;
	for (int i = 0; i < messages; i++) {
		now_ms += some(10 * HOUR_MS);
		charge_some(&record.history, now_ms, places);
		record_sign(&record, (struct record_write){ (uint64_t)(1 + some(writers)), (uint64_t)i + 1 });
	}
	return record;
}

static bool is_sane(const struct account_record *record)
{
	const struct history *history = &record->history;
	bool sane = history->level >= LEVEL_UNKNOWN && history->level < LEVEL_COUNT && isfinite(history->score) &&
		    history->rates.at_ms >= 0 && history->rates.at_ms == history->counters.at_ms &&
		    memchr(history->unauthorised, '\0', sizeof history->unauthorised) != NULL;
	for (int i = 0; i < WINDOW_SUMS; i++)
		sane = sane && history->rates.present[i] >= 0 && history->rates.before[i] >= 0;
	for (int i = 0; i < COUNTER_COUNT; i++)
		sane = sane && history->counters.value[i] >= 0 &&
		       history->counters.value[i] <= counter_cap((enum counter)i);
	return sane;
}

/* Bytes with gaps between members differ where nothing does: what is written is compared. */
static bool are_same(const struct account_record *a, const struct account_record *b)
{
	char one[RECORD_MAX], other[RECORD_MAX];
	size_t length = record_write(a, one);
	return record_write(b, other) == length && memcmp(one, other, length) == 0;
}

static bool is_empty(const struct account_record *record)
{
	static const struct account_record none = { .writes = { { 0, 0 } } };
	return are_same(record, &none);
}

static bool is_history(const struct history *got, const struct history *want)
{
	bool same = got->level == want->level && got->level_since_s == want->level_since_s &&
		    got->first_s == want->first_s && got->pardoned_s == want->pardoned_s &&
		    strcmp(got->unauthorised, want->unauthorised) == 0 && fabs(got->score - want->score) < 1e-5 &&
		    got->rates.at_ms == want->rates.at_ms;
	for (int i = 0; i < WINDOW_SUMS; i++)
		same = same && fabs(got->rates.present[i] - want->rates.present[i]) < 1e-9 &&
		       fabs(got->rates.before[i] - want->rates.before[i]) < 1e-9;
	for (int i = 0; i < COUNTER_COUNT; i++)
		same = same && fabs(got->counters.value[i] - want->counters.value[i]) <=
				       1.6e-5 * want->counters.value[i] + 1e-4;
	const struct habits *a = &got->habits, *b = &want->habits;
	return same && a->day == b->day && a->half == b->half && a->days == b->days && a->many == b->many &&
	       memcmp(a->networks, b->networks, sizeof a->networks) == 0 &&
	       memcmp(a->mailers, b->mailers, sizeof a->mailers) == 0 &&
	       memcmp(a->hours, b->hours, sizeof a->hours) == 0 &&
	       (a->many || memcmp(a->known, b->known, sizeof a->known) == 0);
}

static void test_round_trips(void)
{
	int fine = 0, same = 0, alike = 0, heads = 0;
	enum { ROUNDS = 2000 };
	for (int i = 0; i < ROUNDS; i++) {
		struct account_record record = record_of(1 + (int)some(40), 1 + some(30), 12), again;
		char bytes[RECORD_MAX], head[RECORD_HEAD];
		size_t length = record_write(&record, bytes), head_length = record_head(&record, head);
		fine += record_read(bytes, length, &again) == RECORD_FINE && is_sane(&again);
		same += are_same(&record, &again);
		alike += is_history(&again.history, &record.history) &&
			 memcmp(again.writes, record.writes, sizeof again.writes) == 0;
		heads += head_length == (record.writes[0].writer != 0 ? RECORD_HEAD : 0) &&
			 memcmp(head, bytes, head_length) == 0;
	}
	is_int(fine, ROUNDS, "what was written can be read");
	is_int(same, ROUNDS, "and is written the same again");
	is_int(alike, ROUNDS, "and says the same, counters to four digits");
	is_int(heads, ROUNDS, "the head is how it begins");
}

static void test_size(void)
{
	char bytes[RECORD_MAX];
	struct account_record none = { .writes = { { 0, 0 } } };
	printf("# an empty one: %zu bytes\n", record_write(&none, bytes));
	size_t most = 0;
	for (int i = 0; i < 200; i++) {
		struct account_record record = record_of(200, 4, 2);
		size_t length = record_write(&record, bytes);
		most = length > most ? length : most;
		if (i == 0)
			printf("# a typical one: %zu bytes\n", length);
	}
	ok(most < 300, "a usual account's has fewer than 300 bytes (longest: %zu)", most);
}

/* The longest that there can be. */
static void test_longest(void)
{
	struct account_record record = { .writes = { { 0, 0 } } }, again;
	struct history *history = &record.history;
	for (uint64_t i = 0; i <= 9; i++) {
		record_sign(&record,
			    (struct record_write){ record_daemon(UINT64_MAX - 4 * i), (UINT64_C(1) << 40) - 1 });
		record_sign(&record,
			    (struct record_write){ record_follower(UINT64_MAX - 4 * i), (UINT64_C(1) << 40) - 1 });
	}
	record_sign(&record, (struct record_write){ record_passing(UINT64_MAX), (UINT64_C(1) << 40) - 1 });
	history->rates.at_ms = history->counters.at_ms = (INT64_C(1) << 48) - 1;
	for (int i = 0; i < WINDOW_SUMS; i++)
		history->rates.present[i] = history->rates.before[i] = INFINITY;
	for (int i = 0; i < COUNTER_COUNT; i++)
		history->counters.value[i] = INFINITY;
	history->level = LEVEL_BLOCKED;
	history->level_since_s = history->first_s = history->pardoned_s = INT64_MAX;
	history->score = 1e30;
	memset(history->unauthorised, 'a', STATE_DOMAIN_MAX);
	memset(&history->habits, 0xff, sizeof history->habits);
	history->habits.many = history->habits.half = false;
	char bytes[RECORD_MAX];
	size_t length = record_write(&record, bytes);
	ok(length > 550 && length <= RECORD_MAX, "the longest one fits: %zu bytes", length);
	is_int(record_read(bytes, length, &again), RECORD_FINE, "and can be read");
	ok(is_sane(&again), "without what is no number");
	is_near(again.history.rates.present[0], 0x1p53, 0, "a count has its end");
	is_near(again.history.counters.value[COUNTER_EXPLOIT], 1000, 0, "a counter its cap");
	is_int((long long)again.writes[RECORD_WRITERS - 1].writer, (1LL << 40) - 1 - 4 * 2,
	       "of ten daemons and ten followers the two that are longest ago have given way");
}

/* What no history should have is not handed on. */
static void test_odd(void)
{
	struct account_record record = { .writes = { { 1, 1 } } }, again;
	char bytes[RECORD_MAX];
	record.history.rates.at_ms = START_MS;
	record.history.rates.present[WINDOW_MSGS_PER_DAY] = NAN;
	record.history.rates.before[WINDOW_MSGS_PER_DAY] = -5;
	record.history.counters.at_ms = -7;
	record.history.counters.value[COUNTER_SPAM] = NAN;
	record.history.counters.value[COUNTER_DEAD] = -1;
	record.history.counters.value[COUNTER_TRAPS] = 1e-60;
	record.history.score = NAN;
	record.history.first_s = -1;
	memset(record.history.unauthorised, 'a', sizeof record.history.unauthorised);
	is_int(record_read(bytes, record_write(&record, bytes), &again), RECORD_FINE, "odd numbers are not written");
	ok(is_sane(&again), "but nought");
	is_str(again.history.unauthorised, "", "nor a domain without an end");
	memcpy(record.history.unauthorised, "a\nb", 4);
	record_read(bytes, record_write(&record, bytes), &again);
	is_str(again.history.unauthorised, "", "nor one with a line's end");
}

static void test_times(void)
{
	struct account_record record = { .writes = { { 1, 1 } } }, again;
	char bytes[RECORD_MAX];
	record.history.rates.at_ms = START_MS;
	record.history.rates.present[WINDOW_MSGS_PER_HOUR] = 9;
	record.history.counters.at_ms = START_MS + HOUR_MS;
	record.history.counters.value[COUNTER_AUTH_FAILURES] = 8;
	record_read(bytes, record_write(&record, bytes), &again);
	is_int(again.history.rates.at_ms, START_MS + HOUR_MS, "of two times the later one is kept");
	is_near(again.history.rates.before[WINDOW_MSGS_PER_HOUR], 9, 0, "and windows are brought forward to it");
	record.history.rates.at_ms = START_MS + 2 * HOUR_MS;
	record_read(bytes, record_write(&record, bytes), &again);
	is_int(again.history.counters.at_ms, START_MS + 2 * HOUR_MS, "likewise the other way");
	is_near(again.history.counters.value[COUNTER_AUTH_FAILURES], 4, 1e-4, "and counters are decayed");
}

/* Bytes that somebody else wrote, or half of ours. */
static void test_harmed(void)
{
	int cut = 0, longer = 0, insane = 0, unlike = 0, full = 0;
	char bytes[RECORD_MAX + 1], *exact;
	for (int round = 0; round < 60; round++) {
		struct account_record record = record_of(1 + (int)some(30), 1 + some(30), 12), again;
		size_t length = record_write(&record, bytes);
		for (size_t i = 1; i < length; i++) {
			exact = malloc(i); /* a read behind it shows */
			memcpy(exact, bytes, i);
			cut += record_read(exact, i, &again) != RECORD_BROKEN || !is_empty(&again);
			free(exact);
		}
		bytes[length] = 0;
		longer += record_read(bytes, length + 1, &again) != RECORD_BROKEN;
		for (size_t i = 0; i < length; i++)
			for (int by = 1; by < 256; by++) {
				bytes[i] = (char)(bytes[i] ^ by);
				enum record_kind kind = record_read(bytes, length, &again);
				bytes[i] = (char)(bytes[i] ^ by);
				insane += !is_sane(&again);
				full += kind != RECORD_FINE && by == 1 && !is_empty(&again);
				unlike += i == 0 && kind != RECORD_OTHER && kind != RECORD_BROKEN;
			}
	}
	is_int(cut, 0, "a record that is cut is broken, and nothing is read of it");
	is_int(longer, 0, "one byte more breaks it, too");
	is_int(insane, 0, "no byte that is another makes a history that is none");
	is_int(full, 0, "and of one that is broken nothing is read");
	is_int(unlike, 0, "with another first byte it is none of ours");
}

/* Where things stand in the shortest record. */
enum {
	AT_VERSION,
	AT_WRITE,
	AT_OTHERS = 11,
	AT_TIME,
	AT_SUMS = 18,
	AT_SET = 21,
	AT_LEVEL = 24,
	AT_SINCE,
	AT_FIRST,
	AT_PARDON,
	AT_SCORE,
	AT_DOMAIN = 30,
	AT_PLACES,
	AT_KNOWN,
	AT_TEXT,
	AT_WEEK,
	SHORTEST = 38
};

/* A record of the version before is read, and written as one of this. */
static void test_before(void)
{
	struct account_record record = record_of(3, 2, 12), again;
	char bytes[RECORD_MAX];
	memset(record.history.habits.hours, 0, sizeof record.history.habits.hours);
	memset(record.history.habits.weekdays, 0, sizeof record.history.habits.weekdays);
	habits_read(&record.history.habits, HABIT_TEXT, "", 0);
	size_t length = record_write(&record, bytes);
	size_t text = length - 5; /* its length of 0, before the set of the week's bytes */
	memmove(bytes + text, bytes + text + 1, 4);
	bytes[AT_VERSION] = 4;
	char head[RECORD_HEAD], before[RECORD_HEAD];
	memcpy(before, bytes, RECORD_HEAD);
	is_int(record_read(bytes, length - 1, &again), RECORD_FINE, "a record of the version before is read");
	ok(record_head(&again, head) == RECORD_HEAD && memcmp(head, before, RECORD_HEAD) == 0, "by the head it has");
	ok(record_write(&again, bytes) == length && bytes[AT_VERSION] == RECORD_VERSION, "and written as one of this");
	record_sign(&again, (struct record_write){ 9, 9 });
	ok(record_head(&again, head) == RECORD_HEAD && head[0] == RECORD_VERSION, "whose head is the new one");
}

#define BYTES(string) string, sizeof string - 1
#define SIGNED "\1\0\0\0\0\1\0\0\0\0"

/* clang-format off */
#define OTHER(name) name "\0\0\0\0\1\0\0\0\0"
#define SIXTEEN \
	OTHER("\2") OTHER("\3") OTHER("\4") OTHER("\5") OTHER("\6") OTHER("\7") OTHER("\10") OTHER("\11") \
	OTHER("\12") OTHER("\13") OTHER("\14") OTHER("\15") OTHER("\16") OTHER("\17") OTHER("\20") OTHER("\21")

static const struct {
	const char *name;
	int at, instead_of; /* so many bytes of the shortest record ... */
	const char *bytes;  /* ... these stand there */
	size_t length;
	enum record_kind want;
} rows[] = {
	{ "the shortest one", 0, 0, BYTES(""), RECORD_FINE },
	{ "an older version", AT_VERSION, 1, BYTES("\3"), RECORD_OTHER },
	{ "the version before, with a byte for texts", AT_VERSION, 1, BYTES("\4"), RECORD_BROKEN },
	{ "a newer version", AT_VERSION, 1, BYTES("\6"), RECORD_OTHER },
	{ "text", AT_VERSION, 1, BYTES("{"), RECORD_BROKEN },
	{ "a write", AT_WRITE, 10, BYTES(SIGNED), RECORD_FINE },
	{ "no write", AT_WRITE, 10, BYTES("\0\0\0\0\0\0\0\0\0\0"), RECORD_BROKEN },
	{ "a writer without a number", AT_WRITE, 10, BYTES("\1\0\0\0\0\0\0\0\0\0"), RECORD_BROKEN },
	{ "a number without a writer", AT_WRITE, 10, BYTES("\0\0\0\0\0\1\0\0\0\0"), RECORD_BROKEN },
	{ "two writers", AT_WRITE, 11, BYTES(SIGNED "\1" "\2\0\0\0\0\1\0\0\0\0"), RECORD_FINE },
	{ "a writer twice", AT_WRITE, 11, BYTES(SIGNED "\1" "\1\0\0\0\0\2\0\0\0\0"), RECORD_BROKEN },
	{ "another writer that is none", AT_WRITE, 11, BYTES(SIGNED "\1" "\0\0\0\0\0\0\0\0\0\0"), RECORD_BROKEN },
	{ "others, and no newest", AT_OTHERS, 1, BYTES("\1" SIGNED), RECORD_BROKEN },
	{ "sixteen others", AT_WRITE, 11, BYTES(SIGNED "\20" SIXTEEN), RECORD_FINE },
	{ "seventeen others", AT_WRITE, 11, BYTES(SIGNED "\21" SIXTEEN OTHER("\22")), RECORD_BROKEN },
	{ "more others than bytes", AT_WRITE, 11, BYTES(SIGNED "\7"), RECORD_BROKEN },
	{ "the highest time", AT_TIME, 6, BYTES("\377\377\377\377\377\377"), RECORD_FINE },
	{ "a count of two bytes", AT_SUMS, 3, BYTES("\1\0\0" "\200\1"), RECORD_FINE },
	{ "a count of two bytes that one would hold", AT_SUMS, 3, BYTES("\1\0\0" "\201\0"), RECORD_BROKEN },
	{ "2^53", AT_SUMS, 3, BYTES("\1\0\0" "\200\200\200\200\200\200\200\20"), RECORD_FINE },
	{ "one more", AT_SUMS, 3, BYTES("\1\0\0" "\201\200\200\200\200\200\200\20"), RECORD_BROKEN },
	{ "2^56", AT_SUMS, 3, BYTES("\1\0\0" "\200\200\200\200\200\200\200\200\1"), RECORD_BROKEN },
	{ "a count without an end", AT_SUMS, 3, BYTES("\1\0\0" "\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"
		"\377\377\377\377"), RECORD_BROKEN },
	{ "a count that is nought", AT_SUMS, 3, BYTES("\1\0\0" "\0"), RECORD_BROKEN },
	{ "the last count", AT_SUMS, 3, BYTES("\0\0\10" "\1"), RECORD_FINE },
	{ "a count that there is not", AT_SUMS, 3, BYTES("\0\0\20" "\1"), RECORD_BROKEN },
	{ "a counter", AT_SET, 3, BYTES("\1\0\0" "\77\200\0"), RECORD_FINE },
	{ "a counter without a number", AT_SET, 3, BYTES("\1\0\0"), RECORD_BROKEN },
	{ "a counter that is nought", AT_SET, 3, BYTES("\1\0\0" "\0\0\0"), RECORD_BROKEN },
	{ "a large counter", AT_SET, 3, BYTES("\1\0\0" "\307\200\0\1"), RECORD_FINE },
	{ "a large counter without its end", AT_SET, 3, BYTES("\1\0\0" "\307\200\0"), RECORD_BROKEN },
	{ "no number", AT_SET, 3, BYTES("\1\0\0" "\177\300\0"), RECORD_BROKEN },
	{ "without end", AT_SET, 3, BYTES("\1\0\0" "\177\200\0"), RECORD_BROKEN },
	{ "over its cap", AT_SET, 3, BYTES("\0\4\0" "\102\310\0"), RECORD_FINE },
	{ "a counter that there is not", AT_SET, 3, BYTES("\0\0\200" "\77\200\0"), RECORD_BROKEN },
	{ "the last level", AT_LEVEL, 1, BYTES("\4"), RECORD_FINE },
	{ "a level that there is not", AT_LEVEL, 1, BYTES("\5"), RECORD_BROKEN },
	{ "2^40 seconds", AT_SINCE, 1, BYTES("\200\200\200\200\200\40"), RECORD_FINE },
	{ "one more", AT_SINCE, 1, BYTES("\201\200\200\200\200\40"), RECORD_BROKEN },
	{ "the first message likewise", AT_FIRST, 1, BYTES("\201\200\200\200\200\40"), RECORD_BROKEN },
	{ "the pardon likewise", AT_PARDON, 1, BYTES("\201\200\200\200\200\40"), RECORD_BROKEN },
	{ "a score below nought", AT_SCORE, 2, BYTES("\377\377"), RECORD_FINE },
	{ "a domain", AT_DOMAIN, 1, BYTES("\3a.b"), RECORD_FINE },
	{ "a domain of 61 bytes", AT_DOMAIN, 1, BYTES("\75aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		RECORD_BROKEN },
	{ "a domain with a NUL", AT_DOMAIN, 1, BYTES("\3a\0b"), RECORD_BROKEN },
	{ "a domain with a line's end", AT_DOMAIN, 1, BYTES("\3a\nb"), RECORD_BROKEN },
	{ "a domain with DEL", AT_DOMAIN, 1, BYTES("\3a\177b"), RECORD_BROKEN },
	{ "places that are none", AT_PLACES, 1, BYTES("\1\1"), RECORD_BROKEN },
	{ "a week of one hour", AT_WEEK, 4, BYTES("\0\2\0\0" "a"), RECORD_FINE },
	{ "a week without its hour", AT_WEEK, 4, BYTES("\0\2\0\0"), RECORD_BROKEN },
	{ "an hour that is nought", AT_WEEK, 4, BYTES("\0\2\0\0" "\0"), RECORD_BROKEN },
	{ "a weekday that there is not", AT_WEEK, 4, BYTES("\0\0\0\200" "a"), RECORD_BROKEN },
	{ "many recipients", AT_KNOWN, 1, BYTES("\1*"), RECORD_FINE },
	{ "half a recipient", AT_KNOWN, 1, BYTES("\2ab"), RECORD_BROKEN },
	{ "a length of more than there can be", AT_KNOWN, 1, BYTES("\377"), RECORD_BROKEN },
	{ "something behind the last", SHORTEST, 0, BYTES("\0"), RECORD_BROKEN },
	{ "the last is missing", SHORTEST - 1, 1, BYTES(""), RECORD_BROKEN },
};
/* clang-format on */

static void test_rows(void)
{
	struct account_record record = { .writes = { { 1, 1 } } };
	char shortest[RECORD_MAX], bytes[2 * RECORD_MAX];
	is_int((long long)record_write(&record, shortest), SHORTEST, "things stand where the rows say");
	is_int(record_read(NULL, 9, &record), RECORD_NONE, "no bytes: there is none");
	is_int(record_read("", 0, &record), RECORD_NONE, "nor with an empty string");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t at = (size_t)rows[i].at, behind = at + (size_t)rows[i].instead_of;
		memcpy(bytes, shortest, at);
		memcpy(bytes + at, rows[i].bytes, rows[i].length);
		memcpy(bytes + at + rows[i].length, shortest + behind, SHORTEST - behind);
		size_t length = at + rows[i].length + SHORTEST - behind;
		is_int(record_read(bytes, length, &record), rows[i].want, "%s", rows[i].name);
		if (rows[i].want != RECORD_FINE)
			ok(is_empty(&record), "%s: nothing is read", rows[i].name);
	}
}

int main(void)
{
	test_round_trips();
	test_size();
	test_longest();
	test_odd();
	test_times();
	test_before();
	test_harmed();
	test_rows();
	return done_testing();
}
