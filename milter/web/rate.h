/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rate: how many addresses a client, and all clients together, may have looked up: token buckets, by arithmetic only.
 * A bucket is one number, the time at which it will be full again; taking n tokens moves it n refills ahead, and a bucket
 * whose time has come is full and needs no row.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer has at least (RFC 6177). The table has
 * RATE_CLIENTS rows. When all are in use, the newcomer gets the row that will be full first, whose owner has least to
 * gain by being forgotten. So a flood of addresses does not free one that is drained: a bucket drained by d tokens goes
 * only when RATE_CLIENTS others are drained as far, for which the bucket of all must let d x RATE_CLIENTS tokens through;
 * with the defaults that takes 4 d minutes, and waiting for the refill d/60. Who is refused drains nothing and takes no
 * row.
 *
 * The bucket of all holds RATE_TOTAL_BURSTS times what one client's holds. Other limits than those of the call before
 * (a reload) begin with full buckets. Not for two threads at once.
 */
#ifndef PENSTOCK_WEB_RATE_H
#define PENSTOCK_WEB_RATE_H

#include "policy/netaddr.h"

struct rate;

enum { RATE_CLIENTS = 4096, RATE_TOTAL_BURSTS = 10 };

struct rate_limits {
	int64_t per_minute, burst;	/* of a client, each 1 or more */
	int64_t total_per_minute;
};

enum rate_answer { RATE_FINE, RATE_CLIENT_DRAINED, RATE_ALL_DRAINED };

bool rate_same_client(const struct netaddr *a, const struct netaddr *b);

struct rate *rate_new(void);	/* NULL: no memory */
void rate_free(struct rate **rate);

/* Takes `tokens` from both buckets, or none from either: then `wait_s_out` (1 or more) says when there would be enough.
 * More tokens than `burst` are never there. `now_ms` is monotonic. Clients without an address share one bucket. */
enum rate_answer rate_take(struct rate *rate, const struct rate_limits *limits, const struct netaddr *client,
			   int64_t tokens, int64_t now_ms, int64_t *wait_s_out);

/* Tokens that were taken and not needed; below 0: so many were needed besides, and are missing afterwards. Where other
 * limits than those they were taken by have come into force nothing happens. */
void rate_give_back(struct rate *rate, const struct rate_limits *limits, const struct netaddr *client, int64_t tokens);

#endif
