/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lane: mail that is nobody's own decision to send, and has limits and pools of its own so that it harms no account:
 * bounces and other answers of machines (the null sender, RFC 5321 section 4.5.5) and mail that is forwarded.
 *
 * A login's message stays in its account whatever its sender says: a lane is no way around limits.
 */
#ifndef PENSTOCK_LANE_H
#define PENSTOCK_LANE_H

/* id, word (of plans, of `pools.levels`, and before the account's name: "bounce:ip:192.0.2.1") */
#define LANE_ROWS(ROW)                                                                             \
	ROW(ACCOUNT, "account")                                                                    \
	ROW(BOUNCE, "bounce")   /* sender <> */                                                    \
	ROW(FORWARD, "forward") /* SRS sender, Resent- fields, or another mark of a forwarder */

enum lane {
#define LANE_ENUM(id, word) LANE_##id,
	LANE_ROWS(LANE_ENUM)
#undef LANE_ENUM
	LANE_COUNT
};

const char *lane_word(enum lane lane);
/* LANE_ACCOUNT for a word that is no other lane. */
enum lane lane_find(const char *word);

#endif
