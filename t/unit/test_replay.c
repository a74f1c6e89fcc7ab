/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages one after the other, as replay has them: each finds what the ones before it left.
 */
#include "policy/plan.h"
#include "policy/replay/replay.h"

#include "t/unit/judge_fixture.h"

#include <math.h>
#include <string.h>

struct play {
	struct policy policy;
	struct replayed replayed;
	struct limits plan;
	int64_t now_s;
};

static struct play begin(void)
{
	struct row row = { "a new account", .store_away = false };
	struct play play = { .policy = policy_of(&row), .plan = limits_unset, .now_s = NOW };
	for (int i = 0; i < SIGNAL_COUNT; i++) /* limits are what is looked at */
		play.policy.signals[i].weight = 0;
	return play;
}

static bool fill(const void *arg, const char *name, struct limits *limits)
{
	bool is = strcmp(name, "default") == 0;
	if (is)
		limits_fill(limits, arg);
	return is;
}

/* A message, or what was tried at `stage`, from network `network`; a minute later than the one before it. */
static struct verdict next(struct play *play, enum stage stage, int64_t rcpts, uint64_t network)
{
	struct row row = { "next", .rcpts = rcpts, .local_only = rcpts == 0, .local = 1 };
	struct facts facts = facts_of(&row);
	play->now_s += 60;
	facts.now_ms = play->now_s * 1000;
	facts.client_address = facts.client_network = facts.client_as = network;
	facts.rcpts_trapped = rcpts == 0 ? 1 : 0;
	facts.breach = breach_none;
	facts.state.limits = limits_unset;
	facts.state.history = play->replayed.history;
	plan_limits(facts.account, &facts.state, facts.now_ms, fill, &play->plan, &facts.limits);
	return replay_message(&play->policy, stage, &facts, &play->replayed);
}

static void test_sums(void)
{
	struct play play = begin();
	play.plan.window[WINDOW_RCPTS_PER_HOUR] = 5;
	is_int(next(&play, STAGE_MESSAGE, 3, 1).action, ACTION_PASS, "three recipients of five an hour");
	struct verdict verdict = next(&play, STAGE_MESSAGE, 3, 1);
	is_int(verdict.action, ACTION_DEFER, "three more are too many");
	is_int(verdict.breach.window, WINDOW_RCPTS_PER_HOUR, "of which");
	is_int(next(&play, STAGE_MESSAGE, 2, 1).action, ACTION_PASS, "what was refused burnt nothing");
	ok(play.replayed.history.counters.value[COUNTER_BREACHES] > 0.9, "but it was a breach");
}

static void test_distinct(void)
{
	struct play play = begin();
	play.plan.window[WINDOW_NETWORKS_PER_DAY] = 2;
	is_int(next(&play, STAGE_MESSAGE, 1, 0x1111222233334444U).action, ACTION_PASS, "one network");
	is_int(next(&play, STAGE_MESSAGE, 1, 0x5555666677778888U).action, ACTION_PASS, "two");
	struct verdict verdict = next(&play, STAGE_MESSAGE, 1, 0x9999aaaabbbbccccU);
	is_int(verdict.action, ACTION_DEFER, "a third is too many");
	is_int(verdict.breach.window, WINDOW_NETWORKS_PER_DAY, "of which");
	is_int(next(&play, STAGE_MESSAGE, 1, 0x1111222233334444U).action, ACTION_PASS, "the first is none more");
}

static void test_ramp(void)
{
	struct play play = begin();
	play.plan.ramp_first_day = 10;
	play.plan.ramp_growth = 2;
	is_int(next(&play, STAGE_MESSAGE, 8, 1).action, ACTION_PASS, "the first day's part");
	struct verdict verdict = next(&play, STAGE_MESSAGE, 8, 1);
	is_int(verdict.action, ACTION_DEFER, "no more of it");
	ok(verdict.breach.ramp && verdict.breach.limit == 10, "for the ramp");
	play.now_s += 2 * DAY;
	is_int(next(&play, STAGE_MESSAGE, 8, 1).action, ACTION_PASS, "another day");
	play.now_s += 2 * DAY;
	is_int(next(&play, STAGE_MESSAGE, 16, 1).action, ACTION_PASS, "behind days that went well there is more");
}

static void test_early(void)
{
	struct play play = begin();
	play.plan.window[WINDOW_RCPTS_PER_HOUR] = 1;
	next(&play, STAGE_MESSAGE, 1, 1);
	for (int i = 0; i < 9; i++)
		is_int(next(&play, STAGE_MAIL, 1, 1).action, ACTION_DEFER, "it tries each minute");
	ok(fabs(play.replayed.history.counters.value[COUNTER_BREACHES] - 1) < 0.01,
	   "in ten minutes one breach is counted");
	next(&play, STAGE_RCPT, 1, 1);
	next(&play, STAGE_RCPT, 1, 1);
	ok(play.replayed.history.counters.value[COUNTER_BREACHES] > 1.9, "later another");
}

static void test_trap(void)
{
	struct play play = begin();
	next(&play, STAGE_MESSAGE, 0, 1);
	ok(play.replayed.history.counters.value[COUNTER_TRAPS] == 0, "a trap is told later, by a line of its own");
	ok(play.replayed.history.rates.present[WINDOW_MSGS_PER_DAY] == 0, "and costs nothing");
	replay_feedback(&play.replayed, COUNTER_DEAD, 3, play.now_s * 1000);
	ok(play.replayed.history.counters.value[COUNTER_DEAD] > 2.9, "what is learnt later is learnt");
}

int main(void)
{
	test_sums();
	test_distinct();
	test_ramp();
	test_early();
	test_trap();
	return done_testing();
}
