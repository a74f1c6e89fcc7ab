/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/told.h"

#include <stddef.h>

#include "policy/base/banned.h"

bool told_before(struct told *told, uint64_t what, int64_t now_s, int64_t period_s)
{
	size_t first = (size_t)(what % (TOLD_ROWS / TOLD_WAYS)) * TOLD_WAYS, oldest = first;
	what += what == 0;
	for (size_t row = first; row < first + TOLD_WAYS; row++) {
		if (told->rows[row].what == what) {
			int64_t left_s = told->rows[row].until_s - now_s;
			bool before = left_s > 0 && left_s <= period_s;
			if (!before)
				told->rows[row].until_s = now_s + period_s;
			return before;
		}
		if (told->rows[row].until_s < told->rows[oldest].until_s)
			oldest = row;
	}
	told->rows[oldest].what = what;
	told->rows[oldest].until_s = now_s + period_s;
	return false;
}
