/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/hangups.h"

#include "t/unit/tap.h"

#define T0 (INT64_C(1699999200) / 86400 * 86400) /* midnight */
enum { HOUR = 3600, DAY = 86400 };

static uint64_t chance_state = 88172645463325252U;

static double chance(void)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (double)(chance_state >> 11) / 9007199254740992.0;
}

/* An hour's sessions; a client that hangs up does so three times. */
static struct hangups_count an_hour(int sessions, double share)
{
	struct hangups_count count = { .sessions = sessions };
	for (int i = 0; i < sessions; i += 3)
		count.hung_up += chance() < share ? fmin(3, sessions - i) : 0;
	return count;
}

struct played {
	int jumps, ends, first_jump_h, first_end_h; /* hours from the beginning; -1: none */
};

/* By night a tenth of the sessions come, and of those `night` times the share hangs up. */
static struct played play(struct hangups *hangups, int from_h, int hours, int a_day_hour, double share, double night)
{
	struct played played = { 0, 0, -1, -1 };
	for (int hour = from_h; hour < from_h + hours; hour++) {
		bool dark = hour % 24 < 7;
		struct hangups_count count =
			an_hour(dark ? a_day_hour / 10 : a_day_hour, fmin(share * (dark ? night : 1), 0.97));
		int64_t now_s = T0 + (int64_t)hour * HOUR;
		enum hangups_news news = hangups_judge(hangups, now_s + HOUR - 1, count);
		if (news == HANGUPS_JUMPED && played.jumps++ == 0)
			played.first_jump_h = hour - from_h;
		if (news == HANGUPS_ENDED && played.ends++ == 0)
			played.first_end_h = hour - from_h;
		hangups_learn(hangups, now_s, count);
	}
	return played;
}

/* A quarter of a per cent for a year, then a jump, then quiet again. */
static void test_jump(void)
{
	struct hangups hangups = { 0 };
	struct played played = play(&hangups, 0, 365 * 24, 1000, 0.0025, 2);
	printf("# %d alarms in a quiet year\n", played.jumps);
	ok(played.jumps <= 2, "a quiet year has no more than two false alarms");
	is_near(hangups_usual(&hangups, T0 + 365 * (int64_t)DAY + 12 * HOUR), 0.0025, 0.002, "what is usual is learnt");
	played = play(&hangups, 365 * 24 + 10, 48, 1000, 0.02, 1);
	is_int(played.jumps, 1, "a jump is told once");
	ok(played.first_jump_h <= 2, "and within hours");
	ok(hangups.alarm_s != 0, "it lasts");
	played = play(&hangups, 365 * 24 + 58, 48, 1000, 0.0025, 2);
	is_int(played.ends, 1, "that it is over is told once");
	ok(played.first_end_h <= 24, "and within a day");
}

/* A small host that bots come to more than servers: three in five, by night more. */
static void test_small(void)
{
	struct hangups hangups = { 0 };
	struct played played = play(&hangups, 0, 90 * 24, 60, 0.6, 1.5);
	printf("# %d alarms in a quiet quarter\n", played.jumps);
	ok(played.jumps <= 1, "a small host has no false alarm in three months, but one");
	played = play(&hangups, 90 * 24 + 10, 12, 300, 0.95, 1);
	is_int(played.jumps, 1, "it has its jump, too");
}

/* A share that stays becomes the usual one. */
static void test_stays(void)
{
	struct hangups hangups = { 0 };
	play(&hangups, 0, 60 * 24, 1000, 0.0025, 1);
	struct played played = play(&hangups, 60 * 24, 300 * 24, 1000, 0.03, 1);
	printf("# told after %d hours, over after %d\n", played.first_jump_h, played.first_end_h);
	ok(played.first_jump_h == 0 || played.first_jump_h < 12, "a jump that stays is told at once");
	ok(played.first_end_h >= 14 * 24, "is told to be over not within two weeks");
	ok(hangups.alarm_s == 0, "and is the usual share within ten months");
}

static void test_edges(void)
{
	struct hangups hangups = { 0 };
	struct hangups_count all = { 1000, 1000 }, nonsense = { 10, 1e9 }, none = { 0, 0 };
	ok(isnan(hangups_usual(&hangups, T0)), "nothing is learnt: nothing is usual");
	is_int(hangups_judge(&hangups, T0, all), HANGUPS_NOTHING, "and nothing is a jump");
	hangups_learn(&hangups, T0, all);
	is_int(hangups_judge(&hangups, T0 + HOUR, all), HANGUPS_NOTHING, "nor within the first day");
	hangups_learn(&hangups, T0 + 2 * (int64_t)DAY, all);
	is_int(hangups_judge(&hangups, T0 + 2 * (int64_t)DAY, all), HANGUPS_NOTHING, "all hang up, as usual");
	hangups_learn(&hangups, T0, nonsense);
	hangups_learn(&hangups, T0, none);
	hangups_learn(&hangups, -5, all);
	is_int(hangups_judge(&hangups, T0, none), HANGUPS_NOTHING, "nobody came");
	ok(isfinite(hangups_usual(&hangups, T0 + 3 * (int64_t)DAY)), "a clock that goes back and forth breaks nothing");
	hangups_learn(&hangups, T0 + INT64_C(86400) * 100000, all);
	ok(isfinite(hangups_usual(&hangups, T0 + INT64_C(86400) * 100000)), "nor one that leaps");
}

int main(void)
{
	test_jump();
	test_small();
	test_stays();
	test_edges();
	return done_testing();
}
