/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/content/scan.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const words[SCANNER_COUNT] = {
#define SCANNER_ROW(id, word) [SCANNER_##id] = word,
	SCANNER_ROWS(SCANNER_ROW)
#undef SCANNER_ROW
};

bool scanner_kind_find(const char *word, enum scanner_kind *kind_out)
{
	for (int i = 0; i < SCANNER_COUNT; i++)
		if (strcmp(word, words[i]) == 0) {
			*kind_out = (enum scanner_kind)i;
			return true;
		}
	return false;
}
