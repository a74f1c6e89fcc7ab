/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rate: sliding windows. Each window keeps the count of the present period and of the one before; what was sent in
 * the last N seconds is `present + before * (part of the window that reaches back)`. The estimate is exact where mail
 * came evenly and never off by more than the period before. */
#ifndef PENSTOCK_RATE_H
#define PENSTOCK_RATE_H

#include "policy/limit.h"

struct rates {
	int64_t at_ms; /* when the counts were last brought forward, Unix time in milliseconds; 0: never */
	double present[WINDOW_SUMS], before[WINDOW_SUMS];
};

/* What one message adds; negative: what is given back. */
struct amounts {
	int64_t of[COUNTED_SUMS];
};

/* Is something of it given back? */
bool amounts_give_back(const struct amounts *amounts);

/* a clock that is set back by an hour frees no limit */
enum { RATES_AHEAD_MAX_MS = 7200000 };

/* Brings the counts forward to `now_ms`. A clock that went back leaves them alone; counts of a time that is more than
 * RATES_AHEAD_MAX_MS ahead are of a clock that was wrong, and begin anew. */
void rates_roll(struct rates *rates, int64_t now_ms);

/* How much of the window is used. `rates` has to be rolled to now. */
double rates_used(const struct rates *rates, enum window window);

/* Adds a message; no count falls below 0. */
void rates_add(struct rates *rates, const struct amounts *amounts);

/* The first window that `more` would pass; WINDOW_COUNT where there is room in all sums. */
enum window rates_over(const struct rates *rates, const struct limits *limits, const struct amounts *more);

/* Seconds, rounded up, until `window` (a sum) has room again for `more` under `limit`; the window's length where it
 * never will (more than the limit itself). */
int64_t rates_frees_in(const struct rates *rates, enum window window, int64_t limit, int64_t more);

#endif
