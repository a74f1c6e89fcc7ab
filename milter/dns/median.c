/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/median.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

void median_add(struct median *median, int64_t value)
{
	median->values[median->count++ % MEDIAN_KEPT] = value;
}

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

int64_t median_of(const struct median *median)
{
	int64_t values[MEDIAN_KEPT];
	size_t count = median->count < MEDIAN_KEPT ? (size_t)median->count : MEDIAN_KEPT;
	if (count == 0)
		return -1;
	memcpy(values, median->values, count * sizeof values[0]);
	qsort(values, count, sizeof values[0], by_size);
	return values[count / 2];
}
