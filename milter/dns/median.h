/* SPDX-License-Identifier: BSD-2-Clause
 *
 * median: of the last values that came in. Plain data; zeroed, none came.
 */
#ifndef PENSTOCK_MEDIAN_H
#define PENSTOCK_MEDIAN_H

#include <stdint.h>

enum { MEDIAN_KEPT = 32 };

struct median {
	int64_t values[MEDIAN_KEPT];	/* a ring */
	uint64_t count;	/* all that ever came */
};

void median_add(struct median *median, int64_t value);
int64_t median_of(const struct median *median);	/* -1: none came */

#endif
