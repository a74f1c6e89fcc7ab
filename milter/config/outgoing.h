/* SPDX-License-Identifier: BSD-2-Clause
 *
 * outgoing: the addresses by which mail leaves, as the world sees them: of the transports of all pools, each once.
 * Addresses that nobody else can see (RFC 6890: loopback, private) are not among them. Made with the configuration and
 * immutable like it.
 */
#ifndef PENSTOCK_OUTGOING_H
#define PENSTOCK_OUTGOING_H

#include "policy/netaddr.h"
#include "policy/pool.h"

enum { OUTGOING_MAX = TRANSPORTS_ALL_MAX * TRANSPORT_ADDRESSES };

struct outgoing {
	int count;
	struct netaddr addresses[OUTGOING_MAX];
	/* by a transport's index: the places of its addresses; -1: none, or none that can be seen */
	short of[TRANSPORTS_ALL_MAX][TRANSPORT_ADDRESSES];
};

/* Fills `outgoing_out`. */
void outgoing_of(const struct pool *pools, int pool_count, struct outgoing *outgoing_out);

#endif
