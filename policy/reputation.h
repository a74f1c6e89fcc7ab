/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reputation: decayed counters of what an account did, and the log-odds sum over them. Each term can be printed, and
 * that is the explanation of the score.
 *
 * Ratios go through a Beta posterior: logit of (count + prior) / (of + prior + prior complement), less the logit of
 * the prior alone, so that a first bad message of a new account counts, and the thousandth of a large one less.
 */
#ifndef PENSTOCK_REPUTATION_H
#define PENSTOCK_REPUTATION_H

#include <stdint.h>

/* id, word (config, log and metric label), half-life in seconds */
#define COUNTER_ROWS(ROW)                                                                          \
	ROW(MESSAGES, "messages", 7 * 86400)                                                       \
	ROW(RCPTS, "rcpts", 7 * 86400)                                                             \
	ROW(SPAM, "spam", 7 * 86400)          /* messages that a content scanner called spam */    \
	ROW(EXPLOIT, "exploit", 2 * 86400)    /* submissions from an exploit-listed client */      \
	ROW(BREACHES, "breaches", 86400)      /* messages that would have passed a limit */

enum counter {
#define COUNTER_ENUM(id, word, half_life) COUNTER_##id,
	COUNTER_ROWS(COUNTER_ENUM)
#undef COUNTER_ENUM
	COUNTER_COUNT
};

struct counters {
	int64_t at_ms;	/* when they were last decayed, Unix time in milliseconds; 0: never */
	double value[COUNTER_COUNT];
};

/* Terms of the sum: id, word, counter, the counter it is a share of (itself: a plain count), expected share,
 * messages behind that expectation, weight, cap */
#define TERM_ROWS(ROW)                                                                             \
	ROW(SPAM, "spam", SPAM, MESSAGES, 0.01, 20.0, 1.0, 8.0)                                    \
	ROW(EXPLOIT, "exploit_listed", EXPLOIT, MESSAGES, 0.02, 40.0, 0.5, 2.5)                    \
	ROW(BREACHES, "limit_breaches", BREACHES, BREACHES, 0, 0, 0.25, 1.5)

enum term {
	TERM_PRIOR,
#define TERM_ENUM(id, word, counter, of, expected, behind, weight, cap) TERM_##id,
	TERM_ROWS(TERM_ENUM)
#undef TERM_ENUM
	TERM_COUNT
};

struct score {
	double sum;		/* log-odds that the account sends abuse; 0: even */
	double term[TERM_COUNT];
};

void counters_decay(struct counters *counters, int64_t now_ms);
struct score reputation_score(const struct counters *counters, double prior);

const char *counter_word(enum counter counter);
double counter_half_life_s(enum counter counter);
const char *term_word(enum term term);

#endif
