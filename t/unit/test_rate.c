/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rate.h"

#include "t/unit/tap.h"

#include <math.h>

enum { START = 1700006400 }; /* Unix time; a whole day, hour and minute begin here */

static const int64_t start_ms = (int64_t)START * 1000;

static uint64_t seed = 88172645463325252U;

static int64_t some(int64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int64_t)(seed % (uint64_t)below);
}

static void test_roll(void)
{
	struct rates rates = { .at_ms = 0 };
	rates_roll(&rates, start_ms);
	is_int(rates.at_ms, start_ms, "the first roll sets the time");
	rates_add(&rates, &(struct amounts){ .of = { 1, 10 } });
	is_near(rates_used(&rates, WINDOW_MSGS_PER_MINUTE), 1, 0, "a message counts once");
	is_near(rates_used(&rates, WINDOW_RCPTS_PER_DAY), 10, 0, "its recipients each");

	static const struct {
		int64_t after_ms;
		double used;
	} rows[] = {
		{ 0, 10 },    { 59999, 10 },	      { 60000, 10 }, { 75000, 7.5 },
		{ 90000, 5 }, { 119999, 1.0 / 6000 }, { 120000, 0 }, { 100000000, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rates later = rates;
		rates_roll(&later, start_ms + rows[i].after_ms);
		is_near(rates_used(&later, WINDOW_RCPTS_PER_MINUTE), rows[i].used, 1e-9,
			"ten recipients in a minute, %lld ms later", (long long)rows[i].after_ms);
	}
	struct rates once = rates, twice = rates;
	rates_roll(&once, start_ms + 90000);
	for (int64_t at = 0; at <= 90000; at += 7500)
		rates_roll(&twice, start_ms + at);
	is_near(rates_used(&twice, WINDOW_RCPTS_PER_MINUTE), rates_used(&once, WINDOW_RCPTS_PER_MINUTE), 1e-9,
		"many small steps are one large one");
}

static void test_clock_back(void)
{
	struct rates rates = { .at_ms = 0 };
	rates_roll(&rates, start_ms);
	rates_add(&rates, &(struct amounts){ .of = { 3, 30 } });
	struct rates before = rates;
	rates_roll(&rates, start_ms - 1000);
	rates_roll(&rates, start_ms - RATES_AHEAD_MAX_MS);
	is_int(rates.at_ms, before.at_ms, "a clock that went back does not turn the windows");
	for (int i = 0; i < WINDOW_SUMS; i++)
		is_near(rates_used(&rates, (enum window)i), rates_used(&before, (enum window)i), 0, "%s is left alone",
			window_word((enum window)i));
	rates_roll(&rates, start_ms - RATES_AHEAD_MAX_MS - 1);
	is_int(rates.at_ms, start_ms - RATES_AHEAD_MAX_MS - 1, "counts of a day to come begin anew");
	for (int i = 0; i < WINDOW_SUMS; i++)
		is_near(rates_used(&rates, (enum window)i), 0, 0, "%s is empty", window_word((enum window)i));
}

/* Mail that comes evenly: the estimate is the true count, whenever one looks. */
static void test_even(void)
{
	struct rates rates = { .at_ms = 0 };
	double worst = 0;
	for (int second = 0; second < 3 * 3600; second++) {
		rates_roll(&rates, start_ms + (int64_t)second * 1000);
		rates_add(&rates, &(struct amounts){ .of = { 1, 2 } });
		if (second >= 7200)
			worst = fmax(worst, fabs(rates_used(&rates, WINDOW_RCPTS_PER_HOUR) - 7200));
	}
	ok(worst <= 2 + 1e-6, "an even stream is counted rightly (worst %.3f recipients of 7200)", worst);
}

static void test_over(void)
{
	static const struct {
		const char *name;
		double used; /* in the present period */
		int64_t limit, messages, rcpts;
		enum window window, want;
	} rows[] = {
		{ "no limit at all", 1e9, LIMIT_UNSET, 1, 100000, WINDOW_RCPTS_PER_HOUR, WINDOW_COUNT },
		{ "room", 0, 500, 1, 1, WINDOW_RCPTS_PER_HOUR, WINDOW_COUNT },
		{ "just full", 490, 500, 1, 10, WINDOW_RCPTS_PER_HOUR, WINDOW_COUNT },
		{ "one over", 490, 500, 1, 11, WINDOW_RCPTS_PER_HOUR, WINDOW_RCPTS_PER_HOUR },
		{ "nothing may leave", 0, 0, 1, 1, WINDOW_RCPTS_PER_DAY, WINDOW_RCPTS_PER_DAY },
		{ "nothing to send", 0, 0, 1, 0, WINDOW_RCPTS_PER_DAY, WINDOW_COUNT },
		{ "messages", 5, 5, 1, 0, WINDOW_MSGS_PER_MINUTE, WINDOW_MSGS_PER_MINUTE },
		{ "more than the limit itself", 0, 5, 1, 6, WINDOW_RCPTS_PER_MINUTE, WINDOW_RCPTS_PER_MINUTE },
		{ "a hundred thousand recipients", 0, 99999, 1, 100000, WINDOW_RCPTS_PER_DAY, WINDOW_RCPTS_PER_DAY },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct limits limits = limits_unset;
		struct rates rates = { .at_ms = start_ms };
		limits.window[rows[i].window] = rows[i].limit;
		rates.present[rows[i].window] = rows[i].used;
		is_int(rates_over(&rates, &limits, &(struct amounts){ .of = { rows[i].messages, rows[i].rcpts } }),
		       rows[i].want, "%s", rows[i].name);
	}
	struct limits limits = limits_unset;
	struct rates rates = { .at_ms = start_ms };
	limits.window[WINDOW_MSGS_PER_DAY] = limits.window[WINDOW_RCPTS_PER_HOUR] = 0;
	is_int(rates_over(&rates, &limits, &(struct amounts){ .of = { 1, 1 } }), WINDOW_MSGS_PER_DAY,
	       "of two, the first is named");
}

static double used_after(const struct rates *rates, enum window window, int64_t seconds)
{
	struct rates later = *rates;
	rates_roll(&later, rates->at_ms + seconds * 1000);
	return rates_used(&later, window);
}

/* After the wait there is room, one second earlier there is not. */
static void test_frees_in(enum window window)
{
	const double slack = 1e-6;
	int early = 0, late = 0, never = 0;
	for (int i = 0; i < 20000; i++) {
		struct rates rates = { .at_ms = start_ms + some(window_seconds(window) * 1000) };
		int64_t limit = some(i % 2 != 0 ? 10 : 1000), more = 1 + some(i % 3 != 0 ? 3 : 1000);
		rates.present[window] = (double)some(i % 5 != 0 ? 20 : 3000);
		rates.before[window] = (double)some(i % 7 != 0 ? 20 : 3000);
		int64_t wait = rates_frees_in(&rates, window, limit, more);
		if (more > limit) {
			never += wait != window_seconds(window);
			continue;
		}
		double room = (double)(limit - more);
		early += used_after(&rates, window, wait) > room + slack;
		late += wait > 0 && used_after(&rates, window, wait - 1) < room - slack;
		late += wait < 0 || wait > 2 * window_seconds(window);
	}
	is_int(early, 0, "%s: after the wait there is room", window_word(window));
	is_int(late, 0, "%s: one second earlier there is not", window_word(window));
	is_int(never, 0, "%s: what never fits waits for the window's length", window_word(window));
}

static void test_frees_rows(void)
{
	static const struct {
		const char *name;
		int64_t into_s; /* seconds into the hour */
		double present, before;
		int64_t limit, more, want;
	} rows[] = {
		{ "there is room", 0, 0, 0, 10, 1, 0 },
		{ "just full", 0, 9, 0, 10, 1, 0 },
		{ "the hour before runs out", 0, 0, 10, 10, 1, 360 },
		{ "half of it has", 1800, 0, 10, 10, 8, 1080 },
		{ "full at the start of an hour", 0, 10, 0, 10, 1, 3600 + 360 },
		{ "full at its end", 3599, 10, 0, 10, 1, 1 + 360 },
		{ "the whole limit at once", 0, 10, 0, 10, 10, 7200 },
		{ "more than the limit", 0, 0, 0, 10, 11, 3600 },
		{ "nothing may leave", 0, 0, 0, 0, 1, 3600 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rates rates = { .at_ms = start_ms + rows[i].into_s * 1000 };
		rates.present[WINDOW_RCPTS_PER_HOUR] = rows[i].present;
		rates.before[WINDOW_RCPTS_PER_HOUR] = rows[i].before;
		is_int(rates_frees_in(&rates, WINDOW_RCPTS_PER_HOUR, rows[i].limit, rows[i].more), rows[i].want, "%s",
		       rows[i].name);
	}
}

int main(void)
{
	test_roll();
	test_clock_back();
	test_even();
	test_over();
	test_frees_rows();
	for (int i = 0; i < WINDOW_SUMS; i++)
		test_frees_in((enum window)i);
	return done_testing();
}
