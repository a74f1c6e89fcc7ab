/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pool: groups of transports, and which transport an account sticks to.
 *
 * The choice is weighted rendezvous hashing (Thaler & Ravishankar 1998; the weights as in Schindelhauer & Schomaker
 * 2005): each transport scores the account, the highest score takes it. Removing a transport moves only the accounts
 * that had it; all others keep theirs.
 */
#ifndef PENSTOCK_POOL_H
#define PENSTOCK_POOL_H

#include "policy/level.h"

#include <stdbool.h>

enum { TRANSPORTS_MAX = 64, POOLS_MAX = 16, TRANSPORT_NAME_MAX = 63 };

struct transport {
	char name[TRANSPORT_NAME_MAX + 1];	/* the service in Postfix's master.cf */
	char address[46];			/* source address; "" : the system's choice */
	char helo[256];
	double weight;				/* share of the pool's accounts; above 0 */
};

struct pool {
	char name[TRANSPORT_NAME_MAX + 1];
	bool levels[LEVEL_COUNT];	/* whose mail leaves by it */
	struct transport *transports;	/* owned by the configuration */
	int transport_count;
};

/* The transport of `pool` that `account` sticks to; NULL for a pool without any. */
const struct transport *pool_pick(const struct pool *pool, const char *account);

/* The pool of a level; for `blocked`, whose mail leaves only when an admin releases it, that of `suspect` where no
 * pool names it. NULL where there is none: the MTA's own default transport. */
const struct pool *pools_find(const struct pool *pools, int count, enum level level);

#endif
