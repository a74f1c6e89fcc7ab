/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/cache.h"
#include "milter/base/own_hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "policy/base/banned.h"

enum {
	MALLOC_BYTES = 16, /* what malloc takes for itself */
	BYTES_PER_BUCKET = 256,
	BUCKETS_LEAST = 64,
	BUCKETS_MOST = 1 << 22,
	ENTRY_SHARE = 8, /* no entry is larger than such a part of the whole */
};

struct cache_entry {
	struct cache_entry *next_in_bucket;
	TAILQ_ENTRY(cache_entry) place; /* asked for last: first */
	int64_t expires_ms;
	uint32_t hash;
	uint32_t key_length, value_length;
	uint8_t bytes[]; /* the key, then the value */
};

TAILQ_HEAD(entry_list, cache_entry);

struct cache {
	pthread_mutex_t lock;	      /* of all that follows */
	struct cache_entry **buckets; /* owned */
	uint32_t bucket_mask;	      /* a power of two, less 1 */
	struct entry_list entries;
	size_t bytes_most;
	struct cache_stats stats;
};

struct cache *cache_new(int64_t bytes)
{
	struct cache *cache = calloc(1, sizeof *cache);
	if (cache == NULL)
		return NULL;
	uint32_t buckets = BUCKETS_LEAST;
	while (buckets < BUCKETS_MOST && (int64_t)buckets * BYTES_PER_BUCKET < bytes)
		buckets *= 2;
	cache->buckets = calloc(buckets, sizeof *cache->buckets);
	if (cache->buckets == NULL) {
		free(cache);
		return NULL;
	}
	pthread_mutex_init(&cache->lock, NULL);
	TAILQ_INIT(&cache->entries);
	cache->bucket_mask = buckets - 1;
	cache->bytes_most = (size_t)bytes;
	cache->stats.bytes = buckets * sizeof *cache->buckets;
	return cache;
}

void cache_free(struct cache **cache)
{
	struct cache *old = *cache;
	struct cache_entry *entry;
	*cache = NULL;
	if (old == NULL)
		return;
	while ((entry = TAILQ_FIRST(&old->entries)) != NULL) {
		TAILQ_REMOVE(&old->entries, entry, place);
		free(entry);
	}
	pthread_mutex_destroy(&old->lock);
	free(old->buckets);
	free(old);
}

static size_t size_of(size_t key_length, size_t value_length)
{
	return sizeof(struct cache_entry) + key_length + value_length + MALLOC_BYTES;
}

static struct cache_entry *cache_find_entry(struct cache *cache, const struct cache_key *key, uint32_t hash)
{
	struct cache_entry *entry = cache->buckets[hash & cache->bucket_mask];
	while (entry != NULL && (entry->hash != hash || entry->key_length != key->length ||
				 memcmp(entry->bytes, key->bytes, key->length) != 0))
		entry = entry->next_in_bucket;
	return entry;
}

static uint32_t hash_of(const struct cache_key *key)
{
	return (uint32_t)own_hash(key->bytes, key->length, 0);
}

static void cache_drop_entry(struct cache *cache, struct cache_entry *entry)
{
	struct cache_entry **link = &cache->buckets[entry->hash & cache->bucket_mask];
	while (*link != entry)
		link = &(*link)->next_in_bucket;
	*link = entry->next_in_bucket;
	TAILQ_REMOVE(&cache->entries, entry, place);
	cache->stats.bytes -= size_of(entry->key_length, entry->value_length);
	cache->stats.entries--;
	free(entry);
}

int64_t cache_find(struct cache *cache, const struct cache_key *key, int64_t now_ms, void *value, size_t size,
		   size_t *length_out)
{
	int64_t left_ms = 0;
	uint32_t hash = hash_of(key);
	pthread_mutex_lock(&cache->lock);
	struct cache_entry *entry = cache_find_entry(cache, key, hash);
	if (entry != NULL && entry->expires_ms <= now_ms) {
		cache_drop_entry(cache, entry);
	} else if (entry != NULL) {
		left_ms = entry->expires_ms - now_ms;
		*length_out = entry->value_length < size ? entry->value_length : size;
		memcpy(value, entry->bytes + entry->key_length, *length_out);
		TAILQ_REMOVE(&cache->entries, entry, place);
		TAILQ_INSERT_HEAD(&cache->entries, entry, place);
	}
	pthread_mutex_unlock(&cache->lock);
	return left_ms;
}

static struct cache_entry *cache_new_entry(const struct cache_key *key, const void *value, size_t length)
{
	struct cache_entry *entry = malloc(sizeof *entry + key->length + length);
	if (entry == NULL)
		return NULL;
	entry->key_length = (uint32_t)key->length;
	entry->value_length = (uint32_t)length;
	memcpy(entry->bytes, key->bytes, key->length);
	memcpy(entry->bytes + key->length, value, length);
	return entry;
}

/* What is over goes with the rest, by its age: to look for it would take time under the lock. */
static void cache_make_room(struct cache *cache, int64_t now_ms)
{
	struct cache_entry *last;
	while (cache->stats.bytes > cache->bytes_most && (last = TAILQ_LAST(&cache->entries, entry_list)) != NULL) {
		cache->stats.evicted += last->expires_ms > now_ms;
		cache_drop_entry(cache, last);
	}
}

void cache_put(struct cache *cache, const struct cache_key *key, const void *value, size_t length, int64_t now_ms,
	       int64_t ttl_ms)
{
	size_t size = size_of(key->length, length);
	struct cache_entry *entry =
		size <= cache->bytes_most / ENTRY_SHARE ? cache_new_entry(key, value, length) : NULL;
	if (entry == NULL)
		return;
	entry->hash = hash_of(key);
	entry->expires_ms = now_ms + ttl_ms;
	pthread_mutex_lock(&cache->lock);
	struct cache_entry *old = cache_find_entry(cache, key, entry->hash);
	if (old != NULL)
		cache_drop_entry(cache, old);
	struct cache_entry **bucket = &cache->buckets[entry->hash & cache->bucket_mask];
	entry->next_in_bucket = *bucket;
	*bucket = entry;
	TAILQ_INSERT_HEAD(&cache->entries, entry, place);
	cache->stats.bytes += size;
	cache->stats.entries++;
	cache_make_room(cache, now_ms);
	pthread_mutex_unlock(&cache->lock);
}

struct cache_stats cache_stats(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	struct cache_stats stats = cache->stats;
	pthread_mutex_unlock(&cache->lock);
	return stats;
}
