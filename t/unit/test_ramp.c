/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/ramp.h"

#include "t/unit/tap.h"

enum { NOW = 1700006400, DAY = 86400 };

static void test_cap(void)
{
	/* clang-format off */
	static const struct {
		int64_t first, days, want;
		double growth;
	} rows[] = {
		{ 100, 0, 100, 1.4 }, { 100, 1, 140, 1.4 }, { 100, 2, 196, 1.4 }, { 100, 10, 2893, 1.4 },
		{ 100, 1, 140, 0 }, { 100, 1, 200, 2 }, { 100, 30, 100, 1 }, { 100, -5, 100, 1.4 },
		{ 0, 30, 0, 1.4 }, { 100, 255, LIMIT_MAX, 1.4 }, { 100, INT64_MAX, LIMIT_MAX, 1.4 },
		{ LIMIT_MAX, 1, LIMIT_MAX, 10 },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(ramp_cap(rows[i].first, rows[i].growth, rows[i].days), rows[i].want,
		       "%lld on day %lld, growing by %g", (long long)rows[i].first, (long long)rows[i].days,
		       rows[i].growth);
}

static void test_limits(void)
{
	static const struct {
		const char *name;
		int64_t first, plan, created_days, want;
		uint8_t days;
		bool lowers;
	} rows[] = {
		{ "no ramp", LIMIT_UNSET, 5000, 0, 5000, 0, false },
		{ "the first day", 50, 5000, 0, 50, 0, true },
		{ "the fourth day", 50, 5000, 0, 137, 3, true },
		{ "grown up", 50, 5000, 0, 5000, 20, false },
		{ "no plan", 50, LIMIT_UNSET, 0, 50, 0, true },
		{ "a plan that is lower anyway", 50, 20, 0, 20, 0, false },
		{ "made a year ago, and new to us", 50, 5000, 365, 5000, 0, false },
		{ "made three days ago", 50, 5000, 3, 137, 0, true },
		{ "made today, and here for three days: a panel errs", 50, 5000, 0, 137, 3, true },
		{ "made in the future", 50, 5000, -10, 50, 0, true },
		{ "nothing on the first day", 0, 5000, 0, 0, 9, true },
		{ "no plan, and grown beyond all limits", 50, LIMIT_UNSET, 0, LIMIT_UNSET, 255, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct limits limits = limits_unset;
		struct history history = { .habits = { .days = rows[i].days } };
		limits.ramp_first_day = rows[i].first;
		limits.window[WINDOW_RCPTS_PER_DAY] = rows[i].plan;
		limits.created_s = rows[i].created_days != 0 ? NOW - rows[i].created_days * DAY : 0;
		ok(ramp_limits(&limits, &history, NOW) == rows[i].lowers, "%s: lowers or not", rows[i].name);
		is_int(limits.window[WINDOW_RCPTS_PER_DAY], rows[i].want, "%s", rows[i].name);
	}
}

static void test_withheld(void)
{
	is_int(ramp_withheld(100, 0, NOW), 0, "nothing sent, nothing withheld");
	is_int(ramp_withheld(100, 100, NOW), 100, "at the cap it is out");
	is_int(ramp_withheld(100, 1000000, NOW), 100, "and beyond it");
	is_int(ramp_withheld(0, 0, NOW), 100, "a cap of nothing");
	bool rising = true;
	int last = 0;
	for (int64_t sent = 0; sent <= 100; sent++) {
		int withheld = ramp_withheld(100, sent, NOW - NOW % DAY + DAY / 2);
		rising = rising && withheld >= last && withheld >= 0 && withheld <= 100;
		last = withheld;
	}
	ok(rising, "the more is sent, the more is withheld");
	ok(ramp_withheld(100, 40, NOW - NOW % DAY) > 90, "the day's part does not go in its first hour");
	is_int(ramp_withheld(100, 40, NOW - NOW % DAY + DAY - 1), 0, "in the evening there is room");
}

int main(void)
{
	test_cap();
	test_limits();
	test_withheld();
	return done_testing();
}
