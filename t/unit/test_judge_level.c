/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/unit/judge_fixture.h"

static void test_counts(void)
{
	static const struct {
		struct row row;
		double want[COUNTER_COUNT]; /* messages, rcpts, spam, exploit, breaches */
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
		for (int counter = 0; counter < COUNTER_CONTENT; counter++)
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
		{ { "older, but silent", .age_days = 27, .counters = { [COUNTER_MESSAGES] = 2 } }, -1, LEVEL_NEW },
		{ { "old, though silent", .age_days = 60, .days = 5, .counters = { [COUNTER_MESSAGES] = 2 } },
		  -3,
		  LEVEL_GOOD },
		{ { "old and busy", OLD_HAND }, -3, LEVEL_GOOD },
		{ { "good after a pause", .level = LEVEL_GOOD, .age_days = 60 }, -3, LEVEL_GOOD },
	};
	struct policy policy = policy_of(&scored[0].row);
	for (size_t i = 0; i < sizeof scored / sizeof scored[0]; i++) {
		struct facts facts = facts_of(&scored[i].row);
		struct score score = judge_score(&policy, &facts.state, NULL, NULL, facts.now_ms);
		is_near(score.prior, scored[i].prior, 0, "%s: prior", scored[i].row.name);
		is_near(score.sum, scored[i].prior, 0, "%s: score", scored[i].row.name);
		is_str(level_word(judge_level(&policy, &facts.state, facts.now_ms)), level_word(scored[i].level),
		       "%s: level", scored[i].row.name);
	}
	struct row spammer = { "a spammer", SPAMMER, .level = LEVEL_BLOCKED };
	struct facts facts = facts_of(&spammer);
	ok(judge_score(&policy, &facts.state, NULL, NULL, facts.now_ms).sum > 3, "a spammer's score");
	is_int(judge_level(&policy, &facts.state, facts.now_ms), LEVEL_BLOCKED, "his level");
	is_int(judge_level(&policy, &facts.state, facts.now_ms + 90LL * DAY * 1000), LEVEL_NEW, "nothing is for ever");
}

static struct facts abused(int64_t since_s)
{
	struct row row = { "abused",
			   .level = LEVEL_BLOCKED,
			   .since_s = since_s,
			   .age_days = 30,
			   .days = 20,
			   .counters = { [COUNTER_MESSAGES] = 40,
					 [COUNTER_SPAM] = 30,
					 [COUNTER_CONTENT] = 12,
					 [COUNTER_REFUSED] = 20 } };
	return facts_of(&row);
}

static void test_pardon(void)
{
	struct row row = { .name = "pardon" };
	struct policy policy = policy_of(&row);
	struct facts facts = abused(600);
	struct charge charge;
	is_int(judge(&policy, STAGE_MESSAGE, &facts).level, LEVEL_BLOCKED,
	       "ten minutes after its block an account is blocked");
	facts.state.limits.password_changed_s = NOW - 60;
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	ok(verdict.level < LEVEL_SUSPECT, "a new password ends it at once");
	is_int(verdict.action, ACTION_PASS, "its mail leaves");
	is_int(judge(&policy, STAGE_MAIL, &facts).action, ACTION_PASS, "from MAIL on");
	ok(judge_level(&policy, &facts.state, facts.now_ms) < LEVEL_SUSPECT, "a look-up says so, too");
	is_str(reason_word(verdict.reasons[0].id), "pardoned", "the reason is named");
	judge_charge(&policy, &facts, &verdict, &charge);
	is_int(charge.pardoned_s, NOW - 60, "it is noted");
	is_near(charge.counts[COUNTER_SPAM], -28.5, 1e-6, "what was against it is taken back");
	is_near(charge.counts[COUNTER_REFUSED], -19, 1e-6, "what servers refused, too");
	history_charge(&facts.state.history, &charge);
	is_near(facts.state.history.counters.value[COUNTER_SPAM], 1.5, 1e-6, "but for a twentieth");
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	judge_charge(&policy, &facts, &verdict, &charge);
	is_int(charge.pardoned_s, 0, "once");
	ok(charge.counts[COUNTER_SPAM] >= 0, "and no more");
}

static void test_no_pardon(void)
{
	static const struct {
		const char *name;
		int64_t since_s, changed_s, pardoned_s;
	} rows[] = {
		{ "a password that was changed before the block", 600, NOW - 700, 0 },
		{ "a pardon that was had", 600, NOW - 60, NOW - 60 },
		{ "a change of tomorrow", 600, NOW + DAY, 0 },
	};
	struct row row = { .name = "no pardon" };
	struct policy policy = policy_of(&row);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = abused(rows[i].since_s);
		facts.state.limits.password_changed_s = rows[i].changed_s;
		facts.state.history.pardoned_s = rows[i].pardoned_s;
		is_int(judge(&policy, STAGE_MESSAGE, &facts).level, LEVEL_BLOCKED, "%s changes nothing", rows[i].name);
	}
}

/* Who sends on cleanly is pardoned by shares and decay, without anybody's word. */
static void test_clean_volume(void)
{
	struct row row = { "clean volume", .level = LEVEL_SUSPECT, .age_days = 30, .days = 20,
			   .counters = { [COUNTER_MESSAGES] = 40, [COUNTER_SPAM] = 8 } };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row), silent = facts;
	struct charge charge;
	int sent = 0;
	while (facts.state.history.level >= LEVEL_SUSPECT && sent < 5000) {
		struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
		judge_charge(&policy, &facts, &verdict, &charge);
		history_charge(&facts.state.history, &charge);
		facts.now_ms += 600000;
		sent++;
	}
	ok(sent > 1 && sent < 5000, "after %d clean messages it is good again", sent);
	ok(judge_level(&policy, &silent.state, facts.now_ms) >= LEVEL_SUSPECT,
	   "one that was silent for so long is not");
}

static void test_clocks(void)
{
	static const int64_t jumps[] = { -3600, DAY };
	struct row row = { .name = "clocks" };
	struct policy policy = policy_of(&row);
	for (int i = 0; i < 2; i++) {
		struct row good = {
			"good", .level = LEVEL_GOOD, OLD_HAND, .limit = 500, .used = 500, .over = OVER_SLOW
		};
		struct facts facts = facts_of(&good), bad = abused(600);
		facts.now_ms += jumps[i] * 1000;
		bad.now_ms += jumps[i] * 1000;
		is_int(judge(&policy, STAGE_MESSAGE, &facts).level, LEVEL_GOOD, "%+lld s: good stays good",
		       (long long)jumps[i]);
		is_int(judge(&policy, STAGE_MESSAGE, &bad).level, LEVEL_BLOCKED, "%+lld s: blocked stays blocked",
		       (long long)jumps[i]);
		ok(jumps[i] > 0 || judge(&policy, STAGE_MESSAGE, &facts).breach.window == WINDOW_RCPTS_PER_HOUR,
		   "a clock that went back frees no limit");
	}
}

static void test_amend(void)
{
	struct row row = { "amended", .limit = 500, .used = 10 };
	struct policy policy = policy_of(&row);
	struct facts facts = facts_of(&row);
	struct charge charge, amend;
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	judge_charge(&policy, &facts, &verdict, &charge);
	ok(!judge_amend(&policy, &facts, &verdict, &charge, &amend), "what nobody charged is not mended");
	facts.charged = true;
	facts.breach = breach_none;
	ok(!judge_amend(&policy, &facts, &verdict, &charge, &amend), "nor what stays as it is");
	facts.state.known = KNOWLEDGE_FULL;
	facts.campaign = (struct campaign){ .known = KNOWLEDGE_FULL };
	ok(!judge_amend(&policy, &facts, &verdict, &charge, &amend), "nor what takes from a counter that is nought");
	facts.state.history.counters.value[COUNTER_CAMPAIGN] = 0.1;
	ok(judge_amend(&policy, &facts, &verdict, &charge, &amend) && amend.counts[COUNTER_CAMPAIGN] < 0,
	   "one that is not is taken from");
	facts.state.history.counters.value[COUNTER_CAMPAIGN] = 0;
	facts.campaign.known = KNOWLEDGE_NONE;
	verdict.action = ACTION_REJECT;
	verdict.level = LEVEL_BLOCKED;
	ok(judge_amend(&policy, &facts, &verdict, &charge, &amend), "what is refused after all is");
	is_int(amend.amounts.of[COUNTED_RECIPIENTS], -1, "it gets back what it paid");
	ok(amend.quota && !amend.checked, "unasked");
	is_near(amend.counts[COUNTER_MESSAGES], -1, 0, "it did not leave");
	is_int(amend.level, LEVEL_BLOCKED, "the level follows");
	is_str(amend.account, "alice@example.com", "of the same account");
	verdict.action = ACTION_DEFER;
	ok(judge_amend(&policy, &facts, &verdict, &charge, &amend) && amend.amounts.of[COUNTED_RECIPIENTS] == -1,
	   "and so does one that is told to come again: then it is charged");
	facts.breach = (struct breach){ .window = WINDOW_RCPTS_PER_HOUR, .limit = 500, .over = OVER_SLOW };
	ok(judge_amend(&policy, &facts, &verdict, &charge, &amend) && amend.amounts.of[COUNTED_RECIPIENTS] == -1,
	   "one that was charged over a limit which only slows, too");
	facts.breach.over = OVER_DEFER;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	judge_amend(&policy, &facts, &verdict, &charge, &amend);
	ok(!amend.quota, "what Redis turned away was not charged");
	is_near(amend.counts[COUNTER_MESSAGES], 0, 0, "nor counted");
	is_near(amend.counts[COUNTER_BREACHES], 0, 0, "but as a breach, which it has noted");
	facts.tried_again = true;
	facts.breach.scope = SCOPE_CUSTOMER;
	ok(charge.counts[COUNTER_HOUR] < 0, "its hour speaks for it");
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	judge_amend(&policy, &facts, &verdict, &charge, &amend);
	is_near(amend.counts[COUNTER_HOUR], 0, 0, "tried again, it gets back nothing of what was not there");
	facts.state.history.counters.value[COUNTER_HOUR] = 0.1;
	judge_amend(&policy, &facts, &verdict, &charge, &amend);
	is_near(amend.counts[COUNTER_HOUR], 0.1, 0.001, "and what was");
}

/* Whose spam makes a text a bad one for others. */
static void test_campaign_bad(void)
{
	static const struct {
		const char *name;
		enum source source;
		int64_t age_days;
		double messages;
		enum knowledge known;
		bool spam, bad;
	} rows[] = {
		{ "a login with a history", SOURCE_AUTH, 30, 50, KNOWLEDGE_FULL, true, true },
		{ "its harmless mail", SOURCE_AUTH, 30, 50, KNOWLEDGE_FULL, false, false },
		{ "a throw-away login", SOURCE_AUTH, 0, 50, KNOWLEDGE_FULL, true, false },
		{ "an old one that sent nothing", SOURCE_AUTH, 30, 1, KNOWLEDGE_FULL, true, false },
		{ "one of which Redis did not say", SOURCE_AUTH, 30, 50, KNOWLEDGE_LOCAL, true, false },
		{ "a network's account", SOURCE_NETWORK, 30, 50, KNOWLEDGE_FULL, true, true },
		{ "a claimed sender, however old", SOURCE_SENDER, 30, 50, KNOWLEDGE_FULL, true, false },
		{ "a stranger, however old", SOURCE_CLIENT, 30, 50, KNOWLEDGE_FULL, true, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct row row = { .name = rows[i].name, .used = 0 };
		struct policy policy = policy_of(&row);
		struct facts facts = facts_of(&row);
		struct verdict verdict = { .action = ACTION_PASS };
		facts.source = rows[i].source;
		facts.state.known = rows[i].known;
		facts.state.history.first_s = facts.now_ms / 1000 - rows[i].age_days * 86400;
		facts.state.history.habits.days = rows[i].age_days > 0 ? 20 : 0;
		facts.state.history.counters.at_ms = facts.now_ms;
		facts.state.history.counters.value[COUNTER_MESSAGES] = rows[i].messages;
		facts.content = (struct content){ .known = KNOWLEDGE_FULL, .spam = rows[i].spam };
		is_int(judge_campaign_bad(&policy, &facts, &verdict), rows[i].bad, "%s", rows[i].name);
	}
}

/* What a message leaves behind by what becomes of it. */
static void test_traps_and_habits(void)
{
	struct facts facts = { .rcpts_trapped = 2 };
	struct verdict verdict = { .action = ACTION_PASS, .level = LEVEL_GOOD };
	is_int(judge_trap_hits(&facts, &verdict), 2, "traps are hit by what leaves");
	ok(judge_learns(&facts, &verdict), "which becomes a habit");
	verdict.action = ACTION_REJECT;
	is_int(judge_trap_hits(&facts, &verdict), 2, "by what is rejected");
	ok(!judge_learns(&facts, &verdict), "which does not");
	verdict.action = ACTION_DEFER;
	is_int(judge_trap_hits(&facts, &verdict), 0, "but not by each try of what is deferred");
	verdict = (struct verdict){ .action = ACTION_PASS, .level = LEVEL_BLOCKED };
	ok(!judge_learns(&facts, &verdict), "nor does what a blocked account does");
	verdict.level = LEVEL_SUSPECT;
	ok(judge_learns(&facts, &verdict), "who is suspect for new habits alone gets used to them");
	verdict.terms.hard = 2;
	ok(!judge_learns(&facts, &verdict), "who sends what only abuse does, does not");
	verdict = (struct verdict){ .action = ACTION_PASS, .level = LEVEL_GOOD };
	facts = (struct facts){ .rcpts_remote = 2, .rcpts_new = 2, .rcpts_new_known = true, .client_network = 5 << 20 };
	facts.now_ms = NOW * INT64_C(1000);
	facts.state.history.first_s = NOW - 30 * DAY;
	facts.state.history.habits.days = 9;
	facts.state.history.habits.networks[0] = 7 << 2;
	ok(!judge_learns(&facts, &verdict), "nor who writes to strangers from a strange place, good as he may be");
	facts.rcpts_new = 0;
	ok(judge_learns(&facts, &verdict), "but who writes to people he knows");
	verdict.terms.term[SIGNAL_AWAY] = 1;
	ok(!judge_learns(&facts, &verdict), "unless it is to all of them at once");
}

int main(void)
{
	test_counts();
	test_scores();
	test_pardon();
	test_no_pardon();
	test_clean_volume();
	test_clocks();
	test_amend();
	test_campaign_bad();
	test_traps_and_habits();
	return done_testing();
}
