/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/plan.h"

#include "policy/ramp.h"

#include "policy/base/banned.h"

void plan_limits(const char *account, const struct account_state *state, int64_t now_ms, plan_fill *fill, const void *arg,
		 struct limits *limits_out)
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
