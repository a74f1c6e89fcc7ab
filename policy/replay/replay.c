/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/replay/replay.h"

#include "policy/base/banned.h"

enum { NOTED_MS = 10 * 60 * 1000 }; /* as the daemon, which would otherwise tell Redis of each try of a broken client */

/* An account that is over its limit at MAIL or RCPT: the breach counts, nothing else. A stranger can name any account
 * as his sender. */
static void replay_note_breach(const struct facts *facts, struct replayed *replayed)
{
	struct charge charge;
	bool lately = replayed->noted_ms != 0 && facts->now_ms - replayed->noted_ms < NOTED_MS;
	if (!facts->authenticated || lately)
		return;
	judge_charge_breach(facts, &charge);
	history_charge(&replayed->history, &charge);
	replayed->noted_ms = facts->now_ms;
}

static struct verdict replay_early(const struct policy *policy, enum stage stage, struct facts *facts,
				   struct replayed *replayed)
{
	struct verdict verdict = judge(policy, stage, facts);
	bool counts = stage == STAGE_MAIL ? verdict.cause == REASON_LIMIT : verdict.cause != REASON_MEMORY;
	if (verdict_refuses(&verdict) && counts)
		replay_note_breach(facts, replayed);
	return verdict;
}

struct verdict replay_message(const struct policy *policy, enum stage stage, struct facts *facts,
			      struct replayed *replayed)
{
	const struct breach group = facts->breach;
	const struct campaign campaign = facts->campaign;
	struct history *history = &replayed->history;
	struct charge charge, amend;
	facts->charged = false;
	if (stage == STAGE_MAIL || stage == STAGE_RCPT)
		return replay_early(policy, stage, facts, replayed);
	facts->breach = breach_none;
	facts->campaign = (struct campaign){ .known = KNOWLEDGE_NONE };
	struct verdict verdict = judge(policy, STAGE_MESSAGE, facts);
	if (facts->rcpts_remote == 0)
		return verdict;
	judge_charge(policy, facts, &verdict, &charge);
	struct breach breach = breach_none;
	breach.window = history_charge(history, &charge);
	facts->campaign = campaign;
	if (charge.quota) {
		if (breach.window != WINDOW_COUNT)
			charge_breach(&charge, &history->rates, &breach);
		facts->charged = true;
		facts->breach = breach.window != WINDOW_COUNT ? breach : group;
	}
	verdict = judge(policy, STAGE_MESSAGE, facts);
	if (judge_amend(policy, facts, &verdict, &charge, &amend))
		history_charge(history, &amend);
	return verdict;
}

void replay_feedback(struct replayed *replayed, enum counter counter, double count, int64_t now_ms)
{
	struct history *history = &replayed->history;
	double counts[COUNTER_COUNT] = { 0 };
	counts[counter] = count;
	counters_decay(&history->counters, now_ms);
	counters_add(&history->counters, counts);
}
