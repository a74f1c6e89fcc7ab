/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rate_limit: how many addresses a client, and all clients together, may have looked up: token buckets, by arithmetic
 * only. A bucket is one number, the time at which it will be full again; taking n tokens moves it n refills ahead, and
 * a bucket whose time has come is full and needs no row.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer has at least (RFC 6177). The table has
 * RATE_LIMIT_CLIENTS rows. When all are in use, the newcomer gets the row that will be full first, whose owner has
 * least to gain by being forgotten. So a flood of addresses does not free one that is drained: a bucket drained by d
 * tokens goes only when RATE_LIMIT_CLIENTS others are drained as far, for which the bucket of all must let d x
 * RATE_LIMIT_CLIENTS tokens through; with the defaults that takes 4 d minutes, and waiting for the refill d/60. Who is
 * refused drains nothing and takes no row.
 *
 * The bucket of all holds RATE_LIMIT_TOTAL_BURSTS times what one client's holds. Other limits than those of the call
 * before (a reload) begin with full buckets. Not for two threads at once.
 */
#ifndef PENSTOCK_RATE_LIMIT_H
#define PENSTOCK_RATE_LIMIT_H

#include "policy/netaddr.h"

struct rate_limit;

enum { RATE_LIMIT_CLIENTS = 4096, RATE_LIMIT_TOTAL_BURSTS = 10 };

struct rate_limit_settings {
	int64_t per_minute, burst; /* of a client, each 1 or more */
	int64_t total_per_minute;
};

enum rate_limit_answer { RATE_LIMIT_FINE, RATE_LIMIT_CLIENT_DRAINED, RATE_LIMIT_ALL_DRAINED };

bool rate_limit_same_client(const struct netaddr *a, const struct netaddr *b);

struct rate_limit *rate_limit_new(void); /* NULL: no memory */
void rate_limit_free(struct rate_limit **rate);

/* Takes `tokens` from both buckets, or none from either: then `wait_s_out` (1 or more) says when there would be enough.
 * More tokens than `burst` are never there. `now_ms` is monotonic. Clients without an address share one bucket. */
enum rate_limit_answer rate_limit_take(struct rate_limit *rate, const struct rate_limit_settings *limits,
				       const struct netaddr *client, int64_t tokens, int64_t now_ms,
				       int64_t *wait_s_out);

/* Tokens that were taken and not needed; below 0: so many were needed besides, and are missing afterwards. Where other
 * limits than those they were taken by have come into force nothing happens. */
void rate_limit_give_back(struct rate_limit *rate, const struct rate_limit_settings *limits,
			  const struct netaddr *client, int64_t tokens);

#endif
