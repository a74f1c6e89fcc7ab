/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/rate_limit.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* Times are in ns, so that the refill of ten million a minute is a whole number. The keys lie together: a search reads
 * 32 kB. */
struct rate_limit {
	uint64_t keys[RATE_LIMIT_CLIENTS];
	int64_t full_at[RATE_LIMIT_CLIENTS]; /* 0: the row was never used */
	int64_t all_full_at;
	struct rate_limit_settings limits; /* by which the times were reckoned */
};

enum { ROW_NONE = -1 };

static const int64_t NS_PER_MS = 1000000, NS_PER_S = 1000000000, NS_PER_MINUTE = 60000000000;

struct rate_limit *rate_limit_new(void)
{
	return calloc(1, sizeof(struct rate_limit));
}

void rate_limit_free(struct rate_limit **rate)
{
	free(*rate);
	*rate = NULL;
}

/* An IPv4 address as ::ffff:0:0 has it, which no /64 of the Internet begins with. */
static uint64_t rate_limit_key_of(const struct netaddr *client)
{
	uint64_t key = 0;
	if (client->family == NETADDR_UNKNOWN)
		return 0;
	for (int i = 0; i < (client->family == NETADDR_V4 ? 4 : 8); i++)
		key = key << 8 | client->bytes[i];
	return client->family == NETADDR_V4 ? key | 0xffff00000000U : key;
}

bool rate_limit_same_client(const struct netaddr *a, const struct netaddr *b)
{
	return rate_limit_key_of(a) == rate_limit_key_of(b);
}

static int rate_limit_find_row(const struct rate_limit *rate, uint64_t key)
{
	for (int i = 0; i < RATE_LIMIT_CLIENTS; i++)
		if (rate->keys[i] == key && rate->full_at[i] != 0)
			return i;
	return ROW_NONE;
}

static int rate_limit_fullest_row(const struct rate_limit *rate)
{
	int fullest = 0;
	for (int i = 1; i < RATE_LIMIT_CLIENTS; i++)
		if (rate->full_at[i] < rate->full_at[fullest])
			fullest = i;
	return fullest;
}

static bool are_in_force(const struct rate_limit *rate, const struct rate_limit_settings *limits)
{
	const struct rate_limit_settings *now = &rate->limits;
	return now->per_minute == limits->per_minute && now->burst == limits->burst &&
	       now->total_per_minute == limits->total_per_minute;
}

/* Times reckoned by other limits say nothing. */
static void rate_limit_note(struct rate_limit *rate, const struct rate_limit_settings *limits)
{
	if (are_in_force(rate, limits))
		return;
	memset(rate, 0, sizeof *rate);
	rate->limits = *limits;
}

/* When a bucket will be full that `tokens` are taken from. */
static int64_t full_after(int64_t full_at, int64_t now, int64_t tokens, int64_t refill)
{
	return (full_at > now ? full_at : now) + tokens * refill;
}

enum rate_limit_answer rate_limit_take(struct rate_limit *rate, const struct rate_limit_settings *limits,
				       const struct netaddr *client, int64_t tokens, int64_t now_ms,
				       int64_t *wait_s_out)
{
	rate_limit_note(rate, limits);
	int64_t now = now_ms * NS_PER_MS;
	int64_t refill = NS_PER_MINUTE / limits->per_minute, all_refill = NS_PER_MINUTE / limits->total_per_minute;
	int row = rate_limit_find_row(rate, rate_limit_key_of(client));
	int64_t full_at = full_after(row == ROW_NONE ? 0 : rate->full_at[row], now, tokens, refill);
	int64_t all_full_at = full_after(rate->all_full_at, now, tokens, all_refill);
	int64_t over = full_at - now - limits->burst * refill;
	int64_t all_over = all_full_at - now - RATE_LIMIT_TOTAL_BURSTS * limits->burst * all_refill;
	if (over > 0 || all_over > 0) {
		*wait_s_out = ((over > all_over ? over : all_over) + NS_PER_S - 1) / NS_PER_S;
		return over > 0 ? RATE_LIMIT_CLIENT_DRAINED : RATE_LIMIT_ALL_DRAINED;
	}
	if (row == ROW_NONE)
		row = rate_limit_fullest_row(rate);
	rate->keys[row] = rate_limit_key_of(client);
	rate->full_at[row] = full_at;
	rate->all_full_at = all_full_at;
	return RATE_LIMIT_FINE;
}

void rate_limit_give_back(struct rate_limit *rate, const struct rate_limit_settings *limits,
			  const struct netaddr *client, int64_t tokens)
{
	if (!are_in_force(rate, limits))
		return;
	int row = rate_limit_find_row(rate, rate_limit_key_of(client));
	if (row != ROW_NONE)
		rate->full_at[row] -= tokens * (NS_PER_MINUTE / limits->per_minute);
	rate->all_full_at -= tokens * (NS_PER_MINUTE / limits->total_per_minute);
}
