/* SPDX-License-Identifier: BSD-2-Clause
 *
 * arena: memory that is freed all at once: one for a connection, one for a message.
 * It grows in blocks up to a cap. An arena that ran out gives NULL and stays `spent` until it is emptied; whoever
 * owns the message then answers 4xx.
 */
#ifndef PENSTOCK_ARENA_H
#define PENSTOCK_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* owned, newest first */
	size_t cap;		    /* bytes that may be handed out in all */
	size_t used;
	bool spent;
};

void arena_init(struct arena *arena, size_t cap);

/* Zeroed and aligned for any type; NULL where the cap or the machine's memory is reached. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of at most `longest` bytes of `string`; NULL as above. */
char *arena_copy(struct arena *arena, const char *string, size_t longest);

/* Frees all and makes the arena new. */
void arena_empty(struct arena *arena);

#endif
