/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rcpts: the recipients of one message: which of them the account never wrote to, which are traps, and what they add to
 * the message's digest. An address is looked at lower-cased and without its +tag.
 *
 * A recipient is kept as 16 bits of a hash that is salted with the account: two accounts' maps have nothing in common, and
 * nobody reads from Redis who wrote to whom.
 */
#ifndef PENSTOCK_RCPTS_H
#define PENSTOCK_RCPTS_H

#include "milter/traps.h"
#include "policy/base/arena.h"
#include "policy/facts.h"

enum { RCPTS_KEPT = 2000 };	/* of more, how many are new is estimated by the share among these */

/* Plain data but for `hashes`, so that a refused recipient is taken back by an assignment. */
struct rcpts {
	uint16_t *hashes;	/* in the message's arena; of different ones */
	int count, size;
	int64_t looked;		/* recipients that were looked at for being new */
	int64_t fresh;		/* of them: the account never wrote to them */
	int64_t trapped;
	uint64_t sum;		/* of hashes of all accepted ones, whatever their order */
};

uint16_t rcpt_hash(const char *account, const char *name);

/* Notes one recipient. `map`: the account's in Redis, MAP_BYTES bytes; NULL: it has none. Where nothing is known of the
 * account, the facts say so. False: the arena is spent, it is not kept. */
bool rcpts_add(struct rcpts *rcpts, struct arena *arena, const struct traps *traps, const unsigned char *map, const char *raw,
	       bool remote, const struct facts *facts);

/* Fills what the facts say of recipients; their number has to stand there already. */
void rcpts_fill(const struct rcpts *rcpts, bool known, struct facts *facts);

/* Is one of the recipients that are kept the address `name` (account_name's form)? */
bool rcpts_have(const struct rcpts *rcpts, const char *account, const char *name);

bool rcpt_in_map(const unsigned char *map, uint16_t hash);

#endif
