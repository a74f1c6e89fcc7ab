/* SPDX-License-Identifier: BSD-2-Clause
 *
 * complaint: what a report is worth, by the type that it gives itself, and how an account stands by the share of its
 * recipients who complain.
 */
#ifndef PENSTOCK_COMPLAINT_H
#define PENSTOCK_COMPLAINT_H

#include "policy/reputation.h"

#include <stdbool.h>

/* id, word (Feedback-Type of RFC 5965 and 6650, or ours), counter, how much of it, is it told as an event, what it says
 * of a recipient. Fraud and viruses are what only abuse sends. not-spam takes nothing back: whoever sent the message
 * can say it himself, since a recipient of his own, or a delivery notice that he asked for, tells him the token.
 * Unknown types say what OTHER says. */
#define COMPLAINT_ROWS(ROW) \
	ROW(OTHER, "other", COUNT, 0, false, "reports something else") \
	ROW(ABUSE, "abuse", COMPLAINTS, 1, true, "complains") \
	ROW(FRAUD, "fraud", COMPLAINTS, 3, true, "reports fraud") \
	ROW(VIRUS, "virus", COMPLAINTS, 2, true, "reports a virus") \
	ROW(FORWARDED, "forwarded", COMPLAINTS, 1, true, "complains") \
	ROW(NOT_SPAM, "not-spam", COUNT, 0, false, "says that it is no spam") \
	ROW(OPT_OUT, "opt-out", COUNT, 0, true, "wants no more of this mail") \
	ROW(OPT_OUT_LIST, "opt-out-list", COUNT, 0, true, "wants no more mail of this list") \
	ROW(AUTH_FAILURE, "auth-failure", COUNT, 0, true, "reports that SPF, DKIM or DMARC failed") \
	ROW(DEAD, "failed", DEAD, 1, false, "does not exist") \
	ROW(BOUNCED, "bounced", COUNT, 0, false, "did not get it") \
	ROW(DELAYED, "delayed", COUNT, 0, false, "has not got it yet")

/* clang-format off */
enum complaint {
#define COMPLAINT_ENUM(id, word, counter, count, told, says) COMPLAINT_##id,
	COMPLAINT_ROWS(COMPLAINT_ENUM)
#undef COMPLAINT_ENUM
	COMPLAINT_COUNT
};
/* clang-format on */

struct complaint_worth {
	enum counter counter; /* COUNTER_COUNT: none */
	double count;
	bool told;
};

enum complaint complaint_find(const char *word); /* COMPLAINT_OTHER: none of that name */
const char *complaint_word(enum complaint complaint);
/* Those that are counted together against a message's recipients. */
const char *complaint_group_word(enum complaint complaint);
const char *complaint_says(enum complaint complaint);
struct complaint_worth complaint_worth(enum complaint complaint);
/* How often one message of so many recipients may be reported so. All of them were told its token, and each could
 * report for all: what moves a counter counts as often as the root of their number. */
int complaint_most(enum complaint complaint, int rcpts);
bool complaint_opts_out(enum complaint complaint);
/* What a bounce says by its enhanced status code (RFC 3463) alone: that nobody of that name is there, or nothing. */
enum complaint complaint_of_status(const char *status);

/* id, word, least share of recipients, least complaints: a share of few says little */
#define COMPLAINT_STEP_ROWS(ROW) \
	ROW(FINE, "fine", 0, 0) \
	ROW(WATCH, "watch", 0.001, 2) ROW(HIGH, "high", 0.003, 3) ROW(VERY_HIGH, "very high", 0.005, 5)

/* clang-format off */
enum complaint_step {
#define COMPLAINT_STEP_ENUM(id, word, share, least) COMPLAINT_STEP_##id,
	COMPLAINT_STEP_ROWS(COMPLAINT_STEP_ENUM)
#undef COMPLAINT_STEP_ENUM
	COMPLAINT_STEP_COUNT
};
/* clang-format on */

const char *complaint_step_word(enum complaint_step step);
/* Share of an account's recipients who complain, by its decayed counters. Complaints are remembered longer than
 * recipients, so that of steady mail the mere quotient would be too much. 0 where nothing was sent. */
double complaint_share(const struct counters *counters);
enum complaint_step complaint_step(const struct counters *counters);
/* Has it become worse by a step? */
bool complaint_passed(const struct counters *before, const struct counters *after);

#endif
