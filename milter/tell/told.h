/* SPDX-License-Identifier: BSD-2-Clause
 *
 * told: what was said a moment ago, so that it is not said again: a table of fixed size, in which the oldest gives way.
 * Not locked: its owner is.
 */
#ifndef PENSTOCK_TOLD_H
#define PENSTOCK_TOLD_H

#include <stdbool.h>
#include <stdint.h>

enum { TOLD_ROWS = 4096, TOLD_WAYS = 4 };

struct told {
	struct {
		uint64_t what;		/* a hash; 0: free */
		int64_t until_s;
	} rows[TOLD_ROWS];
};

/* True: it was told, and its period is not over. Else it is noted for `period_s` from now on. A clock that goes back
 * keeps nothing quiet for longer than a period. */
bool told_before(struct told *told, uint64_t what, int64_t now_s, int64_t period_s);

#endif
