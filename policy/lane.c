/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/lane.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const words[LANE_COUNT] = {
#define LANE_ROW(id, word) [LANE_##id] = word,
	LANE_ROWS(LANE_ROW)
#undef LANE_ROW
};

const char *lane_word(enum lane lane)
{
	return words[lane];
}

enum scope lane_scope(enum lane lane)
{
	static const enum scope scopes[LANE_COUNT] = { [LANE_BOUNCE] = SCOPE_BOUNCE, [LANE_FORWARD] = SCOPE_FORWARD };
	return scopes[lane];
}

enum lane lane_find(const char *word)
{
	for (int i = 0; i < LANE_COUNT; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum lane)i;
	return LANE_ACCOUNT;
}
