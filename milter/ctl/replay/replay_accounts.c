/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/replay/replay_accounts.h"

#include "milter/ctl/tool/memory.h"
#include "policy/hash.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ROWS_FIRST = 1024, BLOCK_MEMORIES = 256, BLOCK_NAMES = 65536 };

static void *replay_accounts_block_new(struct replay_accounts *accounts, char **newest, size_t bytes)
{
	char *block = have_memory(malloc(bytes));
	memcpy(block, newest, sizeof *newest);
	*newest = block;
	accounts->bytes += bytes;
	return block;
}

static const char *replay_accounts_keep_name(struct replay_accounts *accounts, const char *name)
{
	size_t length = strlen(name) + 1;
	if (accounts->names == NULL || accounts->names_used + length > BLOCK_NAMES) {
		replay_accounts_block_new(accounts, &accounts->names, BLOCK_NAMES);
		accounts->names_used = sizeof(char *);
	}
	char *kept = accounts->names + accounts->names_used;
	memcpy(kept, name, length);
	accounts->names_used += length;
	return kept;
}

static struct replayed *replay_accounts_take_memory(struct replay_accounts *accounts)
{
	size_t each = (size_t)accounts->histories * sizeof(struct replayed);
	if (accounts->blocks == NULL || accounts->blocks_used == BLOCK_MEMORIES) {
		replay_accounts_block_new(accounts, &accounts->blocks, 16 + BLOCK_MEMORIES * each);
		accounts->blocks_used = 0;
	}
	void *memory = accounts->blocks + 16 + accounts->blocks_used++ * each;
	memset(memory, 0, each);
	return memory;
}

static struct replay_account *replay_accounts_find(const struct replay_accounts *accounts, uint64_t hash,
						   const char *name)
{
	size_t at = hash & (accounts->size - 1);
	while (accounts->rows[at].hash != 0 &&
	       (accounts->rows[at].hash != hash || strcmp(accounts->rows[at].name, name) != 0))
		at = (at + 1) & (accounts->size - 1);
	return &accounts->rows[at];
}

static void replay_accounts_grow(struct replay_accounts *accounts)
{
	struct replay_account *old = accounts->rows;
	size_t size = accounts->size;
	accounts->size = size == 0 ? ROWS_FIRST : size * 2;
	accounts->rows = have_memory(calloc(accounts->size, sizeof *old));
	accounts->bytes += (accounts->size - size) * sizeof *old;
	for (size_t i = 0; i < size; i++)
		if (old[i].hash != 0)
			*replay_accounts_find(accounts, old[i].hash, old[i].name) = old[i];
	free(old);
}

struct replay_account *replay_account(struct replay_accounts *accounts, const char *name, bool *new_out)
{
	uint64_t hash = hash_string(name, 0) | 1;
	if (accounts->count * 4 >= accounts->size * 3)
		replay_accounts_grow(accounts);
	struct replay_account *account = replay_accounts_find(accounts, hash, name);
	*new_out = account->hash == 0;
	if (*new_out) {
		account->hash = hash;
		account->name = replay_accounts_keep_name(accounts, name);
		account->memory = replay_accounts_take_memory(accounts);
		accounts->count++;
	}
	return account;
}

static void replay_accounts_free_blocks(char *block)
{
	while (block != NULL) {
		char *before;
		memcpy(&before, block, sizeof before);
		free(block);
		block = before;
	}
}

void replay_accounts_free(struct replay_accounts *accounts)
{
	replay_accounts_free_blocks(accounts->names);
	replay_accounts_free_blocks(accounts->blocks);
	free(accounts->rows);
	*accounts = (struct replay_accounts){ 0 };
}
