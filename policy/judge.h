/* SPDX-License-Identifier: BSD-2-Clause
 *
 * judge: the only step that decides. A table of rules runs over the facts of one stage and fills a verdict.
 * Nothing here waits, reads a clock or remembers.
 */
#ifndef PENSTOCK_JUDGE_H
#define PENSTOCK_JUDGE_H

#include "policy/facts.h"
#include "policy/verdict.h"

/* The part of the configuration that the rules read; immutable. */
struct policy {
	struct level_settings levels;
	double prior_new, prior_good;	/* log-odds before anything is seen */
	struct signal_setting signals[SIGNAL_COUNT];
	enum action blocked_action;	/* for blocked accounts: REJECT, DEFER or HOLD */
	bool store_must_answer;		/* redis.on_failure = "defer" */
	bool lists_must_answer;		/* dns.on_failure = "defer": for clients without login */
	bool spf_refuses;		/* spf.client = "refuse": clients without login */
	bool content_must_answer;	/* a scanner's on_failure = "defer" */
	double tag_score, slow_score, hold_score, reject_score;	/* content; at or above */
	const struct pool *pools;	/* borrowed from the configuration */
	int pool_count;
};

struct verdict judge(const struct policy *policy, enum stage stage, const struct facts *facts);

/* What this message adds to the account's counters, given its verdict. */
void judge_counts(const struct facts *facts, const struct verdict *verdict, double counts_out[COUNTER_COUNT]);

/* What a message takes of sums; recipients and size that are not known yet count as one and none. */
struct amounts judge_amounts(const struct facts *facts);

/* The charge of a message with its verdict so far. */
void judge_charge(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		  struct charge *charge_out);

/* What is to be sent behind a charge whose answer changed the verdict: `charged` as it went out, `verdict` as it stands
 * now. A message that is refused after all gets its amounts back. False: nothing has to be mended. */
bool judge_amend(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		 const struct charge *charged, struct charge *amend_out);

/* The reputation as it stands with `facts` and `more` added (NULL: as it is), term by term. */
struct score judge_score(const struct policy *policy, const struct account_state *state, const struct facts *facts,
			 const double *more, int64_t now_ms);

/* The level of an account when nothing new is known of it, as a look-up or an admin's tool wants it. */
enum level judge_level(const struct policy *policy, const struct account_state *state, int64_t now_ms);

#endif
