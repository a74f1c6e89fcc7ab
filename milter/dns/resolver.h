/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resolver: questions to the configured DNS servers, on the loop thread (c-ares with EDNS, 1232 bytes, TCP where an
 * answer is cut). Equal questions under way are asked once. A server that does not answer is no longer asked first.
 * Where none are configured they are those of resolv.conf, which is looked at every two seconds: when it names others,
 * these are asked from then on. Loop thread only, or before it starts, or after it has stopped.
 *
 * A scenario test puts a scripted DNS in here, by the linker.
 */
#ifndef PENSTOCK_RESOLVER_H
#define PENSTOCK_RESOLVER_H

#include "milter/dns/answer.h"

#include <stdbool.h>

struct loop;
struct resolver;

struct resolver_settings {
	const char *const *servers; /* "address:port", "[v6]:port"; none: those of resolv.conf. Borrowed, */
	int server_count;	    /* as long as the resolver lives */
	int64_t timeout_ms;	    /* of one question, all tries together, from when it is sent */
	int64_t inflight;	    /* questions under way at once; more wait for their turn */
	const char *resolv_conf;    /* the system's file; NULL: /etc/resolv.conf. Borrowed likewise */
};

/* NULL with a sentence in `error`. */
struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings, char *error,
			      size_t error_size);

/* Questions under way end as unknown: their `done` is called from here. Clears the pointer; NULL is fine. */
void resolver_free(struct resolver **resolver);

typedef void resolver_done(void *arg, const struct dns_answer *answer);

/* Asks for the records of `name`. `done` is called exactly once, on the loop thread, never before this returns; the
 * answer is borrowed for that call. A question that joins an equal one under way ends with it. False: the name is too
 * long, too many are under way, or no memory; `done` will not be called. */
bool resolver_query(struct resolver *resolver, const char *name, enum dns_type type, resolver_done *done, void *arg);

/* An equal question is under way: resolver_query would join it, and nothing would be sent. */
bool resolver_asks(struct resolver *resolver, const char *name, enum dns_type type);

/* Questions under way, and how many may be. */
struct resolver_load {
	int64_t under_way, most;
};
struct resolver_load resolver_load(const struct resolver *resolver);

/* Why answers are not to be expected: resolv.conf names no server that can be asked. A clause that begins with its
 * path;
 * "" where it does. Borrowed until the next turn of the loop. */
const char *resolver_trouble(const struct resolver *resolver);

/* Another number after each change of the servers that are asked. */
unsigned resolver_generation(const struct resolver *resolver);

#endif
