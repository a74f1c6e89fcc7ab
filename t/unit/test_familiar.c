/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/familiar.h"
#include "policy/judge.h"
#include "policy/spoke.h"

#include "t/unit/judge_fixture.h"

#include <math.h>

/* What a list of habits holds of a hash: see policy/habits_inside.h. */
static uint64_t thing(uint16_t number)
{
	return (uint64_t)number << 18;
}

static uint16_t entry(uint16_t number)
{
	return (uint16_t)(number << 2);
}

/* An account of a month: network 1 of AS 1, /16 1, program 1, text 1 of 100 words with host 1. */
static struct facts owner(void)
{
	struct facts facts = {
		.now_ms = NOW * INT64_C(1000),
		.account = "alice@example.com",
		.source = SOURCE_AUTH,
		.authenticated = true,
		.client = CLIENT_AUTHENTICATED,
		.limits = limits_unset,
		.breach = breach_none,
		.client_network = thing(1),
		.client_as = thing(1),
		.client_wide = thing(1),
		.rcpts_remote = 1,
		.rcpts_new_known = true,
	};
	facts.state.known = KNOWLEDGE_FULL;
	facts.state.limits = limits_unset;
	struct history *history = &facts.state.history;
	history->first_s = NOW - 30 * DAY;
	history->habits.days = 20;
	history->counters.at_ms = facts.now_ms;
	history->counters.value[COUNTER_MESSAGES] = 100;
	history->habits.networks[0] = history->habits.ases[0] = history->habits.wides[0] = entry(1);
	history->habits.hosts[0] = entry(1);
	history->habits.texts[0] = (struct habit_text){ entry(1), 3 | 27 << 2 };
	for (uint16_t i = 1; i <= 3; i++) /* letters */
		history->habits.texts[i] = (struct habit_text){ entry((uint16_t)(100 + i)), 1 | 27 << 2 };
	return facts;
}

static void test_places(void)
{
	static const struct {
		const char *name;
		uint16_t network, as, wide;
		bool no_ases;
		enum place want;
	} places[] = {
		{ "its own network", 1, 9, 9, false, PLACE_OWN },
		{ "another network of its AS", 2, 1, 9, false, PLACE_NEAR },
		{ "another AS, the same /16", 2, 2, 1, false, PLACE_STRANGE },
		{ "the same /16, the AS not known", 2, 0, 1, false, PLACE_NEAR },
		{ "the same /16, no AS ever known", 2, 2, 1, true, PLACE_NEAR },
		{ "another /16, the AS not known", 2, 0, 2, false, PLACE_STRANGE },
		{ "this host itself", 0, 0, 0, false, PLACE_UNKNOWN },
	};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct facts facts = owner();
		facts.client_network = thing(places[i].network);
		facts.client_as = thing(places[i].as);
		facts.client_wide = thing(places[i].wide);
		if (places[i].no_ases)
			facts.state.history.habits.ases[0] = 0;
		is_int(familiar_of(&facts).place, places[i].want, "%s", places[i].name);
	}
}

static void test_text(void)
{
	struct facts facts = owner();
	ok(!familiar_of(&facts).text, "no text is none of its own");
	facts.text = thing(1);
	facts.text_words = 100;
	facts.hosts[0] = thing(1);
	facts.host_count = 1;
	ok(familiar_of(&facts).text, "its text with its link");
	facts.hosts[1] = thing(2);
	facts.host_count = 2;
	ok(!familiar_of(&facts).text, "a link more");
	facts.hosts[0] = thing(2);
	facts.host_count = 1;
	ok(!familiar_of(&facts).text, "another link");
	facts.host_count = 0;
	ok(familiar_of(&facts).text, "no link");
	facts.host_count = FACT_HOSTS_MAX + 1;
	ok(!familiar_of(&facts).text, "more links than can be known");
	facts.host_count = 0;
	facts.text_words = 300;
	ok(!familiar_of(&facts).text, "three times as long");
}

static void test_homely(void)
{
	struct facts facts = owner();
	facts.rcpts_new = 1;
	ok(familiar_of(&facts).homely, "to strangers from its own network");
	facts.client_network = facts.client_as = facts.client_wide = thing(9);
	ok(!familiar_of(&facts).homely, "to strangers from elsewhere");
	facts.rcpts_remote = 3;
	ok(!familiar_of(&facts).homely, "to two whom it knows and one more from elsewhere");
	facts.rcpts_again = 2;
	is_near(familiar_of(&facts).fresh, 1, 1e-9, "who names one stranger three times writes to strangers only");
	facts.rcpts_again = 0;
	facts.rcpts_new = 0;
	ok(familiar_of(&facts).homely, "to three whom it knows");
	facts.rcpts_new_known = false;
	ok(!familiar_of(&facts).homely, "from elsewhere, to nobody knows whom");
	facts.client_network = 0;
	ok(!familiar_of(&facts).homely, "from this host, by an account that has its places elsewhere");
	facts.state.history.habits.networks[0] = 0;
	ok(familiar_of(&facts).homely, "from this host, as ever");
}

/* By which pool a message of a suspect account leaves. */
static void test_owner_goes_on(void)
{
	struct policy policy = base_policy;
	memcpy(policy.signals, signal_defaults, sizeof policy.signals);
	static const struct {
		const char *name;
		uint16_t network;
		uint64_t mailer;
		int64_t rcpts_new;
		bool spam, unknown_rcpts, young, program, trap;
		const char *pool;
	} rows[] = {
		{ .name = "from its place to whom it knows", .network = 1, .pool = "clean" },
		{ .name = "the same of a new account", .network = 1, .young = true, .pool = "warm" },
		{ .name = "from another place", .network = 2, .pool = "suspect" },
		{ .name = "by another program", .network = 1, .mailer = 77, .pool = "suspect" },
		{ .name = "to somebody else, from his desk", .network = 1, .rcpts_new = 1, .pool = "clean" },
		{ .name = "the same after a trap", .network = 1, .rcpts_new = 1, .trap = true, .pool = "suspect" },
		{ .name = "to somebody else, a program",
		  .network = 1,
		  .rcpts_new = 1,
		  .program = true,
		  .pool = "suspect" },
		{ .name = "to nobody knows whom, a program",
		  .network = 1,
		  .unknown_rcpts = true,
		  .program = true,
		  .pool = "suspect" },
		{ .name = "what the scanner calls spam", .network = 1, .spam = true, .pool = "suspect" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = owner();
		struct history *history = &facts.state.history;
		history->level = LEVEL_SUSPECT;
		history->level_since_s = NOW - 60;
		if (rows[i].young)
			history->first_s = NOW - 5 * DAY;
		history->counters.value[COUNTER_OWN_TEXTS] = rows[i].program ? 50 : 0;
		history->counters.value[COUNTER_TRAPS] = rows[i].trap ? 1 : 0;
		facts.client_network = thing(rows[i].network);
		facts.mailer = rows[i].mailer;
		facts.rcpts_new = rows[i].rcpts_new;
		facts.rcpts_new_known = !rows[i].unknown_rcpts;
		facts.content = (struct content){ .known = KNOWLEDGE_FULL, .spam = rows[i].spam, .threshold = 5 };
		struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
		is_str(verdict.pool->name, rows[i].pool, "suspect: %s", rows[i].name);
		is_str(level_word(verdict.level), "suspect", "%s: and it stays so", rows[i].name);
		is_int(verdict_has(&verdict, REASON_OWNER), strcmp(rows[i].pool, "suspect") != 0, "%s: the reason",
		       rows[i].name);
	}
}

/* An account that is settled, of a person who writes letters, and suspect since a minute. */
static struct facts settled(void)
{
	struct facts facts = owner();
	struct history *history = &facts.state.history;
	history->habits.days = 30;
	for (uint16_t i = 1; i <= 5; i++)
		history->habits.texts[i] = (struct habit_text){ entry((uint16_t)(i + 10)), 1 | 27 << 2 };
	history->level = LEVEL_SUSPECT;
	history->level_since_s = NOW - 60;
	facts.content = (struct content){ .known = KNOWLEDGE_FULL, .threshold = 5 };
	return facts;
}

static const char *pool_of(const struct facts *facts)
{
	struct policy policy = base_policy;
	memcpy(policy.signals, signal_defaults, sizeof policy.signals);
	return judge(&policy, STAGE_MESSAGE, facts).pool->name;
}

/* Whoever has another address of the provider each day is the owner; who writes to the whole address book is not. */
static void test_near_to_all(void)
{
	struct facts facts = settled();
	struct history *history = &facts.state.history;
	for (uint16_t i = 1; i <= 5; i++)
		history->habits.networks[i] = entry((uint16_t)(i + 10));
	facts.client_network = thing(2);
	is_str(pool_of(&facts), "clean", "from another address of the provider to one whom it knows");
	history->counters.value[COUNTER_AWAY] = 60;
	is_str(pool_of(&facts), "suspect", "the same, and to sixty others within the hour");
}

static void test_flood_from_home(void)
{
	struct facts facts = settled();
	struct rates *rates = &facts.state.history.rates;
	facts.rcpts_new = 1;
	is_str(pool_of(&facts), "clean", "from the desk to a stranger");
	rates->at_ms = facts.now_ms;
	rates->present[WINDOW_MSGS_PER_HOUR] = rates->present[WINDOW_NEW_RCPTS_PER_DAY] = 100;
	is_str(pool_of(&facts), "clean", "to a hundred");
	rates->present[WINDOW_MSGS_PER_HOUR] = rates->present[WINDOW_NEW_RCPTS_PER_DAY] = 500;
	is_str(pool_of(&facts), "suspect", "to five hundred");
}

/* Why a signal has no term, or a smaller one. */
static void test_spoke(void)
{
	struct policy policy = base_policy;
	memcpy(policy.signals, signal_defaults, sizeof policy.signals);
	static const struct {
		const char *name;
		double score; /* of 5; below nought: no scanner answered */
		enum signal signal;
		enum spoke want;
	} rows[] = {
		{ "text in which nothing bad is seen", 0.5, SIGNAL_CONTENT, SPOKE_HARMLESS },
		{ "text that is not quite spam", 4, SIGNAL_SPAM, SPOKE_NO_SPAM },
		{ "spam", 9, SIGNAL_SPAM, SPOKE_NOTHING },
		{ "no scanner", -1, SIGNAL_CONTENT, SPOKE_UNKNOWN },
		{ "to a stranger, from its own network", -1, SIGNAL_BURST, SPOKE_HOME },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = owner();
		facts.rcpts_new = 1;
		facts.text = thing(5);
		if (rows[i].score >= 0)
			facts.content = (struct content){ .known = KNOWLEDGE_FULL,
							  .spam = rows[i].score >= 5,
							  .score = rows[i].score,
							  .threshold = 5 };
		struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
		is_int(verdict.terms.spoke[rows[i].signal], rows[i].want, "spoke: %s", rows[i].name);
	}
}

static void test_home(void)
{
	static const struct {
		const char *name;
		uint16_t network;
		int64_t age_days;
		uint8_t days, letters;
		double own_texts;
		bool ours, home;
	} rows[] = {
		{ "a person at his desk", 1, 30, 20, 3, 0, false, true },
		{ "somewhere else", 2, 30, 20, 3, 0, false, false },
		{ "a webmail host of ours", 1, 30, 20, 3, 0, true, false },
		{ "an account of two days", 1, 2, 20, 3, 0, false, false },
		{ "one that sent on two days", 1, 30, 2, 3, 0, false, false },
		{ "a program that sends its texts", 1, 30, 20, 3, 4, false, false },
		{ "one that writes few letters", 1, 30, 20, 2, 0, false, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = owner();
		struct history *history = &facts.state.history;
		facts.client_network = thing(rows[i].network);
		facts.client_ours = rows[i].ours;
		history->first_s = NOW - rows[i].age_days * DAY;
		history->habits.days = rows[i].days;
		history->counters.value[COUNTER_OWN_TEXTS] = rows[i].own_texts;
		for (int letter = rows[i].letters; letter < 3; letter++)
			history->habits.texts[1 + letter].entry = 0;
		is_int(familiar_of(&facts).home, rows[i].home, "home: %s", rows[i].name);
	}
}

static void test_harmless(void)
{
	static const struct {
		const char *name;
		bool text, known, spam;
		double score, threshold;
		bool plain, harmless;
	} rows[] = {
		{ "a score of nought", true, true, false, 0, 5, true, true },
		{ "below a fifth of the threshold", true, true, false, 0.99, 5, true, true },
		{ "a fifth of it", true, true, false, 1, 5, true, false },
		{ "half of it", true, true, false, 2.5, 5, false, false },
		{ "spam that has no score", true, true, true, NAN, 5, false, false },
		{ "what has no text", false, true, false, 0, 5, false, false },
		{ "no scanner", true, false, false, 0, 5, false, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = owner();
		facts.text = rows[i].text ? thing(5) : 0;
		facts.content = (struct content){ .known = rows[i].known ? KNOWLEDGE_FULL : KNOWLEDGE_NONE,
						  .spam = rows[i].spam,
						  .score = rows[i].score,
						  .threshold = rows[i].threshold };
		struct familiar familiar = familiar_of(&facts);
		is_int(familiar.plain, rows[i].plain, "plain: %s", rows[i].name);
		is_int(familiar.harmless, rows[i].harmless, "harmless: %s", rows[i].name);
	}
}

int main(void)
{
	test_places();
	test_text();
	test_homely();
	test_home();
	test_harmless();
	test_owner_goes_on();
	test_near_to_all();
	test_flood_from_home();
	test_spoke();
	return done_testing();
}
