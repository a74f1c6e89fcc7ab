/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl: all configured block lists asked about one client address, in parallel (RFC 5782). What came back is cached for
 * the shortest TTL of the answers (30 s to 1 h; a list's "no" too), so that a client that returns costs no question.
 *
 * rbl_ask and rbl_collect: any thread. The rest: loop thread or before it starts.
 */
#ifndef PENSTOCK_RBL_H
#define PENSTOCK_RBL_H

#include "policy/listing.h"
#include "policy/netaddr.h"

struct loop;
struct rbl;
struct rbl_question;

struct rbl_settings {
	const char *const *servers;	/* "address:port", "[v6]:port"; none: /etc/resolv.conf */
	int server_count;
	const struct list *lists;	/* borrowed; must live as long as the rbl and every question of it */
	int list_count;
	int64_t timeout_ms;		/* of one question; what is not answered then is unknown */
	int64_t cache_addresses;	/* rows in the cache */
	int64_t inflight;		/* questions under way at once; more are unknown at once */
};

/* NULL with a sentence in `error` where a server is of no use. With no lists it answers at once. */
struct rbl *rbl_new(struct loop *loop, const struct rbl_settings *settings, char *error, size_t error_size);
/* Loop thread, or after the loop has stopped. Questions under way end as unknown. */
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

#endif
