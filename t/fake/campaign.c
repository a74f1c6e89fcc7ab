/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The campaigns of the Redis in memory: what campaign.lua does, without decay, for the few prints of a scenario.
 */
#include "t/fake/fake.h"

#include <pthread.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum { FINGERPRINTS_MAX = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	uint64_t fingerprint, accounts, bad_accounts; /* a bit for each of 64 */
	int messages, bad;
} fingerprints[FINGERPRINTS_MAX];

void fake_redis_campaign(const struct wire_fingerprint *fingerprint, struct campaign *campaign_out)
{
	pthread_mutex_lock(&lock);
	int i = 0;
	while (i < FINGERPRINTS_MAX && fingerprints[i].fingerprint != fingerprint->fingerprint &&
	       fingerprints[i].fingerprint != 0)
		i++;
	if (i == FINGERPRINTS_MAX)
		abort();
	*campaign_out = (struct campaign){ .known = KNOWLEDGE_FULL,
					   .messages = fingerprints[i].messages,
					   .bad = fingerprints[i].bad,
					   .accounts = __builtin_popcountll(fingerprints[i].accounts),
					   .bad_accounts = __builtin_popcountll(fingerprints[i].bad_accounts) };
	fingerprints[i].fingerprint = fingerprint->fingerprint;
	fingerprints[i].messages++;
	fingerprints[i].bad += fingerprint->bad;
	fingerprints[i].accounts |= (uint64_t)1 << fingerprint->account % 64;
	if (fingerprint->bad)
		fingerprints[i].bad_accounts |= (uint64_t)1 << fingerprint->account % 64;
	pthread_mutex_unlock(&lock);
}
