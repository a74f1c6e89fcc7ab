/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/rcpts.h"

#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

enum { FIRST_SIZE = 16 };

uint16_t rcpt_hash(const char *account, const char *name)
{
	uint16_t hash = (uint16_t)(hash_string(name, hash_string(account, 0)) >> 48);
	return hash != 0 ? hash : 1;	/* 0 is no recipient */
}

bool rcpt_in_map(const unsigned char *map, uint16_t hash)
{
	return (map[hash / 8] >> (7 - hash % 8) & 1) != 0;
}

static bool kept(const struct rcpts *rcpts, uint16_t hash)
{
	for (int i = 0; i < rcpts->count; i++)
		if (rcpts->hashes[i] == hash)
			return true;
	return false;
}

bool rcpts_have(const struct rcpts *rcpts, const char *account, const char *name)
{
	return kept(rcpts, rcpt_hash(account, name));
}

/* The arena frees nothing before its end: doubling takes twice the space in all. */
static bool make_room(struct rcpts *rcpts, struct arena *arena)
{
	int size = rcpts->size == 0 ? FIRST_SIZE : rcpts->size * 2;
	if (rcpts->count < rcpts->size)
		return true;
	uint16_t *more = arena_take(arena, (size_t)size * sizeof *more);
	if (more == NULL)
		return false;
	if (rcpts->count > 0)
		memcpy(more, rcpts->hashes, (size_t)rcpts->count * sizeof *more);
	rcpts->hashes = more;
	rcpts->size = size;
	return true;
}

static bool is_new(const unsigned char *map, const struct facts *facts, uint16_t hash)
{
	return map != NULL ? !rcpt_in_map(map, hash) : !habit_knows(&facts->state.history.habits, hash);
}

static bool keep(struct rcpts *rcpts, struct arena *arena, const unsigned char *map, const char *name,
		 const struct facts *facts)
{
	uint16_t hash = rcpt_hash(facts->account, name);
	if (rcpts->count == RCPTS_KEPT)
		return true;
	if (kept(rcpts, hash)) {
		rcpts->looked++;
		return true;
	}
	if (!make_room(rcpts, arena))
		return false;
	rcpts->hashes[rcpts->count++] = hash;
	rcpts->looked++;
	rcpts->fresh += is_new(map, facts, hash);
	return true;
}

bool rcpts_add(struct rcpts *rcpts, struct arena *arena, const struct traps *traps, const unsigned char *map, const char *raw,
	       bool remote, const struct facts *facts)
{
	char address[ADDRESS_MAX + 1], whole[ACCOUNT_MAX + 1], name[ACCOUNT_MAX + 1];
	address_of(raw, address);
	if (!account_name(address, true, name))
		return true;
	rcpts->sum += hash_string(name, 0);
	bool tagged = strchr(address, '+') != NULL && account_name(address, false, whole);
	rcpts->trapped += traps_have(traps, name) || (tagged && traps_have(traps, whole));
	return !remote || keep(rcpts, arena, map, name, facts);
}

void rcpts_fill(const struct rcpts *rcpts, bool known, struct facts *facts)
{
	facts->rcpts = rcpts->hashes;
	facts->rcpt_count = rcpts->count;
	facts->rcpts_trapped = rcpts->trapped;
	facts->rcpts_new_known = known;
	facts->rcpts_new = known ? rcpts->fresh : 0;
	if (known && rcpts->looked > 0 && facts->rcpts_remote > rcpts->looked)
		facts->rcpts_new = (rcpts->fresh * facts->rcpts_remote + rcpts->looked / 2) / rcpts->looked;
}
