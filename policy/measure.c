/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/measure.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const words[MEASURE_COUNT] = {
#define MEASURE_ROW(id, word) [MEASURE_##id] = word,
	MEASURE_ROWS(MEASURE_ROW)
#undef MEASURE_ROW
};

enum measure measure_find(const char *word)
{
	for (int i = MEASURE_PASS; i < MEASURE_COUNT; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum measure)i;
	return MEASURE_USUAL;
}

bool measure_of_levels(enum measure measure)
{
	return measure != MEASURE_USUAL && measure != MEASURE_BLOCK;
}
