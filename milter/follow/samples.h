/* SPDX-License-Identifier: BSD-2-Clause
 *
 * samples: a few of many lines that somebody should look at. The first, second, fourth, eighth ... of them: which ones
 * hangs on the lines alone.
 */
#ifndef PENSTOCK_SAMPLES_H
#define PENSTOCK_SAMPLES_H

#include "milter/follow/line.h"

#include <stdint.h>

enum { SAMPLES_KEPT = 8, SAMPLE_MAX = 240 };

/* Zero is empty. */
struct samples {
	uint64_t seen, kept;
	char lines[SAMPLES_KEPT]
		  [SAMPLE_MAX + 1]; /* printable ASCII, cut; the newest one is at (kept - 1) % SAMPLES_KEPT */
};

/* One more of them: `program` (may be empty) and what it said. */
void samples_add(struct samples *samples, struct span program, struct span message);

#endif
