/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one message adds to the evidence, against an account of a month: its own network is 1, its program 1.
 */
#include "policy/signal.h"

#include "t/unit/tap.h"

enum { NOW = 1700006400, DAY = 86400 };

/* What a list of habits holds of a hash: see policy/habits_inside.h. */
static uint64_t thing(uint16_t number)
{
	return (uint64_t)number << 18;
}

static uint16_t entry(uint16_t number)
{
	return (uint16_t)(number << 2);
}

/* To somebody whom it knows, at home. */
static struct facts owner(void)
{
	struct facts facts = { .now_ms = NOW * INT64_C(1000),
			       .client_network = thing(1),
			       .text = thing(9),
			       .text_words = 100,
			       .rcpts_remote = 1,
			       .rcpts_new_known = true };
	struct history *history = &facts.state.history;
	history->first_s = NOW - 30 * DAY;
	history->rates.at_ms = facts.now_ms - 3600 * 1000;
	history->counters.at_ms = facts.now_ms;
	history->counters.value[COUNTER_MESSAGES] = history->counters.value[COUNTER_RCPTS] = 100;
	history->habits.days = 20;
	history->habits.networks[0] = history->habits.mailers[0] = entry(1);
	return facts;
}

static double step(const struct facts *facts, enum counter counter)
{
	double counts[COUNTER_COUNT] = { 0 };
	signals_evidence(facts, counts);
	return counts[counter];
}

static void test_taken_back(void)
{
	static const struct {
		const char *name;
		uint16_t network;
		double place, away; /* what the counters hold before */
		double least, most; /* taken back of the evidence of content */
	} rows[] = {
		{ "at home", 1, 0, 0, 0.3, 1 },
		{ "at home, beside somebody elsewhere", 1, 1, 0, 0.01, 0.1 },
		{ "at home, after a journey of a day", 1, 0.4, 0, 0.3, 1 },
		{ "a traveller's few", 2, 0, 2, 0.1, 0.2 },
		{ "many from elsewhere", 2, 0, 20, 0, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = owner();
		facts.client_network = thing(rows[i].network);
		facts.content = (struct content){ .known = KNOWLEDGE_FULL, .score = 0, .threshold = 5 };
		facts.state.history.counters.value[COUNTER_PLACE] = rows[i].place;
		facts.state.history.counters.value[COUNTER_AWAY] = rows[i].away;
		double back = -step(&facts, COUNTER_CONTENT);
		ok(back >= rows[i].least && back <= rows[i].most, "%s takes back %.2f", rows[i].name, back);
	}
}

static void test_repeats(void)
{
	static const struct {
		const char *name;
		uint16_t last; /* its text before this one, which is 9 */
		double score;  /* of 5 */
		bool repeats;
	} rows[] = {
		{ "the same text, called spam again", 9, 6, true },
		{ "another text", 8, 6, false },
		{ "the first text", 0, 6, false },
		{ "the same text, surely spam", 9, 7.5, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = owner();
		facts.state.history.habits.last_text = entry(rows[i].last);
		facts.content = (struct content){
			.known = KNOWLEDGE_FULL, .spam = true, .score = rows[i].score, .threshold = 5
		};
		is_int(evidence_repeats(&facts), rows[i].repeats, "%s", rows[i].name);
		ok((step(&facts, COUNTER_CONTENT) < 0.5) == rows[i].repeats, "... by which it weighs");
	}
	struct facts none = owner();
	none.text = 0;
	ok(!evidence_repeats(&none), "no text repeats none");
}

/* A step up is smaller for what looks harmless, and nothing looks so where nothing can be seen. */
static void test_pace(void)
{
	struct facts facts = owner();
	facts.rcpts_new = 1;
	double whole = step(&facts, COUNTER_FRESH);
	facts.content = (struct content){ .known = KNOWLEDGE_FULL, .score = 0, .threshold = 5 };
	double harmless = step(&facts, COUNTER_FRESH);
	ok(whole > 0 && harmless < 0.5 * whole, "harmless text to a stranger: %.2f of %.2f", harmless, whole);
	facts.text = 0;
	is_near(step(&facts, COUNTER_FRESH), whole, 1e-9, "without a text that can be seen, the whole of it");
}

static void test_own_text(void)
{
	struct facts facts = owner();
	facts.rcpts_new = 1;
	double other = step(&facts, COUNTER_FRESH);
	is_near(step(&facts, COUNTER_OTHERS), 1, 0, "another text is counted as one");
	facts.state.history.habits.texts[0] = (struct habit_text){ entry(9), 3 | 27 << 2 };
	is_near(step(&facts, COUNTER_OWN_TEXTS), 1, 0, "a text of its own as one of those");
	is_near(step(&facts, COUNTER_OTHERS), 0, 0, "and not as another");
	ok(step(&facts, COUNTER_FRESH) < 0.2 * other, "strangers to whom it goes are as usual");
	facts.rcpts_new = 0;
	is_near(step(&facts, COUNTER_FRESH), 0, 1e-9, "and known ones take nothing back");
}

static void test_elsewhere(void)
{
	struct facts facts = owner();
	facts.rcpts_remote = 12;
	is_near(step(&facts, COUNTER_AWAY), 0, 0, "at home nobody is away");
	facts.client_network = thing(2);
	is_near(step(&facts, COUNTER_AWAY), 12, 0, "elsewhere each recipient counts");
	is_near(step(&facts, COUNTER_CHANGES), 1, 0, "to people it knows the change of place is its own");
	facts.rcpts_new = 12;
	is_near(step(&facts, COUNTER_CHANGES), 0, 0, "to strangers it is not");
	ok(step(&facts, COUNTER_PLACE) > 0.2, "but evidence");
	facts.state.history.rates.at_ms = facts.now_ms - 5LL * DAY * 1000;
	is_near(step(&facts, COUNTER_BACK), 1, 0, "after five days of silence it is back");
	facts.state.history.rates.at_ms = facts.now_ms - 3LL * DAY * 1000;
	is_near(step(&facts, COUNTER_BACK), 0, 0, "after three it was not away");
}

int main(void)
{
	test_taken_back();
	test_repeats();
	test_pace();
	test_own_text();
	test_elsewhere();
	return done_testing();
}
