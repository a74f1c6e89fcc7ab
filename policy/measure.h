/* SPDX-License-Identifier: BSD-2-Clause
 *
 * measure: what is done to a message on account of its account's level, or of a signal, as the configuration says it.
 */
#ifndef PENSTOCK_MEASURE_H
#define PENSTOCK_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

/* id, word (config), in rising order */
/* clang-format off */
#define MEASURE_ROWS(ROW)                                                                          \
	ROW(USUAL, "")             /* of a level: its own pool; a blocked account's mail does not leave, a bad one's client waits */ \
	ROW(PASS, "pass")          /* by the pool of good accounts */                              \
	ROW(WARM, "warm")          /* by the pool of new ones, at the best */                      \
	ROW(SUSPECT, "suspect")    /* by the pool of suspect ones */                               \
	ROW(SLOW, "slow")          /* the same, and the client is made to wait */                  \
	ROW(HOLD, "hold")                                                                          \
	ROW(DEFER, "defer")                                                                        \
	ROW(REJECT, "reject")                                                                      \
	ROW(BLOCK, "block")        /* reject, and the account is blocked from now on */

enum measure {
#define MEASURE_ENUM(id, word) MEASURE_##id,
	MEASURE_ROWS(MEASURE_ENUM)
#undef MEASURE_ENUM
	MEASURE_COUNT
};
/* clang-format on */

struct measure_setting {
	enum measure measure;
	int64_t hold_s; /* of one that is held: release it after so long; 0: an admin decides */
};

/* Of a signal: what happens to a message where the signal's term reaches `from`. */
struct signal_does {
	enum measure measure;
	double from;
};

/* MEASURE_USUAL for a word that is none. */
enum measure measure_find(const char *word);

/* May a level ask for it? It cannot block: the level does not change by it. */
bool measure_of_levels(enum measure measure);

#endif
