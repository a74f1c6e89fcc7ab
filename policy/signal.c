/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/signal.h"

#include <math.h>

#include "policy/base/banned.h"

typedef double signal_function(const struct sight *sight);

static double share_of(const struct sight *sight, enum counter count, enum counter of, double expected, double behind)
{
	return share_log_odds(sight->counters.value[count], sight->counters.value[of], expected, behind);
}

static double signal_spam(const struct sight *sight)
{
	return share_of(sight, COUNTER_SPAM, COUNTER_MESSAGES, 0.01, 20);
}

static double signal_exploit(const struct sight *sight)
{
	return share_of(sight, COUNTER_EXPLOIT, COUNTER_MESSAGES, 0.02, 40);
}

static double signal_breaches(const struct sight *sight)
{
	return log1p(sight->counters.value[COUNTER_BREACHES]);
}

static signal_function *const functions[SIGNAL_COUNT] = {
	[SIGNAL_SPAM] = signal_spam,
	[SIGNAL_EXPLOIT] = signal_exploit,
	[SIGNAL_BREACHES] = signal_breaches,
};

struct score signals_score(const struct signal_setting settings[SIGNAL_COUNT], const struct sight *sight, double prior)
{
	struct score score = { .sum = prior, .prior = prior };
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		const struct signal_setting *set = &settings[i];
		if (functions[i] == NULL)
			continue;
		score.raw[i] = functions[i](sight);
		/* nothing seen is no credit: good behaviour shows in the prior, by age and volume */
		double term = score.raw[i] * set->weight;
		score.term[i] = term < set->floor || term <= 0 ? 0 : fmin(term, set->cap);
		score.sum += score.term[i];
	}
	return score;
}

void signals_evidence(const struct facts *facts, double counts[COUNTER_COUNT])
{
	(void)facts;
	(void)counts;
}
