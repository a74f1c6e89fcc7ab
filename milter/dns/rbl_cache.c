/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/rbl_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { HAND_STEPS_MAX = 64 };	/* nobody waits for the lock while the hand goes all around */

#define NO_ROW UINT32_MAX

struct row {
	struct netaddr address;
	uint32_t next;	/* in its bucket */
	int64_t expires_ms;
	struct listing *hits;	/* owned; NULL where hit_count is 0 */
	int hit_count, unknown, hijacked;
	bool recent;	/* asked for since the hand last passed */
};

struct rbl_cache {
	struct row *rows;	/* owned */
	uint32_t *buckets;	/* owned */
	uint32_t row_count, used, hand;
	uint32_t bucket_mask;	/* a power of two, less 1 */
	uint64_t seed;	/* clients choose their addresses */
};

struct rbl_cache *rbl_cache_new(int64_t rows)
{
	enum { ROWS_MOST = 1 << 24 };
	struct rbl_cache *cache = calloc(1, sizeof *cache);
	if (cache == NULL)
		return NULL;
	cache->row_count = (uint32_t)(rows < 1 ? 1 : rows > ROWS_MOST ? ROWS_MOST : rows);
	uint32_t buckets = 16;
	while (buckets < cache->row_count)
		buckets *= 2;
	cache->bucket_mask = buckets - 1;
	cache->rows = calloc(cache->row_count, sizeof *cache->rows);
	cache->buckets = malloc(buckets * sizeof *cache->buckets);
	if (cache->rows == NULL || cache->buckets == NULL) {
		rbl_cache_free(&cache);
		return NULL;
	}
	memset(cache->buckets, 0xff, buckets * sizeof *cache->buckets);
	if (getrandom(&cache->seed, sizeof cache->seed, GRND_NONBLOCK) != (ssize_t)sizeof cache->seed)
		cache->seed = (uint64_t)(uintptr_t)cache;
	return cache;
}

void rbl_cache_free(struct rbl_cache **cache)
{
	struct rbl_cache *old = *cache;
	*cache = NULL;
	if (old == NULL)
		return;
	for (uint32_t i = 0; i < old->used; i++)
		free(old->rows[i].hits);
	free(old->rows);
	free(old->buckets);
	free(old);
}

/* Unlike netaddr_hash with a seed that nobody outside knows: two multiplications over the address's halves. */
static uint32_t *bucket_of(struct rbl_cache *cache, const struct netaddr *address)
{
	uint64_t halves[2];
	memcpy(halves, address->bytes, sizeof halves);
	uint64_t mixed = (halves[0] ^ cache->seed) * 0x9e3779b97f4a7c15U;
	mixed = ((mixed ^ mixed >> 32) + halves[1]) * ((cache->seed << 1) | 1);
	return &cache->buckets[(mixed ^ mixed >> 32) & cache->bucket_mask];
}

static struct row *find_row(struct rbl_cache *cache, const struct netaddr *address)
{
	uint32_t at = *bucket_of(cache, address);
	while (at != NO_ROW && !netaddr_same(&cache->rows[at].address, address))
		at = cache->rows[at].next;
	return at == NO_ROW ? NULL : &cache->rows[at];
}

bool rbl_cache_find(struct rbl_cache *cache, const struct netaddr *address, int64_t now_ms,
		    struct listings *listings_out)
{
	struct row *row = find_row(cache, address);
	if (row == NULL || row->expires_ms <= now_ms)
		return false;
	row->recent = true;
	*listings_out = (struct listings){ .asked = true, .unknown = row->unknown, .hijacked = row->hijacked };
	listings_out->hit_count = row->hit_count;
	if (row->hit_count > 0)
		memcpy(listings_out->hits, row->hits, (size_t)row->hit_count * sizeof *row->hits);
	return true;
}

static void unlink_row(struct rbl_cache *cache, uint32_t index)
{
	uint32_t *link = bucket_of(cache, &cache->rows[index].address);
	while (*link != index)
		link = &cache->rows[*link].next;
	*link = cache->rows[index].next;
}

/* A row that nobody uses any more: a fresh one, else one that is over or was not asked for lately. */
static struct row *take_row(struct rbl_cache *cache, int64_t now_ms)
{
	if (cache->used < cache->row_count)
		return &cache->rows[cache->used++];
	for (int steps = 0; steps < HAND_STEPS_MAX; steps++) {
		struct row *row = &cache->rows[cache->hand];
		if (!row->recent || row->expires_ms <= now_ms)
			break;
		row->recent = false;
		cache->hand = (cache->hand + 1) % cache->row_count;
	}
	uint32_t index = cache->hand;
	cache->hand = (cache->hand + 1) % cache->row_count;
	unlink_row(cache, index);
	free(cache->rows[index].hits);
	return &cache->rows[index];
}

void rbl_cache_put(struct rbl_cache *cache, const struct netaddr *address, const struct listings *listings,
		   int64_t now_ms, int64_t ttl_s)
{
	size_t size = (size_t)listings->hit_count * sizeof *listings->hits;
	struct listing *hits = size > 0 ? malloc(size) : NULL;
	if (size > 0 && hits == NULL)
		return;
	if (size > 0)
		memcpy(hits, listings->hits, size);
	struct row *row = find_row(cache, address);
	if (row != NULL) {
		free(row->hits);
	} else {
		row = take_row(cache, now_ms);
		uint32_t *bucket = bucket_of(cache, address);
		row->address = *address;
		row->next = *bucket;
		*bucket = (uint32_t)(row - cache->rows);
		row->recent = false;
	}
	row->expires_ms = now_ms + ttl_s * 1000;
	row->hits = hits;
	row->hit_count = listings->hit_count;
	row->unknown = listings->unknown;
	row->hijacked = listings->hijacked;
}
