/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/engine.h"

#include "milter/base/clock.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct engine {
	struct resolver *resolver; /* owned; the loop thread's */
	struct cache *cache;	   /* owned */
};

/* An answer as it lies in the cache. */
struct engine_known {
	struct engine_known_head {
		enum dns_outcome outcome;
		int rcode, count;
		bool partial;
	} head;
	struct dns_data data; /* as much of it as there is */
};

struct question {
	struct engine *engine;
	resolver_done *done;
	void *arg;
	struct cache_key key;
};

struct engine *engine_new(struct loop *loop, const struct resolver_settings *settings, int64_t cache_bytes, char *error,
			  size_t error_size)
{
	struct engine *engine = calloc(1, sizeof *engine);
	if (engine != NULL)
		engine->cache = cache_new(cache_bytes);
	if (engine == NULL || engine->cache == NULL)
		snprintf(error, error_size, "DNS cannot be set up: no memory");
	else
		engine->resolver = resolver_new(loop, settings, error, error_size);
	if (engine != NULL && engine->resolver == NULL)
		engine_free(&engine);
	return engine;
}

void engine_free(struct engine **engine)
{
	struct engine *old = *engine;
	*engine = NULL;
	if (old == NULL)
		return;
	resolver_free(&old->resolver);
	cache_free(&old->cache);
	free(old);
}

/* False: no name can be so long. */
static bool engine_key_of(const char *name, enum dns_type type, struct cache_key *key)
{
	size_t length = 0;
	for (; name[length] != '\0'; length++) {
		if (length == DNS_NAME_MAX)
			return false;
		key->bytes[1 + length] = (uint8_t)text_lower(name[length]);
	}
	key->bytes[0] = (uint8_t)type;
	key->length = 1 + length;
	return true;
}

bool engine_find(struct engine *engine, const char *name, enum dns_type type, struct dns_data *data,
		 struct dns_answer *answer_out)
{
	struct cache_key key;
	struct engine_known known;
	size_t length;
	if (!engine_key_of(name, type, &key))
		return false;
	int64_t left_ms = cache_find(engine->cache, &key, clock_monotonic_ms(), &known, sizeof known, &length);
	if (left_ms == 0)
		return false;
	size_t size = length - offsetof(struct engine_known, data);
	memcpy(data->bytes, known.data.bytes, size);
	*answer_out = (struct dns_answer){
		.outcome = known.head.outcome,
		.type = type,
		.rcode = known.head.rcode,
		.ttl_s = (left_ms + 999) / 1000,
		.partial = known.head.partial,
		.count = known.head.count,
		.size = size,
		.data = data->bytes,
	};
	return true;
}

static void engine_remember(struct engine *engine, const struct cache_key *key, const struct dns_answer *answer)
{
	struct engine_known known;
	known.head = (struct engine_known_head){ answer->outcome, answer->rcode, answer->count, answer->partial };
	if (answer->size > 0)
		memcpy(known.data.bytes, answer->data, answer->size);
	cache_put(engine->cache, key, &known, offsetof(struct engine_known, data) + answer->size, clock_monotonic_ms(),
		  answer->ttl_s * 1000);
}

static void engine_on_answer(void *arg, const struct dns_answer *answer)
{
	struct question *question = arg;
	if (answer->ttl_s > 0)
		engine_remember(question->engine, &question->key, answer);
	question->done(question->arg, answer);
	free(question);
}

bool engine_ask(struct engine *engine, const char *name, enum dns_type type, resolver_done *done, void *arg)
{
	struct question *question = malloc(sizeof *question);
	if (question == NULL)
		return false;
	question->engine = engine;
	question->done = done;
	question->arg = arg;
	if (engine_key_of(name, type, &question->key) && engine->resolver != NULL &&
	    resolver_query(engine->resolver, name, type, engine_on_answer, question))
		return true;
	free(question);
	return false;
}

bool engine_asks(struct engine *engine, const char *name, enum dns_type type)
{
	return engine->resolver != NULL && resolver_asks(engine->resolver, name, type);
}

struct resolver_load engine_load(const struct engine *engine)
{
	return engine->resolver != NULL ? resolver_load(engine->resolver) : (struct resolver_load){ 0, 0 };
}

const char *engine_trouble(const struct engine *engine)
{
	return engine->resolver != NULL ? resolver_trouble(engine->resolver) : "";
}

unsigned engine_generation(const struct engine *engine)
{
	return engine->resolver != NULL ? resolver_generation(engine->resolver) : 0;
}

bool engine_ending(const struct engine *engine)
{
	return engine->resolver == NULL;
}

struct cache *engine_cache(struct engine *engine)
{
	return engine->cache;
}
