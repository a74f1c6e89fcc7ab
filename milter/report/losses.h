/* SPDX-License-Identifier: BSD-2-Clause
 *
 * losses: what was lost, given up or cut off for want of room, disk or Redis. Each kind is counted where it happens;
 * here those counters are looked at, so that the log says when it begins and when it is over, and /health as long as it
 * goes on: until none was lost for LOSSES_QUIET_S.
 *
 * Loop thread only, or with the loop stopped.
 */
#ifndef PENSTOCK_LOSSES_H
#define PENSTOCK_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

enum { LOSSES_QUIET_S = 600 };

/* Each second. */
void losses_look(void);

struct loss {
	const char *what;		 /* "webhook" */
	const char *things, *done, *why; /* "events", "given up", "too many wait" */
	uint64_t count;			 /* since it began */
	int64_t since_s;		 /* Unix time */
};
/* The kinds that go on now, one after another: `*at` is 0 at first. False: there is none more. */
bool losses_next(int *at, struct loss *loss_out);

#endif
