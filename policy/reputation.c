/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/reputation.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

static const struct {
	const char *word;
	double half_life_s, cap;
} counter_rows[COUNTER_COUNT] = {
#define COUNTER_ROW(id, word, half_life, cap) [COUNTER_##id] = { word, half_life, cap },
	COUNTER_ROWS(COUNTER_ROW)
#undef COUNTER_ROW
};

static const struct {
	const char *word, *help;
} signal_rows[SIGNAL_COUNT] = {
#define SIGNAL_ROW(id, word, weight, floor, cap, help) [SIGNAL_##id] = { word, help },
	SIGNAL_ROWS(SIGNAL_ROW)
#undef SIGNAL_ROW
};

const struct signal_setting signal_defaults[SIGNAL_COUNT] = {
#define SIGNAL_SETTING(id, word, weight, floor, cap, help) [SIGNAL_##id] = { weight, floor, cap },
	SIGNAL_ROWS(SIGNAL_SETTING)
#undef SIGNAL_SETTING
};

const char *counter_word(enum counter counter)
{
	return counter_rows[counter].word;
}

double counter_half_life_s(enum counter counter)
{
	return counter_rows[counter].half_life_s;
}

double counter_cap(enum counter counter)
{
	return counter_rows[counter].cap;
}

const char *signal_word(enum signal signal)
{
	return signal_rows[signal].word;
}

const char *signal_help(enum signal signal)
{
	return signal_rows[signal].help;
}

enum signal signal_find(const char *word)
{
	int i = 0;
	while (i < SIGNAL_COUNT && strcmp(word, signal_rows[i].word) != 0)
		i++;
	return (enum signal)i;
}

void counters_decay(struct counters *counters, int64_t now_ms)
{
	if (now_ms <= counters->at_ms)
		return;
	double passed_s = counters->at_ms == 0 ? 0 : (double)(now_ms - counters->at_ms) / 1000.0;
	double half_life_s = 0, left = 1;
	for (int i = 0; i < COUNTER_COUNT; i++) {
		if (counters->value[i] == 0) /* most are nought, and exp2 is dear */
			continue;
		if (counter_rows[i].half_life_s != half_life_s) { /* many that stand together have the same */
			half_life_s = counter_rows[i].half_life_s;
			left = exp2(-passed_s / half_life_s);
		}
		counters->value[i] *= left;
	}
	counters->at_ms = now_ms;
}

void counters_add(struct counters *counters, const double counts[COUNTER_COUNT])
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		counters->value[i] = fmin(fmax(counters->value[i] + counts[i], 0), counter_rows[i].cap);
}

static double logit(double share)
{
	return log(share / (1.0 - share));
}

double share_log_odds(double count, double of, double expected, double behind)
{
	double share = (count + expected * behind) / (fmax(of, count) + behind);
	return logit(fmin(share, 0.999)) - logit(expected);
}
