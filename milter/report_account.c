/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report.h"

#include "milter/clock.h"
#include "milter/daemon.h"
#include "milter/monitor.h"
#include "milter/warmup.h"

#include <stdlib.h>

#include "policy/base/banned.h"

enum level report_level(const struct policy *policy, const struct account_state *state, int64_t now_ms)
{
	if (state->known == KNOWLEDGE_NONE)
		return LEVEL_UNKNOWN;
	if (state->block[0] != '\0')
		return LEVEL_BLOCKED;
	if (state->exempt[0] != '\0')
		return LEVEL_GOOD;
	return judge_level(policy, state, now_ms);
}

static json_t *top_row(const struct policy *policy, struct store_top_row *row)
{
	int64_t now_ms = clock_now_ms();
	rates_roll(&row->state.history.rates, now_ms);
	json_t *json = json_object();
	report_set_text(json, "account", row->account);
	report_set_text(json, "level", level_word(report_level(policy, &row->state, now_ms)));
	report_set_real(json, "score", judge_score(policy, &row->state, NULL, NULL, now_ms).sum);
	report_set_real(json, "messages_hour", rates_used(&row->state.history.rates, WINDOW_MSGS_PER_HOUR));
	report_set_real(json, "rcpts_hour", rates_used(&row->state.history.rates, WINDOW_RCPTS_PER_HOUR));
	report_set_real(json, "rcpts_day", rates_used(&row->state.history.rates, WINDOW_RCPTS_PER_DAY));
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
		json_array_append_new(accounts, top_row(&setup->config->policy, &rows[i]));
	setup_drop(&setup);
	free(rows);
	return json_pack("{s:s, s:o}", "by", order == STORE_TOP_SCORE ? "score" : "rcpts", "accounts", accounts);
}

static json_t *limit_number(int64_t limit)
{
	return limit == LIMIT_UNSET ? json_null() : json_integer((json_int_t)limit);
}

static json_t *windows_report(const struct limits *limits, const struct rates *rates)
{
	json_t *windows = json_array();
	for (int i = 0; i < WINDOW_SUMS; i++) {
		enum window window = (enum window)i;
		int64_t limit = limits->window[i];
		json_t *row = json_object();
		report_set_text(row, "name", window_word(window));
		report_set_real(row, "used", rates_used(rates, window));
		json_object_set_new(row, "limit", limit_number(limit));
		report_set_int(row, "frees_in_s", limit == LIMIT_UNSET ? 0 : rates_frees_in(rates, window, limit, 1));
		json_array_append_new(windows, row);
	}
	return windows;
}

static json_t *own_limits_report(const struct limits *own)
{
	json_t *json = json_object();
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (own->window[i] != LIMIT_UNSET)
			report_set_int(json, window_word((enum window)i), own->window[i]);
	if (own->rcpts_per_message != LIMIT_UNSET)
		report_set_int(json, "rcpts_per_message", own->rcpts_per_message);
	if (own->over != OVER_UNSET)
		report_set_text(json, "over", over_word(own->over));
	if (own->plan[0] != '\0')
		report_set_text(json, "plan", own->plan);
	return json;
}

static void set_reputation(json_t *json, const struct policy *policy, const struct account_state *state,
			   int64_t now_ms)
{
	struct score score = judge_score(policy, state, NULL, NULL, now_ms);
	struct counters counters = state->history.counters;
	counters_decay(&counters, now_ms);
	json_t *terms = json_array(), *counts = json_object();
	json_array_append_new(terms, json_pack("{s:s, s:f}", "name", "prior", "value", score.prior));
	for (int i = 0; i < SIGNAL_COUNT; i++)
		json_array_append_new(terms, json_pack("{s:s, s:f}", "name", signal_word((enum signal)i), "value",
						       score.term[i]));
	for (int i = 0; i < COUNTER_COUNT; i++)
		report_set_real(counts, counter_word((enum counter)i), counters.value[i]);
	report_set_real(json, "score", score.sum);
	json_object_set_new(json, "terms", terms);
	json_object_set_new(json, "counters", counts);
}

static void set_limits(json_t *json, const struct config *config, const struct account_state *state, int64_t now_ms)
{
	struct limits limits;
	struct rates rates = state->history.rates;
	limits_of(config, state, LANE_ACCOUNT, now_ms, &limits);
	rates_roll(&rates, now_ms);
	report_set_text(json, "plan", state->limits.plan[0] != '\0' ? state->limits.plan : "default");
	json_object_set_new(json, "windows", windows_report(&limits, &rates));
	json_object_set_new(json, "own_limits", own_limits_report(&state->limits));
	report_set_text(json, "over", over_word(limits.over == OVER_UNSET ? OVER_DEFER : limits.over));
	json_object_set_new(json, "rcpts_per_message", limit_number(limits.rcpts_per_message));
}

static void set_transport(json_t *json, const struct config *config, enum level level, const char *account)
{
	const struct pool *pool = pools_find(config->pools, config->pool_count, level);
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	monitor_states(config, states);
	warmup_states(config, states);
	const struct transport *transport = pool == NULL ? NULL : pool_pick(pool, account, states);
	report_set_text(json, "pool", pool == NULL ? NULL : pool->name);
	report_set_text(json, "transport", transport == NULL ? NULL : transport->name);
}

json_t *report_account(const char *account, const struct account_state *state)
{
	static const char *const known[] = {
		[KNOWLEDGE_NONE] = "none", [KNOWLEDGE_LOCAL] = "local", [KNOWLEDGE_FULL] = "full",
	};
	struct setup *setup = setup_hold();
	const struct policy *policy = &setup->config->policy;
	int64_t now_ms = clock_now_ms();
	enum level level = report_level(policy, state, now_ms);
	json_t *json = json_object();
	report_set_text(json, "account", account);
	report_set_text(json, "level", level_word(level));
	report_set_int(json, "since", state->history.level_since_s);
	report_set_int(json, "first", state->history.first_s);
	report_set_text(json, "known", known[state->known]);
	report_set_text(json, "block", state->block);
	report_set_text(json, "exempt", state->exempt);
	report_set_text(json, "spf_unauthorised", state->history.unauthorised[0] != '\0' ? state->history.unauthorised : NULL);
	set_reputation(json, policy, state, now_ms);
	set_limits(json, setup->config, state, now_ms);
	set_transport(json, setup->config, level, account);
	setup_drop(&setup);
	return json;
}

json_t *report_breach(const struct breach *breach)
{
	if (breach->window >= WINDOW_COUNT)
		return json_null();
	json_t *json = json_object();
	report_set_text(json, "name", window_word(breach->window));
	report_set_text(json, "scope", scope_word(breach->scope));
	report_set_int(json, "limit", breach->limit);
	report_set_real(json, "used", breach->used);
	report_set_int(json, "frees_in_s", breach->frees_in_s);
	json_object_set_new(json, "ramp", json_boolean(breach->ramp));
	return json;
}
