/* SPDX-License-Identifier: BSD-2-Clause
 *
 * seen: what was said a moment ago, so that it is not said again: a table of fixed size, in which the oldest gives way.
 * Not locked: its owner is.
 */
#ifndef PENSTOCK_SEEN_H
#define PENSTOCK_SEEN_H

#include <stdbool.h>
#include <stdint.h>

enum { SEEN_ROWS = 4096, SEEN_WAYS = 4 };

struct seen {
	struct {
		uint64_t what; /* a hash; 0: free */
		int64_t until_s;
	} rows[SEEN_ROWS];
};

/* True: it was told, and its period is not over. Else it is noted for `period_s` from now on. A clock that goes back
 * keeps nothing quiet for longer than a period. */
bool seen_before(struct seen *seen, uint64_t what, int64_t now_s, int64_t period_s);

#endif
