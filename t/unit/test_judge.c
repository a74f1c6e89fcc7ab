/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/unit/judge_fixture.h"

/* clang-format off */
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
	{ "a domain that authorises none of our addresses", .spf_ours = SPF_OURS_NONE_PASSES, .reasons =
	  "spf_unauthorised" },
	{ "not at MAIL", .stage = STAGE_MAIL, .spf_ours = SPF_OURS_NONE_PASSES, .reasons = "" },
	{ "one that authorises some", .spf_ours = SPF_OURS_FINE, .reasons = "" },
	{ "a new account", .reasons = "" },
	{ "a good account", .level = LEVEL_GOOD, OLD_HAND, .want = LEVEL_GOOD, .pool = "clean", .reasons = "" },
	{ "a new account comes of age", .level = LEVEL_NEW, OLD_HAND, .want = LEVEL_GOOD, .pool = "clean",
	  .reasons = "level" },
	{ "a suspect account at rest", .level = LEVEL_SUSPECT, .since_s = 3599, .want = LEVEL_SUSPECT, .pool =
	  "suspect",
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
	{ "where the list is only a signal he "
	  "is not", STAGE_MAIL, .stranger = true, .hits = { { &signals, LIST_SPAM } },
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
	{ "and that it sends spam", .own_network = true, .hits = { { &signals, LIST_SPAM } }, .reasons =
	  "exploit_listed" },
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
	{ "a customer does not wait for lists", STAGE_MAIL, .lists_unknown = 1, .lists_must_answer = true, .reasons =
	  "" },
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
	{ "injected over a limit, at RCPT", STAGE_RCPT, .injected = true, FULL, .over = OVER_REJECT, .reasons =
	  "limit" },
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
/* clang-format on */

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

static void test_rests(void)
{
	struct row row = { .name = "rests" };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	facts.state.history.level = LEVEL_GOOD;
	const struct transport *own = pool_pick(&pools[0], facts.account, NULL);
	const struct transport *other = own == &clean[0] ? &clean[1] : &clean[0];
	strcpy(facts.receiver, "google");
	facts.transports[other->index].rests = true;
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.transport == own && verdict.reason_count == 0, "that another one rests is nothing to the account");
	facts.transports[own->index].rests = true;
	facts.transports[other->index].rests = false;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.transport == other, "where its own rests for the receiver another one takes the message");
	is_int(verdict.reason_count, 1, "which is a reason");
	is_str(reason_word(verdict.reasons[0].id), "rest", "by its name");
	is_str(verdict.reasons[0].detail, "google", "with the receiver");
	facts.rcpts_local = 1;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.reason_count, 0, "what cannot be marked does not leave by another one for it");
	facts.rcpts_local = 0;
	facts.transports[other->index].withheld = TRANSPORT_OUT;
	facts.transports[own->index].rests = false;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.transport == own && verdict.reason_count == 0, "the one that goes on does");
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
		.stranger = some(2),
		.own_network = some(2),
		.injected = some(2),
		.overloaded = !some(8),
		.memory_spent = !some(8),
		.store_away = !some(3),
		.store_must_answer = !some(4),
		.content_known = some(2),
		.spam = some(2),
		.content_must_answer = !some(4),
		.blocked_defers = some(2),
		.blocked_holds = some(2),
		.reject_at_zero = !some(9),
		.local_only = !some(4),
		.charged = some(2),
		.charge_fits = some(2),
		.block = some(6) ? NULL : "blocked",
		.exempt = some(6) ? NULL : "exempt",
		.level = (enum level)some(LEVEL_COUNT),
		.since_s = some(9000),
		.age_days = some(30),
		.lists_unknown = some(3),
		.rcpts = some(4),
		.local = some(3),
		.over = (enum over)some(OVER_COUNT),
		.limit = some(10),
		.used = some(12),
		.limit_is_nought = !some(6),
		.cap = some(4),
		.score = some(20) - 2,
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
	test_rests();
	test_always();
	return done_testing();
}
