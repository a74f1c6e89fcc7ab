/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/spoke.h"

#include "policy/base/banned.h"

const char *spoke_word(enum spoke spoke)
{
	static const char *const words[SPOKE_COUNT] = {
#define SPOKE_WORD(id, word) [SPOKE_##id] = word,
		SPOKE_ROWS(SPOKE_WORD)
#undef SPOKE_WORD
	};
	return (int)spoke >= 0 && spoke < SPOKE_COUNT ? words[spoke] : "";
}
