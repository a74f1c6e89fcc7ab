/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/unit/judge_fixture.h"

#include "policy/base/text.h"

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

static struct facts distinct_facts(int64_t limit, int yesterday)
{
	struct row row = { .name = "places", .age_days = 30 };
	struct facts facts = facts_of(&row);
	facts.now_ms = ((int64_t)NOW - NOW % DAY) * 1000; /* midnight UTC: all of yesterday reaches back */
	facts.client_network = 12345;
	facts.limits.window[WINDOW_NETWORKS_PER_DAY] = limit;
	facts.state.history.habits.day = (uint16_t)(NOW / DAY);
	facts.state.history.habits.distinct[COUNTED_NETWORKS - COUNTED_SUMS].yesterday = (uint8_t)yesterday;
	return facts;
}

static void test_distinct(void)
{
	struct row row = { .name = "places" };
	struct policy policy = policy_of(&row);
	struct facts facts = distinct_facts(3, 9);
	struct verdict verdict = judge(&policy, STAGE_MAIL, &facts);
	is_int(verdict.action, ACTION_DEFER, "too many client networks are heard of at MAIL");
	is_int(verdict.breach.window, WINDOW_NETWORKS_PER_DAY, "as that");
	is_str(verdict.reasons[0].detail, "networks_per_day", "by its word");
	ok(verdict.breach.used >= 8 && verdict.breach.used <= 10, "with how many there were");
	is_int(verdict.breach.frees_in_s, DAY, "and it frees tomorrow");
	facts.charged = true;
	facts.breach = breach_none;
	is_int(judge(&policy, STAGE_MESSAGE, &facts).action, ACTION_DEFER, "what was charged is held against it, too");
	facts.client_network = 0;
	is_int(judge(&policy, STAGE_MESSAGE, &facts).action, ACTION_PASS, "an unknown network is none");
	facts = distinct_facts(20, 9);
	is_int(judge(&policy, STAGE_MESSAGE, &facts).action, ACTION_PASS, "within its limit it passes");
	facts = distinct_facts(3, 9);
	facts.limits.over = OVER_SLOW;
	is_str(judge(&policy, STAGE_MESSAGE, &facts).pool->name, "suspect", "or leaves as the plan says");
	snprintf(facts.state.exempt, sizeof facts.state.exempt, "travels");
	is_str(judge(&policy, STAGE_MESSAGE, &facts).pool->name, "clean", "who is exempt may be anywhere");
}

static void test_scopes(void)
{
	static const struct {
		enum over over;
		enum action action;
	} overs[] = { { OVER_UNSET, ACTION_DEFER },
		      { OVER_REJECT, ACTION_REJECT },
		      { OVER_HOLD, ACTION_HOLD },
		      { OVER_SLOW, ACTION_PASS },
		      { OVER_LOG, ACTION_PASS } };
	struct row row = { .name = "a group's", .charged = true };
	struct policy policy = policy_of(&row);
	for (size_t i = 0; i < sizeof overs / sizeof overs[0]; i++) {
		struct facts facts = facts_of(&row);
		double counts[COUNTER_COUNT];
		facts.limits.over = OVER_REJECT;
		facts.breach = (struct breach){
			.window = WINDOW_RCPTS_PER_DAY, .scope = SCOPE_CUSTOMER, .limit = 0, .over = overs[i].over
		};
		struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
		is_int(verdict.action, overs[i].action, "a customer's limit does what its own plan says: %s",
		       over_word(overs[i].over));
		judge_counts(&facts, &verdict, counts);
		is_near(counts[COUNTER_BREACHES], 0, 0, "and is no breach of the account's");
		if (overs[i].over == OVER_LOG)
			continue;
		is_str(verdict.reasons[0].detail, "customer:rcpts_per_day", "the reason says whose limit");
		is_int(verdict.breach.scope, SCOPE_CUSTOMER, "and so does the breach");
		ok(verdict.would.shown == false, "nothing was in shadow mode");
	}
}

/* Nothing was passed: no limit is said, and no plan has a say in what becomes of it. */
static void test_blocked_group(void)
{
	struct row row = { .name = "a blocked group's", .charged = true };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	double counts[COUNTER_COUNT];
	facts.limits.over = OVER_LOG;
	facts.breach = (struct breach){
		.window = WINDOW_MSGS_PER_DAY, .scope = SCOPE_DOMAIN, .over = OVER_REJECT, .blocked = true
	};
	text_copy(facts.group_block, sizeof facts.group_block, "domain:example.com: sold");
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.action, ACTION_REJECT, "a blocked group refuses");
	is_int(verdict.cause, REASON_ADMIN_BLOCK, "since an admin said so");
	is_int(verdict.reason_count > 0 ? (int)verdict.reasons[0].id : -1, REASON_ADMIN_BLOCK, "it is the reason");
	is_str(verdict.reasons[0].detail, "domain:example.com: sold", "with whose block it is, and his words");
	is_int(verdict.breach.scope, SCOPE_DOMAIN, "the scope is said");
	ok(verdict.level != LEVEL_BLOCKED, "the account itself is not blocked");
	judge_counts(&facts, &verdict, counts);
	is_near(counts[COUNTER_BREACHES], 0, 0, "and has passed no limit");
	text_copy(facts.state.exempt, sizeof facts.state.exempt, "newsletter");
	is_int(judge(&policy, STAGE_MESSAGE, &facts).action, ACTION_PASS, "who is exempt is exempt from his groups'");
}

/* What comes again is the message that is over the limit, not each that is refused while the account is over one. */
static void test_tried_again(void)
{
	struct row row = { .name = "over and spam", .limit = 500, .used = 500, .rcpts = 1 };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	struct verdict verdict;
	double counts[COUNTER_COUNT];
	facts.tried_again = true;
	facts.content = (struct content){ .known = KNOWLEDGE_FULL, .spam = true };
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	judge_counts(&facts, &verdict, counts);
	is_int(verdict.cause, REASON_LIMIT, "refused for the limit");
	is_near(counts[COUNTER_SPAM], 0, 0, "it says nothing new");
	is_near(counts[COUNTER_BREACHES], 0, 0, "and is no breach");
	facts.limits.over = OVER_SLOW;
	text_copy(facts.state.block, sizeof facts.state.block, "stolen");
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	judge_counts(&facts, &verdict, counts);
	is_int(verdict.cause, REASON_ADMIN_BLOCK, "refused for something else, by a plan that slows what is over");
	is_near(counts[COUNTER_SPAM], 1, 0, "its evidence counts");
	is_near(counts[COUNTER_BREACHES], 0, 0, "but no breach, which was counted");
}

static void test_ramp(void)
{
	struct row row = { .name = "ramp", .charged = true };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	facts.breach = (struct breach){ .window = WINDOW_RCPTS_PER_DAY, .limit = 50 };
	facts.limits.ramped = true;
	ok(judge(&policy, STAGE_MESSAGE, &facts).breach.ramp, "what the ramp allows is said to be that");
	facts.breach.scope = SCOPE_SERVER;
	ok(!judge(&policy, STAGE_MESSAGE, &facts).breach.ramp, "a group has none");
}

static void test_lanes(void)
{
	static struct transport back[] = { { .name = "bounce-1", .weight = 1, .index = 4 } };
	struct pool four[4];
	struct row row = { "a bounce", .level = LEVEL_GOOD, OLD_HAND };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	facts.class = MAIL_CLASS_BOUNCE;
	is_str(judge(&policy, STAGE_MESSAGE, &facts).pool->name, "clean",
	       "a class without a pool leaves by the level's");
	memcpy(four, pools, sizeof pools);
	four[3] = (struct pool){
		.name = "back", .classes = { [MAIL_CLASS_BOUNCE] = true }, .transports = back, .transport_count = 1
	};
	policy.pools = four;
	policy.pool_count = 4;
	is_str(judge(&policy, STAGE_MESSAGE, &facts).pool->name, "back", "with one by its own");
	facts.class = MAIL_CLASS_FORWARD;
	is_str(judge(&policy, STAGE_MESSAGE, &facts).pool->name, "clean", "which is not that of another class");
	facts.class = MAIL_CLASS_BOUNCE;
	facts.state.history.level = LEVEL_SUSPECT;
	facts.state.history.level_since_s = NOW;
	is_str(judge(&policy, STAGE_MESSAGE, &facts).pool->name, "suspect",
	       "what is suspect leaves as such in any class");
}

int main(void)
{
	test_limit_details();
	test_distinct();
	test_scopes();
	test_blocked_group();
	test_tried_again();
	test_ramp();
	test_lanes();
	return done_testing();
}
