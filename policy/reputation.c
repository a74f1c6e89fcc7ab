/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/reputation.h"

#include <math.h>
#include <stddef.h>

#include "policy/base/banned.h"

static const struct {
	const char *word;
	double half_life_s;
} counter_rows[COUNTER_COUNT] = {
#define COUNTER_ROW(id, word, half_life) [COUNTER_##id] = { word, half_life },
	COUNTER_ROWS(COUNTER_ROW)
#undef COUNTER_ROW
};

static const struct {
	const char *word;
	enum counter counter, of;
	double expected, behind, weight, cap;
} term_rows[TERM_COUNT] = {
	[TERM_PRIOR] = { .word = "prior" },
#define TERM_ROW(id, word, counter, of, expected, behind, weight, cap)                             \
	[TERM_##id] = { word, COUNTER_##counter, COUNTER_##of, expected, behind, weight, cap },
	TERM_ROWS(TERM_ROW)
#undef TERM_ROW
};

const char *counter_word(enum counter counter)
{
	return counter_rows[counter].word;
}

double counter_half_life_s(enum counter counter)
{
	return counter_rows[counter].half_life_s;
}

const char *term_word(enum term term)
{
	return term_rows[term].word;
}

void counters_decay(struct counters *counters, int64_t now_ms)
{
	if (now_ms <= counters->at_ms)
		return;
	double passed_s = counters->at_ms == 0 ? 0 : (double)(now_ms - counters->at_ms) / 1000.0;
	for (int i = 0; i < COUNTER_COUNT; i++)
		counters->value[i] *= exp2(-passed_s / counter_rows[i].half_life_s);
	counters->at_ms = now_ms;
}

static double logit(double share)
{
	return log(share / (1.0 - share));
}

static double share_term(double count, double of, double expected, double behind)
{
	double total = fmax(of, count) + behind;
	double share = (count + expected * behind) / total;
	return logit(fmin(share, 0.999)) - logit(expected);
}

struct score reputation_score(const struct counters *counters, double prior)
{
	struct score score = { .sum = prior, .term = { [TERM_PRIOR] = prior } };
	for (int i = TERM_PRIOR + 1; i < TERM_COUNT; i++) {
		double count = counters->value[term_rows[i].counter];
		double of = counters->value[term_rows[i].of];
		double raw = term_rows[i].counter == term_rows[i].of
				     ? log1p(count)
				     : share_term(count, of, term_rows[i].expected, term_rows[i].behind);
		/* nothing seen is no credit: good behaviour shows in the prior, by age and volume */
		score.term[i] = fmin(fmax(raw * term_rows[i].weight, 0), term_rows[i].cap);
		score.sum += score.term[i];
	}
	return score;
}
