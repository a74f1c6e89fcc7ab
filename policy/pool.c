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

const char *transport_seen_as(const struct transport *transport, enum transport_address which)
{
	if (which == TRANSPORT_ADDRESS6)
		return transport->public_address6[0] != '\0' ? transport->public_address6 : transport->address6;
	return transport->public_address[0] != '\0' ? transport->public_address : transport->address;
}

/* What of its share it has, 0..1. */
static double pool_in_service(const struct transport *transport, const struct transport_state *states)
{
	int withheld = states == NULL ? 0 : states[transport->index].withheld;
	if (states != NULL && states[transport->index].rests)
		return 0;
	return withheld < TRANSPORT_OUT ? (double)(TRANSPORT_OUT - withheld) / TRANSPORT_OUT : 0;
}

static enum spf_answer spf_of(const struct transport *transport, const struct transport_state *states)
{
	return states == NULL ? SPF_ANSWER_UNKNOWN : (enum spf_answer)states[transport->index].spf;
}

/* No record, no answer: nothing that another transport would do better. */
static bool spf_is_against(enum spf_answer answer)
{
	return answer == SPF_ANSWER_FAIL || answer == SPF_ANSWER_SOFTFAIL || answer == SPF_ANSWER_NEUTRAL ||
	       answer == SPF_ANSWER_PERMERROR;
}

/* The highest score among those in service (`all`: among all, each with its full share) and, `passing`, by which SPF
 * passes. NULL: there is none. */
static const struct transport *pool_pick_among(const struct pool *pool, uint64_t hash,
					       const struct transport_state *states, bool all, bool passing)
{
	const struct transport *best = NULL;
	double best_score = 0;
	for (int i = 0; i < pool->transport_count; i++) {
		const struct transport *transport = &pool->transports[i];
		double share = all ? 1 : pool_in_service(transport, states);
		if (share <= 0 || (passing && spf_of(transport, states) != SPF_ANSWER_PASS))
			continue;
		double score = transport_score(transport, hash) * share;
		if (best == NULL || score > best_score) {
			best = transport;
			best_score = score;
		}
	}
	return best;
}

static bool pool_all_out(const struct pool *pool, const struct transport_state *states)
{
	for (int i = 0; i < pool->transport_count; i++)
		if (pool_in_service(&pool->transports[i], states) > 0)
			return false;
	return true;
}

const struct transport *pool_pick(const struct pool *pool, const char *account, const struct transport_state *states)
{
	if (pool->transport_count == 1)
		return &pool->transports[0];
	uint64_t hash = hash_string(account, 0);
	bool all = pool_all_out(pool, states);
	const struct transport *own = pool_pick_among(pool, hash, states, all, false);
	if (own == NULL || !spf_is_against(spf_of(own, states)))
		return own;
	const struct transport *passing = pool_pick_among(pool, hash, states, all, true);
	return passing != NULL ? passing : own;
}

const struct transport *pool_pick_unrested(const struct pool *pool, const char *account,
					   const struct transport_state *states)
{
	struct transport_state awake[TRANSPORTS_ALL_MAX] = { { 0 } };
	for (int i = 0; i < pool->transport_count; i++) {
		int at = pool->transports[i].index;
		awake[at] = states[at];
		awake[at].rests = false;
	}
	return pool_pick(pool, account, awake);
}

bool pool_spf_moved(const struct pool *pool, const char *account, const struct transport_state *states,
		    const struct transport *picked)
{
	return pool->transport_count > 1 && spf_of(picked, states) == SPF_ANSWER_PASS &&
	       picked != pool_pick_among(pool, hash_string(account, 0), states, pool_all_out(pool, states), false);
}

const struct pool *pools_find(const struct pool *pools, int count, enum level level)
{
	for (int i = 0; i < count; i++)
		if (pools[i].levels[level])
			return &pools[i];
	return level == LEVEL_BLOCKED ? pools_find(pools, count, LEVEL_SUSPECT) : NULL;
}

const struct pool *pools_find_class(const struct pool *pools, int count, enum mail_class class)
{
	for (int i = 0; i < count && class != MAIL_CLASS_ACCOUNT; i++)
		if (pools[i].classes[class])
			return &pools[i];
	return NULL;
}
