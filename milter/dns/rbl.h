/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl: all configured block lists asked about one client address, in parallel (RFC 5782). What came back is cached, by list
 * for the answer's own TTL (30 s to 1 h; a "no" too), and as a whole for the shortest of them: a client that returns
 * costs no question, and one look-up however many lists there are.
 *
 * rbl_ask and rbl_collect: any thread. The rest: loop thread or before it starts.
 */
#ifndef PENSTOCK_RBL_H
#define PENSTOCK_RBL_H

#include "policy/listing.h"
#include "policy/netaddr.h"

struct engine;
struct loop;
struct rbl;
struct rbl_question;

struct rbl_settings {
	struct engine *engine;		/* borrowed until rbl_free, and freed soon after it */
	const struct list *lists;	/* borrowed; must live as long as the rbl and every question of it */
	int list_count;
	int64_t breaker_failures;	/* in a row, after which a list is left alone ... */
	int64_t retry_ms;		/* ... for so long at first; doubles to 5 min */
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
	uint64_t recent_failures;	/* failures in a row since the last good answer: DNS is away */
};
struct rbl_stats rbl_stats(struct rbl *rbl);	/* any thread */

/* How a list does, by its place in the configuration. */
struct rbl_list_report {
	const char *state;	/* a word of FITNESS_ROWS */
	const char *why;	/* where it is not asked: one clause; borrowed, else "" */
	bool asked;		/* it is in use */
	uint64_t answers, failures;
	int64_t median_ms;	/* of its last answers; -1: none yet */
	int64_t retry_s;	/* until it is asked or tested again; -1: nothing is due */
};
struct rbl_list_report rbl_list_report(struct rbl *rbl, int list);	/* loop thread */

#endif
