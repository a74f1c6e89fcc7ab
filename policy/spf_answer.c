/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/spf_answer.h"

#include "policy/base/banned.h"

const char *spf_answer_word(enum spf_answer answer)
{
	static const char *const words[SPF_ANSWER_COUNT] = {
#define SPF_ANSWER_WORD(id, word) [SPF_ANSWER_##id] = word,
		SPF_ANSWER_ROWS(SPF_ANSWER_WORD)
#undef SPF_ANSWER_WORD
	};
	return words[answer];
}

enum spf_answer spf_answer_worse(enum spf_answer a, enum spf_answer b)
{
	static const int ranks[SPF_ANSWER_COUNT] = {
		[SPF_ANSWER_PASS] = 0,	    [SPF_ANSWER_NONE] = 1,    [SPF_ANSWER_UNKNOWN] = 2,
		[SPF_ANSWER_TEMPERROR] = 3, [SPF_ANSWER_NEUTRAL] = 4, [SPF_ANSWER_PERMERROR] = 5,
		[SPF_ANSWER_SOFTFAIL] = 6,  [SPF_ANSWER_FAIL] = 7,
	};
	return ranks[b] > ranks[a] ? b : a;
}
