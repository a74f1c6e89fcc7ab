/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { BLOCK_FIRST = 240, BLOCK_MOST = 4000 }; /* a block each is what an idle session costs */

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

void arena_init(struct arena *arena, size_t cap)
{
	*arena = (struct arena){ .cap = cap };
}

static struct arena_block *arena_block_with_room(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	if (block != NULL && block->size - block->used >= size)
		return block;
	size_t room = arena->used < BLOCK_FIRST ? BLOCK_FIRST : BLOCK_MOST;
	if (room < size)
		room = size;
	block = calloc(1, sizeof *block + room);
	if (block == NULL)
		return NULL;
	block->size = room;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_take(struct arena *arena, size_t size)
{
	const size_t grain = alignof(max_align_t);
	if (size > arena->cap - arena->used || size > SIZE_MAX - sizeof(struct arena_block) - grain) {
		arena->spent = true;
		return NULL;
	}
	size_t rounded = (size + grain - 1) / grain * grain;
	struct arena_block *block = arena_block_with_room(arena, rounded);
	if (block == NULL) {
		arena->spent = true;
		return NULL;
	}
	void *taken = block->bytes + block->used;
	block->used += rounded;
	arena->used += size;
	return taken;
}

char *arena_copy(struct arena *arena, const char *string, size_t longest)
{
	size_t length = strnlen(string, longest);
	char *copy = arena_take(arena, length + 1);
	if (copy != NULL)
		memcpy(copy, string, length);
	return copy;
}

void arena_empty(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
	arena_init(arena, arena->cap);
}
