/* SPDX-License-Identifier: BSD-2-Clause
 *
 * class: mail that is nobody's own decision to send: bounces and other answers of machines (the null sender, RFC 5321
 * section 4.5.5) and mail that is forwarded. It has pools of its own, and is counted as a group of its account (its
 * scope: SCOPE_BOUNCE, SCOPE_FORWARD), so that it can have limits of its own. It is the account's all the same: whoever
 * chooses his sender chooses his class, and it is no way around limits, level, block or evidence.
 *
 * A login's message is in no class, whatever its sender says.
 */
#ifndef PENSTOCK_MAIL_CLASS_H
#define PENSTOCK_MAIL_CLASS_H

#include "policy/limit.h"

/* id, word (of plans, of `pools.levels`) */
#define MAIL_CLASS_ROWS(ROW) \
	ROW(ACCOUNT, "account") \
	ROW(BOUNCE, "bounce")	/* sender <> */ \
	ROW(FORWARD, "forward") /* SRS sender, another mark of a forwarder, or an alias of this host */

/* clang-format off */
enum mail_class {
#define MAIL_CLASS_ENUM(id, word) MAIL_CLASS_##id,
	MAIL_CLASS_ROWS(MAIL_CLASS_ENUM)
#undef MAIL_CLASS_ENUM
	MAIL_CLASS_COUNT
};
/* clang-format on */

const char *mail_class_word(enum mail_class class);
/* Whose limits its mail has beside its account's; SCOPE_ACCOUNT for LANE_ACCOUNT. */
enum scope mail_class_scope(enum mail_class class);
/* LANE_ACCOUNT for a word that is no other class. */
enum mail_class mail_class_find(const char *word);

#endif
