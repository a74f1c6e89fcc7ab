/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/client_origin.h"

#include "milter/base/ask.h"
#include "milter/base/clock.h"
#include "milter/base/loop.h"
#include "milter/blocklist/origins.h"
#include "milter/clients/clients.h"
#include "policy/hash.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { WAIT_MS = 200 };

/* The same bytes as address and as network are two things. */
enum { KIND_ADDRESS = 1, KIND_NETWORK = 2, KIND_AS = 3, KIND_WIDE = 4 };

struct client_origin_ask {
	struct ask ask; /* first */
	struct loop_job job;
	struct origins_question question;
	struct origins *origins; /* borrowed: freed on the loop, after the job that a session posted before */
	struct netaddr client;
	int64_t asked_ms; /* clock_monotonic_ms() */
	uint32_t as;	  /* its number; 0: unknown */
};

static uint64_t hash_of(const uint64_t key[2], unsigned char kind, const void *thing, size_t length)
{
	unsigned char bytes[1 + sizeof(struct netaddr)] = { kind };
	memcpy(bytes + 1, thing, length);
	return hash_keyed(key, bytes, 1 + length);
}

static uint64_t hash_of_network(const uint64_t key[2], unsigned char kind, const struct netaddr *client, int bits)
{
	struct netaddr network = netaddr_network(client, bits);
	return hash_of(key, kind, network.bytes, client->family == NETADDR_V4 ? 4 : 16);
}

void client_origin_fill(const struct netaddr *client, const uint64_t key[2], struct facts *facts)
{
	bool v4 = client->family == NETADDR_V4;
	if (client->family == NETADDR_UNKNOWN || netaddr_is_loopback(client))
		return;
	facts->client_address = hash_of_network(key, KIND_ADDRESS, client, v4 ? 32 : 64);
	facts->client_network = hash_of_network(key, KIND_NETWORK, client, v4 ? 24 : 48);
	facts->client_wide = hash_of_network(key, KIND_WIDE, client, v4 ? 16 : 32);
}

/* ---- the AS */

static void origin_answered(struct origins_question *question, uint32_t as_number)
{
	struct client_origin_ask *ask =
		(struct client_origin_ask *)(void *)((char *)question - offsetof(struct client_origin_ask, question));
	ask->as = as_number;
	ask_answer(&ask->ask);
}

static void origin_run(struct loop_job *job)
{
	struct client_origin_ask *ask =
		(struct client_origin_ask *)(void *)((char *)job - offsetof(struct client_origin_ask, job));
	origins_ask(ask->origins, &ask->client, &ask->question);
}

static void release(struct ask *ask)
{
	free(ask);
}

struct client_origin_ask *client_origin_ask(const struct setup *setup, const struct netaddr *client)
{
	if (setup->origins == NULL || !origins_take(setup->origins, client))
		return NULL;
	struct client_origin_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return NULL;
	ask_init(&ask->ask, release);
	ask->job.run = origin_run;
	ask->question.done = origin_answered;
	ask->origins = setup->origins;
	ask->client = *client;
	ask->asked_ms = clock_monotonic_ms();
	if (origins_find(setup->origins, client, &ask->as))
		ask_answer(&ask->ask);
	else
		loop_post(the_daemon.loop, &ask->job);
	return ask;
}

uint64_t client_origin_collect(struct client_origin_ask *ask, const uint64_t key[2], int64_t deadline_ms)
{
	if (ask == NULL)
		return 0;
	int64_t until_ms = ask->asked_ms + WAIT_MS;
	if (!ask_wait(&ask->ask, until_ms < deadline_ms ? until_ms : deadline_ms) || ask->as == 0)
		return 0;
	clients_note_as(&ask->client, ask->as);
	const uint8_t bytes[] = { (uint8_t)(ask->as >> 24), (uint8_t)(ask->as >> 16), (uint8_t)(ask->as >> 8),
				  (uint8_t)ask->as };
	return hash_of(key, KIND_AS, bytes, sizeof bytes);
}

void client_origin_release(struct client_origin_ask **ask)
{
	if (*ask != NULL)
		ask_drop(&(*ask)->ask);
	*ask = NULL;
}
