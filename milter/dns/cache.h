/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cache: bytes remembered under a key of bytes until their time is over, bounded in bytes; what was not asked for
 * longest goes first. Any thread: one lock, held for one look-up. `now_ms` is clock_monotonic_ms().
 */
#ifndef PENSTOCK_CACHE_H
#define PENSTOCK_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct cache;

/* A key begins with a byte that says what it is a key of, so that no two users of the cache have the same. */
struct cache_key {
	size_t length;
	uint8_t bytes[256];
};

struct cache *cache_new(int64_t bytes); /* NULL: no memory */
void cache_free(struct cache **cache);	/* clears the pointer; NULL is fine */

/* How many ms the value still holds; 0: there is none. At most `size` bytes are copied to `value`. */
int64_t cache_find(struct cache *cache, const struct cache_key *key, int64_t now_ms, void *value, size_t size,
		   size_t *length_out);

/* Takes the place of what was there. Without memory, or where it is too large for the cache, nothing is remembered. */
void cache_put(struct cache *cache, const struct cache_key *key, const void *value, size_t length, int64_t now_ms,
	       int64_t ttl_ms);

struct cache_stats {
	uint64_t bytes, entries, evicted; /* in use, and how many went before their time */
};
struct cache_stats cache_stats(struct cache *cache);

#endif
