/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/history.h"

#include "t/unit/tap.h"

#include "policy/hash.h"

#define MONDAY INT64_C(1699833600) /* 2023-11-13 00:00 UTC */
enum { DAY = 86400, HOUR = 3600 };

static uint64_t thing(int number)
{
	return hash_bytes(&number, sizeof number, 7);
}

/* One message from a network (and of an AS, sender and program of the same number). */
static unsigned note(struct habits *habits, int64_t now_s, int number, bool behaves)
{
	struct habit_facts facts = {
		.now_s = now_s,
		.address = thing(number),
		.network = thing(number),
		.as = thing(number),
		.sender = thing(number),
		.mailer = thing(number),
		.wide = thing(number),
		.behaves = behaves,
		.homely = true,
	};
	return habits_note(habits, &facts);
}

static bool at_home(const struct habits *habits, int number)
{
	return habit_has_network(habits, thing(number)) && habit_has_as(habits, thing(number)) &&
	       habit_has_sender(habits, thing(number)) && habit_has_mailer(habits, thing(number));
}

static void test_staying(void)
{
	struct habits habits = { .day = 0 };
	ok(!at_home(&habits, 1) && !habit_has_network(&habits, 0), "nothing is known at first");
	is_int(note(&habits, MONDAY + 9 * HOUR, 1, true), HABIT_PLACES | HABIT_TEXT,
	       "the first message changes the places");
	ok(!at_home(&habits, 1), "it is not yet at home");
	is_int(note(&habits, MONDAY + 10 * HOUR, 1, true), 0, "the next message changes nothing");
	note(&habits, MONDAY + 23 * HOUR, 1, true);
	ok(!at_home(&habits, 1), "nor in the evening");
	note(&habits, MONDAY + DAY + HOUR, 1, true);
	ok(at_home(&habits, 1), "the day after it is");
	is_int(habits.days, 1, "one day");
	note(&habits, MONDAY + DAY + 23 * HOUR, 2, true);
	note(&habits, MONDAY + 2 * DAY + HOUR, 2, true);
	ok(at_home(&habits, 1) && !at_home(&habits, 2), "midnight alone makes nobody at home");
	note(&habits, MONDAY + 2 * DAY + 13 * HOUR, 2, true);
	ok(at_home(&habits, 2), "half a day more does");
	note(&habits, MONDAY + 3 * DAY, 3, true);
	note(&habits, MONDAY + 3 * DAY, 3, false);
	note(&habits, MONDAY + 5 * DAY, 1, true);
	ok(!at_home(&habits, 3) && at_home(&habits, 1), "what was new when the account misbehaved is forgotten");
	is_int(habit_count_networks(&habits), 2, "two networks are its own");
}

static void test_botnet(void)
{
	struct habits habits = { .day = 0 };
	for (int day = 0; day < 10; day++)
		for (int place = 1; place <= 3; place++)
			note(&habits, MONDAY + day * DAY + 9 * HOUR, place, true);
	ok(at_home(&habits, 1) && at_home(&habits, 2), "two places are at home");
	for (int bot = 100; bot < 150; bot++)
		note(&habits, MONDAY + 10 * DAY, bot, true);
	ok(habit_has_network(&habits, thing(1)) && habit_has_network(&habits, thing(2)) &&
		   habit_has_network(&habits, thing(3)),
	   "fifty new ones do not push them out");
	struct habit_facts facts = {
		.now_s = MONDAY + 10 * DAY, .address = thing(1), .network = thing(1), .as = thing(1)
	};
	is_near(habit_distinct(&habits, COUNTED_ADDRESSES, &facts), 51, 8, "fifty addresses today");
	is_near(habit_distinct(&habits, COUNTED_ASES, &facts), 51, 25, "fifty ASes, about");
	is_near(habit_distinct_before(&habits, COUNTED_NETWORKS, &facts), 3, 0.3, "three the day before");
	facts.now_s += DAY;
	is_near(habit_distinct(&habits, COUNTED_ADDRESSES, &facts), 50, 8, "at midnight they still reach back");
	facts.now_s += DAY / 2;
	is_near(habit_distinct(&habits, COUNTED_ADDRESSES, &facts), 25.5, 5, "half of them at noon");
	facts.now_s += DAY;
	is_near(habit_distinct(&habits, COUNTED_ADDRESSES, &facts), 1, 0.1, "none a day later");
}

static void test_clock(void)
{
	struct habits habits = { .day = 0 };
	note(&habits, MONDAY + 12 * HOUR, 1, true);
	struct habits before = habits;
	is_int(note(&habits, MONDAY + 11 * HOUR, 1, true), 0, "an hour back changes nothing");
	is_int(note(&habits, MONDAY - HOUR, 1, true), 0, "nor does yesterday");
	ok(memcmp(&before, &habits, sizeof habits) == 0, "at all");
	note(&habits, MONDAY + 1000LL * DAY, 2, true);
	note(&habits, MONDAY + DAY, 3, true);
	is_int(habits.day, MONDAY / DAY + 1, "a clock that was years ahead is forgotten");
	struct habit_facts facts = { .now_s = MONDAY + DAY, .network = thing(3) };
	is_near(habit_distinct(&habits, COUNTED_NETWORKS, &facts), 1, 0.1, "and its counts");
	struct habits odd = { .day = 0 };
	note(&odd, -5, 1, true);
	note(&odd, INT64_MAX / 2, 1, true);
	ok(true, "odd times are survived");
}

static void test_week(void)
{
	struct habits habits = { .day = 0 };
	ok(isnan(habit_hour_expected(&habits, MONDAY, 0)), "no history, no expectation");
	int64_t last = 0;
	double sent = 0;
	for (int day = 0; day < 28; day++)
		for (int hour = 8; hour < 18; hour++) {
			if (day % 7 >= 5)
				continue;
			int64_t now = MONDAY + day * DAY + hour * HOUR - HOUR; /* UTC; an hour east of it */
			struct habit_facts facts = { .now_s = now,
						     .local_offset_s = HOUR,
						     .network = thing(1),
						     .behaves = true,
						     .homely = true,
						     .hour_messages = sent,
						     .last_s = last };
			habits_note(&habits, &facts);
			last = now;
			sent = 10;
		}
	int64_t later = MONDAY + 28 * DAY;
	is_near(habit_hour_expected(&habits, later + 9 * HOUR, HOUR), 9, 2,
		"nearly ten an hour on Monday at ten, faded a little");
	ok(habit_hour_expected(&habits, later + 2 * HOUR, HOUR) < 4, "fewer at night");
	ok(habit_hour_expected(&habits, later + 5 * DAY + 9 * HOUR, HOUR) < 7, "fewer on Saturday");
	ok(!habit_hour_unused(&habits, later + 9 * HOUR, HOUR), "ten o'clock is used");
	ok(habit_hour_unused(&habits, later + 2 * HOUR, HOUR), "three at night is not");
	ok(!habit_hour_unused(&habits, later + 6 * HOUR, HOUR), "the hour before the first is near enough");
	habits.days = 2;
	ok(!habit_hour_unused(&habits, later + 2 * HOUR, HOUR), "two days say nothing");
}

static void write_text(struct habits *habits, int64_t now_s, int text, int64_t words, int host, bool good)
{
	const uint64_t hosts[] = { thing(1000 + host) };
	struct habit_facts facts = {
		.now_s = now_s,
		.text = thing(500 + text),
		.text_words = words,
		.hosts = hosts,
		.host_count = 1,
		.behaves = true,
		.homely = true,
		.suspect = !good,
		.alone = true,
		.hour_rcpts = 30,
	};
	habits_note(habits, &facts);
}

static bool own_text(const struct habits *habits, int text, int64_t words, int host)
{
	return habit_has_text(habits, thing(500 + text), words) && habit_has_host(habits, thing(1000 + host));
}

static void test_texts(void)
{
	struct habits habits = { .day = 0 };
	write_text(&habits, MONDAY + 9 * HOUR, 1, 100, 1, true);
	write_text(&habits, MONDAY + 10 * HOUR, 1, 110, 1, true);
	write_text(&habits, MONDAY + 11 * HOUR, 1, 90, 1, true);
	ok(!own_text(&habits, 1, 100, 1), "three times on one morning make no text of its own");
	write_text(&habits, MONDAY + DAY + HOUR, 2, 100, 1, true);
	ok(own_text(&habits, 1, 100, 1), "the day after it is");
	ok(own_text(&habits, 1, 140, 1) && own_text(&habits, 1, 70, 1), "with names and items of other lengths, too");
	ok(!own_text(&habits, 1, 300, 1), "with two hundred words more it is another");
	ok(!own_text(&habits, 1, 100, 2), "with another link it is not");
	ok(!habit_has_text(&habits, 0, 0), "no text is nobody's");
	write_text(&habits, MONDAY + 3 * DAY, 2, 100, 1, true);
	ok(!own_text(&habits, 2, 100, 1), "twice is not often");
	write_text(&habits, MONDAY + 4 * DAY, 3, 100, 3, true);
	write_text(&habits, MONDAY + 4 * DAY, 1, 100, 1, false);
	for (int i = 0; i < 3; i++)
		write_text(&habits, MONDAY + 5 * DAY, 3, 100, 3, true);
	ok(!own_text(&habits, 3, 100, 3), "what was new when the account was suspect begins anew");
	write_text(&habits, MONDAY + 6 * DAY + HOUR, 4, 100, 3, true);
	ok(own_text(&habits, 3, 100, 3), "and is its own a day later");
	for (int i = 0; i < 200; i++)
		write_text(&habits, MONDAY + 6 * DAY + 2 * HOUR, 100 + i, 60, 10 + i % 3, true);
	ok(own_text(&habits, 1, 100, 1) && own_text(&habits, 3, 100, 3), "letters do not push out what is its own");
	is_near(habit_reach(&habits), 30, 6, "thirty recipients in an hour");
	habits_note(&habits, &(struct habit_facts){ .now_s = MONDAY + 90 * DAY, .behaves = true });
	ok(habit_reach(&habits) < 3, "which months later is nothing");
}

static void test_letters(void)
{
	struct habits habits = { .day = 0 };
	for (int i = 0; i < 8; i++)
		write_text(&habits, MONDAY + 9 * HOUR, i, 60, 1, true);
	write_text(&habits, MONDAY + DAY + 9 * HOUR, 8, 60, 1, true);
	int letters = habit_count_letters(&habits);
	ok(letters >= 7, "a day later what it wrote are letters");
	for (int i = 0; i < 30; i++)
		write_text(&habits, MONDAY + DAY + 10 * HOUR, 100 + i, 60, 1, true);
	is_int(habit_count_letters(&habits), letters, "a day of many new ones does not push them out");
}

static void test_not_homely(void)
{
	struct habits habits = { .day = 0 };
	for (int day = 0; day < 3; day++)
		note(&habits, MONDAY + day * DAY, 1, true);
	struct habit_facts thief = { .behaves = true,
				     .network = thing(9),
				     .as = thing(9),
				     .wide = thing(9),
				     .sender = thing(9),
				     .mailer = thing(9),
				     .text = thing(9),
				     .hour_rcpts = 99 };
	for (int hour = 0; hour < 72; hour++) {
		thief.now_s = MONDAY + 3 * DAY + hour * HOUR;
		habits_note(&habits, &thief);
	}
	ok(at_home(&habits, 1) && !at_home(&habits, 9), "three days of a thief's mail are no habit");
	is_int(habit_count_networks(&habits), 1, "of any kind");
	ok(habit_reach(&habits) < 1, "nor is how many he wrote to");
}

static void test_known(void)
{
	struct habits habits = { .day = 0 };
	for (uint16_t i = 0; i < HABIT_KNOWN_MAX; i++)
		ok(habits_note_rcpt(&habits, (uint16_t)(i * 7)) && !habits.many, "recipient %d is new", i);
	ok(!habits_note_rcpt(&habits, 14) && habit_knows(&habits, 14), "one of them is known");
	ok(!habit_knows(&habits, 9999), "another is not");
	ok(habits_note_rcpt(&habits, 9999) && habits.many, "one more is too many");
	ok(!habits_note_rcpt(&habits, 9998), "then the map has them");
	char bytes[HABIT_BYTES_MAX];
	is_int((long long)habits_write(&habits, HABIT_KNOWN, bytes), 1, "what stands in Redis is one byte");
	is_int(bytes[0], '*', "a star");
}

static void test_bytes(void)
{
	struct habits habits = { .day = 0 }, back = { .day = 77, .many = true };
	char bytes[HABIT_BYTES_MAX];
	for (unsigned part = HABIT_PLACES; part <= HABIT_TEXT; part <<= 1)
		is_int((long long)habits_write(&habits, (enum habit_part)part, bytes), 0, "part %u: nothing to keep",
		       part);
	for (int day = 0; day < 10; day++)
		for (int place = 1; place <= 9; place++)
			note(&habits, MONDAY + day * DAY + 13 * HOUR, place, true);
	memset(habits.hours, 17, sizeof habits.hours);
	habits.weekdays[3] = 200;
	for (uint16_t i = 1; i <= HABIT_KNOWN_MAX; i++)
		habits_note_rcpt(&habits, i);
	for (int i = 0; i < 20; i++)
		write_text(&habits, MONDAY + 10 * DAY, i, 50 * i, i, true);
	for (unsigned part = HABIT_PLACES; part <= HABIT_TEXT; part <<= 1) {
		size_t length = habits_write(&habits, (enum habit_part)part, bytes);
		ok(length > 0 && length <= HABIT_BYTES_MAX, "part %u: %zu bytes", part, length);
		ok(habits_read(&back, (enum habit_part)part, bytes, length), "part %u: read again", part);
		struct habits spoilt = back;
		ok(!habits_read(&spoilt, (enum habit_part)part, bytes, length - 1), "part %u: a byte less is refused",
		   part);
		is_int((long long)habits_write(&spoilt, (enum habit_part)part, bytes), 0,
		       "part %u: and is as if there were none", part);
	}
	ok(memcmp(&back, &habits, sizeof back) == 0, "written and read again it is the same");
	ok(habits_read(&back, HABIT_PLACES, "", 0) && back.day == 0 && back.hours[0] > 0,
	   "nothing there: no places, but the week");
}

/* Sixty sessions from as many addresses read the same habits before the first of them is charged. */
static void test_at_once(void)
{
	enum { SESSIONS = 60, NOW_S = MONDAY + DAY };
	struct history history = { .first_s = 0 };
	struct charge debt = { .limits = limits_unset }, last = debt;
	struct habits read = { .day = 0 };
	struct habit_facts facts = { .now_s = NOW_S, .behaves = true, .homely = true };
	habits_note(&read, &facts);
	for (int i = 0; i < SESSIONS; i++) {
		struct charge charge = { .now_ms = NOW_S * INT64_C(1000), .limits = limits_unset, .habits = read };
		facts.address = thing(100 + i);
		charge.habits_changed = habits_note(&charge.habits, &facts);
		history_charge(&history, &charge);
		charge_join(&debt, &charge);
		last = charge;
	}
	facts.address = 0;
	double alone = habit_distinct(&last.habits, COUNTED_ADDRESSES, &facts);
	double charged = habit_distinct(&history.habits, COUNTED_ADDRESSES, &facts);
	double owed = habit_distinct(&debt.habits, COUNTED_ADDRESSES, &facts);
	ok(alone < 2 && charged > 40 && charged < 90, "%d addresses at once are about %.0f", SESSIONS, charged);
	ok(owed == charged, "and as many where they are owed");
	struct habits many = { .many = true }, few = { .known = { 1, 2 } };
	habits_keep(&few, &many);
	ok(few.many, "recipients that stand in the other key stay there");
}

int main(void)
{
	test_staying();
	test_botnet();
	test_clock();
	test_week();
	test_texts();
	test_letters();
	test_not_homely();
	test_known();
	test_bytes();
	test_at_once();
	return done_testing();
}
