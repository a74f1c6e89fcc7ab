/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ramp: a new account, and a new transport address, earn their volume: the first day's cap, and on each day after it so
 * many times more. Receivers judge a new address by its first days, and thieves of accounts do not wait for weeks.
 */
#ifndef PENSTOCK_RAMP_H
#define PENSTOCK_RAMP_H

#include "policy/history.h"

#define RAMP_GROWTH_DEFAULT 1.4

/* What may be sent on day `days` (0: the first); LIMIT_MAX at most. `growth` below 1: the default. */
int64_t ramp_cap(int64_t first_day, double growth, int64_t days);

/* Lowers limits->window[WINDOW_RCPTS_PER_DAY] to what the ramp allows today; true where it did. Days count that the
 * account sent and behaved on; or, where a panel says when it was made, the days since then, if there are more: an
 * account that is older than this daemon's memory of it has grown elsewhere. */
bool ramp_limits(struct limits *limits, const struct history *history, int64_t now_s);

/* Per cent of its share that a transport withholds whose cap today is `cap`, of which `sent` are gone at `now_s`: what
 * went beyond an even pace through the UTC day is withheld, and at the cap all of it. */
int ramp_withheld(int64_t cap, int64_t sent, int64_t now_s);

#endif
