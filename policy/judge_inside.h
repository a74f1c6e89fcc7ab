/* SPDX-License-Identifier: BSD-2-Clause
 *
 * judge_inside: what the files of judge share. Inside policy/judge*.c only.
 */
#ifndef PENSTOCK_JUDGE_INSIDE_H
#define PENSTOCK_JUDGE_INSIDE_H

#include "policy/judge.h"
#include "policy/signal.h"

enum answer { COULD_NOT_TELL, NO, YES };

typedef enum answer rule_function(const struct policy *policy, const struct facts *facts, struct verdict *verdict);

rule_function rule_rcpts_per_message, rule_limits;  /* judge_limits.c */
rule_function rule_score, rule_signals, rule_level; /* judge_level.c */

static inline bool judge_exempt(const struct facts *facts)
{
	return facts->state.exempt[0] != '\0';
}

static inline bool judge_in_shadow(const struct policy *policy, enum rule rule)
{
	return (policy->shadow >> rule & 1) != 0;
}

/* Does the account's password change take back what was against it? Then `counts` (NULL: only asked) get what is to be
 * taken off its counters. */
bool judge_pardon(const struct account_state *state, int64_t now_ms, double *counts);

#endif
