/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/replay.h"

#include <string.h>

#include "policy/base/banned.h"

/* An account that is over its limit at MAIL or RCPT: the breach counts, nothing else. A stranger can name any account as
 * his sender. */
static void note_breach(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
			struct history *history)
{
	struct charge charge;
	if (!facts->authenticated)
		return;
	judge_charge(policy, facts, verdict, &charge);
	charge.quota = false;
	charge.level = LEVEL_UNKNOWN;
	memset(charge.counts, 0, sizeof charge.counts);
	charge.counts[COUNTER_BREACHES] = 1;
	history_charge(history, &charge, NULL);
}

static struct verdict replay_early(const struct policy *policy, enum stage stage, struct facts *facts,
				   struct history *history)
{
	struct verdict verdict = judge(policy, stage, facts);
	bool counts = stage == STAGE_MAIL ? verdict.cause == REASON_LIMIT : verdict.cause != REASON_MEMORY;
	if (verdict_refuses(&verdict) && counts)
		note_breach(policy, facts, &verdict, history);
	return verdict;
}

struct verdict replay_message(const struct policy *policy, enum stage stage, struct facts *facts,
			      struct history *history)
{
	const struct breach group = facts->breach;
	const struct campaign campaign = facts->campaign;
	struct charge charge, amend;
	facts->state.history = *history;
	facts->charged = facts->again = false;
	if (stage == STAGE_MAIL || stage == STAGE_RCPT)
		return replay_early(policy, stage, facts, history);
	facts->breach = breach_none;
	facts->campaign = (struct campaign){ .known = KNOWLEDGE_NONE };
	struct verdict verdict = judge(policy, STAGE_MESSAGE, facts);
	if (facts->rcpts_remote == 0)
		return verdict;
	judge_charge(policy, facts, &verdict, &charge);
	struct breach breach = breach_none;
	breach.window = history_charge(history, &charge, &facts->again);
	if (!charge.quota)
		return verdict;
	if (breach.window != WINDOW_COUNT)
		charge_breach(&charge, &history->rates, &breach);
	facts->charged = true;
	facts->breach = breach.window != WINDOW_COUNT ? breach : group;
	facts->campaign = campaign;
	verdict = judge(policy, STAGE_MESSAGE, facts);
	if (judge_amend(policy, facts, &verdict, &charge, &amend))
		history_charge(history, &amend, NULL);
	return verdict;
}

void replay_report(struct history *history, enum counter counter, double count, int64_t now_ms)
{
	double counts[COUNTER_COUNT] = { 0 };
	counts[counter] = count;
	counters_decay(&history->counters, now_ms);
	counters_add(&history->counters, counts);
}
