/* SPDX-License-Identifier: BSD-2-Clause */
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

static const struct list signals = { .zone = "signal.test", .weight = 1 };
static const struct list refuses = { .zone = "refuse.test", .weight = 1, .action = LIST_ACTION_REFUSE };

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
	enum stage stage;			/* 0: the end of the message */
	bool stranger, own_network;		/* neither: authenticated */
	bool injected, overloaded, memory_spent;
	bool store_away, store_local, store_must_answer;
	bool content_known, spam, content_must_answer, lists_must_answer, reject_at_zero;
	bool blocked_defers, blocked_holds;
	bool local_only, charged, charge_fits;
	const char *block, *exempt;
	enum level level;			/* before */
	int64_t since_s, age_days;		/* since_s 0: a day */
	double counters[COUNTER_COUNT];
	struct listing hits[HITS];
	int lists_unknown;
	enum spf_answer spf;
	enum spf_ours spf_ours;
	bool spf_refuses;
	int64_t rcpts, local;			/* 0: one at RCPT and later */
	enum over over;
	int64_t limit, used;			/* recipients an hour; 0: no limit */
	bool limit_is_nought;
	int64_t cap;				/* recipients a message; 0: none */
	double score;				/* of the scanner */

	enum action action;
	enum reason_id cause;
	enum level want;			/* 0: new, at MAIL and at the end */
	const char *pool;			/* NULL: warm, at the end */
	bool tag;
	const char *reasons;
};

static struct policy policy_of(const struct row *row)
{
	struct policy policy = base_policy;
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
	state->history.first_s = row->age_days > 0 ? NOW - row->age_days * DAY : 0;
	state->history.counters.at_ms = (int64_t)NOW * 1000;
	memcpy(state->history.counters.value, row->counters, sizeof row->counters);
	state->history.rates.at_ms = (int64_t)NOW * 1000;
	state->history.rates.present[WINDOW_RCPTS_PER_HOUR] = (double)row->used;
	snprintf(state->block, sizeof state->block, "%s", row->block != NULL ? row->block : "");
	snprintf(state->exempt, sizeof state->exempt, "%s", row->exempt != NULL ? row->exempt : "");
}

static struct facts facts_of(const struct row *row)
{
	struct facts facts = {
		.now_ms = (int64_t)NOW * 1000, .account = "alice@example.com",
		.client = row->stranger ? CLIENT_STRANGER : row->own_network ? CLIENT_OWN_NETWORK : CLIENT_AUTHENTICATED,
		.authenticated = !row->stranger, .injected = row->injected,
		.overloaded = row->overloaded, .memory_spent = row->memory_spent,
		.limits = limits_unset, .rcpts_local = row->local,
		.charged = row->charged,
	};
	facts.breach = breach_none;
	if (!row->charge_fits)
		facts.breach = (struct breach){ .window = WINDOW_RCPTS_PER_HOUR, .limit = row->limit, .over = row->over };
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

static const char *reasons_of(const struct verdict *verdict, char text[400])
{
	text[0] = '\0';
	for (int i = 0; i < verdict->reason_count; i++) {
		size_t length = strlen(text);
		snprintf(text + length, 400 - length, "%s%s", i > 0 ? "," : "", reason_word(verdict->reasons[i].id));
	}
	return text;
}

#define SPAMMER .counters = { [COUNTER_MESSAGES] = 20, [COUNTER_RCPTS] = 20, [COUNTER_SPAM] = 20 }
#define OLD_HAND .age_days = 30, .counters = { [COUNTER_MESSAGES] = 100, [COUNTER_RCPTS] = 100 }
#define FULL .limit = 500, .used = 500

static const struct row rows[] = {
	{ "a stranger fails SPF: a reason", .stranger = true, .spf = SPF_ANSWER_FAIL, .reasons = "spf_fail" },
	{ "and is refused where that is configured", .stranger = true, .spf = SPF_ANSWER_FAIL, .spf_refuses = true,
	  .action = ACTION_REJECT, .cause = REASON_SPF_FAIL, .reasons = "spf_fail" },
	{ "at MAIL already", .stage = STAGE_MAIL, .stranger = true, .spf = SPF_ANSWER_FAIL, .spf_refuses = true,
	  .action = ACTION_REJECT, .cause = REASON_SPF_FAIL, .reasons = "spf_fail" },
	{ "a soft failure is none", .stranger = true, .spf = SPF_ANSWER_SOFTFAIL, .spf_refuses = true, .reasons = "" },
	{ "nor is an error", .stranger = true, .spf = SPF_ANSWER_TEMPERROR, .spf_refuses = true, .reasons = "" },
	{ "nor what is not known", .stranger = true, .spf_refuses = true, .reasons = "" },
	{ "a customer is not refused for SPF", .spf = SPF_ANSWER_FAIL, .spf_refuses = true, .reasons = "" },
	{ "a domain that authorises none of our addresses", .spf_ours = SPF_OURS_NONE_PASSES, .reasons = "spf_unauthorised" },
	{ "not at MAIL", .stage = STAGE_MAIL, .spf_ours = SPF_OURS_NONE_PASSES, .reasons = "" },
	{ "one that authorises some", .spf_ours = SPF_OURS_FINE, .reasons = "" },
	{ "a new account", .reasons = "" },
	{ "a good account", .level = LEVEL_GOOD, OLD_HAND, .want = LEVEL_GOOD, .pool = "clean", .reasons = "" },
	{ "a new account comes of age", .level = LEVEL_NEW, OLD_HAND, .want = LEVEL_GOOD, .pool = "clean",
	  .reasons = "level" },
	{ "a suspect account at rest", .level = LEVEL_SUSPECT, .since_s = 3599, .want = LEVEL_SUSPECT, .pool = "suspect",
	  .reasons = "score" },
	{ "a suspect account whose time is over", .level = LEVEL_SUSPECT, .since_s = 3600, .reasons = "level" },

	{ "overload at MAIL", STAGE_MAIL, .overloaded = true, .action = ACTION_DEFER, .cause = REASON_OVERLOAD,
	  .reasons = "overload" },
	{ "overload at RCPT: it was let in", STAGE_RCPT, .overloaded = true, .reasons = "" },
	{ "too large for its bookkeeping, at RCPT", STAGE_RCPT, .memory_spent = true, .action = ACTION_DEFER,
	  .cause = REASON_MEMORY, .reasons = "memory" },
	{ "too large for its bookkeeping, at the end", .memory_spent = true, .action = ACTION_DEFER,
	  .cause = REASON_MEMORY, .reasons = "memory" },

	{ "Redis away at MAIL", STAGE_MAIL, .store_away = true, .reasons = "" },
	{ "Redis away at the end", .store_away = true, .reasons = "" },
	{ "Redis away, known from memory", .store_local = true, .level = LEVEL_GOOD, OLD_HAND, .want = LEVEL_GOOD,
	  .pool = "clean", .reasons = "" },
	{ "Redis away, and it must answer, at MAIL", STAGE_MAIL, .store_away = true, .store_must_answer = true,
	  .action = ACTION_DEFER, .cause = REASON_STORE_AWAY, .reasons = "store_away" },
	{ "Redis away, and it must answer, at RCPT", STAGE_RCPT, .store_away = true, .store_must_answer = true,
	  .reasons = "" },
	{ "known from memory is no answer of Redis", .store_local = true, .store_must_answer = true,
	  .action = ACTION_DEFER, .cause = REASON_STORE_AWAY, .reasons = "store_away" },
	{ "Redis must answer, and does", .store_must_answer = true, .reasons = "" },

	{ "exempt", .exempt = "newsletter", .want = LEVEL_GOOD, .pool = "clean", .reasons = "admin_exempt" },
	{ "exempt at MAIL", STAGE_MAIL, .exempt = "newsletter", FULL, .want = LEVEL_GOOD, .reasons = "" },
	{ "exempt at RCPT", STAGE_RCPT, .exempt = "newsletter", FULL, .cap = 1, .rcpts = 2, .reasons = "" },
	{ "exempt over a limit", .exempt = "newsletter", FULL, .want = LEVEL_GOOD, .pool = "clean",
	  .reasons = "admin_exempt" },
	{ "exempt over a limit, charged", .exempt = "newsletter", FULL, .charged = true, .want = LEVEL_GOOD,
	  .pool = "clean", .reasons = "admin_exempt" },
	{ "exempt over the cap of a message", .exempt = "newsletter", .cap = 100, .rcpts = 101, .want = LEVEL_GOOD,
	  .pool = "clean", .reasons = "admin_exempt" },
	{ "exempt with a bad score", .exempt = "honeypot", SPAMMER, .level = LEVEL_GOOD, .want = LEVEL_GOOD,
	  .pool = "clean", .reasons = "admin_exempt" },

	{ "blocked by an admin, at MAIL", STAGE_MAIL, .block = "phished", .action = ACTION_REJECT,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .reasons = "admin_block" },
	{ "blocked by an admin, at the end", .block = "phished", .level = LEVEL_GOOD, OLD_HAND, .action = ACTION_REJECT,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .pool = "suspect", .reasons = "admin_block" },
	{ "blocked mail is deferred", STAGE_MAIL, .block = "phished", .blocked_defers = true, .action = ACTION_DEFER,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .reasons = "admin_block" },
	{ "blocked mail is held: let in at MAIL", STAGE_MAIL, .block = "phished", .blocked_holds = true,
	  .want = LEVEL_BLOCKED, .reasons = "admin_block" },
	{ "blocked mail is held at the end", .block = "phished", .blocked_holds = true, .action = ACTION_HOLD,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .pool = "suspect", .reasons = "admin_block" },
	{ "a block is stronger than an exemption", .block = "phished", .exempt = "newsletter", .action = ACTION_REJECT,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .pool = "suspect",
	  .reasons = "admin_exempt,admin_block" },

	{ "a listed stranger is refused", STAGE_MAIL, .stranger = true, .hits = { { &refuses, LIST_SPAM } },
	  .action = ACTION_REJECT, .cause = REASON_LISTED, .reasons = "listed" },
	{ "a policy-listed stranger as well", STAGE_MAIL, .stranger = true, .hits = { { &refuses, LIST_POLICY } },
	  .action = ACTION_REJECT, .cause = REASON_LISTED, .reasons = "listed" },
	{ "where the list is only a signal he is not", STAGE_MAIL, .stranger = true, .hits = { { &signals, LIST_SPAM } },
	  .reasons = "" },
	{ "a policy listing says nothing about a customer", .hits = { { &refuses, LIST_POLICY } }, .reasons = "" },
	{ "at MAIL neither", STAGE_MAIL, .hits = { { &refuses, LIST_POLICY }, { &signals, LIST_POLICY } },
	  .reasons = "" },
	{ "a customer is not refused for a spam listing", STAGE_MAIL, .hits = { { &refuses, LIST_SPAM } },
	  .reasons = "" },
	{ "an exploit listing is a signal against a customer", .hits = { { &refuses, LIST_EXPLOIT } },
	  .reasons = "exploit_listed" },
	{ "a stranger is refused for it", .stranger = true, .hits = { { &refuses, LIST_EXPLOIT } },
	  .action = ACTION_REJECT, .cause = REASON_LISTED, .reasons = "listed" },
	{ "where it is only shown, whoever he says he is does not answer for it", .stranger = true,
	  .hits = { { &signals, LIST_EXPLOIT } }, .reasons = "" },
	{ "a subscriber's exploited address counts against him", .own_network = true,
	  .hits = { { &refuses, LIST_EXPLOIT } }, .reasons = "exploit_listed" },
	{ "and that it sends spam", .own_network = true, .hits = { { &signals, LIST_SPAM } }, .reasons = "exploit_listed" },
	{ "that it is a dial-up line is known", STAGE_MAIL, .own_network = true,
	  .hits = { { &refuses, LIST_POLICY }, { &refuses, LIST_AUTH } }, .reasons = "" },
	{ "a subscriber is not refused", STAGE_MAIL, .own_network = true, .hits = { { &refuses, LIST_SPAM } },
	  .reasons = "" },
	{ "a stranger without a PTR name is refused where the list does so", STAGE_MAIL, .stranger = true,
	  .hits = { { &refuses, LIST_AUTH } }, .action = ACTION_REJECT, .cause = REASON_LISTED, .reasons = "listed" },
	{ "a hint refuses nobody", STAGE_MAIL, .stranger = true, .hits = { { &refuses, LIST_REPUTATION } },
	  .reasons = "" },
	{ "an allow list says nothing for a login: it may be stolen", .hits = { { &signals, LIST_ALLOW },
	  { &signals, LIST_EXPLOIT } }, .reasons = "exploit_listed" },
	{ "two lists refuse", STAGE_MAIL, .stranger = true, .hits = { { &refuses, LIST_SPAM }, { &refuses, LIST_POLICY } },
	  .action = ACTION_REJECT, .cause = REASON_LISTED, .reasons = "listed,listed" },
	{ "an allow listing wins", STAGE_MAIL, .stranger = true,
	  .hits = { { &refuses, LIST_SPAM }, { &signals, LIST_ALLOW } }, .reasons = "allow_listed" },
	{ "lists that did not answer", STAGE_MAIL, .stranger = true, .lists_unknown = 5, .reasons = "" },
	{ "lists that did not answer, at the end", .stranger = true, .lists_unknown = 5, .reasons = "" },
	{ "one did not answer, and has to", STAGE_MAIL, .stranger = true, .lists_unknown = 1, .lists_must_answer = true,
	  .action = ACTION_DEFER, .cause = REASON_LISTS_AWAY, .reasons = "lists_away" },
	{ "a customer does not wait for lists", STAGE_MAIL, .lists_unknown = 1, .lists_must_answer = true, .reasons = "" },
	{ "all did answer", STAGE_MAIL, .stranger = true, .lists_must_answer = true, .reasons = "" },
	{ "one did not answer, one refuses", STAGE_MAIL, .stranger = true, .lists_unknown = 1,
	  .hits = { { &refuses, LIST_SPAM } }, .action = ACTION_REJECT, .cause = REASON_LISTED, .reasons = "listed" },

	{ "over at MAIL", STAGE_MAIL, FULL, .action = ACTION_DEFER, .cause = REASON_LIMIT, .reasons = "limit" },
	{ "one free at MAIL", STAGE_MAIL, .limit = 500, .used = 499, .reasons = "" },
	{ "one free, the second recipient", STAGE_RCPT, .limit = 500, .used = 499, .rcpts = 2, .action = ACTION_DEFER,
	  .cause = REASON_LIMIT, .reasons = "limit" },
	{ "over, defer", FULL, .charged = true, .over = OVER_DEFER, .action = ACTION_DEFER, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "over, nobody said what then", FULL, .charged = true, .action = ACTION_DEFER, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "over, reject", FULL, .charged = true, .over = OVER_REJECT, .action = ACTION_REJECT, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "over, hold", FULL, .charged = true, .over = OVER_HOLD, .action = ACTION_HOLD, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "over, slow", FULL, .charged = true, .over = OVER_SLOW, .pool = "suspect", .reasons = "limit" },
	{ "over, reject at MAIL", STAGE_MAIL, FULL, .over = OVER_REJECT, .action = ACTION_REJECT, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "over, hold: let in at MAIL", STAGE_MAIL, FULL, .over = OVER_HOLD, .reasons = "limit" },
	{ "over, slow: let in at MAIL", STAGE_MAIL, FULL, .over = OVER_SLOW, .reasons = "limit" },
	{ "over, hold: let in at RCPT", STAGE_RCPT, FULL, .over = OVER_HOLD, .reasons = "limit" },
	{ "the store that charged knows better", FULL, .charged = true, .charge_fits = true, .reasons = "" },
	{ "nobody charged: what MAIL fetched holds", FULL, .action = ACTION_DEFER, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "a limit of nought", .limit_is_nought = true, .action = ACTION_DEFER, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "mail to users of this host is not counted", FULL, .local_only = true, .local = 3, .reasons = "" },
	{ "at RCPT neither", STAGE_RCPT, FULL, .local_only = true, .local = 3, .reasons = "" },
	{ "no limits, a hundred thousand recipients", .rcpts = 100000, .reasons = "" },

	{ "at the cap of a message", STAGE_RCPT, .cap = 100, .rcpts = 100, .reasons = "" },
	{ "one more", STAGE_RCPT, .cap = 100, .rcpts = 101, .action = ACTION_DEFER, .cause = REASON_RCPTS_PER_MESSAGE,
	  .reasons = "rcpts_per_message" },
	{ "one more, reject", STAGE_RCPT, .cap = 100, .rcpts = 101, .over = OVER_REJECT, .action = ACTION_REJECT,
	  .cause = REASON_RCPTS_PER_MESSAGE, .reasons = "rcpts_per_message" },
	{ "one more, slow", .cap = 100, .rcpts = 101, .over = OVER_SLOW, .pool = "suspect",
	  .reasons = "rcpts_per_message" },
	{ "one more, hold", .cap = 100, .rcpts = 101, .over = OVER_HOLD, .action = ACTION_HOLD,
	  .cause = REASON_RCPTS_PER_MESSAGE, .reasons = "rcpts_per_message" },
	{ "local recipients are not capped", STAGE_RCPT, .cap = 100, .rcpts = 100, .local = 1000, .reasons = "" },

	{ "no scanner answered", .reasons = "" },
	{ "one must", .content_must_answer = true, .action = ACTION_DEFER, .cause = REASON_CONTENT_AWAY,
	  .reasons = "content_away" },
	{ "one must, and did", .content_must_answer = true, .content_known = true, .reasons = "" },
	{ "nothing is asked of a scanner at MAIL", STAGE_MAIL, .content_must_answer = true, .reasons = "" },
	{ "a score nobody gave", .score = 99, .reasons = "" },
	{ "below each threshold", .content_known = true, .score = 4.99, .reasons = "" },
	{ "below nought", .content_known = true, .score = -20, .reasons = "" },
	{ "tagged", .content_known = true, .score = 5, .tag = true, .reasons = "content" },
	{ "slowed", .content_known = true, .score = 8, .tag = true, .pool = "suspect", .reasons = "content" },
	{ "held", .content_known = true, .score = 10, .tag = true, .pool = "suspect", .action = ACTION_HOLD,
	  .cause = REASON_CONTENT, .reasons = "content" },
	{ "rejected", .content_known = true, .score = 15, .tag = true, .pool = "suspect", .action = ACTION_REJECT,
	  .cause = REASON_CONTENT, .reasons = "content" },
	{ "a threshold of nought is one too", .content_known = true, .score = 1, .reject_at_zero = true,
	  .action = ACTION_REJECT, .cause = REASON_CONTENT, .reasons = "content" },
	{ "the scanner's own word below our thresholds", .level = LEVEL_GOOD, OLD_HAND, .content_known = true,
	  .spam = true, .score = 3, .want = LEVEL_GOOD, .pool = "clean", .reasons = "content" },
	{ "a first message that is spam", .content_known = true, .spam = true, .score = 6, .tag = true,
	  .want = LEVEL_SUSPECT, .pool = "suspect", .reasons = "content,score" },
	{ "a good account's is not the end", .level = LEVEL_GOOD, OLD_HAND, .content_known = true, .spam = true,
	  .score = 6, .tag = true, .want = LEVEL_GOOD, .pool = "clean", .reasons = "content" },

	{ "a spammer is refused at MAIL", STAGE_MAIL, SPAMMER, .level = LEVEL_SUSPECT, .action = ACTION_REJECT,
	  .cause = REASON_SCORE, .want = LEVEL_BLOCKED, .reasons = "level,score" },
	{ "and at the end", SPAMMER, .level = LEVEL_SUSPECT, .action = ACTION_REJECT, .cause = REASON_SCORE,
	  .want = LEVEL_BLOCKED, .pool = "suspect", .reasons = "level,score" },
	{ "or deferred", STAGE_MAIL, SPAMMER, .level = LEVEL_BLOCKED, .blocked_defers = true, .action = ACTION_DEFER,
	  .cause = REASON_SCORE, .want = LEVEL_BLOCKED, .reasons = "score" },
	{ "or held", SPAMMER, .level = LEVEL_BLOCKED, .blocked_holds = true, .action = ACTION_HOLD,
	  .cause = REASON_SCORE, .want = LEVEL_BLOCKED, .pool = "suspect", .reasons = "score" },
	{ "at RCPT nobody asks for the level", STAGE_RCPT, SPAMMER, .level = LEVEL_BLOCKED, .reasons = "" },
	{ "blocked stays blocked for its time", STAGE_MAIL, .level = LEVEL_BLOCKED, .since_s = 10,
	  .action = ACTION_REJECT, .cause = REASON_SCORE, .want = LEVEL_BLOCKED, .reasons = "score" },
	{ "and not longer", STAGE_MAIL, .level = LEVEL_BLOCKED, .since_s = 7200, .reasons = "level" },

	{ "of two causes the stronger", STAGE_MAIL, .overloaded = true, .block = "phished", .action = ACTION_REJECT,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .reasons = "overload,admin_block" },
	{ "of two equal ones the first", STAGE_MAIL, .overloaded = true, FULL, .action = ACTION_DEFER,
	  .cause = REASON_OVERLOAD, .reasons = "overload,limit" },
	{ "a limit defers what content would hold", FULL, .charged = true, .content_known = true, .score = 10,
	  .tag = true, .pool = "suspect", .action = ACTION_DEFER, .cause = REASON_LIMIT, .reasons = "limit,content" },

	{ "injected over a limit, at MAIL", STAGE_MAIL, .injected = true, FULL, .reasons = "limit" },
	{ "injected over a limit, at RCPT", STAGE_RCPT, .injected = true, FULL, .over = OVER_REJECT, .reasons = "limit" },
	{ "injected over a limit, at the end", .injected = true, FULL, .action = ACTION_DEFER, .cause = REASON_LIMIT,
	  .reasons = "limit" },
	{ "injected by a blocked account, at MAIL", STAGE_MAIL, .injected = true, .block = "phished",
	  .want = LEVEL_BLOCKED, .reasons = "admin_block" },
	{ "injected by a blocked account, at the end", .injected = true, .block = "phished", .action = ACTION_REJECT,
	  .cause = REASON_ADMIN_BLOCK, .want = LEVEL_BLOCKED, .pool = "suspect", .reasons = "admin_block" },
	{ "injected while overloaded", STAGE_MAIL, .injected = true, .overloaded = true, .reasons = "overload" },
	{ "injected with too many recipients", STAGE_RCPT, .injected = true, .cap = 1, .rcpts = 2,
	  .reasons = "rcpts_per_message" },
};

static void test_row(const struct row *row)
{
	struct policy policy = policy_of(row);
	struct facts facts = facts_of(row);
	enum stage stage = row->stage != 0 ? row->stage : STAGE_MESSAGE;
	struct verdict verdict = judge(&policy, stage, &facts);
	char text[400];

	is_str(action_word(verdict.action), action_word(row->action), "%s", row->name);
	if (row->action != ACTION_PASS)
		is_str(reason_word(verdict.cause), reason_word(row->cause), "%s: cause", row->name);
	is_str(reasons_of(&verdict, text), row->reasons, "%s: reasons", row->name);
	ok(verdict.tag == row->tag, "%s: tag", row->name);
	if (stage != STAGE_RCPT) {
		enum level want = row->want != LEVEL_UNKNOWN ? row->want : LEVEL_NEW;
		is_str(level_word(verdict.level), level_word(want), "%s: level", row->name);
	}
	if (stage == STAGE_MESSAGE) {
		const char *pool = verdict.pool != NULL ? verdict.pool->name : NULL;
		is_str(pool, row->pool != NULL ? row->pool : "warm", "%s: pool", row->name);
		ok(verdict.transport != NULL, "%s: a transport", row->name);
	}
}

static void test_pools(void)
{
	struct row row = { .name = "no pools" };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	policy.pool_count = 0;
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.pool == NULL && verdict.transport == NULL, "without pools the MTA's own transport is taken");
	policy.pool_count = 3;
	facts.state.history.level = LEVEL_GOOD;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.transport == pool_pick(&pools[0], facts.account, NULL), "an account sticks to its transport");
	const struct transport *own = verdict.transport, *other = own == &clean[0] ? &clean[1] : &clean[0];
	facts.transports[own->index].spf = SPF_ANSWER_FAIL;
	facts.transports[other->index].spf = SPF_ANSWER_PASS;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.transport == other, "unless SPF passes by another only");
	is_int(verdict.reason_count, 1, "which is a reason");
	is_int(verdict.reasons[0].id, REASON_SPF_PREFERS, "by its name");
	is_str(verdict.reasons[0].detail, other->name, "with the transport taken");
	facts.transports[own->index] = (struct transport_state){ .withheld = TRANSPORT_OUT };
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.transport == other && verdict.reason_count == 0, "where its own is out that is no word of SPF's");
}

static void test_limit_details(void)
{
	struct row row = { .name = "full", .limit = 500, .used = 490, .rcpts = 20 };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	facts.now_ms += 1800000;
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.breach.window, WINDOW_RCPTS_PER_HOUR, "the limit that is passed is named");
	is_str(verdict.reasons[0].detail, "rcpts_per_hour", "by its word");
	is_near(verdict.reasons[0].value, 490, 1e-9, "with what is used");
	is_near(verdict.reasons[0].limit, 500, 0, "and what is allowed");
	/* 480 of the 490 may be left: in half an hour, and 10/490 of the hour after it */
	is_int(verdict.breach.frees_in_s, 1874, "and when it frees");
	facts.rcpts_remote = 10;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.breach.window, WINDOW_COUNT, "what fits passes no limit");
	is_int(verdict.breach.frees_in_s, 0, "and waits for nothing");
	facts.rcpts_remote = 501;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.breach.frees_in_s, 3600, "what never fits waits for the window's length");
}

static void test_counts(void)
{
	static const struct {
		struct row row;
		double want[COUNTER_COUNT];	/* messages, rcpts, spam, exploit, breaches */
	} counted[] = {
		{ { "three recipients", .rcpts = 3 }, { 1, 3, 0, 0, 0 } },
		{ { "local mail", .local_only = true, .local = 2 }, { 0 } },
		{ { "spam", .content_known = true, .spam = true }, { 1, 1, 1, 0, 0 } },
		{ { "spam that nobody called so", .spam = true }, { 1, 1, 0, 0, 0 } },
		{ { "spam that is rejected", .content_known = true, .spam = true, .score = 20 }, { 0, 0, 1, 0, 0 } },
		{ { "spam that is held", .content_known = true, .spam = true, .score = 10 }, { 1, 1, 1, 0, 0 } },
		{ { "from an exploit-listed address", .hits = { { &signals, LIST_EXPLOIT } } }, { 1, 1, 0, 1, 0 } },
		{ { "from a policy-listed address", .hits = { { &refuses, LIST_POLICY } } }, { 1, 1, 0, 0, 0 } },
		{ { "from a spam-listed address", .hits = { { &signals, LIST_SPAM } } }, { 1, 1, 0, 0, 0 } },
		{ { "deferred for a limit", FULL, .charged = true }, { 0, 0, 0, 0, 1 } },
		{ { "slowed for a limit", FULL, .charged = true, .over = OVER_SLOW, .rcpts = 5 }, { 1, 5, 0, 0, 1 } },
		{ { "blocked", .block = "phished" }, { 0 } },
	};
	for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
		const struct row *row = &counted[i].row;
		struct policy policy = policy_of(row);
		struct facts facts = facts_of(row);
		struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
		double counts[COUNTER_COUNT];
		judge_counts(&facts, &verdict, counts);
		for (int counter = 0; counter < COUNTER_COUNT; counter++)
			is_near(counts[counter], counted[i].want[counter], 0, "%s counts as %s", row->name,
				counter_word((enum counter)counter));
	}
}

static void test_scores(void)
{
	static const struct {
		struct row row;
		double prior;
		enum level level;
	} scored[] = {
		{ { .name = "nothing known" }, -1, LEVEL_NEW },
		{ { "young", .age_days = 6, .counters = { [COUNTER_MESSAGES] = 100 } }, -1, LEVEL_NEW },
		{ { "old, but silent", .age_days = 60, .counters = { [COUNTER_MESSAGES] = 2 } }, -1, LEVEL_NEW },
		{ { "old and busy", OLD_HAND }, -3, LEVEL_GOOD },
		{ { "good after a pause", .level = LEVEL_GOOD, .age_days = 60 }, -3, LEVEL_GOOD },
	};
	for (size_t i = 0; i < sizeof scored / sizeof scored[0]; i++) {
		struct facts facts = facts_of(&scored[i].row);
		struct score score = judge_score(&base_policy, &facts.state, NULL, NULL, facts.now_ms);
		is_near(score.prior, scored[i].prior, 0, "%s: prior", scored[i].row.name);
		is_near(score.sum, scored[i].prior, 0, "%s: score", scored[i].row.name);
		is_str(level_word(judge_level(&base_policy, &facts.state, facts.now_ms)),
		       level_word(scored[i].level), "%s: level", scored[i].row.name);
	}
	struct row spammer = { "a spammer", SPAMMER, .level = LEVEL_BLOCKED };
	struct facts facts = facts_of(&spammer);
	ok(judge_score(&base_policy, &facts.state, NULL, NULL, facts.now_ms).sum > 3, "a spammer's score");
	is_int(judge_level(&base_policy, &facts.state, facts.now_ms), LEVEL_BLOCKED, "his level");
	is_int(judge_level(&base_policy, &facts.state, facts.now_ms + 90LL * DAY * 1000), LEVEL_NEW,
	       "nothing is for ever");
}

static uint64_t seed = 88172645463325252U;

static int some(int below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int)(seed % (uint64_t)below);
}

static struct row any_row(void)
{
	static const struct list *const lists[] = { NULL, NULL, NULL, &signals, &refuses };
	struct row row = {
		.stranger = some(2), .own_network = some(2), .injected = some(2), .overloaded = !some(8), .memory_spent = !some(8),
		.store_away = !some(3), .store_must_answer = !some(4), .content_known = some(2), .spam = some(2),
		.content_must_answer = !some(4), .blocked_defers = some(2), .blocked_holds = some(2),
		.reject_at_zero = !some(9), .local_only = !some(4), .charged = some(2), .charge_fits = some(2),
		.block = some(6) ? NULL : "blocked", .exempt = some(6) ? NULL : "exempt",
		.level = (enum level)some(LEVEL_COUNT), .since_s = some(9000), .age_days = some(30),
		.lists_unknown = some(3), .rcpts = some(4), .local = some(3), .over = (enum over)some(OVER_COUNT),
		.limit = some(10), .used = some(12), .limit_is_nought = !some(6), .cap = some(4), .score = some(20) - 2,
	};
	for (int i = 0; i < HITS; i++) {
		row.hits[i].list = lists[some(5)];
		row.hits[i].kind = (enum list_kind)(1 + some(LIST_KIND_COUNT - 1));
	}
	for (int i = 0; i < COUNTER_COUNT; i++)
		row.counters[i] = some(4) != 0 ? some(5) : some(500);
	return row;
}

static bool names(const struct verdict *verdict, enum reason_id id)
{
	for (int i = 0; i < verdict->reason_count; i++)
		if (verdict->reasons[i].id == id)
			return true;
	return false;
}

/* What holds of any facts. */
static void test_always(void)
{
	static const enum stage stages[] = { STAGE_MAIL, STAGE_RCPT, STAGE_MESSAGE };
	int injected = 0, early = 0, uncaused = 0, unlevelled = 0, over = 0, exempt = 0, customer = 0;
	for (int i = 0; i < 100000; i++) {
		struct row row = any_row();
		struct policy policy = policy_of(&row);
		struct facts facts = facts_of(&row);
		enum stage stage = stages[i % 3];
		struct verdict verdict = judge(&policy, stage, &facts);
		injected += stage != STAGE_MESSAGE && row.injected && verdict.action != ACTION_PASS;
		early += stage != STAGE_MESSAGE && verdict.action != ACTION_PASS && !verdict_refuses(&verdict);
		uncaused += verdict.action != ACTION_PASS && !names(&verdict, verdict.cause);
		unlevelled += stage != STAGE_RCPT && verdict.level == LEVEL_UNKNOWN;
		over += names(&verdict, REASON_LIMIT) != (verdict.breach.window != WINDOW_COUNT);
		exempt += row.exempt != NULL && names(&verdict, REASON_LIMIT);
		customer += !row.stranger && names(&verdict, REASON_LISTED);
	}
	is_int(injected, 0, "injected mail is never refused before its end");
	is_int(early, 0, "before its end a message is let in, deferred or rejected, never held");
	is_int(uncaused, 0, "the cause of an action is among the reasons");
	is_int(unlevelled, 0, "a judged message has a level");
	is_int(over, 0, "a limit passed is a reason, and the reverse");
	is_int(exempt, 0, "who is exempt passes no limit");
	is_int(customer, 0, "who is authenticated is not refused for where he comes from");
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		test_row(&rows[i]);
	test_pools();
	test_limit_details();
	test_counts();
	test_scores();
	test_always();
	return done_testing();
}
