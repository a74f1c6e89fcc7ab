/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/cache.h"

#include "t/unit/tap.h"

#include <pthread.h>
#include <stdlib.h>

enum { BYTES = 65536, THREADS = 4, ROUNDS = 20000 };

static struct cache_key key_of(int number)
{
	struct cache_key key;
	key.length = (size_t)snprintf((char *)key.bytes, sizeof key.bytes, "%d.example.test", number);
	return key;
}

static void put(struct cache *cache, int number, const char *value, int64_t now_ms, int64_t ttl_ms)
{
	struct cache_key key = key_of(number);
	cache_put(cache, &key, value, strlen(value) + 1, now_ms, ttl_ms);
}

static int64_t find(struct cache *cache, int number, int64_t now_ms, char *value, size_t size)
{
	struct cache_key key = key_of(number);
	size_t length = 0;
	int64_t left_ms = cache_find(cache, &key, now_ms, value, size, &length);
	if (left_ms == 0)
		*value = '\0';
	return left_ms;
}

static void test_time(void)
{
	char value[100];
	struct cache *cache = cache_new(BYTES);
	is_int(find(cache, 1, 0, value, sizeof value), 0, "nothing is known yet");
	put(cache, 1, "one", 1000, 500);
	is_int(find(cache, 1, 1000, value, sizeof value), 500, "what is left of its time");
	is_str(value, "one", "the value");
	is_int(find(cache, 2, 1000, value, sizeof value), 0, "another key");
	is_int(find(cache, 1, 1499, value, sizeof value), 1, "the last millisecond");
	is_int(find(cache, 1, 1500, value, sizeof value), 0, "it is over");
	is_int((long long)cache_stats(cache).entries, 0, "and gone");
	put(cache, 1, "two", 2000, 500);
	put(cache, 1, "three", 2100, 500);
	is_int(find(cache, 1, 2100, value, sizeof value), 500, "a new value takes the place of the old");
	is_str(value, "three", "the new value");
	is_int((long long)cache_stats(cache).entries, 1, "one entry");
	is_int(find(cache, 1, 2100, value, 3), 500, "a small buffer");
	is_int(strncmp(value, "thr", 3), 0, "gets what fits");
	cache_free(&cache);
	ok(cache == NULL, "the pointer is cleared");
}

static void test_bytes(void)
{
	static char large[BYTES];
	char value[100];
	bool bounded = true;
	struct cache *cache = cache_new(BYTES);
	put(cache, 0, "kept", 0, 1000000);
	for (int i = 1; i < 5000; i++) {
		put(cache, i, "value", i, 1000000);
		if (i % 50 == 0)
			find(cache, 0, i, value, sizeof value);
		bounded = bounded && cache_stats(cache).bytes <= BYTES;
	}
	ok(bounded, "never more than its bytes");
	ok(find(cache, 0, 5000, value, sizeof value) > 0, "what is asked for stays");
	is_int(find(cache, 1, 5000, value, sizeof value), 0, "the oldest has gone");
	ok(find(cache, 4999, 5000, value, sizeof value) > 0, "the newest is there");
	uint64_t entries = cache_stats(cache).entries;
	ok(entries > 300 && entries < 5000, "%llu entries", (unsigned long long)entries);
	is_int((long long)(cache_stats(cache).evicted + entries), 5000, "the others were evicted");
	struct cache_key key = key_of(9999);
	cache_put(cache, &key, large, sizeof large, 0, 1000);
	is_int((long long)cache_stats(cache).entries, (long long)entries, "what is too large is not taken");
	put(cache, 4999, "another value", 5000, 1000);
	is_int((long long)cache_stats(cache).entries, (long long)entries, "a longer value in the same place");
	cache_free(&cache);
}

static void *hammer(void *arg)
{
	char value[100];
	for (int i = 0; i < ROUNDS; i++) {
		put(arg, i % 3000, "value", i, 100);
		find(arg, i * 7 % 3000, i, value, sizeof value);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[THREADS];
	struct cache *cache = cache_new(BYTES);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, hammer, cache);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(cache_stats(cache).bytes <= BYTES, "four threads at once");
	cache_free(&cache);
	cache_free(&cache);
}

int main(void)
{
	test_time();
	test_bytes();
	test_threads();
	return done_testing();
}
