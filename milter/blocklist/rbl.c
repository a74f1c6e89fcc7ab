/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/rbl.h"

#include "milter/base/ask.h"
#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/blocklist/lists.h"
#include "milter/base/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SUSPECT_LEAST = 3 };

enum rbl_count { COUNT_HITS, COUNT_MISSES, COUNTS };

/* Counted: the owner holds one reference, each question one. What is left after rbl_free is memory only, so that the
 * last question may be let go of on any thread. */
struct rbl {
	atomic_int references;
	struct loop *loop;	 /* borrowed */
	const struct list *rows; /* borrowed: the first `list_count` of `lists` */
	int list_count;
	struct engine *engine;	 /* borrowed; NULL after rbl_free */
	struct lists *lists;	 /* borrowed; NULL after rbl_free */
	struct fitness *fitness; /* borrowed: that of `lists`, so that a look into the cache need not ask for it */
	atomic_uint_fast64_t counts[COUNTS];
};

enum slot_state {
	SLOT_UNKNOWN,
	SLOT_READY,
	SLOT_SKIPPED, /* the list is not used, or is not for such addresses */
};

/* What one list said. */
struct rbl_slot {
	struct list_question asked; /* first */
	struct fitness_waiter waiter;
	struct rbl_question *question;
	enum slot_state state;
	struct list_reply reply;
	int64_t holds_ms; /* how long it may be remembered; 0: not at all */
};

struct rbl_question {
	struct ask ask; /* first */
	struct loop_job job;
	struct rbl *rbl; /* one reference */
	struct netaddr client;
	bool reserved;	      /* nobody on the Internet has it */
	int open;	      /* lists that have not answered; the loop thread's */
	bool suspected;	      /* all said yes, and they are tested for it; the loop thread's */
	pthread_mutex_t lock; /* of what follows */
	bool whole;	      /* `listings` is the outcome; else the slots tell what is known so far */
	struct listings listings;
	struct rbl_slot slots[]; /* one for each list; none where the cache knew */
};

static void count(struct rbl *rbl, enum rbl_count which)
{
	atomic_fetch_add_explicit(&rbl->counts[which], 1, memory_order_relaxed);
}

static uint64_t get_count(struct rbl *rbl, enum rbl_count which)
{
	return atomic_load_explicit(&rbl->counts[which], memory_order_relaxed);
}

static void drop_rbl(struct rbl *rbl)
{
	if (atomic_fetch_sub(&rbl->references, 1) > 1)
		return;
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
	rbl->fitness = lists_fitness(settings->lists);
	rbl->rows = lists_at(settings->lists, 0);
	rbl->list_count = settings->list_count;
	return rbl;
}

void rbl_free(struct rbl **rbl)
{
	struct rbl *old = *rbl;
	*rbl = NULL;
	if (old == NULL)
		return;
	old->engine = NULL;
	old->lists = NULL;
	old->fitness = NULL;
	drop_rbl(old);
}

/* ---- the cache of what all lists together said of an address */

struct rbl_known {
	struct rbl_known_head {
		int unknown, hijacked, hit_count;
	} head;
	struct listing hits[LISTING_HITS_MAX]; /* as many as there are */
};

/* What was known while other lists were in use is not found again. */
static void rbl_key_of(struct rbl *rbl, const struct netaddr *address, struct cache_key *key)
{
	uint32_t generation = fitness_generation(rbl->fitness);
	uint8_t *to = key->bytes;
	*to++ = CACHE_LISTINGS;
	*to++ = (uint8_t)address->family;
	memcpy(to, address->bytes, sizeof address->bytes);
	to += sizeof address->bytes;
	memcpy(to, &generation, sizeof generation);
	key->length = 2 + sizeof address->bytes + sizeof generation;
}

static bool rbl_find_known(struct rbl *rbl, const struct netaddr *address, struct listings *listings_out)
{
	struct cache_key key;
	struct rbl_known known;
	size_t length;
	rbl_key_of(rbl, address, &key);
	if (cache_find(engine_cache(rbl->engine), &key, clock_monotonic_ms(), &known, sizeof known, &length) == 0)
		return false;
	*listings_out = (struct listings){ .asked = true,
					   .unknown = known.head.unknown,
					   .hijacked = known.head.hijacked,
					   .hit_count = known.head.hit_count };
	memcpy(listings_out->hits, known.hits, (size_t)known.head.hit_count * sizeof known.hits[0]);
	return true;
}

static void rbl_put_known(struct rbl *rbl, const struct netaddr *address, const struct listings *listings,
			  int64_t holds_ms)
{
	struct cache_key key;
	struct rbl_known known;
	size_t hits = (size_t)listings->hit_count * sizeof known.hits[0];
	known.head = (struct rbl_known_head){ listings->unknown, listings->hijacked, listings->hit_count };
	memcpy(known.hits, listings->hits, hits);
	rbl_key_of(rbl, address, &key);
	cache_put(engine_cache(rbl->engine), &key, &known, offsetof(struct rbl_known, hits) + hits,
		  clock_monotonic_ms(), holds_ms);
}

/* ---- one question */

static bool takes(const struct rbl_question *question, int list)
{
	return list_takes(&question->rbl->rows[list], question->client.family, question->reserved);
}

/* By the order of the configuration, not of the answers. Where no list is fit for use nothing is known. */
static void rbl_sum_up(const struct rbl_question *question, struct listings *listings_out)
{
	const struct rbl *rbl = question->rbl;
	int unused = 0;
	*listings_out = (struct listings){ .asked = true };
	for (int i = 0; i < rbl->list_count; i++) {
		const struct rbl_slot *slot = &question->slots[i];
		if (slot->state == SLOT_READY)
			listings_add(listings_out, &rbl->rows[i], slot->reply.codes, (size_t)slot->reply.count);
		listings_out->unknown += slot->state == SLOT_UNKNOWN;
		unused += slot->state == SLOT_SKIPPED && takes(question, i);
	}
	if (unused == rbl->list_count)
		listings_out->unknown = unused;
	listings_close(listings_out, rbl->list_count);
}

/* How long the whole answer holds; 0 where a list gave none. */
static int64_t rbl_shortest_ms(const struct rbl_question *question)
{
	int64_t holds_ms = DNS_TTL_MOST * 1000;
	for (int i = 0; i < question->rbl->list_count; i++)
		if (question->slots[i].holds_ms < holds_ms)
			holds_ms = question->slots[i].holds_ms;
	return holds_ms;
}

static void rbl_finish(struct rbl_question *question)
{
	struct rbl *rbl = question->rbl;
	pthread_mutex_lock(&question->lock);
	rbl_sum_up(question, &question->listings);
	question->whole = true;
	pthread_mutex_unlock(&question->lock);
	int64_t holds_ms = rbl_shortest_ms(question);
	if (holds_ms > 0 && question->listings.hijacked == 0 && rbl->engine != NULL)
		rbl_put_known(rbl, &question->client, &question->listings, holds_ms);
	ask_answer(&question->ask);
}

static void rbl_set_slot(struct rbl_slot *slot, enum slot_state state, int64_t holds_ms)
{
	pthread_mutex_lock(&slot->question->lock);
	slot->state = state;
	slot->holds_ms = holds_ms;
	pthread_mutex_unlock(&slot->question->lock);
}

static bool rbl_all_say_yes(const struct rbl_question *question)
{
	int yes = 0, used = 0;
	for (int i = 0; i < question->rbl->list_count; i++) {
		const struct rbl_slot *slot = &question->slots[i];
		used += slot->state != SLOT_SKIPPED;
		yes += slot->state == SLOT_READY && slot->reply.outcome == DNS_FOUND;
	}
	return yes == used && yes >= SUSPECT_LEAST;
}

static void list_done(struct rbl_question *question);

/* The list's test is over. */
static void rbl_on_tested(struct fitness_waiter *waiter)
{
	struct rbl_slot *slot = (struct rbl_slot *)(void *)((char *)waiter - offsetof(struct rbl_slot, waiter));
	struct rbl *rbl = slot->question->rbl;
	int list = (int)(slot - slot->question->slots);
	if (rbl->fitness != NULL && fitness_unfit(rbl->fitness, list))
		rbl_set_slot(slot, SLOT_SKIPPED, DNS_TTL_MOST * 1000);
	else
		rbl_set_slot(slot, SLOT_READY, slot->reply.ttl_s * 1000);
	list_done(slot->question);
}

/* An address may well be on all lists; but it may also be the resolver that says yes to everything. Then the lists
 * fail the tests that are made now. True: the question waits for them. */
static bool rbl_suspect(struct rbl_question *question)
{
	struct rbl *rbl = question->rbl;
	if (question->suspected || rbl->fitness == NULL || !rbl_all_say_yes(question) || !fitness_suspect(rbl->fitness))
		return false;
	question->suspected = true;
	question->open = 1;
	for (int i = 0; i < rbl->list_count; i++) {
		struct rbl_slot *slot = &question->slots[i];
		slot->waiter.ready = rbl_on_tested;
		if (slot->state != SLOT_READY || !fitness_wait(rbl->fitness, i, &slot->waiter))
			continue;
		question->open++;
		rbl_set_slot(slot, SLOT_UNKNOWN, 0);
	}
	list_done(question);
	return true;
}

static void list_done(struct rbl_question *question)
{
	if (--question->open == 0 && !rbl_suspect(question))
		rbl_finish(question);
}

static void rbl_on_list(struct list_question *asked, const struct list_answer *answer)
{
	static const enum slot_state states[] = {
		[LIST_STATE_UNKNOWN] = SLOT_UNKNOWN,
		[LIST_STATE_ANSWERED] = SLOT_READY,
		[LIST_STATE_SKIPPED] = SLOT_SKIPPED,
	};
	struct rbl_slot *slot = (struct rbl_slot *)(void *)asked;
	bool odd = answer->state == LIST_STATE_UNKNOWN && answer->reply.count > 0; /* listings_add knows of those */
	slot->reply = answer->reply;
	rbl_set_slot(slot, odd ? SLOT_READY : states[answer->state], answer->holds_ms);
	list_done(slot->question);
}

static void rbl_ask_list(struct rbl_question *question, int list, const char *reverse)
{
	struct rbl *rbl = question->rbl;
	struct rbl_slot *slot = &question->slots[list];
	slot->asked.done = rbl_on_list;
	if (rbl->lists != NULL && takes(question, list)) {
		lists_ask(rbl->lists, list, reverse, LISTS_FOR_MAIL, &slot->asked);
		return;
	}
	if (rbl->lists != NULL)
		rbl_set_slot(slot, SLOT_SKIPPED, DNS_TTL_MOST * 1000);
	list_done(question);
}

static void rbl_ask_lists(struct loop_job *job)
{
	struct rbl_question *question =
		(struct rbl_question *)(void *)((char *)job - offsetof(struct rbl_question, job));
	int lists = question->rbl->list_count;
	char reverse[NETADDR_REVERSE_MAX];
	netaddr_reverse(&question->client, reverse);
	question->open = lists + 1; /* one more, so that it is not over before all are asked */
	for (int i = 0; i < lists; i++)
		rbl_ask_list(question, i, reverse);
	list_done(question);
}

static void rbl_free_question(struct ask *ask)
{
	struct rbl_question *question = (struct rbl_question *)(void *)ask;
	pthread_mutex_destroy(&question->lock);
	drop_rbl(question->rbl);
	free(question);
}

static struct rbl_question *rbl_new_question(struct rbl *rbl, const struct netaddr *client, int slots)
{
	struct rbl_question *question = calloc(1, sizeof *question + (size_t)slots * sizeof question->slots[0]);
	if (question == NULL)
		return NULL;
	ask_init(&question->ask, rbl_free_question);
	pthread_mutex_init(&question->lock, NULL);
	question->job.run = rbl_ask_lists;
	question->client = *client;
	question->reserved = slots > 0 && netaddr_reserved(client) != NULL;
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
	bool hit = rbl_find_known(rbl, client, &known);
	count(rbl, hit ? COUNT_HITS : COUNT_MISSES);
	struct rbl_question *question = rbl_new_question(rbl, client, hit ? 0 : rbl->list_count);
	if (question == NULL)
		return NULL;
	if (hit) {
		question->listings = known;
		question->whole = true;
		ask_answer(&question->ask); /* nobody else knows of the question */
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
		rbl_sum_up(question, listings_out);
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
	struct lists_stats lists = lists_stats(rbl->lists);
	return (struct rbl_stats){
		.questions = lists.questions,
		.answers = lists.answers,
		.failures = lists.failures,
		.timeouts = lists.timeouts,
		.cache_hits = get_count(rbl, COUNT_HITS),
		.cache_misses = get_count(rbl, COUNT_MISSES),
		.refused_inflight = lists.refused_inflight,
		.recent_failures = lists.recent_failures,
	};
}
