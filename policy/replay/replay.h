/* SPDX-License-Identifier: BSD-2-Clause
 *
 * replay: one message of a fact line through the whole of the policy, as the daemon would have it at the end of the
 * message: judged, charged, judged again with what the charge said, and mended.
 *
 * What only Redis knows is taken as it was: breaches of groups' limits, campaigns, recipients that were new. A message
 * that was refused before its end is judged by what was known by then.
 */
#ifndef PENSTOCK_REPLAY_H
#define PENSTOCK_REPLAY_H

#include "policy/judge.h"

/* What is remembered of an account. */
struct replayed {
	struct history history;
	int64_t noted_ms; /* when a breach before the end of a message was counted last; 0: never */
};

/* `facts` are a line's, with the account's history in their state and the limits that hold (policy/plan.h); they are
 * changed. `replayed` becomes what it is after the message. */
struct verdict replay_message(const struct policy *policy, enum stage stage, struct facts *facts,
			      struct replayed *replayed);

/* Something was learnt of the account's earlier mail. */
void replay_feedback(struct replayed *replayed, enum counter counter, double count, int64_t now_ms);

#endif
