/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spf/spf.h"

#include "milter/base/ask.h"
#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/spf/spf_macro.h"
#include "milter/spf/spf_run.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	LOCAL_MAX = 128,	  /* of the sender's local part; RFC 5321 allows 64 */
	QUESTIONS_PER_CLIENT = 8, /* that each further client may add */
};

/* What the asker holds. */
struct spf_check {
	struct ask ask; /* first */
	struct loop_job job;
	struct engine *engine;	       /* borrowed until the answer */
	char domain[DNS_NAME_MAX + 1]; /* in lower case */
	char sender[LOCAL_MAX + 1 + DNS_NAME_MAX + 1];
	char helo[DNS_NAME_MAX + 1];
	pthread_mutex_t lock; /* of the answers */
	int count;
	struct spf_slot {
		struct netaddr client;
		enum spf_answer answer;
	} slots[];
};

/* What the loop thread holds, until its last question has ended; that may be later than the answer. */
struct work {
	struct spf_check *check; /* NULL: it is answered */
	struct engine *engine;
	struct spf_runner *runner;		       /* owned */
	struct spf_table *table;		       /* owned */
	int asked;				       /* questions under way */
	int open;				       /* clients without an answer */
	int64_t holds_s;			       /* the answers; 0: they are not to be remembered */
	const struct spf_fact *waits[SPF_CLIENTS_MAX]; /* what each client's run stopped at; NULL: it is over */
};

/* ---- what strangers say of themselves */

/* RFC 7208 section 4.3: two labels or more, of which the last is no number. Letters of other alphabets come as
 * A-labels. */
static bool spf_is_domain(const char *name)
{
	const char *last = strrchr(name, '.');
	for (const char *c = name; *c != '\0'; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr("-_.", *c) != NULL))
			return false;
	return last != NULL && strspn(last + 1, "0123456789") < strlen(last + 1);
}

static bool spf_read_domain(const char *text, char domain[DNS_NAME_MAX + 1])
{
	if (strlen(text) > DNS_NAME_MAX + 1 || !spf_name_read(text, domain))
		return false;
	for (char *c = domain; *c != '\0'; c++)
		*c = text_lower(*c);
	return spf_is_domain(domain);
}

static char printable(char c)
{
	return c < ' ' || c > '~' ? '?' : c;
}

static void spf_read_helo(const char *helo, char out[DNS_NAME_MAX + 1])
{
	if (helo[0] == '\0' || !text_copy(out, DNS_NAME_MAX + 1, helo))
		text_copy(out, DNS_NAME_MAX + 1, "unknown");
	for (char *c = out; *c != '\0'; c++)
		*c = printable(*c);
}

/* False: no domain that could have a record. Without a local part it is the postmaster. */
static bool spf_read_names(struct spf_check *check, const struct spf_request *request)
{
	const char *at = strrchr(request->sender, '@');
	struct text sender = text_over(check->sender, sizeof check->sender);
	const char *domain = request->sender[0] == '\0' ? request->helo : at != NULL ? at + 1 : "";
	spf_read_helo(request->helo, check->helo);
	if (!spf_read_domain(domain, check->domain))
		return false;
	for (const char *c = request->sender; at != NULL && c < at && sender.length < LOCAL_MAX; c++) {
		char byte = printable(*c);
		text_add_bytes(&sender, &byte, 1);
	}
	if (sender.length == 0)
		text_add(&sender, "postmaster");
	text_add(&sender, "@");
	text_add(&sender, check->domain);
	return true;
}

/* ---- the cache: for a domain, the answers for the clients that were asked about last */

struct spf_known {
	uint8_t count;
	uint8_t answers[SPF_CLIENTS_MAX];
	struct known_client {
		uint8_t family, bytes[16];
	} clients[SPF_CLIENTS_MAX]; /* compared whole: a hash could be made to fit */
};

static size_t spf_known_of(const struct spf_check *check, struct spf_known *known)
{
	known->count = (uint8_t)check->count;
	memset(known->answers, 0, sizeof known->answers);
	for (int i = 0; i < check->count; i++) {
		known->clients[i].family = (uint8_t)check->slots[i].client.family;
		memcpy(known->clients[i].bytes, check->slots[i].client.bytes, sizeof known->clients[i].bytes);
	}
	return offsetof(struct spf_known, clients) + (size_t)check->count * sizeof known->clients[0];
}

/* Two bytes of a hash keep the uses apart: the client of a message, and the addresses of our transports. */
static void spf_key_of(const struct spf_check *check, const struct spf_known *known, struct cache_key *key)
{
	size_t length = strlen(check->domain);
	uint64_t hash = hash_bytes(known->clients, (size_t)check->count * sizeof known->clients[0], 0);
	key->bytes[0] = CACHE_SPF;
	key->bytes[1] = (uint8_t)hash;
	key->bytes[2] = (uint8_t)(hash >> 8);
	memcpy(key->bytes + 3, check->domain, length);
	key->length = 3 + length;
}

static bool spf_find_known(struct spf_check *check)
{
	struct cache_key key;
	struct spf_known asked, found;
	size_t length, wanted = spf_known_of(check, &asked);
	spf_key_of(check, &asked, &key);
	if (cache_find(engine_cache(check->engine), &key, clock_monotonic_ms(), &found, sizeof found, &length) == 0 ||
	    length != wanted || found.count != asked.count ||
	    memcmp(found.clients, asked.clients, wanted - offsetof(struct spf_known, clients)) != 0)
		return false;
	for (int i = 0; i < check->count; i++)
		check->slots[i].answer = (enum spf_answer)found.answers[i];
	return true;
}

static void spf_put_known(struct spf_check *check, int64_t holds_s)
{
	struct cache_key key;
	struct spf_known known;
	size_t length = spf_known_of(check, &known);
	for (int i = 0; i < check->count; i++)
		known.answers[i] = (uint8_t)check->slots[i].answer;
	spf_key_of(check, &known, &key);
	cache_put(engine_cache(check->engine), &key, &known, length, clock_monotonic_ms(), holds_s * 1000);
}

/* ---- the loop's side */

struct pending {
	struct work *work;
	struct spf_fact *fact;
};

static void spf_set_answer(struct work *work, int client, enum spf_answer answer, int64_t holds_s)
{
	struct spf_check *check = work->check;
	pthread_mutex_lock(&check->lock);
	check->slots[client].answer = answer;
	pthread_mutex_unlock(&check->lock);
	work->waits[client] = NULL;
	work->open--;
	if (holds_s < work->holds_s)
		work->holds_s = holds_s;
}

static void free_work(struct work *work)
{
	spf_runner_free(&work->runner);
	spf_table_free(&work->table);
	free(work);
}

/* The check is answered when all clients are; what was asked too early for nothing may still be under way. */
static void spf_close_if_over(struct work *work)
{
	if (work->open == 0 && work->check != NULL) {
		if (work->holds_s > 0)
			spf_put_known(work->check, work->holds_s);
		ask_answer(&work->check->ask);
		work->check = NULL;
	}
	if (work->check == NULL && work->asked == 0)
		free_work(work);
}

static void spf_evaluate(struct work *work, int client)
{
	const struct spf_check *check = work->check;
	struct spf_run run = { .table = work->table,
			       .client = check->slots[client].client,
			       .domain = check->domain,
			       .sender = check->sender,
			       .helo = check->helo };
	spf_run(work->runner, &run);
	if (run.missing != NULL)
		work->waits[client] = run.missing;
	else
		spf_set_answer(work, client, run.answer, run.personal ? 0 : run.holds_s);
}

static void give_up(struct work *work)
{
	for (int i = 0; work->check != NULL && i < work->check->count; i++)
		if (work->waits[i] != NULL)
			spf_set_answer(work, i, SPF_ANSWER_UNKNOWN, 0);
}

static void spf_on_answer(void *arg, const struct dns_answer *answer);

/* False: the engine takes no more questions. */
static bool spf_ask_wanted(struct work *work)
{
	struct spf_fact *fact;
	while ((fact = spf_table_next(work->table)) != NULL) {
		struct pending *pending = malloc(sizeof *pending);
		if (pending == NULL)
			return false;
		*pending = (struct pending){ work, fact };
		if (!engine_ask(work->engine, fact->name, fact->answer.type, spf_on_answer, pending)) {
			free(pending);
			return false;
		}
		work->asked++;
	}
	return true;
}

/* Those of a family that waited for the same answer need the same one next, but where a record has macros of theirs: if
 * two do, the others wait with them and are not run for it. A run begins anew, and a stranger's record can make it
 * long. */
static void spf_go_on(struct work *work, const struct spf_fact *fact, enum netaddr_family family)
{
	const struct spf_fact *next = NULL;
	bool same = false;
	for (int i = 0; i < work->check->count; i++) {
		if (work->waits[i] != fact || work->check->slots[i].client.family != family)
			continue;
		if (same) {
			work->waits[i] = next;
			continue;
		}
		spf_evaluate(work, i);
		same = next != NULL && work->waits[i] == next;
		next = work->waits[i];
	}
}

static void spf_on_answer(void *arg, const struct dns_answer *answer)
{
	struct pending *pending = arg;
	struct work *work = pending->work;
	const struct spf_fact *fact = pending->fact;
	spf_fact_fill(pending->fact, answer);
	free(pending);
	work->asked--;
	if (work->check != NULL && engine_ending(work->engine))
		give_up(work);
	if (work->check != NULL) {
		spf_go_on(work, fact, NETADDR_V4);
		spf_go_on(work, fact, NETADDR_V6);
	}
	if (work->open > 0 && !spf_ask_wanted(work))
		give_up(work);
	spf_close_if_over(work);
}

/* All clients of a family ask about the same names, but where a record has macros of theirs. */
static int spf_questions_most(const struct spf_check *check)
{
	bool seen[NETADDR_V6 + 1] = { false };
	for (int i = 0; i < check->count; i++)
		seen[check->slots[i].client.family] = true;
	return SPF_QUESTIONS_MAX * (seen[NETADDR_V4] && seen[NETADDR_V6] ? 2 : 1) +
	       QUESTIONS_PER_CLIENT * (check->count - 1);
}

static struct work *spf_new_work(struct spf_check *check)
{
	struct work *work = calloc(1, sizeof *work);
	if (work == NULL)
		return NULL;
	*work = (struct work){ .check = check, .engine = check->engine, .open = check->count, .holds_s = DNS_TTL_MOST };
	work->runner = spf_runner_new();
	work->table = spf_table_new(work->engine, spf_questions_most(check));
	if (work->runner != NULL && work->table != NULL)
		return work;
	free_work(work);
	return NULL;
}

static void spf_start(struct loop_job *job)
{
	struct spf_check *check = (struct spf_check *)(void *)((char *)job - offsetof(struct spf_check, job));
	struct work *work = spf_new_work(check);
	if (work == NULL) {
		ask_answer(&check->ask);
		return;
	}
	for (int i = 0; i < check->count; i++)
		if (check->slots[i].client.family == NETADDR_UNKNOWN)
			spf_set_answer(work, i, SPF_ANSWER_UNKNOWN, DNS_TTL_MOST);
		else
			spf_evaluate(work, i);
	if (work->open > 0 && !spf_ask_wanted(work))
		give_up(work);
	spf_close_if_over(work);
}

/* ---- the asker's side */

static void free_check(struct ask *ask)
{
	struct spf_check *check = (struct spf_check *)(void *)ask;
	pthread_mutex_destroy(&check->lock);
	free(check);
}

static struct netaddr unmapped(const struct netaddr *client)
{
	return client->family == NETADDR_V6 ? netaddr_v6(client->bytes) : *client;
}

struct spf_check *spf_ask(struct loop *loop, const struct spf_request *request)
{
	int count = request->client_count < SPF_CLIENTS_MAX ? request->client_count : SPF_CLIENTS_MAX;
	struct spf_check *check = calloc(1, sizeof *check + (size_t)count * sizeof check->slots[0]);
	if (check == NULL)
		return NULL;
	ask_init(&check->ask, free_check);
	pthread_mutex_init(&check->lock, NULL);
	check->job.run = spf_start;
	check->engine = request->engine;
	check->count = count;
	for (int i = 0; i < count; i++)
		check->slots[i].client = unmapped(&request->clients[i]);
	if (!spf_read_names(check, request)) {
		for (int i = 0; i < count; i++)
			check->slots[i].answer = SPF_ANSWER_NONE;
		ask_answer(&check->ask); /* nobody else knows of it */
	} else if (spf_find_known(check)) {
		ask_answer(&check->ask);
	} else {
		loop_post(loop, &check->job);
	}
	return check;
}

void spf_collect(struct spf_check *check, int64_t deadline_ms, enum spf_answer *answers)
{
	if (check == NULL)
		return;
	ask_wait(&check->ask, deadline_ms);
	pthread_mutex_lock(&check->lock);
	for (int i = 0; i < check->count; i++)
		answers[i] = check->slots[i].answer;
	pthread_mutex_unlock(&check->lock);
}

void spf_release(struct spf_check **check)
{
	if (*check != NULL)
		ask_drop(&(*check)->ask);
	*check = NULL;
}
