/* SPDX-License-Identifier: BSD-2-Clause
 *
 * origins: the origin zones, which tell the AS of an address (milter/dns/asn.h), asked about the clients of accounts.
 * They are other people's servers, and are spared: an answer holds for the client's whole network (IPv4: /24, IPv6:
 * /48) as long as its TTL says; each zone has a budget of questions a day (UTC) and few in progress at once; one that
 * gives no answers is left alone for a while. Reserved addresses are not asked about.
 *
 * Whatever stands in the way, the AS is unknown and mail goes on: it waits for nothing that was not asked.
 */
#ifndef PENSTOCK_ORIGINS_H
#define PENSTOCK_ORIGINS_H

#include "milter/blocklist/breaker.h"
#include "policy/netaddr.h"

struct engine;
struct origins;

struct origins_settings {
	struct engine *engine;	   /* borrowed: freed before the origins are, on the loop thread or after it */
	const char *zone4, *zone6; /* borrowed likewise; "": not asked */
	int64_t budget;		   /* questions a day to each; 0: no end */
	struct breaker_settings breaker;
};

/* NULL: no memory. Any thread. */
struct origins *origins_new(const struct origins_settings *settings);
/* After the engine, so that every question has ended. Clears the pointer; NULL is fine. */
void origins_free(struct origins **origins);

/* Is there a zone for such an address? Any thread. */
bool origins_take(const struct origins *origins, const struct netaddr *client);

/* Any thread. True: it is known already, 0 where the zone knows none. */
bool origins_find(const struct origins *origins, const struct netaddr *client, uint32_t *as_out);

/* Embed it; owned by the asker until `done` is called. */
struct origins_question {
	void (*done)(struct origins_question *question, uint32_t as_number); /* 0: unknown */
	/* the rest is the function's */
	struct origins *origins;
	struct netaddr client;
	int zone;
};

/* Loop thread, of a client that origins_take. `done` is called exactly once, and may be called before this returns. */
void origins_ask(struct origins *origins, const struct netaddr *client, struct origins_question *question);

/* Any thread, of both zones. */
struct origins_stats {
	uint64_t questions, failures; /* sent, and without a good answer */
	uint64_t unasked;	      /* for the budget, for those in progress, or while a zone was left alone */
};
struct origins_stats origins_stats(const struct origins *origins);

/* Why the zone is not asked, without "it"; "": it is, or there is none. Loop thread. */
enum { ORIGINS_ZONES = 2, ORIGINS_WHY_MAX = 100 };
const char *origins_zone(const struct origins *origins, int zone);
void origins_why(const struct origins *origins, int zone, char why[ORIGINS_WHY_MAX]);

#endif
