/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl: all block lists for mail asked about one client address, in parallel (RFC 5782). What came back is cached, by
 * list for the answer's own TTL (30 s to 1 h; a "no" too), and as a whole for the shortest of them: a client that
 * returns costs no question, and one look-up however many lists there are. About addresses that nobody on the Internet
 * has only lists with `private` are asked.
 *
 * rbl_ask and rbl_collect: any thread. The rest: loop thread or before it starts.
 */
#ifndef PENSTOCK_RBL_H
#define PENSTOCK_RBL_H

#include "policy/listing.h"
#include "policy/netaddr.h"

struct engine;
struct lists;
struct loop;
struct rbl;
struct rbl_question;

struct rbl_settings {
	struct engine *engine; /* borrowed until rbl_free, and freed soon after it */
	struct lists *lists;   /* borrowed as well, and what they are made of as long as every question lives */
	int list_count;	       /* the first so many of them are for mail */
};

/* NULL: no memory. With no lists it answers at once. */
struct rbl *rbl_new(struct loop *loop, const struct rbl_settings *settings);
/* Loop thread, or after the loop has stopped. Questions under way end as unknown when the engine is freed. */
void rbl_free(struct rbl **rbl);

/* Starts the questions and returns at once. NULL: no address, no lists or no memory. */
struct rbl_question *rbl_ask(struct rbl *rbl, const struct netaddr *client);

/* Waits until all lists have answered or the deadline (clock_monotonic_ms) is reached, and fills what is known by
 * then: lists without an answer are counted in listings_out->unknown. May be called again. NULL question: nothing
 * asked. */
void rbl_collect(struct rbl_question *question, int64_t deadline_ms, struct listings *listings_out);

/* The asker lets go; answers that still come are cached all the same. Clears the pointer; NULL is fine. */
void rbl_release(struct rbl_question **question);

struct rbl_stats {
	uint64_t questions, answers, failures, timeouts, cache_hits, cache_misses, refused_inflight;
	uint64_t recent_failures; /* failures in a row since the last good answer: DNS is away */
};
struct rbl_stats rbl_stats(struct rbl *rbl); /* any thread */

#endif
