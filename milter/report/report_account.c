/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/report.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/limits.h"
#include "milter/base/json.h"
#include "milter/pools/pools.h"
#include "policy/complaint.h"
#include "policy/plan.h"
#include "policy/spoke.h"

#include <stdlib.h>

#include "policy/base/banned.h"

static json_t *report_account_top_row(const struct config *config, struct store_top_row *row)
{
	int64_t now_ms = clock_now_ms();
	rates_roll(&row->state.history.rates, now_ms);
	json_t *json = json_object();
	json_set_text(json, "account", row->account);
	json_set_text(json, "level", level_word(pools_judge(config, row->account, &row->state).level));
	json_set_real(json, "score", judge_score_now(&config->policy, &row->state, now_ms).sum);
	json_set_real(json, "messages_hour", rates_used(&row->state.history.rates, WINDOW_MSGS_PER_HOUR));
	json_set_real(json, "rcpts_hour", rates_used(&row->state.history.rates, WINDOW_RCPTS_PER_HOUR));
	json_set_real(json, "rcpts_day", rates_used(&row->state.history.rates, WINDOW_RCPTS_PER_DAY));
	return json;
}

json_t *report_top(enum store_top_order order, size_t count)
{
	struct store_top_row *rows = calloc(count, sizeof *rows);
	if (rows == NULL)
		return NULL;
	struct setup *setup = setup_hold();
	json_t *accounts = json_array();
	size_t found = store_top(the_daemon.store, order, count, rows);
	for (size_t i = 0; i < found; i++)
		json_array_append_new(accounts, report_account_top_row(setup->config, &rows[i]));
	setup_drop(&setup);
	free(rows);
	return json_pack("{s:s, s:o}", "by", order == STORE_TOP_SCORE ? "score" : "rcpts", "accounts", accounts);
}

static json_t *limit_number(int64_t limit)
{
	return limit == LIMIT_UNSET ? json_null() : json_integer((json_int_t)limit);
}

static void report_account_add_window(json_t *windows, enum window window, int64_t limit, json_t *used,
				      int64_t frees_in_s)
{
	json_t *row = json_object();
	json_set_text(row, "name", window_word(window));
	json_object_set_new(row, "used", used);
	json_object_set_new(row, "limit", limit_number(limit));
	json_set_int(row, "frees_in_s", limit == LIMIT_UNSET ? 0 : frees_in_s);
	json_array_append_new(windows, row);
}

/* Of a group only what has a limit is counted, and distinct things in a key of its own: the rest is null. */
static json_t *report_account_add_windows(const struct limits *limits, const struct account_state *state, bool group,
					  int64_t now_ms)
{
	json_t *windows = json_array();
	struct rates rates = state->history.rates;
	struct habit_facts now = { .now_s = now_ms / 1000 };
	rates_roll(&rates, now_ms);
	for (int i = 0; i < WINDOW_SUMS; i++)
		report_account_add_window(windows, (enum window)i, limits->window[i],
					  group && limits->window[i] == LIMIT_UNSET
						  ? json_null()
						  : json_real(rates_used(&rates, (enum window)i)),
					  rates_frees_in(&rates, (enum window)i, limits->window[i], 1));
	for (int i = WINDOW_SUMS; i < WINDOW_COUNT; i++) {
		double used = habit_distinct(&state->history.habits, window_counted((enum window)i), &now);
		report_account_add_window(windows, (enum window)i, limits->window[i],
					  group ? json_null() : json_real(used), 0);
	}
	return windows;
}

static void set_date(json_t *json, const char *name, int64_t seconds)
{
	if (seconds != 0)
		json_set_int(json, name, seconds);
}

static json_t *report_account_add_own_limits(const struct limits *own)
{
	json_t *json = json_object();
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (own->window[i] != LIMIT_UNSET)
			json_set_int(json, window_word((enum window)i), own->window[i]);
	if (own->rcpts_per_message != LIMIT_UNSET)
		json_set_int(json, "rcpts_per_message", own->rcpts_per_message);
	if (own->ramp_first_day != LIMIT_UNSET)
		json_set_int(json, "ramp_first_day", own->ramp_first_day);
	if (own->ramp_growth > 0)
		json_set_real(json, "ramp_growth", own->ramp_growth);
	if (own->over != OVER_UNSET)
		json_set_text(json, "over", over_word(own->over));
	if (own->plan[0] != '\0')
		json_set_text(json, "plan", own->plan);
	if (own->customer[0] != '\0')
		json_set_text(json, "customer", own->customer);
	set_date(json, "until", own->until_s);
	set_date(json, "created", own->created_s);
	set_date(json, "password_changed", own->password_changed_s);
	return json;
}

static void report_account_set_reputation(json_t *json, const struct policy *policy, const struct account_state *state,
					  int64_t now_ms)
{
	struct score score = judge_score_now(policy, state, now_ms);
	struct counters counters = state->history.counters;
	counters_decay(&counters, now_ms);
	json_t *terms = json_array(), *counts = json_object();
	json_array_append_new(terms, json_pack("{s:s, s:f}", "name", "prior", "value", score.prior));
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		json_t *row = json_pack("{s:s, s:f}", "name", signal_word((enum signal)i), "value", score.term[i]);
		if (row != NULL && score.spoke[i] != SPOKE_NOTHING)
			json_set_text(row, "spoke", spoke_word((enum spoke)score.spoke[i]));
		json_array_append_new(terms, row);
	}
	for (int i = 0; i < COUNTER_COUNT; i++)
		json_set_real(counts, counter_word((enum counter)i), counters.value[i]);
	json_set_text(json, "complaints", complaint_step_word(complaint_step(&counters)));
	json_set_real(json, "complaint_share", complaint_share(&counters));
	json_set_real(json, "score", score.sum);
	json_set_real(json, "soft_left_out", score.soft_left_out);
	json_object_set_new(json, "terms", terms);
	json_object_set_new(json, "counters", counts);
}

static void report_account_set_limits(json_t *json, const struct config *config, const char *account,
				      const struct account_state *state, int64_t now_ms)
{
	struct limits limits;
	enum scope scope = account_scope(account);
	if (scope == SCOPE_ACCOUNT)
		limits_of(config, account, state, now_ms, &limits);
	else
		limits_of_group(config, scope, &state->limits, now_ms, &limits);
	if (scope == SCOPE_ACCOUNT)
		json_set_text(json, "plan", state->limits.plan[0] != '\0' ? state->limits.plan : "default");
	else
		json_set_text(json, "plan", limits.plan[0] != '\0' ? limits.plan : NULL);
	json_object_set_new(json, "windows",
			    report_account_add_windows(&limits, state, scope != SCOPE_ACCOUNT, now_ms));
	json_object_set_new(json, "own_limits", report_account_add_own_limits(&state->limits));
	json_set_text(json, "over", over_word(over_of(&limits)));
	if (scope == SCOPE_ACCOUNT) /* a message's own, and no group's */
		json_object_set_new(json, "rcpts_per_message", limit_number(limits.rcpts_per_message));
}

/* What a group has not. */
static void report_account_set_standing(json_t *json, const struct config *config, const char *account,
					const struct account_state *state, int64_t now_ms)
{
	const struct verdict verdict = pools_judge(config, account, state);
	json_set_text(json, "level", level_word(verdict.level));
	/* an admin's block has no date of its own, and that of the account's own level is not its */
	json_set_int(json, "since", verdict.level == state->history.level ? state->history.level_since_s : 0);
	json_set_int(json, "first", state->history.first_s);
	json_set_text(json, "spf_unauthorised",
		      state->history.unauthorised[0] != '\0' ? state->history.unauthorised : NULL);
	report_account_set_reputation(json, &config->policy, state, now_ms);
	json_set_text(json, "action", action_word(verdict.action));
	json_object_set_new(json, "waits", json_boolean(verdict.throttle));
	json_set_text(json, "pool", verdict.pool == NULL ? NULL : verdict.pool->name);
	json_set_text(json, "transport", verdict.transport == NULL ? NULL : verdict.transport->name);
}

/* Nobody of that name sent anything, and nobody wrote anything of him. */
static bool report_account_is_unknown(const struct account_state *state)
{
	const struct history *history = &state->history;
	return state->known == KNOWLEDGE_FULL && !state->unreadable && state->useless == 0 &&
	       limits_empty(&state->limits) && state->block[0] == '\0' && state->exempt[0] == '\0' &&
	       history->level == LEVEL_UNKNOWN && history->first_s == 0 && history->rates.at_ms == 0;
}

json_t *report_account(const char *account, const struct account_state *state)
{
	static const char *const known[] = {
		[KNOWLEDGE_NONE] = "none",
		[KNOWLEDGE_LOCAL] = "local",
		[KNOWLEDGE_FULL] = "full",
	};
	struct setup *setup = setup_hold();
	int64_t now_ms = clock_now_ms();
	json_t *json = json_object();
	json_set_text(json, "account", account);
	json_set_text(json, "known", known[state->known]);
	json_object_set_new(json, "unknown", json_boolean(report_account_is_unknown(state)));
	json_set_text(json, "block", state->block);
	json_set_text(json, "exempt", state->exempt);
	report_account_set_limits(json, setup->config, account, state, now_ms);
	if (!account_is_group(account))
		report_account_set_standing(json, setup->config, account, state, now_ms);
	setup_drop(&setup);
	return json;
}

json_t *report_group(const char *group, const struct account_state *state)
{
	struct setup *setup = setup_hold();
	int64_t now_ms = clock_now_ms();
	struct limits limits;
	json_t *json = json_object();
	limits_of_group(setup->config, account_scope(group), &state->limits, now_ms, &limits);
	struct breach breach = plan_group_breach(group, state, &limits, now_ms);
	json_set_text(json, "account", group);
	json_set_text(json, "block", state->block);
	json_set_text(json, "exempt", state->exempt);
	json_object_set_new(json, "over", json_breach(&breach));
	setup_drop(&setup);
	return json;
}

json_t *report_listed(const char *account, const struct account_state *state, enum level level)
{
	json_t *json = json_object();
	bool group = account_is_group(account);
	struct setup *setup = setup_hold();
	json_set_text(json, "account", account);
	json_set_text(json, "level", group ? NULL : level_word(level));
	if (group || state->history.level == LEVEL_UNKNOWN)
		json_object_set_new(json, "score", json_null());
	else
		json_set_real(json, "score", judge_score_now(&setup->config->policy, state, clock_now_ms()).sum);
	setup_drop(&setup);
	json_set_int(json, "since", state->history.level_since_s);
	json_set_text(json, "block", state->block[0] != '\0' ? state->block : NULL);
	json_set_text(json, "exempt", state->exempt[0] != '\0' ? state->exempt : NULL);
	json_object_set_new(json, "limits", report_account_add_own_limits(&state->limits));
	return json;
}
