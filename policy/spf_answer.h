/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_answer: the results of Sender Policy Framework, RFC 7208 section 2.6.
 */
#ifndef PENSTOCK_SPF_ANSWER_H
#define PENSTOCK_SPF_ANSWER_H

/* id, word */
#define SPF_ANSWER_ROWS(ROW) \
	ROW(UNKNOWN, "unknown") /* not asked, or no answer in time */ \
	ROW(NONE, "none")	/* no record, or no name that could have one */ \
	ROW(NEUTRAL, "neutral") \
	ROW(PASS, "pass") \
	ROW(FAIL, "fail") \
	ROW(SOFTFAIL, "softfail") \
	ROW(TEMPERROR, "temperror") /* DNS did not answer */ \
	ROW(PERMERROR, "permerror") /* a record that cannot be read, or asks for too much */

/* clang-format off */
enum spf_answer {
#define SPF_ANSWER_ENUM(id, word) SPF_ANSWER_##id,
	SPF_ANSWER_ROWS(SPF_ANSWER_ENUM)
#undef SPF_ANSWER_ENUM
	SPF_ANSWER_COUNT
};
/* clang-format on */

const char *spf_answer_word(enum spf_answer answer);

/* Of two addresses by either of which a message may leave: what a receiver may find at the worst. What is not known is
 * worse than pass and none, and better than what is known to be against it. */
enum spf_answer spf_answer_worse(enum spf_answer a, enum spf_answer b);

#endif
