/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/plan.h"

#include "policy/base/text.h"
#include "policy/ramp.h"

#include "policy/base/banned.h"

void plan_limits(const char *account, const struct account_state *state, int64_t now_ms, plan_fill *fill,
		 const void *arg, struct limits *limits_out)
{
	*limits_out = state->limits;
	limits_expire(limits_out, now_ms / 1000);
	if (state->limits.plan[0] != '\0')
		fill(arg, state->limits.plan, limits_out);
	if (account_is_client(account))
		fill(arg, PLAN_STRANGER, limits_out);
	fill(arg, "default", limits_out);
	/* of an account that nobody remembers just now the age is not known */
	if (state->known != KNOWLEDGE_NONE)
		limits_out->ramped = ramp_limits(limits_out, &state->history, now_ms / 1000);
}

bool plan_of_group(const char *named, const struct limits *given, plan_fill *fill, const void *arg,
		   struct limits *limits_out)
{
	*limits_out = limits_unset;
	bool found = *named != '\0' && fill != NULL && fill(arg, named, limits_out);
	limits_fill(limits_out, given);
	text_copy(limits_out->plan, sizeof limits_out->plan, found ? named : given->plan);
	return found;
}

void plan_group_limits(const struct limits *own, const struct limits *plan, int64_t now_ms, struct limits *limits_out)
{
	*limits_out = *own;
	limits_expire(limits_out, now_ms / 1000);
	limits_fill(limits_out, plan);
	text_copy(limits_out->plan, sizeof limits_out->plan, plan->plan);
}

bool plan_has_place(const struct limits *limits, enum window window, int64_t count)
{
	return limits->window[window] == LIMIT_UNSET || count <= limits->window[window];
}

struct breach plan_group_judge(const struct charge *charge, const struct rates *rates,
			       const int64_t places[WINDOW_COUNT - WINDOW_SUMS])
{
	struct breach breach = breach_none;
	breach.window = rates_over(rates, &charge->limits, &charge->amounts);
	for (int i = WINDOW_SUMS; i < WINDOW_COUNT && breach.window == WINDOW_COUNT; i++)
		if (!plan_has_place(&charge->limits, (enum window)i, places[i - WINDOW_SUMS]))
			breach.window = (enum window)i;
	if (breach.window != WINDOW_COUNT)
		charge_breach(charge, rates, &breach);
	return breach;
}

struct breach plan_group_breach(const char *group, const struct account_state *state, const struct limits *limits,
				int64_t now_ms)
{
	const struct charge one = { .now_ms = now_ms,
				    .limits = *limits,
				    .amounts = { .of = { [COUNTED_MESSAGES] = 1, [COUNTED_RECIPIENTS] = 1 } } };
	struct breach breach = breach_none;
	struct rates rates = state->history.rates;
	rates_roll(&rates, now_ms);
	if (state->exempt[0] == '\0')
		breach.window = rates_over(&rates, limits, &one.amounts);
	if (breach.window != WINDOW_COUNT)
		charge_breach(&one, &rates, &breach);
	breach.scope = account_scope(group);
	return breach;
}
