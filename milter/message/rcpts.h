/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rcpts: the recipients of one message: which of them the account never wrote to, and which are traps. An address is
 * looked at in idn_address()'s form, lower-cased, and without its +tag or another (address_untagged(), where that
 * leaves a name).
 *
 * A recipient is kept as 32 bits of a hash over it and the account, keyed with the secret that the daemons share: two
 * accounts' have nothing in common, nobody reads from Redis who wrote to whom, and nobody finds an address that is
 * taken for another one.
 */
#ifndef PENSTOCK_RCPTS_H
#define PENSTOCK_RCPTS_H

#include "milter/daemon/traps.h"
#include "policy/base/arena.h"
#include "policy/facts.h"
#include "policy/known.h"

enum { RCPTS_KEPT = 2000 }; /* of more, how many are new is estimated by the share among these */

/* Plain data but for `hashes`, so that a copy can be tried with one recipient more. */
struct rcpts {
	const uint64_t *key; /* of the hashes; borrowed from the message */
	bool keyed;	     /* it is the one that Redis has: what is hashed by it can be kept there */
	uint32_t *hashes;    /* in the message's arena; of different ones */
	int count, size;
	int64_t looked; /* different recipients that were looked at for being new */
	int64_t again;	/* recipients that name one of those once more */
	int64_t fresh;	/* of them: the account never wrote to them */
	int64_t trapped;
};

uint32_t rcpt_hash(const uint64_t key[2], const char *account, const char *name);

/* What of an address stands for the recipient: bounces and answers go to tagged ones. False where nothing does. */
bool rcpt_name(const char *address, char name[ACCOUNT_MAX + 1]);

/* Notes one recipient. `known`: the account's in Redis, beyond its habits. Where nothing is known of the
 * account, the facts say so. False: the arena is spent, it is not kept. */
bool rcpts_add(struct rcpts *rcpts, struct arena *arena, const struct traps *traps, const struct known *known,
	       const char *raw, bool remote, const struct facts *facts);

/* Fills what the facts say of recipients; their number has to stand there already. */
void rcpts_fill(const struct rcpts *rcpts, bool known, struct facts *facts);

/* Is one of the recipients that are kept the one of this name (rcpt_name())? */
bool rcpts_have(const struct rcpts *rcpts, const char *account, const char *name);

#endif
