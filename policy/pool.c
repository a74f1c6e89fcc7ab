/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/pool.h"

#include "policy/hash.h"

#include <math.h>
#include <stddef.h>

#include "policy/base/banned.h"

static double transport_score(const struct transport *transport, uint64_t account)
{
	/* 53 bits of hash as a number strictly between 0 and 1 */
	uint64_t bits = hash_string(transport->name, account) >> 11;
	double uniform = ((double)bits + 0.5) / 9007199254740992.0;
	return transport->weight / -log(uniform);
}

const char *transport_seen_as(const struct transport *transport)
{
	return transport->public_address[0] != '\0' ? transport->public_address : transport->address;
}

const struct transport *pool_pick(const struct pool *pool, const char *account, const struct transport_state *states)
{
	(void)states;
	if (pool->transport_count == 1)
		return &pool->transports[0];
	const struct transport *best = NULL;
	double best_score = 0;
	uint64_t hash = hash_string(account, 0);
	for (int i = 0; i < pool->transport_count; i++) {
		double score = transport_score(&pool->transports[i], hash);
		if (best == NULL || score > best_score) {
			best = &pool->transports[i];
			best_score = score;
		}
	}
	return best;
}

const struct pool *pools_find(const struct pool *pools, int count, enum level level)
{
	for (int i = 0; i < count; i++)
		if (pools[i].levels[level])
			return &pools[i];
	return level == LEVEL_BLOCKED ? pools_find(pools, count, LEVEL_SUSPECT) : NULL;
}
