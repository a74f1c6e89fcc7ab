/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/signal.h"

#include "t/unit/tap.h"

#include <math.h>

static const int64_t start_ms = 1700006400000;

static void test_decay(void)
{
	static const int half_lives_s[] = {
#define HALF_LIFE(id, word, half_life_s, cap) half_life_s,
		COUNTER_ROWS(HALF_LIFE)
#undef HALF_LIFE
	};
	for (int i = 0; i < COUNTER_COUNT; i++) {
		enum counter counter = (enum counter)i;
		struct counters counters = { .at_ms = start_ms };
		counters.value[i] = 100;
		int64_t half = (int64_t)half_lives_s[i] * 1000;
		counters_decay(&counters, start_ms + half);
		is_near(counters.value[i], 50, 1e-9, "%s: half of it is left after a half-life", counter_word(counter));
		counters_decay(&counters, start_ms + 3 * half);
		is_near(counters.value[i], 12.5, 1e-9, "%s: an eighth after three", counter_word(counter));
		is_int(counters.at_ms, start_ms + 3 * half, "%s: the time is kept", counter_word(counter));
	}
	struct counters once = { .at_ms = start_ms, .value = { 7, 6, 5, 4, 3 } }, often = once;
	counters_decay(&once, start_ms + 86400000);
	for (int hour = 1; hour <= 24; hour++)
		counters_decay(&often, start_ms + hour * 3600000LL);
	for (int i = 0; i < COUNTER_COUNT; i++)
		is_near(often.value[i], once.value[i], 1e-9, "%s: many steps are one", counter_word((enum counter)i));
	struct counters back = { .at_ms = start_ms, .value = { 7, 6, 5, 4, 3 } };
	counters_decay(&back, start_ms - 86400000);
	is_near(back.value[COUNTER_SPAM], 5, 0, "a clock that went back changes nothing");
	is_int(back.at_ms, start_ms, "nor the time");
	struct counters fresh = { .at_ms = 0 };
	fresh.value[COUNTER_SPAM] = 1;
	counters_decay(&fresh, start_ms);
	is_near(fresh.value[COUNTER_SPAM], 1, 0, "counts without a time begin now");
	struct counters old = { .at_ms = 1, .value = { 1e300, 1e300, 1e300, 1e300, 1e300 } };
	counters_decay(&old, INT64_MAX);
	is_near(old.value[COUNTER_SPAM], 0, 0, "nothing is for ever");
}

static const struct {
	const char *name;
	double value[COUNTER_COUNT];	/* messages, rcpts, spam, exploit, breaches */
	double spam, exploit, breaches; /* the terms, worked out by hand */
} rows[] = {
	{ "nothing seen", { 0, 0, 0, 0, 0 }, 0, 0, 0 },
	{ "much good mail is no credit here", { 100000, 100000, 0, 0, 0 }, 0, 0, 0 },
	{ "the first message is spam", { 1, 1, 1, 0, 0 }, 1.7918, 0, 0 },
	{ "two of two", { 2, 2, 2, 0, 0 }, 2.3979, 0, 0 },
	{ "one in a thousand", { 1000, 1000, 1, 0, 0 }, 0, 0, 0 },
	{ "two hundred in a thousand", { 1000, 1000, 200, 0, 0 }, 3.1854, 0, 0 },
	{ "as much as is expected", { 100, 100, 1, 0, 0 }, 0, 0, 0 },
	{ "spam that was refused, and no message sent", { 0, 0, 1, 0, 0 }, 1.7918, 0, 0 },
	{ "nothing but spam, and much of it", { 1e6, 1e6, 1e6, 0, 0 }, 8.0, 0, 0 },
	{ "one submission from a listed client", { 1, 1, 0, 1, 0 }, 0, 0.6487, 0 },
	{ "all of them", { 1000, 1000, 0, 1000, 0 }, 0, 3.5, 0 },
	{ "one breach", { 0, 0, 0, 0, 1 }, 0, 0, 0.1733 },
	{ "a hundred breaches", { 0, 0, 0, 0, 100 }, 0, 0, 1.1538 },
	{ "a million breaches", { 0, 0, 0, 0, 1e6 }, 0, 0, 1.5 },
};

static struct score reputation_score(const struct counters *counters, double prior)
{
	struct history history = { .level = LEVEL_UNKNOWN };
	struct sight sight = { .history = &history, .counters = *counters, .now_ms = counters->at_ms };
	return signals_score(signal_defaults, &sight, prior);
}

static void test_terms(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct counters counters = { .at_ms = start_ms };
		memcpy(counters.value, rows[i].value, sizeof rows[i].value);
		struct score score = reputation_score(&counters, -1.25);
		is_near(score.prior, -1.25, 0, "%s: the prior", rows[i].name);
		is_near(score.term[SIGNAL_SPAM], rows[i].spam, 0.0002, "%s: spam", rows[i].name);
		is_near(score.term[SIGNAL_EXPLOIT], rows[i].exploit, 0.0002, "%s: listed", rows[i].name);
		is_near(score.term[SIGNAL_BREACHES], rows[i].breaches, 0.0002, "%s: breaches", rows[i].name);
		double sum = score.prior;
		for (int term = 0; term < SIGNAL_COUNT; term++)
			sum += score.term[term];
		is_near(score.sum, sum, 1e-12, "%s: the terms are the sum", rows[i].name);
	}
}

/* What servers refuse: a filter may err, and two hundred do not. */
static void test_refused(void)
{
	static const struct {
		double rcpts, refused, term; /* worked out by hand */
	} cases[] = {
		{ 13, 1, 0 }, { 0, 1, 0 }, { 1000, 10, 0 }, { 26, 2, 0.5787 }, { 1000, 200, 2.9977 }, { 1e6, 1e6, 5.0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct counters counters = { .at_ms = start_ms };
		counters.value[COUNTER_RCPTS] = cases[i].rcpts;
		counters.value[COUNTER_REFUSED] = cases[i].refused;
		struct score score = reputation_score(&counters, -2.5);
		is_near(score.term[SIGNAL_REFUSED], cases[i].term, 0.0002, "%g of %g refused", cases[i].refused,
			cases[i].rcpts);
		is_near(score.hard, score.term[SIGNAL_REFUSED], 0, "... only abuse brings that");
		is_near(score.sum, score.prior + score.hard, 1e-12, "... and it is the sum");
	}
}

/* More of something bad never lowers the score; more good mail beside it never raises it. */
static void test_monotone(void)
{
	static const enum counter bad[] = { COUNTER_SPAM, COUNTER_EXPLOIT, COUNTER_BREACHES };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bool rising = true, bounded = true;
		double last = -INFINITY;
		for (int count = 0; count <= 3000; count++) {
			struct counters counters = { .at_ms = start_ms, .value = { 1000, 1000, 0, 0, 0 } };
			counters.value[bad[i]] = count;
			double sum = reputation_score(&counters, -3).sum;
			rising = rising && sum >= last;
			bounded = bounded && isfinite(sum) && sum >= -3 && sum <= -3 + 8 + 2.5 + 1.5;
			last = sum;
		}
		ok(rising, "%s: more is never better", counter_word(bad[i]));
		ok(bounded, "%s: the score stays between the prior and the caps", counter_word(bad[i]));
	}
	bool falling = true;
	double last = INFINITY;
	for (int messages = 10; messages <= 10000; messages += 10) {
		struct counters counters = { .at_ms = start_ms, .value = { messages, messages, 10, 10, 0 } };
		double sum = reputation_score(&counters, -1).sum;
		falling = falling && sum <= last;
		last = sum;
	}
	ok(falling, "more good mail is never worse");
}

/* Counts come from Redis, where anybody may have written. */
static void test_nonsense(void)
{
	static const double odd[] = { -1, -1e300, 1e300, INFINITY, -INFINITY, NAN, -20, -40, 0.0 / 1 };
	bool bounded = true;
	double highest = -1;
	for (int i = 0; i < SIGNAL_COUNT; i++)
		highest += signal_defaults[i].cap;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		for (size_t j = 0; j < sizeof odd / sizeof odd[0]; j++) {
			struct counters counters = { .at_ms = start_ms };
			for (int k = 0; k < COUNTER_COUNT; k++)
				counters.value[k] = k % 2 == 0 ? odd[i] : odd[j];
			double sum = reputation_score(&counters, -1).sum;
			bounded = bounded && sum >= -1 && sum <= highest;
		}
	ok(bounded, "counts that are no counts leave the score in its bounds");
}

static void test_words(void)
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		ok(signal_find(signal_word((enum signal)i)) == (enum signal)i, "%s is found by its word",
		   signal_word((enum signal)i));
}

int main(void)
{
	test_decay();
	test_terms();
	test_refused();
	test_monotone();
	test_nonsense();
	test_words();
	return done_testing();
}
