/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/pools.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/limits.h"
#include "milter/pools/monitor.h"
#include "milter/pools/rests.h"
#include "milter/pools/warmup.h"
#include "policy/base/text.h"

#include "policy/base/banned.h"

void pools_now(const struct config *config, struct transport_state states[TRANSPORTS_ALL_MAX])
{
	monitor_states(config, states);
	warmup_states(config, states);
	rests_states(config, states);
}

struct verdict pools_judge(const struct config *config, const char *account, const struct account_state *state)
{
	struct facts facts = { .now_ms = clock_now_ms(), .state = *state };
	text_copy(facts.account, sizeof facts.account, account);
	limits_of(config, account, state, facts.now_ms, &facts.limits);
	pools_now(config, facts.transports);
	return judge_account(&config->policy, &facts);
}
