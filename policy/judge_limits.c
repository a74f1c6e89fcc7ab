/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules about how much an account, its domain, its customer and all together may send.
 */
#include "policy/judge_inside.h"

#include "policy/base/banned.h"

enum { DAY_S = 86400 };

/* What a plan wants done with a message over its limit. Before the message is there, it cannot be held or slowed. */
static void judge_limits_apply_over(enum over over, enum reason_id cause, struct verdict *verdict)
{
	switch (over) {
	case OVER_REJECT:
		verdict_raise(verdict, ACTION_REJECT, cause);
		break;
	case OVER_HOLD:
		verdict_raise(verdict, ACTION_HOLD, cause);
		break;
	case OVER_SLOW:
		verdict->slow = verdict->throttle = true;
		break;
	default:
		verdict_raise(verdict, ACTION_DEFER, cause);
	}
}

/* A plan that only logs what it would do: judge() then asks once more. */
static bool only_logged(const struct policy *policy, enum over over, struct verdict *verdict)
{
	bool shown = over == OVER_LOG && !policy->log_acts;
	verdict->would.shown |= shown;
	return shown;
}

enum answer rule_rcpts_per_message(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	int64_t limit = facts->limits.rcpts_per_message;
	if (limit == LIMIT_UNSET || facts->rcpts_remote <= limit || judge_exempt(facts))
		return NO;
	if (only_logged(policy, facts->limits.over, verdict))
		return NO;
	verdict_add(verdict, REASON_RCPTS_PER_MESSAGE, (double)facts->rcpts_remote, (double)limit, NULL);
	judge_limits_apply_over(facts->limits.over, REASON_RCPTS_PER_MESSAGE, verdict);
	return YES;
}

struct amounts judge_amounts(const struct facts *facts)
{
	return (struct amounts){ .of = {
					 [COUNTED_MESSAGES] = 1,
					 [COUNTED_RECIPIENTS] = facts->rcpts_remote > 0 ? facts->rcpts_remote : 1,
					 [COUNTED_KBYTES] = facts->kbytes,
					 [COUNTED_NEW_RCPTS] = facts->rcpts_new,
				 } };
}

/* What the account's own sums say before Redis has. */
static void judge_limits_sums_breach(const struct facts *facts, struct breach *breach)
{
	struct rates rates = facts->state.history.rates;
	struct amounts amounts = judge_amounts(facts);
	rates_roll(&rates, facts->now_ms);
	breach->window = rates_over(&rates, &facts->limits, &amounts);
	if (breach->window == WINDOW_COUNT)
		return;
	breach->limit = facts->limits.window[breach->window];
	breach->used = rates_used(&rates, breach->window);
	breach->frees_in_s =
		rates_frees_in(&rates, breach->window, breach->limit, amounts.of[window_counted(breach->window)]);
	breach->over = facts->limits.over;
}

/* Which of the things it counts the message brings; 0: unknown, which is nothing to be counted. */
static uint64_t distinct_of(const struct facts *facts, enum counted what)
{
	return what == COUNTED_ADDRESSES  ? facts->client_address
	       : what == COUNTED_NETWORKS ? facts->client_network
					  : facts->client_as;
}

/* Addresses, networks and ASes a day. These are counts of habits, which nobody charges: the estimate is rounded, so
 * that its error does not refuse the third of three. */
static void judge_limits_distinct_breach(const struct facts *facts, struct breach *breach)
{
	struct habit_facts habit = signals_habit_facts(facts);
	for (int i = WINDOW_SUMS; i < WINDOW_COUNT; i++) {
		enum counted what = window_counted((enum window)i);
		int64_t limit = facts->limits.window[i];
		if (limit == LIMIT_UNSET || distinct_of(facts, what) == 0)
			continue;
		double used = habit_distinct(&facts->state.history.habits, what, &habit);
		if (used < (double)limit + 0.5)
			continue;
		*breach = (struct breach){
			.window = (enum window)i,
			.limit = limit,
			.used = used,
			.over = facts->limits.over,
			.frees_in_s = DAY_S - habit.now_s % DAY_S, /* then yesterday's begin to count less */
		};
		return;
	}
}

/* The first limit that the message passes, of whatever scope; window WINDOW_COUNT: none. */
static struct breach judge_limits_find_breach(const struct facts *facts)
{
	struct breach breach = breach_none;
	if (facts->charged)
		breach = facts->breach;
	else
		judge_limits_sums_breach(facts, &breach);
	if (breach.window == WINDOW_COUNT)
		judge_limits_distinct_breach(facts, &breach);
	if (breach.scope == SCOPE_ACCOUNT && breach.window == WINDOW_RCPTS_PER_DAY)
		breach.ramp = facts->limits.ramped;
	return breach;
}

/* Mail between users of this host is not counted. At MAIL one recipient to come is assumed: an account that is over
 * its limit hears of it before it sends the rest. */
enum answer rule_limits(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	bool local_only = facts->rcpts_remote == 0 && facts->rcpts_local > 0;
	if (judge_exempt(facts) || local_only)
		return NO;
	struct breach breach = judge_limits_find_breach(facts);
	if (breach.window == WINDOW_COUNT || only_logged(policy, breach.over, verdict))
		return NO;
	verdict->breach = breach;
	if (breach.blocked) {
		verdict_add(verdict, REASON_ADMIN_BLOCK, 0, 0,
			    facts->group_block[0] != '\0' ? facts->group_block : NULL);
		verdict_raise(verdict, ACTION_REJECT, REASON_ADMIN_BLOCK);
		return YES;
	}
	verdict_add(verdict, REASON_LIMIT, breach.used, (double)breach.limit, window_path(breach.scope, breach.window));
	judge_limits_apply_over(breach.over, REASON_LIMIT, verdict);
	return YES;
}
