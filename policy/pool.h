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

#include "policy/mail_class.h"
#include "policy/level.h"
#include "policy/spf_answer.h"

#include <stdbool.h>

enum {
	TRANSPORTS_MAX = 64, /* of one pool */
	POOLS_MAX = 16,
	TRANSPORTS_ALL_MAX = TRANSPORTS_MAX * POOLS_MAX,
	TRANSPORT_NAME_MAX = 63,
	TRANSPORT_OUT = 100, /* all of its share is withheld */
};

struct transport {
	char name[TRANSPORT_NAME_MAX + 1]; /* the service in Postfix's master.cf */
	char address[46];		   /* source address of IPv4; "" : the system's choice, of either protocol */
	char address6[46];		   /* ... and of IPv6; "" : it sends by IPv4 alone */
	char public_address[46];  /* what the world sees, where an address translator stands between; else "" */
	char public_address6[46]; /* ... of address6 */
	char helo[256];
	double weight;		  /* share of the pool's accounts; above 0 */
	int64_t warmup_since_s;	  /* Unix time of the first day on which it warms up; 0: it is warm */
	int64_t warmup_first_day; /* messages on that day */
	int index;		  /* among the transports of all pools, from 0 */
};

/* A transport has one address or two. By which of them a message leaves is decided by the host that it goes to. */
enum transport_address { TRANSPORT_ADDRESS, TRANSPORT_ADDRESS6, TRANSPORT_ADDRESSES };

/* The address under which the world sees the transport; "" : not known, or it has none. */
const char *transport_seen_as(const struct transport *transport, enum transport_address which);

/* What is known of a transport while a message is judged, by its index. Zeroed: nothing is against it. */
struct transport_state {
	unsigned char
		withheld;  /* per cent of its share that other transports of the pool take; TRANSPORT_OUT: it is out */
	unsigned char spf; /* enum spf_answer: what the sender's domain says of its address; of two, the worse,
			      spf_answer_worse() */
	bool rests;	   /* for the receiver of all of the message's recipients, policy/receiver.h: others take it */
};

struct pool {
	char name[TRANSPORT_NAME_MAX + 1];
	bool levels[LEVEL_COUNT];	/* whose mail leaves by it */
	bool classes[MAIL_CLASS_COUNT]; /* likewise; never LANE_ACCOUNT */
	struct transport *transports;	/* owned by the configuration */
	int transport_count;
};

/* The transport of `pool` that `account` sticks to; NULL for a pool without any. `states` (by index; NULL: nothing is
 * against any): one that is out is passed over, unless all are; among the others one by which SPF passes is preferred
 * to one by which it is known not to. */
const struct transport *pool_pick(const struct pool *pool, const char *account, const struct transport_state *states);

/* What pool_pick would give if no transport rested for the message's receiver. */
const struct transport *pool_pick_unrested(const struct pool *pool, const char *account,
					   const struct transport_state *states);

/* Whether pool_pick gave `picked` because SPF passes by it, and not by the account's own transport. */
bool pool_spf_moved(const struct pool *pool, const char *account, const struct transport_state *states,
		    const struct transport *picked);

/* The pool of a level; for `blocked`, whose mail leaves only when an admin releases it, that of `suspect` where no
 * pool names it. NULL where there is none: the MTA's own default transport. */
const struct pool *pools_find(const struct pool *pools, int count, enum level level);

/* The pool of a class; NULL for LANE_ACCOUNT, and where no pool names it: that of the level then. */
const struct pool *pools_find_class(const struct pool *pools, int count, enum mail_class class);

#endif
