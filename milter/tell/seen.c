/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/seen.h"

#include <stddef.h>

#include "policy/base/banned.h"

bool seen_before(struct seen *seen, uint64_t what, int64_t now_s, int64_t period_s)
{
	size_t first = (size_t)(what % (SEEN_ROWS / SEEN_WAYS)) * SEEN_WAYS, oldest = first;
	what += what == 0;
	for (size_t row = first; row < first + SEEN_WAYS; row++) {
		if (seen->rows[row].what == what) {
			int64_t left_s = seen->rows[row].until_s - now_s;
			bool before = left_s > 0 && left_s <= period_s;
			if (!before)
				seen->rows[row].until_s = now_s + period_s;
			return before;
		}
		if (seen->rows[row].until_s < seen->rows[oldest].until_s)
			oldest = row;
	}
	seen->rows[oldest].what = what;
	seen->rows[oldest].until_s = now_s + period_s;
	return false;
}
