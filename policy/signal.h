/* SPDX-License-Identifier: BSD-2-Clause
 *
 * signal: what each signal's raw value is, and what one message adds to the evidence behind it. One function a row.
 */
#ifndef PENSTOCK_SIGNAL_H
#define PENSTOCK_SIGNAL_H

#include "policy/familiar.h"

/* The account as signals see it. */
struct sight {
	const struct history *history; /* as it was before the message at hand */
	struct counters counters;      /* decayed to now, the message at hand added */
	struct rates rates;	       /* rolled to now */
	double hour_messages;	       /* within the last hour, the message at hand added */
	int64_t now_ms, local_offset_s;
	int64_t age_s;		   /* since it was made, or since its first message */
	const struct facts *facts; /* of the message at hand; NULL: there is none */
	struct familiar familiar;  /* of it */
};

/* The sum over all signals with `prior`. */
struct score signals_score(const struct signal_setting settings[SIGNAL_COUNT], const struct sight *sight, double prior);

/* Fills in why terms are missing or smaller, for the message at hand. */
void signals_spoke(const struct signal_setting settings[SIGNAL_COUNT], const struct sight *sight, struct score *score);

/* What one message adds to the counters that are evidence (COUNTER_CONTENT and on); `counts` has the others already.
 * A message without recipients adds nothing, nor does what a forwarder of the admin's forwards: its account decided
 * nothing. */
void signals_evidence(const struct facts *facts, double counts[COUNTER_COUNT]);

/* Does the scanner say again what it said of this account's text before, and not surely so? Then it is worth less. */
bool evidence_repeats(const struct facts *facts);
#define SURELY_SPAM 1.5 /* score over threshold */
#define SPAM_AGAIN 0.2
#define SPAM_AGAIN_MOST 1.5

/* What a text of the account's own is worth of what is held against others. */
#define OWN_TEXT 0.15

/* The counter of evidence by place from which on somebody else writes from elsewhere. */
#define PLACE_OTHER 0.5

/* The counter of days of silence above which somebody is still catching up. */
#define BACK_STILL 0.3

/* What a burst says at most of a person at his own desk, as long as he writes no more than people do. */
#define AT_HOME_MOST 1.5

/* The message as habits see it; whether it becomes one is not filled in. */
struct habit_facts signals_habit_facts(const struct facts *facts);

#endif
