/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/unit/judge_fixture.h"

/* A spammer's message over each limit, with a policy that shows what `words` say. */
static struct verdict shown(const char *const *words, struct policy *policy, struct policy *whole,
			    const struct facts *facts)
{
	policy->shadow = 0;
	for (; *words != NULL; words++)
		policy->shadow |= rules_find(*words);
	*whole = *policy;
	whole->shadow = 0;
	whole->log_acts = true;
	policy->in_shadow = policy->shadow != 0;
	policy->whole = whole;
	return judge(policy, STAGE_MESSAGE, facts);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_rules(void)
{
	struct row limit = { "full", FULL, .charged = true }, spam = { "spam", .content_known = true, .score = 20 };
	struct row spammer = { "spammer", SPAMMER, .level = LEVEL_BLOCKED };
	struct policy policy = policy_of(&limit), whole;
	struct facts facts = facts_of(&limit);
	struct charge charge;
	struct verdict verdict = shown(WORDS("limits"), &policy, &whole, &facts);
	is_int(verdict.action, ACTION_PASS, "a limit in shadow mode refuses nobody");
	ok(verdict.would.shown && verdict.would.action == ACTION_DEFER, "but says that it would have");
	is_int(verdict.would.cause, REASON_LIMIT, "for what");
	is_int(verdict.would.breach.window, WINDOW_RCPTS_PER_HOUR, "and which");
	judge_charge(&policy, &facts, &verdict, &charge);
	ok(!charge.checked && charge.quota, "the message is charged whatever is used");
	verdict = shown(WORDS("content"), &policy, &whole, &facts);
	is_int(verdict.action, ACTION_DEFER, "other rules act");
	ok(!verdict.would.shown, "and what runs in shadow mode had nothing to say");
	facts.state.history.level = LEVEL_NEW;
	verdict = shown(WORDS("level"), &policy, &whole, &facts);
	ok(verdict.action == ACTION_DEFER && !verdict.would.shown,
	   "a message that is deferred would leave by no other pool");
	facts = facts_of(&spam);
	verdict = shown(WORDS("content"), &policy, &whole, &facts);
	ok(verdict.action == ACTION_PASS && !verdict.tag, "a scanner's word in shadow mode");
	is_int(verdict.would.action, ACTION_REJECT, "would have refused");
	facts = facts_of(&spammer);
	verdict = shown(WORDS("level"), &policy, &whole, &facts);
	is_int(verdict.action, ACTION_PASS, "a level in shadow mode blocks nobody");
	is_int(verdict.level, LEVEL_BLOCKED, "and goes its way");
	is_str(verdict.pool->name, "clean", "no pool follows it");
	ok(verdict.would.action == ACTION_REJECT && verdict.would.level == LEVEL_BLOCKED,
	   "what would have been is known");
	facts.state.history.level = LEVEL_SUSPECT;
	memset(facts.state.history.counters.value, 0, sizeof facts.state.history.counters.value);
	facts.state.history.level_since_s = NOW;
	verdict = shown(WORDS("pool"), &policy, &whole, &facts);
	is_str(verdict.pool->name, "clean", "a pool in shadow mode moves nothing");
	ok(verdict.would.shown && verdict.would.level == LEVEL_SUSPECT, "but in what would have been");
	facts = facts_of(&spammer);
	verdict = shown(WORDS("all"), &policy, &whole, &facts);
	ok(verdict.action == ACTION_PASS && verdict.would.action == ACTION_REJECT, "all of it can run in shadow mode");
}

static void test_plan(void)
{
	struct row row = { "shown by its plan", FULL, .over = OVER_LOG };
	struct policy policy = policy_of(&row), whole;
	struct facts facts = facts_of(&row);
	struct verdict verdict = shown(WORDS(""), &policy, &whole, &facts);
	ok(verdict.action == ACTION_PASS && verdict.reason_count == 0, "a plan in shadow mode lets mail pass");
	ok(verdict.would.shown && verdict.would.action == ACTION_DEFER, "and says what would have been");
	facts.state.history.rates.present[WINDOW_RCPTS_PER_HOUR] = 0;
	verdict = shown(WORDS(""), &policy, &whole, &facts);
	ok(!verdict.would.shown, "within the limit nothing would");
	facts.limits.over = OVER_UNSET;
	facts.limits.rcpts_per_message = 0;
	facts.limits.over = OVER_LOG;
	ok(shown(WORDS(""), &policy, &whole, &facts).would.shown, "the cap of a message can be shown, too");
	policy.whole = NULL;
	ok(!judge(&policy, STAGE_MESSAGE, &facts).would.shown, "where nobody asks, nothing is said");
}

static void test_words(void)
{
	is_int(rules_find("overload"), 0, "what protects the daemon never runs in shadow mode");
	is_int(rules_find("exempt"), 0, "nor is an exemption");
	is_int(rules_find("limit"), 0, "a misspelt rule is none");
	is_int(rules_find("limits"), 1 << RULE_LIMITS, "a rule by its name");
	ok((rules_find("all") & rules_find("pool")) != 0, "all has each");
	is_str(rule_word(RULE_SPF_CLIENT), "spf_client", "and it has a word");
}

static void test_signals(void)
{
	static const struct {
		enum measure measure;
		enum action action;
		const char *pool;
	} rows[] = {
		{ MEASURE_PASS, ACTION_PASS, "suspect" },     { MEASURE_SUSPECT, ACTION_PASS, "suspect" },
		{ MEASURE_HOLD, ACTION_HOLD, "suspect" },     { MEASURE_DEFER, ACTION_DEFER, "suspect" },
		{ MEASURE_REJECT, ACTION_REJECT, "suspect" }, { MEASURE_BLOCK, ACTION_REJECT, "suspect" },
		{ MEASURE_SLOW, ACTION_PASS, "suspect" },
	};
	struct row row = { "spam so far", .level = LEVEL_SUSPECT, .since_s = 10,
			   .counters = { [COUNTER_MESSAGES] = 20, [COUNTER_SPAM] = 2 } };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	double term = judge(&policy, STAGE_MESSAGE, &facts).terms.term[SIGNAL_SPAM];
	ok(term > 0.2, "the share of spam weighs");
	policy.hold_s = 3600;
	ok(judge(&policy, STAGE_MESSAGE, &facts).throttle, "the client of a suspect account waits");
	policy.level_does[LEVEL_SUSPECT].measure = MEASURE_SUSPECT;
	ok(!judge(&policy, STAGE_MESSAGE, &facts).throttle, "not where the level has an action of its own");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		policy.signal_does[SIGNAL_SPAM] = (struct signal_does){ rows[i].measure, term - 0.1 };
		struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
		is_int(verdict.action, rows[i].action, "a signal that asks for measure %d", rows[i].measure);
		is_str(verdict.pool->name, rows[i].pool, "and its pool");
		ok(verdict.throttle == (rows[i].measure == MEASURE_SLOW || rows[i].measure == MEASURE_BLOCK),
		   "who waits");
		is_int(verdict.level, rows[i].measure == MEASURE_BLOCK ? LEVEL_BLOCKED : LEVEL_SUSPECT, "its level");
		is_int(verdict.hold_s, rows[i].measure == MEASURE_HOLD ? 3600 : 0, "when it is released");
		policy.signal_does[SIGNAL_SPAM].from = term + 0.1;
		verdict = judge(&policy, STAGE_MESSAGE, &facts);
		ok(verdict.action == ACTION_PASS && !verdict.throttle, "below its threshold it asks nothing");
	}
}

static void test_levels(void)
{
	struct row row = { "held", SPAMMER, .level = LEVEL_BLOCKED }, new = { .name = "new" };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row), stranger = facts_of(&new);
	policy.level_does[LEVEL_BLOCKED] = (struct measure_setting){ MEASURE_HOLD, 7200 };
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.action == ACTION_HOLD && verdict.hold_s == 7200, "a blocked account's mail is held for two hours");
	is_int(judge(&policy, STAGE_MAIL, &facts).action, ACTION_PASS, "so it is let in");
	policy.level_does[LEVEL_BLOCKED] = (struct measure_setting){ MEASURE_SLOW, 0 };
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.action == ACTION_PASS && verdict.throttle, "or leaves slowly");
	is_str(verdict.pool->name, "suspect", "by the suspect pool");
	policy.level_does[LEVEL_NEW] = (struct measure_setting){ MEASURE_PASS, 0 };
	is_str(judge(&policy, STAGE_MESSAGE, &stranger).pool->name, "clean", "a new account may pass as a good one");
	policy.level_does[LEVEL_NEW] = (struct measure_setting){ MEASURE_DEFER, 0 };
	is_int(judge(&policy, STAGE_MAIL, &stranger).cause, REASON_SCORE, "or wait");
}

/* Who asks without a message gets what a message would: whose account, what runs in shadow mode, and what is answered.
 */
static void test_account(void)
{
	static const struct row good = { .name = "good", .level = LEVEL_GOOD, .counters = { [COUNTER_MESSAGES] = 50 } };
	static const struct row full = { "full", FULL, .level = LEVEL_GOOD, .over = OVER_SLOW };
	static const struct row bad = { .name = "suspect", .level = LEVEL_SUSPECT, .since_s = 10 };
	static const struct {
		const struct row *row;
		const char *shadow;
		enum measure measure; /* of the account's own level */
		const char *block;
		enum level level;
		enum action action;
		const char *pool;
		bool waits;
	} rows[] = {
		{ &good, "", MEASURE_USUAL, "", LEVEL_GOOD, ACTION_PASS, "clean", false },
		{ &good, "", MEASURE_SLOW, "", LEVEL_GOOD, ACTION_PASS, "suspect", true },
		{ &good, "", MEASURE_HOLD, "", LEVEL_GOOD, ACTION_HOLD, "clean", false },
		{ &good, "", MEASURE_USUAL, "stolen", LEVEL_BLOCKED, ACTION_REJECT, "suspect", true },
		{ &good, "admin_block", MEASURE_USUAL, "stolen", LEVEL_GOOD, ACTION_PASS, "clean", false },
		{ &good, "level", MEASURE_USUAL, "stolen", LEVEL_BLOCKED, ACTION_REJECT, "suspect", true },
		{ &good, "pool", MEASURE_SLOW, "", LEVEL_GOOD, ACTION_PASS, "clean", true },
		{ &bad, "", MEASURE_USUAL, "", LEVEL_SUSPECT, ACTION_PASS, "suspect", true },
		{ &bad, "", MEASURE_WARM, "", LEVEL_SUSPECT, ACTION_PASS, "warm", false },
		{ &bad, "level", MEASURE_USUAL, "", LEVEL_SUSPECT, ACTION_PASS, "clean", false },
		{ &bad, "all", MEASURE_SLOW, "stolen", LEVEL_SUSPECT, ACTION_PASS, "clean", false },
		{ &full, "", MEASURE_USUAL, "", LEVEL_GOOD, ACTION_PASS, "suspect", true },
		{ &full, "limits", MEASURE_USUAL, "", LEVEL_GOOD, ACTION_PASS, "clean", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct policy policy = policy_of(rows[i].row), whole;
		struct facts facts = facts_of(rows[i].row);
		facts.rcpts_remote = 0;
		snprintf(facts.state.block, sizeof facts.state.block, "%s", rows[i].block);
		policy.level_does[rows[i].row->level].measure = rows[i].measure;
		shown(WORDS(rows[i].shadow), &policy, &whole, &facts);
		struct verdict verdict = judge_account(&policy, &facts);
		is_int(verdict.level, rows[i].level, "%s, %s in shadow mode: the level", rows[i].row->name,
		       rows[i].shadow);
		is_int(verdict.action, rows[i].action, "the action");
		is_str(verdict.pool->name, rows[i].pool, "the pool");
		ok(verdict.transport != NULL, "a transport");
		is_int(verdict.throttle, rows[i].waits, "who waits");
	}
	struct policy policy = policy_of(&good);
	struct facts nobody = facts_of(&good);
	nobody.state.known = KNOWLEDGE_NONE;
	struct verdict verdict = judge_account(&policy, &nobody);
	ok(verdict.level == LEVEL_UNKNOWN && verdict.pool == NULL && !verdict.throttle, "nothing known, nothing said");
}

int main(void)
{
	test_rules();
	test_plan();
	test_words();
	test_signals();
	test_levels();
	test_account();
	return done_testing();
}
