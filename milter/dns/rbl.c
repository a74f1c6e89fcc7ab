/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/rbl.h"

#include "milter/ask.h"
#include "milter/clock.h"
#include "milter/dns/engine.h"
#include "milter/log.h"
#include "milter/loop.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	AWAY_AFTER = 5,	/* failures in a row */
	CODES_MAX = 16,	/* of one list for one address; the rest is dropped */
};

enum count {
	COUNT_QUESTIONS,
	COUNT_ANSWERS,
	COUNT_FAILURES,
	COUNT_TIMEOUTS,
	COUNT_HITS,
	COUNT_MISSES,
	COUNT_REFUSED,
	COUNT_RECENT_FAILURES,
	COUNTS,
};

/* Said once in the life of an rbl, for each list. */
struct told {
	bool hijacked, refused;
};

/* Counted: the owner holds one reference, each question one. What is left after rbl_free is memory only, so that the
 * last question may be let go of on any thread. */
struct rbl {
	atomic_int references;
	struct loop *loop;	/* borrowed */
	const struct list *lists;	/* borrowed, see rbl.h */
	int list_count;
	struct engine *engine;		/* borrowed; NULL after rbl_free */
	bool away;			/* the loop thread's, as is `told` */
	struct told *told;		/* owned, one for each list */
	atomic_uint_fast64_t counts[COUNTS];
};

/* What one list said. */
struct slot {
	struct rbl_question *question;
	enum dns_outcome outcome;
	int64_t ttl_s;
	int count;
	uint32_t codes[CODES_MAX];	/* host order */
};

struct rbl_question {
	struct ask ask;		/* first */
	struct loop_job job;
	struct rbl *rbl;	/* one reference */
	struct netaddr client;
	int open;	/* lists that have not answered; the loop thread's */
	pthread_mutex_t lock;	/* of what follows */
	bool whole;	/* `listings` is the outcome; else the slots tell what is known so far */
	struct listings listings;
	struct slot slots[];	/* one for each list; none where the cache knew */
};

static void count(struct rbl *rbl, enum count which)
{
	atomic_fetch_add_explicit(&rbl->counts[which], 1, memory_order_relaxed);
}

static uint64_t get_count(struct rbl *rbl, enum count which)
{
	return atomic_load_explicit(&rbl->counts[which], memory_order_relaxed);
}

static void drop_rbl(struct rbl *rbl)
{
	if (atomic_fetch_sub(&rbl->references, 1) > 1)
		return;
	free(rbl->told);
	free(rbl);
}

struct rbl *rbl_new(struct loop *loop, const struct rbl_settings *settings)
{
	struct rbl *rbl = calloc(1, sizeof *rbl);
	if (rbl == NULL)
		return NULL;
	atomic_init(&rbl->references, 1);
	rbl->loop = loop;
	rbl->engine = settings->engine;
	rbl->lists = settings->lists;
	rbl->list_count = settings->list_count;
	rbl->told = calloc((size_t)settings->list_count + 1, sizeof *rbl->told);
	if (rbl->told != NULL)
		return rbl;
	drop_rbl(rbl);
	return NULL;
}

void rbl_free(struct rbl **rbl)
{
	struct rbl *old = *rbl;
	*rbl = NULL;
	if (old == NULL)
		return;
	old->engine = NULL;	/* what ends with it says nothing about DNS */
	drop_rbl(old);
}

/* ---- the cache of what all lists together said of an address */

struct known {
	struct known_head {
		int unknown, hijacked, hit_count;
	} head;
	struct listing hits[LISTING_HITS_MAX];	/* as many as there are */
};

static void key_of(const struct netaddr *address, struct cache_key *key)
{
	key->bytes[0] = CACHE_LISTINGS;
	memcpy(key->bytes + 1, address->bytes, sizeof address->bytes);
	key->bytes[1 + sizeof address->bytes] = (uint8_t)address->family;
	key->length = 2 + sizeof address->bytes;
}

static bool find_known(struct rbl *rbl, const struct netaddr *address, struct listings *listings_out)
{
	struct cache_key key;
	struct known known;
	size_t length;
	key_of(address, &key);
	if (cache_find(engine_cache(rbl->engine), &key, clock_monotonic_ms(), &known, sizeof known, &length) == 0)
		return false;
	*listings_out = (struct listings){ .asked = true, .unknown = known.head.unknown,
					   .hijacked = known.head.hijacked, .hit_count = known.head.hit_count };
	memcpy(listings_out->hits, known.hits, (size_t)known.head.hit_count * sizeof known.hits[0]);
	return true;
}

static void put_known(struct rbl *rbl, const struct netaddr *address, const struct listings *listings, int64_t ttl_s)
{
	struct cache_key key;
	struct known known;
	size_t hits = (size_t)listings->hit_count * sizeof known.hits[0];
	known.head = (struct known_head){ listings->unknown, listings->hijacked, listings->hit_count };
	memcpy(known.hits, listings->hits, hits);
	key_of(address, &key);
	cache_put(engine_cache(rbl->engine), &key, &known, offsetof(struct known, hits) + hits, clock_monotonic_ms(),
		  ttl_s * 1000);
}

/* ---- one question */

/* By the order of the configuration, not of the answers. */
static void sum_up(const struct rbl_question *question, struct listings *listings_out)
{
	const struct rbl *rbl = question->rbl;
	*listings_out = (struct listings){ .asked = true };
	for (int i = 0; i < rbl->list_count; i++) {
		const struct slot *slot = &question->slots[i];
		if (slot->outcome == DNS_NONE || slot->outcome == DNS_FOUND)
			listings_add(listings_out, &rbl->lists[i], slot->codes, (size_t)slot->count);
		else
			listings_out->unknown++;
	}
}

/* How long the whole answer holds; 0 where a list gave none. */
static int64_t shortest_ttl_s(const struct rbl_question *question)
{
	int64_t ttl_s = DNS_TTL_MOST;
	for (int i = 0; i < question->rbl->list_count; i++)
		if (question->slots[i].ttl_s < ttl_s)
			ttl_s = question->slots[i].ttl_s;
	return ttl_s;
}

static void list_done(struct rbl_question *question)
{
	struct rbl *rbl = question->rbl;
	if (--question->open > 0)
		return;
	pthread_mutex_lock(&question->lock);
	sum_up(question, &question->listings);
	question->whole = true;
	pthread_mutex_unlock(&question->lock);
	int64_t ttl_s = shortest_ttl_s(question);
	if (ttl_s > 0 && rbl->engine != NULL)
		put_known(rbl, &question->client, &question->listings, ttl_s);
	ask_answer(&question->ask);
}

static void note_failure(struct rbl *rbl, enum dns_outcome outcome)
{
	count(rbl, outcome == DNS_TIMEOUT ? COUNT_TIMEOUTS : COUNT_FAILURES);
	count(rbl, COUNT_RECENT_FAILURES);
	if (rbl->away || get_count(rbl, COUNT_RECENT_FAILURES) < AWAY_AFTER)
		return;
	rbl->away = true;
	log_line(SEVERITY_ERROR, "dns: %d questions in a row got no answer; listings are unknown until one does",
		 AWAY_AFTER);
}

static void note_success(struct rbl *rbl)
{
	count(rbl, COUNT_ANSWERS);
	atomic_store_explicit(&rbl->counts[COUNT_RECENT_FAILURES], 0, memory_order_relaxed);
	if (rbl->away)
		log_line(SEVERITY_INFO, "dns: answers again");
	rbl->away = false;
}

static void tell_once(bool *told, const struct list *list, uint32_t code, const char *meaning)
{
	if (!*told)
		log_line(SEVERITY_ERROR, "dns: block list %s answered %u.%u.%u.%u: %s; its answers count as unknown",
			 list->zone, code >> 24, code >> 16 & 255U, code >> 8 & 255U, code & 255U, meaning);
	*told = true;
}

/* An admin must hear of both: from outside they look like a list on which nobody stands. */
static void tell_oddities(struct rbl *rbl, const struct list *list, const struct slot *slot)
{
	struct told *told = &rbl->told[list - rbl->lists];
	for (int i = 0; i < slot->count; i++) {
		uint32_t code = slot->codes[i];
		if (code >> 24 != 127)
			tell_once(&told->hijacked, list, code,
				  "no block list says that; the zone is gone, or a resolver rewrites answers");
		else if (code >> 8 == 0x7fffffU)
			tell_once(&told->refused, list, code, "the list refuses to serve this resolver");
	}
}

static void fill_slot(struct slot *slot, const struct dns_answer *answer)
{
	pthread_mutex_lock(&slot->question->lock);
	slot->outcome = answer->outcome;
	slot->ttl_s = answer->ttl_s;
	slot->count = dns_answer_addresses(answer, slot->codes, CODES_MAX);
	pthread_mutex_unlock(&slot->question->lock);
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
	struct slot *slot = arg;
	struct rbl_question *question = slot->question;
	struct rbl *rbl = question->rbl;
	bool answered = answer->outcome == DNS_NONE || answer->outcome == DNS_FOUND;
	fill_slot(slot, answer);
	if (answered) {
		note_success(rbl);
		tell_oddities(rbl, &rbl->lists[slot - question->slots], slot);
	} else if (rbl->engine != NULL) {
		note_failure(rbl, answer->outcome);
	}
	list_done(question);
}

/* False: it is answered, or will never be. */
static bool ask_list(struct rbl_question *question, int index, const char *reverse)
{
	char name[NETADDR_REVERSE_MAX + 1 + LIST_ZONE_MAX + 1];
	struct rbl *rbl = question->rbl;
	struct text text = text_over(name, sizeof name);
	struct dns_data data;
	struct dns_answer answer;
	text_add(&text, reverse);
	text_add(&text, ".");
	text_add(&text, rbl->lists[index].zone);
	if (rbl->engine == NULL)
		return false;
	if (engine_find(rbl->engine, name, DNS_A, &data, &answer)) {
		fill_slot(&question->slots[index], &answer);
		return false;
	}
	count(rbl, COUNT_QUESTIONS);
	if (engine_ask(rbl->engine, name, DNS_A, on_answer, &question->slots[index]))
		return true;
	count(rbl, COUNT_REFUSED);
	return false;
}

static void ask_lists(struct loop_job *job)
{
	struct rbl_question *question =
		(struct rbl_question *)(void *)((char *)job - offsetof(struct rbl_question, job));
	int lists = question->rbl->list_count;
	char reverse[NETADDR_REVERSE_MAX];
	netaddr_reverse(&question->client, reverse);
	question->open = lists + 1;	/* one more, so that it is not over before all are asked */
	for (int i = 0; i < lists; i++)
		if (!ask_list(question, i, reverse))
			list_done(question);
	list_done(question);
}

static void free_question(struct ask *ask)
{
	struct rbl_question *question = (struct rbl_question *)(void *)ask;
	pthread_mutex_destroy(&question->lock);
	drop_rbl(question->rbl);
	free(question);
}

static struct rbl_question *new_question(struct rbl *rbl, const struct netaddr *client, int slots)
{
	struct rbl_question *question = calloc(1, sizeof *question + (size_t)slots * sizeof question->slots[0]);
	if (question == NULL)
		return NULL;
	ask_init(&question->ask, free_question);
	pthread_mutex_init(&question->lock, NULL);
	question->job.run = ask_lists;
	question->client = *client;
	question->rbl = rbl;
	atomic_fetch_add(&rbl->references, 1);
	for (int i = 0; i < slots; i++)
		question->slots[i].question = question;
	return question;
}

struct rbl_question *rbl_ask(struct rbl *rbl, const struct netaddr *client)
{
	struct listings known;
	if (client->family == NETADDR_UNKNOWN || rbl->list_count == 0)
		return NULL;
	bool hit = find_known(rbl, client, &known);
	count(rbl, hit ? COUNT_HITS : COUNT_MISSES);
	struct rbl_question *question = new_question(rbl, client, hit ? 0 : rbl->list_count);
	if (question == NULL)
		return NULL;
	if (hit) {
		question->listings = known;
		question->whole = true;
		ask_answer(&question->ask);	/* nobody else knows of the question */
	} else {
		loop_post(rbl->loop, &question->job);
	}
	return question;
}

void rbl_collect(struct rbl_question *question, int64_t deadline_ms, struct listings *listings_out)
{
	*listings_out = (struct listings){ 0 };
	if (question == NULL)
		return;
	ask_wait(&question->ask, deadline_ms);
	pthread_mutex_lock(&question->lock);
	if (question->whole)
		*listings_out = question->listings;
	else
		sum_up(question, listings_out);
	pthread_mutex_unlock(&question->lock);
}

void rbl_release(struct rbl_question **question)
{
	if (*question != NULL)
		ask_drop(&(*question)->ask);
	*question = NULL;
}

struct rbl_stats rbl_stats(struct rbl *rbl)
{
	return (struct rbl_stats){
		.questions = get_count(rbl, COUNT_QUESTIONS),
		.answers = get_count(rbl, COUNT_ANSWERS),
		.failures = get_count(rbl, COUNT_FAILURES),
		.timeouts = get_count(rbl, COUNT_TIMEOUTS),
		.cache_hits = get_count(rbl, COUNT_HITS),
		.cache_misses = get_count(rbl, COUNT_MISSES),
		.refused_inflight = get_count(rbl, COUNT_REFUSED),
		.recent_failures = get_count(rbl, COUNT_RECENT_FAILURES),
	};
}
