/* SPDX-License-Identifier: BSD-2-Clause
 *
 * judge_fixture: a policy with three pools, and facts from a row that says only what differs from a message of a new
 * account to one recipient elsewhere.
 */
#ifndef PENSTOCK_JUDGE_FIXTURE_H
#define PENSTOCK_JUDGE_FIXTURE_H

#include "policy/judge.h"

#include "t/unit/tap.h"

enum { NOW = 1700006400, DAY = 86400, HITS = 3 };

static struct transport clean[] = {
	{ .name = "clean-1", .weight = 1 },
	{ .name = "clean-2", .weight = 1, .index = 1 },
};
static struct transport warm[] = { { .name = "warm-1", .weight = 1, .index = 2 } };
static struct transport suspect[] = { { .name = "suspect-1", .weight = 1, .index = 3 } };

static const struct pool pools[] = {
	{ .name = "clean", .levels = { [LEVEL_GOOD] = true }, .transports = clean, .transport_count = 2 },
	{ .name = "warm", .levels = { [LEVEL_NEW] = true }, .transports = warm, .transport_count = 1 },
	{ .name = "suspect", .levels = { [LEVEL_SUSPECT] = true }, .transports = suspect, .transport_count = 1 },
};

TAP_UNUSED static const struct list signals = { .zone = "signal.test", .weight = 1 };
TAP_UNUSED static const struct list refuses = { .zone = "refuse.test", .weight = 1, .action = LIST_ACTION_REFUSE };

static const struct policy base_policy = {
	.levels = {
		.suspect_enter = 0.5, .suspect_leave = -0.5, .blocked_enter = 3.0, .blocked_leave = 1.5,
		.minimum_stay_s = 3600, .new_for_s = 7 * DAY, .new_messages = 20,
	},
	.prior_new = -1, .prior_good = -3,
	.blocked_action = ACTION_REJECT,
	.tag_score = 5, .slow_score = 8, .hold_score = 10, .reject_score = 15,
	.pools = pools, .pool_count = 3,
};

/* What differs from a message of a new account to one recipient elsewhere, Redis answering; and what comes of it. */
struct row {
	const char *name;
	enum stage stage;	    /* 0: the end of the message */
	bool stranger, own_network; /* neither: authenticated */
	bool injected, overloaded, memory_spent;
	bool store_away, store_local, store_must_answer;
	bool content_known, spam, content_must_answer, lists_must_answer, reject_at_zero;
	bool blocked_defers, blocked_holds;
	bool local_only, charged, charge_fits;
	const char *block, *exempt;
	enum level level;	   /* before */
	int64_t since_s, age_days; /* since_s 0: a day */
	uint8_t days;		   /* on which it sent and behaved */
	double counters[COUNTER_COUNT];
	struct listing hits[HITS];
	int lists_unknown;
	enum spf_answer spf;
	enum spf_ours spf_ours;
	bool spf_refuses;
	int64_t rcpts, local; /* 0: one at RCPT and later */
	enum over over;
	int64_t limit, used; /* recipients an hour; 0: no limit */
	bool limit_is_nought;
	int64_t cap;  /* recipients a message; 0: none */
	double score; /* of the scanner */

	enum action action;
	enum reason_id cause;
	enum level want;  /* 0: new, at MAIL and at the end */
	const char *pool; /* NULL: warm, at the end */
	bool tag;
	const char *reasons;
};

TAP_UNUSED static struct policy policy_of(const struct row *row)
{
	struct policy policy = base_policy;
	memcpy(policy.signals, signal_defaults, sizeof policy.signals);
	policy.store_must_answer = row->store_must_answer;
	policy.content_must_answer = row->content_must_answer;
	policy.lists_must_answer = row->lists_must_answer;
	policy.spf_refuses = row->spf_refuses;
	if (row->blocked_defers)
		policy.blocked_action = ACTION_DEFER;
	if (row->blocked_holds)
		policy.blocked_action = ACTION_HOLD;
	if (row->reject_at_zero)
		policy.reject_score = 0;
	return policy;
}

static void state_of(const struct row *row, struct account_state *state)
{
	state->known = row->store_away ? KNOWLEDGE_NONE : row->store_local ? KNOWLEDGE_LOCAL : KNOWLEDGE_FULL;
	state->history.level = row->level;
	state->history.level_since_s = NOW - (row->since_s != 0 ? row->since_s : DAY);
	state->history.habits.days = row->days;
	state->history.first_s = row->age_days > 0 ? NOW - row->age_days * DAY : 0;
	state->history.counters.at_ms = (int64_t)NOW * 1000;
	memcpy(state->history.counters.value, row->counters, sizeof row->counters);
	state->history.rates.at_ms = (int64_t)NOW * 1000;
	state->history.rates.present[WINDOW_RCPTS_PER_HOUR] = (double)row->used;
	snprintf(state->block, sizeof state->block, "%s", row->block != NULL ? row->block : "");
	snprintf(state->exempt, sizeof state->exempt, "%s", row->exempt != NULL ? row->exempt : "");
}

TAP_UNUSED static struct facts facts_of(const struct row *row)
{
	struct facts facts = {
		.now_ms = (int64_t)NOW * 1000,
		.account = "alice@example.com",
		.client = row->stranger	     ? CLIENT_STRANGER
			  : row->own_network ? CLIENT_OWN_NETWORK
					     : CLIENT_AUTHENTICATED,
		.authenticated = !row->stranger,
		.injected = row->injected,
		.overloaded = row->overloaded,
		.memory_spent = row->memory_spent,
		.limits = limits_unset,
		.rcpts_local = row->local,
		.charged = row->charged,
	};
	facts.breach = breach_none;
	if (!row->charge_fits)
		facts.breach =
			(struct breach){ .window = WINDOW_RCPTS_PER_HOUR, .limit = row->limit, .over = row->over };
	state_of(row, &facts.state);
	facts.limits.over = row->over;
	if (row->limit > 0 || row->limit_is_nought)
		facts.limits.window[WINDOW_RCPTS_PER_HOUR] = row->limit;
	if (row->cap > 0)
		facts.limits.rcpts_per_message = row->cap;
	facts.rcpts_remote = row->rcpts > 0 ? row->rcpts : row->stage == STAGE_MAIL ? 0 : 1;
	if (row->local_only)
		facts.rcpts_remote = 0;
	facts.listings.asked = true;
	facts.listings.unknown = row->lists_unknown;
	facts.spf = (struct spf_facts){ row->spf, row->spf_ours, "example.org" };
	for (int i = 0; i < HITS && row->hits[i].list != NULL; i++)
		facts.listings.hits[facts.listings.hit_count++] = row->hits[i];
	facts.content.known = row->content_known ? KNOWLEDGE_FULL : KNOWLEDGE_NONE;
	facts.content.score = row->score;
	facts.content.threshold = 5;
	facts.content.spam = row->spam;
	return facts;
}

TAP_UNUSED static const char *reasons_of(const struct verdict *verdict, char text[400])
{
	text[0] = '\0';
	for (int i = 0; i < verdict->reason_count; i++) {
		size_t length = strlen(text);
		snprintf(text + length, 400 - length, "%s%s", i > 0 ? "," : "", reason_word(verdict->reasons[i].id));
	}
	return text;
}

#define SPAMMER .counters = { [COUNTER_MESSAGES] = 20, [COUNTER_RCPTS] = 20, [COUNTER_SPAM] = 20 }
#define OLD_HAND .age_days = 30, .days = 20, .counters = { [COUNTER_MESSAGES] = 100, [COUNTER_RCPTS] = 100 }
#define FULL .limit = 500, .used = 500

#endif
