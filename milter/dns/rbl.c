/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/rbl.h"

#include "milter/ask.h"
#include "milter/clock.h"
#include "milter/dns/engine.h"
#include "milter/dns/fitness.h"
#include "milter/log.h"
#include "milter/loop.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { AWAY_AFTER = 5, RETRY_MOST_MS = 300000, SUSPECT_LEAST = 3 };

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

/* Counted: the owner holds one reference, each question one. What is left after rbl_free is memory only, so that the
 * last question may be let go of on any thread. */
struct rbl {
	atomic_int references;
	struct loop *loop;	/* borrowed */
	const struct list *lists;	/* borrowed, see rbl.h */
	int list_count;
	struct engine *engine;		/* borrowed; NULL after rbl_free */
	struct fitness *fitness;	/* owned; NULL after rbl_free */
	struct loop_job start;
	bool away;			/* the loop thread's */
	atomic_uint_fast64_t counts[COUNTS];
};

enum slot_state {
	SLOT_UNKNOWN,
	SLOT_READY,
	SLOT_SKIPPED,	/* the list is not used, or does not know such addresses */
};

/* What one list said. */
struct slot {
	struct fitness_waiter waiter;	/* first */
	struct rbl_question *question;
	enum slot_state state;
	struct list_reply reply;
	int64_t asked_ms;
	int64_t holds_ms;	/* how long it may be remembered; 0: not at all */
};

struct rbl_question {
	struct ask ask;		/* first */
	struct loop_job job;
	struct rbl *rbl;	/* one reference */
	struct netaddr client;
	int open;	/* lists that have not answered; the loop thread's */
	bool suspected;	/* all said yes, and they are tested for it; the loop thread's */
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
	free(rbl);
}

static void start_tests(struct loop_job *job)
{
	struct rbl *rbl = (struct rbl *)(void *)((char *)job - offsetof(struct rbl, start));
	fitness_start(rbl->fitness);
}

struct rbl *rbl_new(struct loop *loop, const struct rbl_settings *settings)
{
	struct fitness_settings fitness = {
		.engine = settings->engine,
		.lists = settings->lists,
		.list_count = settings->list_count,
		.breaker = { settings->breaker_failures, settings->retry_ms, RETRY_MOST_MS },
	};
	struct rbl *rbl = calloc(1, sizeof *rbl);
	if (rbl == NULL)
		return NULL;
	atomic_init(&rbl->references, 1);
	rbl->loop = loop;
	rbl->engine = settings->engine;
	rbl->lists = settings->lists;
	rbl->list_count = settings->list_count;
	rbl->fitness = fitness_new(loop, &fitness);
	if (rbl->fitness == NULL) {
		drop_rbl(rbl);
		return NULL;
	}
	/* rbl_free comes later on the same thread, or when the loop has stopped: no reference is needed */
	rbl->start.run = start_tests;
	if (rbl->list_count > 0)
		loop_post(loop, &rbl->start);
	return rbl;
}

void rbl_free(struct rbl **rbl)
{
	struct rbl *old = *rbl;
	*rbl = NULL;
	if (old == NULL)
		return;
	old->engine = NULL;	/* what ends with it says nothing about DNS */
	fitness_free(&old->fitness);
	drop_rbl(old);
}

/* ---- the cache of what all lists together said of an address */

struct known {
	struct known_head {
		int unknown, hijacked, hit_count;
	} head;
	struct listing hits[LISTING_HITS_MAX];	/* as many as there are */
};

/* What was known while other lists were in use is not found again. */
static void key_of(struct rbl *rbl, const struct netaddr *address, struct cache_key *key)
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

static bool find_known(struct rbl *rbl, const struct netaddr *address, struct listings *listings_out)
{
	struct cache_key key;
	struct known known;
	size_t length;
	key_of(rbl, address, &key);
	if (cache_find(engine_cache(rbl->engine), &key, clock_monotonic_ms(), &known, sizeof known, &length) == 0)
		return false;
	*listings_out = (struct listings){ .asked = true, .unknown = known.head.unknown,
					   .hijacked = known.head.hijacked, .hit_count = known.head.hit_count };
	memcpy(listings_out->hits, known.hits, (size_t)known.head.hit_count * sizeof known.hits[0]);
	return true;
}

static void put_known(struct rbl *rbl, const struct netaddr *address, const struct listings *listings,
		      int64_t holds_ms)
{
	struct cache_key key;
	struct known known;
	size_t hits = (size_t)listings->hit_count * sizeof known.hits[0];
	known.head = (struct known_head){ listings->unknown, listings->hijacked, listings->hit_count };
	memcpy(known.hits, listings->hits, hits);
	key_of(rbl, address, &key);
	cache_put(engine_cache(rbl->engine), &key, &known, offsetof(struct known, hits) + hits, clock_monotonic_ms(),
		  holds_ms);
}

/* ---- one question */

static bool fits(const struct list *list, const struct netaddr *client)
{
	return client->family == NETADDR_V6 ? list->ipv6 : list->ipv4;
}

/* By the order of the configuration, not of the answers. Where no list is fit for use nothing is known. */
static void sum_up(const struct rbl_question *question, struct listings *listings_out)
{
	const struct rbl *rbl = question->rbl;
	int unused = 0;
	*listings_out = (struct listings){ .asked = true };
	for (int i = 0; i < rbl->list_count; i++) {
		const struct slot *slot = &question->slots[i];
		if (slot->state == SLOT_READY)
			listings_add(listings_out, &rbl->lists[i], slot->reply.codes, (size_t)slot->reply.count);
		listings_out->unknown += slot->state == SLOT_UNKNOWN;
		unused += slot->state == SLOT_SKIPPED && fits(&rbl->lists[i], &question->client);
	}
	if (unused == rbl->list_count)
		listings_out->unknown = unused;
	listings_close(listings_out, rbl->list_count);
}

/* How long the whole answer holds; 0 where a list gave none. */
static int64_t shortest_ms(const struct rbl_question *question)
{
	int64_t holds_ms = DNS_TTL_MOST * 1000;
	for (int i = 0; i < question->rbl->list_count; i++)
		if (question->slots[i].holds_ms < holds_ms)
			holds_ms = question->slots[i].holds_ms;
	return holds_ms;
}

static void finish(struct rbl_question *question)
{
	struct rbl *rbl = question->rbl;
	pthread_mutex_lock(&question->lock);
	sum_up(question, &question->listings);
	question->whole = true;
	pthread_mutex_unlock(&question->lock);
	int64_t holds_ms = shortest_ms(question);
	if (holds_ms > 0 && question->listings.hijacked == 0 && rbl->engine != NULL)
		put_known(rbl, &question->client, &question->listings, holds_ms);
	ask_answer(&question->ask);
}

static void set_slot(struct slot *slot, enum slot_state state, int64_t holds_ms)
{
	pthread_mutex_lock(&slot->question->lock);
	slot->state = state;
	slot->holds_ms = holds_ms;
	pthread_mutex_unlock(&slot->question->lock);
}

static bool all_say_yes(const struct rbl_question *question)
{
	int yes = 0, used = 0;
	for (int i = 0; i < question->rbl->list_count; i++) {
		const struct slot *slot = &question->slots[i];
		used += slot->state != SLOT_SKIPPED;
		yes += slot->state == SLOT_READY && slot->reply.outcome == DNS_FOUND;
	}
	return yes == used && yes >= SUSPECT_LEAST;
}

static void list_done(struct rbl_question *question);

/* The list's test is over. */
static void on_tested(struct fitness_waiter *waiter)
{
	struct slot *slot = (struct slot *)(void *)waiter;
	struct rbl *rbl = slot->question->rbl;
	int list = (int)(slot - slot->question->slots);
	if (rbl->fitness != NULL && fitness_unfit(rbl->fitness, list))
		set_slot(slot, SLOT_SKIPPED, DNS_TTL_MOST * 1000);
	else
		set_slot(slot, SLOT_READY, slot->reply.ttl_s * 1000);
	list_done(slot->question);
}

/* An address may well be on all lists; but it may also be the resolver that says yes to everything. Then the lists
 * fail the tests that are made now. True: the question waits for them. */
static bool suspect(struct rbl_question *question)
{
	struct rbl *rbl = question->rbl;
	if (question->suspected || rbl->engine == NULL || !all_say_yes(question) || !fitness_suspect(rbl->fitness))
		return false;
	question->suspected = true;
	question->open = 1;
	for (int i = 0; i < rbl->list_count; i++) {
		struct slot *slot = &question->slots[i];
		slot->waiter.ready = on_tested;
		if (slot->state != SLOT_READY || !fitness_wait(rbl->fitness, i, &slot->waiter))
			continue;
		question->open++;
		set_slot(slot, SLOT_UNKNOWN, 0);
	}
	list_done(question);
	return true;
}

static void list_done(struct rbl_question *question)
{
	if (--question->open == 0 && !suspect(question))
		finish(question);
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

static bool is_answer(const struct list_reply *reply)
{
	return reply->outcome == DNS_NONE || reply->outcome == DNS_FOUND;
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
	struct slot *slot = arg;
	struct rbl_question *question = slot->question;
	struct rbl *rbl = question->rbl;
	int list = (int)(slot - question->slots);
	slot->reply = list_reply_of(answer);
	slot->waiter.ready = on_tested;
	if (rbl->engine != NULL) {	/* else it ends with the engine */
		if (is_answer(&slot->reply))
			note_success(rbl);
		else
			note_failure(rbl, answer->outcome);
		fitness_heard(rbl->fitness, list, &slot->reply, clock_monotonic_ms() - slot->asked_ms, rbl->away);
		if (is_answer(&slot->reply) && fitness_wait(rbl->fitness, list, &slot->waiter))
			return;
	}
	if (is_answer(&slot->reply))
		set_slot(slot, SLOT_READY, slot->reply.ttl_s * 1000);
	list_done(question);
}

/* True: its answer is there already, or there will be none. */
static bool is_settled(struct slot *slot, int list, const char *name)
{
	struct rbl_question *question = slot->question;
	struct rbl *rbl = question->rbl;
	struct dns_data data;
	struct dns_answer answer;
	int64_t left_ms;
	if (rbl->engine == NULL)
		return true;
	if (!fits(&rbl->lists[list], &question->client) || fitness_unfit(rbl->fitness, list)) {
		set_slot(slot, SLOT_SKIPPED, DNS_TTL_MOST * 1000);
		return true;
	}
	if (engine_find(rbl->engine, name, DNS_A, &data, &answer)) {
		slot->reply = list_reply_of(&answer);
		set_slot(slot, SLOT_READY, answer.ttl_s * 1000);
		return true;
	}
	if (fitness_may_ask(rbl->fitness, list, &left_ms) != FITNESS_AWAY)
		return false;
	set_slot(slot, SLOT_UNKNOWN, left_ms);
	return true;
}

static void ask_list(struct rbl_question *question, int list, const char *reverse)
{
	char name[NETADDR_REVERSE_MAX + 1 + LIST_ZONE_MAX + 1];
	struct rbl *rbl = question->rbl;
	struct slot *slot = &question->slots[list];
	struct text text = text_over(name, sizeof name);
	text_add(&text, reverse);
	text_add(&text, ".");
	text_add(&text, rbl->lists[list].zone);
	if (is_settled(slot, list, name)) {
		list_done(question);
		return;
	}
	count(rbl, COUNT_QUESTIONS);
	slot->asked_ms = clock_monotonic_ms();
	if (engine_ask(rbl->engine, name, DNS_A, on_answer, slot))
		return;
	count(rbl, COUNT_REFUSED);
	list_done(question);
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
		ask_list(question, i, reverse);
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

struct rbl_list_report rbl_list_report(struct rbl *rbl, int list)
{
	struct fitness_report report;
	fitness_report(rbl->fitness, list, &report);
	return (struct rbl_list_report){
		.state = fitness_word(report.state),
		.why = report.why,
		.asked = report.state == FITNESS_OK || report.state == FITNESS_UNTESTED,
		.answers = report.answers,
		.failures = report.failures,
		.median_ms = report.median_ms,
		.retry_s = report.retry_s,
	};
}
