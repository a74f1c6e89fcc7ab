/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl_cache: what all block lists together said of an address, for as long as they said so. A fixed number of rows;
 * the clock algorithm chooses who goes. Not locked: rbl.c does that. `now_ms` is clock_monotonic_ms().
 */
#ifndef PENSTOCK_RBL_CACHE_H
#define PENSTOCK_RBL_CACHE_H

#include "policy/listing.h"
#include "policy/netaddr.h"

struct rbl_cache;

struct rbl_cache *rbl_cache_new(int64_t rows);	/* NULL: no memory */
void rbl_cache_free(struct rbl_cache **cache);	/* clears the pointer; NULL is fine */

bool rbl_cache_find(struct rbl_cache *cache, const struct netaddr *address, int64_t now_ms,
		    struct listings *listings_out);

/* Without memory for the hits it remembers nothing. */
void rbl_cache_put(struct rbl_cache *cache, const struct netaddr *address, const struct listings *listings,
		   int64_t now_ms, int64_t ttl_s);

#endif
