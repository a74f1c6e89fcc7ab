/* SPDX-License-Identifier: BSD-2-Clause
 *
 * engine: DNS for all parts of the daemon: a resolver, and a cache of its answers, positive and negative. Look in the
 * cache first (any thread), ask then (loop thread).
 */
#ifndef PENSTOCK_ENGINE_H
#define PENSTOCK_ENGINE_H

#include "milter/dns/cache.h"
#include "milter/dns/resolver.h"

struct engine;

/* NULL with a sentence in `error`. */
struct engine *engine_new(struct loop *loop, const struct resolver_settings *settings, int64_t cache_bytes, char *error,
			  size_t error_size);
/* Loop thread, or after the loop has stopped. Questions under way end as unknown; a `done` may still look into the
 * cache, but not ask. Clears the pointer; NULL is fine. */
void engine_free(struct engine **engine);

/* Any thread: what is known of the name; its ttl_s is what is left of it. False: nothing, ask. */
bool engine_find(struct engine *engine, const char *name, enum dns_type type, struct dns_data *data,
		 struct dns_answer *answer_out);

/* As resolver_query, without a look into the cache; what comes back is remembered. */
bool engine_ask(struct engine *engine, const char *name, enum dns_type type, resolver_done *done, void *arg);

/* An equal question is under way: engine_ask would join it. */
bool engine_asks(struct engine *engine, const char *name, enum dns_type type);

/* Questions under way, and how many may be; 0 of 0 while the engine is being freed. Loop thread. */
struct resolver_load engine_load(const struct engine *engine);

/* As resolver_trouble and resolver_generation; "" and 0 while the engine is being freed. Loop thread. */
const char *engine_trouble(const struct engine *engine);
unsigned engine_generation(const struct engine *engine);

/* Whether engine_free is at work: an answer that comes now is unknown for that reason. */
bool engine_ending(const struct engine *engine);

/* For what is made of answers and holds as long as they do. The first byte of a key says whose it is: below 128 it is
 * the engine's. */
enum { CACHE_LISTINGS = 128, CACHE_SPF = 129, CACHE_ORIGINS = 130 };
struct cache *engine_cache(struct engine *engine);

#endif
