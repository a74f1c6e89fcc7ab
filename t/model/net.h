/* SPDX-License-Identifier: BSD-2-Clause
 *
 * net: what t/model/channel.c has beside channel.h: the connections of all daemons, whose bytes move when the schedule
 * says so; and the Redis at their other end, with what troubles it.
 */
#ifndef PENSTOCK_MODEL_NET_H
#define PENSTOCK_MODEL_NET_H

#include "redis-schema/wire/channel.h"
#include "t/fake/redis_session.h"

/* One connection. It stays while either end has it, or bytes of it are under way to Redis. */
struct link {
	struct link *next; /* owned */
	int daemon;
	bool asked;  /* the daemon waits for it to open */
	bool held;   /* the daemon has it */
	bool served; /* Redis has it */
	struct channel_events events;
	struct fake_bytes under_way;  /* to Redis */
	struct redis_session session; /* session.out: under way to the daemon */
};

enum { PORT_FIRST = 7000 }; /* of the first daemon; each has its own */

struct link *net_first(void);
struct link *net_any(void); /* by lot; NULL: none */
void net_open(struct link *link);
void net_refuse(struct link *link);
/* So many bytes, or what there is. */
void net_to_redis(struct link *link, size_t length);
void net_to_daemon(struct link *link, size_t length);
/* Redis no longer has it: what it has not read, and its answers, are lost; the daemon is not told. */
void net_lose(struct link *link);
/* The daemon is told that it is gone. What is under way to Redis may yet come there. */
void net_end(struct link *link);
/* Frees what nobody has. */
void net_sweep(void);
bool net_is_connected(int daemon);
bool net_is_quiet(void); /* but for what is under way of connections that are gone */
void net_clear(void);

/* ---- server.c */

/* What Redis says to commands instead of doing them. */
struct trouble {
	const char *error;  /* without the "-"; NULL: it does them */
	bool reads, seldom; /* those that only read, too; some of them */
};

extern struct redis_data server_data;
extern struct trouble server_trouble;

void server_begin(int64_t wall_ms);
void server_step_clock(int64_t ms);
int64_t server_now_ms(void);
/* Does what is whole of the bytes that came. */
void server_run(struct link *link);
/* Without a connection. */
void server_do(int argc, const char *const *argv);
void server_flush_scripts(void);

#endif
