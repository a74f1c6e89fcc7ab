/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lane: mail that is nobody's own decision to send: bounces and other answers of machines (the null sender, RFC 5321
 * section 4.5.5) and mail that is forwarded. It has pools of its own, and is counted as a group of its account (its
 * scope: SCOPE_BOUNCE, SCOPE_FORWARD), so that it can have limits of its own. It is the account's all the same: whoever
 * chooses his sender chooses his lane, and it is no way around limits, level, block or evidence.
 *
 * A login's message is in no lane, whatever its sender says.
 */
#ifndef PENSTOCK_LANE_H
#define PENSTOCK_LANE_H

#include "policy/limit.h"

/* id, word (of plans, of `pools.levels`) */
#define LANE_ROWS(ROW)                                                                             \
	ROW(ACCOUNT, "account")                                                                    \
	ROW(BOUNCE, "bounce")   /* sender <> */                                                    \
	ROW(FORWARD, "forward") /* SRS sender, another mark of a forwarder, or an alias of this host */

enum lane {
#define LANE_ENUM(id, word) LANE_##id,
	LANE_ROWS(LANE_ENUM)
#undef LANE_ENUM
	LANE_COUNT
};

const char *lane_word(enum lane lane);
/* Whose limits its mail has beside its account's; SCOPE_ACCOUNT for LANE_ACCOUNT. */
enum scope lane_scope(enum lane lane);
/* LANE_ACCOUNT for a word that is no other lane. */
enum lane lane_find(const char *word);

#endif
