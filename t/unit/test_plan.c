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
static bool fill(const void *arg, const char *name, struct limits *limits)
{
	const struct named *plan = arg;
	while (plan->name != NULL && strcmp(plan->name, name) != 0)
		plan++;
	if (plan->name != NULL)
		limits_fill(limits, &plan->limits);
	return plan->name != NULL;
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
		{ "default", hourly(100, LIMIT_UNSET) },
		{ "gold", hourly(500, LIMIT_UNSET) },
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
	const struct named plans[] = { { "default", hourly(100, LIMIT_UNSET) },
				       { "stranger", hourly(9000, LIMIT_UNSET) },
				       { NULL, limits_unset } };
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
	ok(!limits.ramped && limits.window[WINDOW_RCPTS_PER_DAY] == LIMIT_UNSET,
	   "who is not remembered just now is not new");
}

static void test_groups(void)
{
	const struct named plans[] = { { "gold", hourly(500, LIMIT_UNSET) },
				       { "open", limits_unset },
				       { NULL, limits_unset } };
	static const struct {
		const char *name, *plan;
		int64_t own, until_days;
		int64_t want;
		const char *holds;
	} rows[] = {
		{ "a group that has nothing of its own", "", LIMIT_UNSET, 0, 100, "scope" },
		{ "its own", "gold", 7, 0, 7, "gold" },
		{ "the plan's that it names", "gold", LIMIT_UNSET, 0, 500, "gold" },
		{ "what that leaves open is its scope's", "open", LIMIT_UNSET, 0, 100, "open" },
		{ "a plan that is nowhere", "lead", LIMIT_UNSET, 0, 100, "scope" },
		{ "its own until yesterday", "gold", 7, -1, 500, "gold" },
	};
	struct limits given = hourly(100, LIMIT_UNSET);
	snprintf(given.plan, sizeof given.plan, "scope");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct account_state group = { .known = KNOWLEDGE_FULL, .limits = hourly(rows[i].own, LIMIT_UNSET) };
		struct limits plan, limits;
		group.limits.until_s = rows[i].until_days != 0 ? NOW + rows[i].until_days * DAY : 0;
		bool found = plan_of_group(rows[i].plan, &given, fill, plans, &plan);
		is_int(found, strcmp(rows[i].holds, "scope") != 0, "%s: is its plan found", rows[i].name);
		plan_group_limits(&group.limits, &plan, (int64_t)NOW * 1000, &limits);
		is_int(limits.window[WINDOW_RCPTS_PER_HOUR], rows[i].want, "the limit");
		is_str(limits.plan, rows[i].holds, "the plan that holds");
		group.history.rates.at_ms = (int64_t)NOW * 1000;
		group.history.rates.present[WINDOW_RCPTS_PER_HOUR] = (double)rows[i].want;
		struct breach breach = plan_group_breach("customer:42", &group, &limits, (int64_t)NOW * 1000);
		ok(breach.window == WINDOW_RCPTS_PER_HOUR && breach.limit == rows[i].want &&
			   breach.scope == SCOPE_CUSTOMER,
		   "the next message passes it");
		snprintf(group.exempt, sizeof group.exempt, "ours");
		breach = plan_group_breach("customer:42", &group, &limits, (int64_t)NOW * 1000);
		is_int(breach.window, WINDOW_COUNT, "not where it is exempt");
	}
	struct limits plan;
	ok(!plan_of_group("gold", &given, NULL, NULL, &plan) && plan.window[WINDOW_RCPTS_PER_HOUR] == 100,
	   "without plans");
}

static void test_turned_away(void)
{
	struct charge charge = { .account = "alice@example.com",
				 .checked = true,
				 .quota = true,
				 .amounts = { .of = { 1, 3 } },
				 .counts = { [COUNTER_MESSAGES] = 1, [COUNTER_RCPTS] = 3, [COUNTER_SPAM] = 1 },
				 .habits_changed = HABIT_KNOWN };
	struct charge back = charge_given_back(&charge);
	is_str(back.account, charge.account, "to whom it is given back");
	ok(back.quota && back.amounts.of[COUNTED_RECIPIENTS] == -3 && !(back.counts[COUNTER_RCPTS] > -3),
	   "what was used up");
	ok(!(back.counts[COUNTER_SPAM] < 0) && back.habits_changed == 0, "not what was learnt");
	struct charge group = charge;
	charge_turn_away(&charge, SCOPE_ACCOUNT);
	charge_turn_away(&group, SCOPE_CUSTOMER);
	ok(!charge.quota && !(charge.counts[COUNTER_MESSAGES] > 0) && charge.habits_changed == 0,
	   "what is turned away did not leave");
	ok(charge.counts[COUNTER_SPAM] > 0, "the scanner's word of it counts");
	ok(charge.counts[COUNTER_BREACHES] > 0 && !(group.counts[COUNTER_BREACHES] > 0),
	   "a group's limit is no breach");
	static const struct {
		enum over over;
		bool turned_away;
	} rows[] = {
		{ OVER_UNSET, true }, { OVER_DEFER, true }, { OVER_REJECT, true },
		{ OVER_HOLD, false }, { OVER_SLOW, false }, { OVER_LOG, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct breach breach = { .window = WINDOW_MSGS_PER_DAY, .over = rows[i].over };
		is_int(charge_turned_away(&charge, &breach), rows[i].turned_away, "over is \"%s\"",
		       over_word(rows[i].over));
	}
	ok(!charge_turned_away(&charge, &breach_none), "within the limits");
	ok(charge_turned_away(&charge, &breach_blocked), "a blocked group");
}

int main(void)
{
	test_order();
	test_strangers();
	test_new();
	test_groups();
	test_turned_away();
	return done_testing();
}
