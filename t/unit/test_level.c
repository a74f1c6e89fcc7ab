/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/level.h"

#include "t/unit/tap.h"

enum { HOUR = 3600, DAY = 86400 };

static const struct level_settings settings = {
	.suspect_enter = 0.5,
	.suspect_leave = -0.5,
	.blocked_enter = 3.0,
	.blocked_leave = 1.5,
	.minimum_stay_s = HOUR,
	.new_for_s = 7 * DAY,
	.new_messages = 20,
};

static const struct {
	const char *name;
	struct level_facts facts; /* level before, for how long, score, its hard part, age, messages, seen for, days */
	enum level want;
} rows[] = {
	{ "a first message", { LEVEL_UNKNOWN, 0, -1.0, 9, 0, 0, 0, 3 }, LEVEL_NEW },
	{ "a first message that is bad", { LEVEL_UNKNOWN, 0, 0.8, 9, 0, 0, 0, 3 }, LEVEL_SUSPECT },
	{ "a first message that is very bad", { LEVEL_UNKNOWN, 0, 5.0, 9, 0, 0, 0, 3 }, LEVEL_BLOCKED },
	{ "nobody knows the level of an old account", { LEVEL_UNKNOWN, 0, -3.0, 9, 30 * DAY, 100, 0, 3 }, LEVEL_GOOD },

	{ "old enough, but few messages", { LEVEL_NEW, DAY, -1.0, 9, 30 * DAY, 19.9, 0, 3 }, LEVEL_NEW },
	{ "old enough, and it is seen for a week", { LEVEL_NEW, DAY, -1.0, 9, 28 * DAY, 0.5, 7 * DAY, 3 }, LEVEL_GOOD },
	{ "old and seen, but it sent on two days", { LEVEL_NEW, DAY, -1.0, 9, 28 * DAY, 0.5, 7 * DAY, 2 }, LEVEL_NEW },
	{ "not quite so old", { LEVEL_NEW, DAY, -1.0, 9, 28 * DAY - 1, 0.5, 7 * DAY, 3 }, LEVEL_NEW },
	{ "old, but seen for days only: it may have been bought",
	  { LEVEL_NEW, DAY, -1.0, 9, 400 * DAY, 19, 7 * DAY - 1, 3 },
	  LEVEL_NEW },
	{ "enough messages, but young", { LEVEL_NEW, DAY, -1.0, 9, 7 * DAY - 1, 1000, 0, 3 }, LEVEL_NEW },
	{ "both just reached", { LEVEL_NEW, DAY, -1.0, 9, 7 * DAY, 20, 0, 3 }, LEVEL_GOOD },
	{ "good after a pause", { LEVEL_GOOD, 90 * DAY, -3.0, 9, 90 * DAY, 0.01, 0, 3 }, LEVEL_GOOD },

	{ "just below suspect", { LEVEL_NEW, DAY, 0.499, 9, DAY, 5, 0, 3 }, LEVEL_NEW },
	{ "just suspect", { LEVEL_NEW, DAY, 0.5, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },
	{ "good becomes suspect at once", { LEVEL_GOOD, 1, 0.5, 9, 30 * DAY, 100, 0, 3 }, LEVEL_SUSPECT },
	{ "new becomes blocked at once", { LEVEL_NEW, 1, 3.0, 9, DAY, 5, 0, 3 }, LEVEL_BLOCKED },
	{ "suspect becomes blocked at once", { LEVEL_SUSPECT, 1, 3.0, 9, DAY, 5, 0, 3 }, LEVEL_BLOCKED },
	{ "just below blocked", { LEVEL_SUSPECT, DAY, 2.999, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },

	{ "suspect stays between the two scores", { LEVEL_SUSPECT, DAY, -0.4, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },
	{ "suspect stays at the lower one", { LEVEL_SUSPECT, DAY, -0.5, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },
	{ "suspect leaves below it", { LEVEL_SUSPECT, DAY, -0.501, 9, DAY, 5, 0, 3 }, LEVEL_NEW },
	{ "suspect leaves for good", { LEVEL_SUSPECT, DAY, -0.501, 9, 30 * DAY, 50, 0, 3 }, LEVEL_GOOD },
	{ "but not before its time", { LEVEL_SUSPECT, HOUR - 1, -9.0, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },
	{ "at its time", { LEVEL_SUSPECT, HOUR, -9.0, 9, DAY, 5, 0, 3 }, LEVEL_NEW },

	{ "blocked stays between the two scores", { LEVEL_BLOCKED, DAY, 2.0, 9, DAY, 5, 0, 3 }, LEVEL_BLOCKED },
	{ "blocked stays at the lower one", { LEVEL_BLOCKED, DAY, 1.5, 9, DAY, 5, 0, 3 }, LEVEL_BLOCKED },
	{ "blocked leaves for suspect", { LEVEL_BLOCKED, DAY, 1.499, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },
	{ "blocked is held by suspect's lower score", { LEVEL_BLOCKED, DAY, -0.4, 9, DAY, 5, 0, 3 }, LEVEL_SUSPECT },
	{ "blocked leaves for new", { LEVEL_BLOCKED, DAY, -0.6, 9, DAY, 5, 0, 3 }, LEVEL_NEW },
	{ "but not before its time", { LEVEL_BLOCKED, HOUR - 1, -9.0, 9, DAY, 5, 0, 3 }, LEVEL_BLOCKED },
	{ "a clock that went back keeps it", { LEVEL_BLOCKED, -500, -9.0, 9, DAY, 5, 0, 3 }, LEVEL_BLOCKED },

	{ "a change of habits alone blocks nobody", { LEVEL_SUSPECT, DAY, 9, 0, 30 * DAY, 50, 0, 3 }, LEVEL_SUSPECT },
	{ "nor beside a little that only abuse brings",
	  { LEVEL_GOOD, DAY, 9, 3.49, 30 * DAY, 50, 0, 3 },
	  LEVEL_SUSPECT },
	{ "enough of that does", { LEVEL_GOOD, DAY, 3, 3.5, 30 * DAY, 50, 0, 3 }, LEVEL_BLOCKED },
	{ "blocked stays whatever holds it", { LEVEL_BLOCKED, DAY, 2, 0, 30 * DAY, 50, 0, 3 }, LEVEL_BLOCKED },

	{ "new is no penalty: no stay", { LEVEL_NEW, 1, -1.0, 9, 30 * DAY, 50, 0, 3 }, LEVEL_GOOD },
};

/* Who wants accounts to be known at once has it. */
static void test_known_at_once(void)
{
	struct level_settings at_once = settings;
	struct level_facts facts = { LEVEL_NEW, 0, -1.0, 0, 0, 20, 0, 0 };
	at_once.new_for_s = 0;
	facts.messages = 19;
	is_int(level_next(&at_once, &facts), LEVEL_NEW, "new_days 0: new until it has sent enough");
	facts.messages = 20;
	is_int(level_next(&at_once, &facts), LEVEL_GOOD, "new_days 0: good by messages of one day");
	at_once.new_for_s = 2 * DAY;
	facts.age_s = 2 * DAY;
	facts.days = 1;
	is_int(level_next(&at_once, &facts), LEVEL_NEW, "new_days 2: one day is too few");
	facts.days = 2;
	is_int(level_next(&at_once, &facts), LEVEL_GOOD, "two are enough");
}

/* A score that trembles around a threshold moves the level once. */
static void test_flutter(void)
{
	struct level_facts facts = { LEVEL_NEW, 0, 0, 9, DAY, 5, 0, 0 };
	int changes = 0;
	for (int i = 0; i < 1000; i++) {
		facts.score = i % 2 == 0 ? 0.6 : 0.4;
		facts.before_s = 100 * DAY;
		enum level next = level_next(&settings, &facts);
		changes += next != facts.before;
		facts.before = next;
	}
	is_int(changes, 1, "a trembling score moves the level once");
}

/* A higher score never makes a milder level, whatever went before. */
static void test_monotone(void)
{
	for (int before = LEVEL_UNKNOWN; before < LEVEL_COUNT; before++) {
		enum level last = LEVEL_UNKNOWN;
		bool rising = true;
		for (int i = -60; i <= 60; i++) {
			struct level_facts facts = { (enum level)before, DAY, i / 10.0, 9, DAY, 5, 0, 0 };
			enum level next = level_next(&settings, &facts);
			rising = rising && next >= last && next != LEVEL_UNKNOWN;
			last = next;
		}
		ok(rising, "from %s: a higher score is never milder, and always a level",
		   level_word((enum level)before));
	}
}

static void test_words(void)
{
	static const char *const words[] = { "good", "new", "suspect", "blocked" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		is_str(level_word(level_find(words[i])), words[i], "%s", words[i]);
	static const char *const others[] = { "", "unknown", "Good", "bad", "good ", "%s" };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		is_int(level_find(others[i]), LEVEL_UNKNOWN, "'%s' is no level", others[i]);
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_str(level_word(level_next(&settings, &rows[i].facts)), level_word(rows[i].want), "%s", rows[i].name);
	test_flutter();
	test_known_at_once();
	test_monotone();
	test_words();
	return done_testing();
}
