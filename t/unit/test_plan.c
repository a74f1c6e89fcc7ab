/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/plan.h"

#include "t/unit/tap.h"

#include <string.h>

enum { NOW = 1700006400, DAY = 86400 };

struct named {
	const char *name;
	struct limits limits;
};

/* Plans: a list that ends without a name. */
static void fill(const void *arg, const char *name, struct limits *limits)
{
	for (const struct named *plan = arg; plan->name != NULL; plan++)
		if (strcmp(plan->name, name) == 0)
			limits_fill(limits, &plan->limits);
}

static struct limits hourly(int64_t rcpts, int64_t ramp)
{
	struct limits limits = limits_unset;
	limits.window[WINDOW_RCPTS_PER_HOUR] = rcpts;
	limits.ramp_first_day = ramp;
	return limits;
}

static void test_order(void)
{
	const struct named plans[] = {
		{ "default", hourly(100, LIMIT_UNSET) }, { "gold", hourly(500, LIMIT_UNSET) },
		{ NULL, limits_unset },
	};
	static const struct {
		const char *name, *plan;
		int64_t own, until_days;
		int64_t want;
	} rows[] = {
		{ "nothing of its own", "", LIMIT_UNSET, 0, 100 },
		{ "its own", "gold", 7, 0, 7 },
		{ "its plan's", "gold", LIMIT_UNSET, 0, 500 },
		{ "a plan that is nowhere", "lead", LIMIT_UNSET, 0, 100 },
		{ "its own until tomorrow", "", 7, 1, 7 },
		{ "its own until yesterday", "gold", 7, -1, 500 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct account_state state = { .known = KNOWLEDGE_FULL, .limits = hourly(rows[i].own, LIMIT_UNSET) };
		struct limits limits;
		snprintf(state.limits.plan, sizeof state.limits.plan, "%s", rows[i].plan);
		state.limits.until_s = rows[i].until_days != 0 ? NOW + rows[i].until_days * DAY : 0;
		plan_limits("alice@example.com", &state, (int64_t)NOW * 1000, fill, plans, &limits);
		is_int(limits.window[WINDOW_RCPTS_PER_HOUR], rows[i].want, "%s", rows[i].name);
	}
}

static void test_strangers(void)
{
	const struct named plans[] = { { "default", hourly(100, LIMIT_UNSET) }, { "stranger", hourly(9000, LIMIT_UNSET) }, { NULL, limits_unset } };
	const struct named none[] = { { "default", hourly(100, LIMIT_UNSET) }, { NULL, limits_unset } };
	struct account_state state = { .known = KNOWLEDGE_FULL, .limits = limits_unset };
	struct limits limits;
	plan_limits("ip:192.0.2.1", &state, (int64_t)NOW * 1000, fill, plans, &limits);
	is_int(limits.window[WINDOW_RCPTS_PER_HOUR], 9000, "who has no name has a plan of his own");
	plan_limits("ip:192.0.2.1", &state, (int64_t)NOW * 1000, fill, none, &limits);
	is_int(limits.window[WINDOW_RCPTS_PER_HOUR], 100, "or the default one");
	plan_limits("ip%3A192.0.2.1", &state, (int64_t)NOW * 1000, fill, plans, &limits);
	is_int(limits.window[WINDOW_RCPTS_PER_HOUR], 100, "which is not for a login that looks like one");
}

static void test_new(void)
{
	const struct named plans[] = { { "default", hourly(LIMIT_UNSET, 50) }, { NULL, limits_unset } };
	struct account_state state = { .known = KNOWLEDGE_FULL, .limits = limits_unset };
	struct limits limits;
	plan_limits("alice@example.com", &state, (int64_t)NOW * 1000, fill, plans, &limits);
	ok(limits.ramped && limits.window[WINDOW_RCPTS_PER_DAY] == 50, "a new account's first day");
	state.known = KNOWLEDGE_NONE;
	plan_limits("alice@example.com", &state, (int64_t)NOW * 1000, fill, plans, &limits);
	ok(!limits.ramped && limits.window[WINDOW_RCPTS_PER_DAY] == LIMIT_UNSET, "who is not remembered just now is not new");
}

int main(void)
{
	test_order();
	test_strangers();
	test_new();
	return done_testing();
}
