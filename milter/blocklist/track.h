/* SPDX-License-Identifier: BSD-2-Clause
 *
 * track: how one list has answered so far: how often, how fast, and whether it is left alone for a while because it
 * gave no answers; that, and that it is over, is said once. Plain data; zeroed, it was not asked yet.
 */
#ifndef PENSTOCK_TRACK_H
#define PENSTOCK_TRACK_H

#include "milter/blocklist/breaker.h"
#include "policy/listing.h"

enum { TRACK_TIMES = 32 };

struct track {
	struct breaker breaker;
	bool told_away;
	uint64_t answers, failures;
	int64_t times_ms[TRACK_TIMES]; /* of the last answers, a ring */
};

/* `quiet`: nothing is said of it. */
void track_failed(struct track *track, const struct list *list, const struct breaker_settings *settings, bool quiet);
void track_answered(struct track *track, const struct list *list, int64_t took_ms);

/* Of the last answers; -1: none yet. */
int64_t track_median_ms(const struct track *track);

#endif
