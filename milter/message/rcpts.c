/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/rcpts.h"

#include "milter/base/idn.h"
#include "policy/address.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

enum { FIRST_SIZE = 16 };

uint32_t rcpt_hash(const uint64_t key[2], const char *account, const char *name)
{
	char both[2 * ACCOUNT_MAX + 2]; /* no name has a blank */
	struct text text = text_over(both, sizeof both);
	text_addf(&text, "%s %s", account, name);
	uint32_t hash = (uint32_t)(hash_keyed(key, both, text.length) >> 32);
	return hash != 0 ? hash : 1; /* 0 is no recipient */
}

bool rcpt_name(const char *address, char name[ACCOUNT_MAX + 1])
{
	char untagged[ADDRESS_MAX + 1];
	address_untagged(address, untagged);
	return account_name(untagged[0] != '@' ? untagged : address, true, name);
}

static bool rcpts_kept(const struct rcpts *rcpts, uint32_t hash)
{
	for (int i = 0; i < rcpts->count; i++)
		if (rcpts->hashes[i] == hash)
			return true;
	return false;
}

bool rcpts_have(const struct rcpts *rcpts, const char *account, const char *name)
{
	return rcpts_kept(rcpts, rcpt_hash(rcpts->key, account, name));
}

/* The arena frees nothing before its end: doubling takes twice the space in all. */
static bool rcpts_make_room(struct rcpts *rcpts, struct arena *arena)
{
	int size = rcpts->size == 0 ? FIRST_SIZE : rcpts->size * 2;
	if (rcpts->count < rcpts->size)
		return true;
	uint32_t *more = arena_take(arena, (size_t)size * sizeof *more);
	if (more == NULL)
		return false;
	if (rcpts->count > 0)
		memcpy(more, rcpts->hashes, (size_t)rcpts->count * sizeof *more);
	rcpts->hashes = more;
	rcpts->size = size;
	return true;
}

static bool is_new(const struct known *known, const struct facts *facts, uint32_t hash)
{
	return known->bytes != NULL ? !known_has(known, hash) : !habit_knows(&facts->state.history.habits, hash);
}

static bool rcpts_keep(struct rcpts *rcpts, struct arena *arena, const struct known *known, const char *name,
		       const struct facts *facts)
{
	uint32_t hash = rcpt_hash(rcpts->key, facts->account, name);
	if (rcpts->count == RCPTS_KEPT)
		return true;
	if (rcpts_kept(rcpts, hash)) {
		rcpts->again++;
		return true;
	}
	if (!rcpts_make_room(rcpts, arena))
		return false;
	rcpts->hashes[rcpts->count++] = hash;
	rcpts->looked++;
	rcpts->fresh += is_new(known, facts, hash);
	return true;
}

bool rcpts_add(struct rcpts *rcpts, struct arena *arena, const struct traps *traps, const struct known *known,
	       const char *raw, bool remote, const struct facts *facts)
{
	char address[ADDRESS_MAX + 1], name[ACCOUNT_MAX + 1];
	idn_address(raw, address);
	if (!rcpt_name(address, name))
		return true;
	rcpts->trapped += traps_have(traps, address);
	return !remote || rcpts_keep(rcpts, arena, known, name, facts);
}

void rcpts_fill(const struct rcpts *rcpts, bool known, struct facts *facts)
{
	facts->rcpts = rcpts->hashes;
	facts->rcpt_count = rcpts->keyed ? rcpts->count : 0;
	facts->rcpts_trapped = rcpts->trapped;
	facts->rcpts_new_known = known;
	facts->rcpts_again = rcpts->again;
	facts->rcpts_new = known ? rcpts->fresh : 0;
	int64_t different = facts_different_rcpts(facts);
	if (known && rcpts->looked > 0 && different > rcpts->looked)
		facts->rcpts_new = (rcpts->fresh * different + rcpts->looked / 2) / rcpts->looked;
}
