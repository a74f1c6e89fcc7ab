/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/origins.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/blocklist/budget.h"
#include "milter/dns/asn.h"
#include "milter/dns/engine.h"
#include "policy/base/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* No flood of new clients takes the turn of the block lists' questions. */
enum { UNDER_WAY_MOST = 256 };

struct origins_at {
	const char *zone;      /* borrowed */
	struct budget *budget; /* one reference; NULL: the zone is not asked */
	struct breaker breaker;
	bool told_away;
};

struct origins {
	struct engine *engine; /* borrowed */
	struct origins_at zones[ORIGINS_ZONES];
	int64_t budget;
	struct breaker_settings settings;
	int under_way;
	atomic_uint_fast64_t questions, failures, unasked;
};

static void count(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- life */

struct origins *origins_new(const struct origins_settings *settings)
{
	struct origins *origins = calloc(1, sizeof *origins);
	if (origins == NULL)
		return NULL;
	origins->engine = settings->engine;
	origins->budget = settings->budget;
	origins->settings = settings->breaker;
	const char *const zones[ORIGINS_ZONES] = { settings->zone4, settings->zone6 };
	for (int i = 0; i < ORIGINS_ZONES; i++) {
		struct origins_at *at = &origins->zones[i];
		at->zone = zones[i];
		if (*at->zone != '\0' && (at->budget = budget_open(at->zone, clock_now_ms())) == NULL) {
			origins_free(&origins);
			return NULL;
		}
	}
	return origins;
}

void origins_free(struct origins **origins)
{
	struct origins *old = *origins;
	*origins = NULL;
	if (old == NULL)
		return;
	for (int i = 0; i < ORIGINS_ZONES; i++)
		budget_close(&old->zones[i].budget);
	free(old);
}

/* ---- what is known */

static int origins_zone_of(const struct netaddr *client)
{
	return client->family == NETADDR_V6;
}

/* No longer prefix is routed between providers: who is in it has the same AS. */
static int origins_bits_of(const struct netaddr *client)
{
	return client->family == NETADDR_V6 ? 48 : 24;
}

static void origins_key_of(const struct netaddr *client, struct cache_key *key)
{
	struct netaddr network = netaddr_network(client, origins_bits_of(client));
	key->bytes[0] = CACHE_ORIGINS;
	key->bytes[1] = (uint8_t)client->family;
	memcpy(key->bytes + 2, network.bytes, sizeof network.bytes);
	key->length = 2 + sizeof network.bytes;
}

static bool origins_name_of(const struct origins *origins, const struct netaddr *client, char name[DNS_NAME_MAX + 1])
{
	char reverse[NETADDR_REVERSE_MAX];
	struct text text = text_over(name, DNS_NAME_MAX + 1);
	netaddr_reverse(client, reverse);
	text_addf(&text, "%s.%s", reverse, origins->zones[origins_zone_of(client)].zone);
	return !text.cut;
}

static struct asn origins_read(const struct netaddr *client, const struct dns_answer *answer)
{
	struct asn origin = { 0 };
	struct dns_record record;
	size_t at = 0;
	while (answer->outcome == DNS_FOUND && dns_answer_next(answer, &at, &record))
		if (record.text != NULL)
			asn_take(&origin, client, record.text, record.length);
	return origin;
}

bool origins_take(const struct origins *origins, const struct netaddr *client)
{
	return client->family != NETADDR_UNKNOWN && netaddr_reserved(client) == NULL &&
	       origins->zones[origins_zone_of(client)].budget != NULL;
}

bool origins_find(const struct origins *origins, const struct netaddr *client, uint32_t *as_out)
{
	struct cache_key key;
	char name[DNS_NAME_MAX + 1];
	struct dns_data data;
	struct dns_answer answer;
	size_t length;
	origins_key_of(client, &key);
	if (cache_find(engine_cache(origins->engine), &key, clock_monotonic_ms(), as_out, sizeof *as_out, &length) > 0)
		return true;
	if (!origins_name_of(origins, client, name) || !engine_find(origins->engine, name, DNS_TXT, &data, &answer))
		return false;
	*as_out = origins_read(client, &answer).as_number;
	return true;
}

/* Where the prefix is longer, the client's neighbours may be elsewhere. */
static void origins_remember(const struct origins_question *question, const struct asn *origin, int64_t ttl_s)
{
	struct cache_key key;
	if (origin->as_number == 0 || origin->bits > origins_bits_of(&question->client) || ttl_s <= 0)
		return;
	origins_key_of(&question->client, &key);
	cache_put(engine_cache(question->origins->engine), &key, &origin->as_number, sizeof origin->as_number,
		  clock_monotonic_ms(), ttl_s * 1000);
}

/* ---- questions */

static void origins_note_failure(struct origins *origins, struct origins_at *at)
{
	count(&origins->failures);
	if (!breaker_failed(&at->breaker, &origins->settings, clock_monotonic_ms(), (uint32_t)random()))
		return;
	at->told_away = true;
	log_line(SEVERITY_WARNING,
		 "dns: origin zone %s gave no answer to %lld questions in a row; it is left alone for a while, the "
		 "ASes of "
		 "clients are unknown",
		 at->zone, (long long)origins->settings.failures);
}

static void origins_note_answer(struct origins_at *at)
{
	breaker_answered(&at->breaker);
	if (at->told_away)
		log_line(SEVERITY_INFO, "dns: origin zone %s answers again", at->zone);
	at->told_away = false;
}

static void origins_on_answer(void *arg, const struct dns_answer *answer)
{
	struct origins_question *question = arg;
	struct origins *origins = question->origins;
	struct asn origin = origins_read(&question->client, answer);
	origins->under_way--;
	if (engine_ending(origins->engine)) {
		question->done(question, 0);
		return;
	}
	if (dns_outcome_tells(answer->outcome))
		origins_note_answer(&origins->zones[question->zone]);
	else
		origins_note_failure(origins, &origins->zones[question->zone]);
	origins_remember(question, &origin, answer->ttl_s);
	question->done(question, origin.as_number);
}

static bool origins_spent(const struct origins *origins, const struct origins_at *at)
{
	return origins->budget > 0 && budget_spent(at->budget, clock_now_ms()) >= origins->budget;
}

/* What joins an equal question costs the zone nothing. */
static bool origins_send(struct origins_question *question, const char *name)
{
	struct origins *origins = question->origins;
	struct origins_at *at = &origins->zones[question->zone];
	bool joins = engine_asks(origins->engine, name, DNS_TXT);
	if (!joins && origins_spent(origins, at)) {
		if (budget_say(at->budget, 0, clock_now_ms()))
			log_line(SEVERITY_WARNING,
				 "dns: origin zone %s: its budget of %lld questions a day is spent; it is asked again "
				 "tomorrow "
				 "(UTC)",
				 at->zone, (long long)origins->budget);
		return false;
	}
	if (origins->under_way >= UNDER_WAY_MOST || !breaker_may_ask(&at->breaker, clock_monotonic_ms()))
		return false;
	if (!engine_ask(origins->engine, name, DNS_TXT, origins_on_answer, question)) {
		breaker_unasked(&at->breaker);
		return false;
	}
	origins->under_way++;
	count(&origins->questions);
	if (!joins)
		budget_count(at->budget, clock_now_ms());
	return true;
}

void origins_ask(struct origins *origins, const struct netaddr *client, struct origins_question *question)
{
	char name[DNS_NAME_MAX + 1];
	uint32_t as_number;
	question->origins = origins;
	question->client = *client;
	question->zone = origins_zone_of(client);
	if (origins_find(origins, client, &as_number)) {
		question->done(question, as_number);
	} else if (!origins_name_of(origins, client, name) || !origins_send(question, name)) {
		count(&origins->unasked);
		question->done(question, 0);
	}
}

/* ---- what there is */

struct origins_stats origins_stats(const struct origins *origins)
{
	return (struct origins_stats){
		.questions = atomic_load_explicit(&origins->questions, memory_order_relaxed),
		.failures = atomic_load_explicit(&origins->failures, memory_order_relaxed),
		.unasked = atomic_load_explicit(&origins->unasked, memory_order_relaxed),
	};
}

const char *origins_zone(const struct origins *origins, int zone)
{
	return origins->zones[zone].zone;
}

void origins_why(const struct origins *origins, int zone, char why[ORIGINS_WHY_MAX])
{
	const struct origins_at *at = &origins->zones[zone];
	struct text text = text_over(why, ORIGINS_WHY_MAX);
	if (at->budget != NULL && breaker_open(&at->breaker))
		text_add(&text, "gives no answer");
	else if (at->budget != NULL && origins_spent(origins, at))
		text_addf(&text, "has spent its budget of %lld questions a day", (long long)origins->budget);
}
