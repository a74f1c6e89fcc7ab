/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/spf.h"

#include "policy/base/banned.h"

const char *spf_word(enum spf_answer answer)
{
	static const char *const words[SPF_ANSWER_COUNT] = {
#define SPF_ANSWER_WORD(id, word) [SPF_ANSWER_##id] = word,
		SPF_ANSWER_ROWS(SPF_ANSWER_WORD)
#undef SPF_ANSWER_WORD
	};
	return words[answer];
}
