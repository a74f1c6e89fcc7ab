/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wire_inside: what wire.c (the connection), wire_flight.c (requests and their time-outs) and wire_answer.c (what Redis
 * says) share. Nobody else includes it.
 */
#ifndef PENSTOCK_WIRE_INSIDE_H
#define PENSTOCK_WIRE_INSIDE_H

#include "policy/netaddr.h"
#include "redis-schema/wire/alarm.h"
#include "redis-schema/wire/channel.h"
#include "redis-schema/wire/wire.h"

#include <stdint.h>

/* One request under way. */
struct flight {
	struct flight *next;	      /* the one that was sent after it; the wire's */
	struct flight *newer, *older; /* in the order of their deadlines, until it is told; the wire's */
	int64_t deadline_ms;
	int count; /* of its commands */
	bool told; /* its end was LATE */
	wire_done *done, *late;
	void *arg; /* the caller's */
};

/* One finished answer. Its items stand from `first` up to the next one's. */
struct wire_row {
	size_t first;
	bool list, error, deep;
};

/* The answers to the request that was sent first, as far as they came. Memory is kept for the next ones. */
struct wire_reading {
	struct redisReader *reader; /* owned; NULL: not connected */
	int count;		    /* of finished answers */
	bool begun;		    /* the next one has a row */
	struct wire_row rows[WIRE_COMMANDS_MAX + 1];
	size_t announced; /* items of arrays, whether they came or not */
	size_t items, items_most;
	size_t *at, *length; /* owned: where the bytes of an item are; ITEM_NIL: nowhere */
	const char **text;   /* owned, of as many items */
	size_t used, size;
	char *bytes;   /* owned: the items, a NUL behind each */
	char why[120]; /* it cannot be read on; "" : it can */
};

enum wire_state { WIRE_AWAY, WIRE_CONNECTING, WIRE_GREETING, WIRE_UP };

struct wire {
	struct event_base *base;	/* the caller's */
	struct store_settings settings; /* its strings live as long as the wire */
	struct wire_events events;
	const char *path; /* of settings.server; NULL: host and port */
	char host[NETADDR_TEXT_MAX];
	int port;
	enum wire_state state;
	unsigned life;		 /* how many connections ended: who called somebody sees whether his is still there */
	bool ending;		 /* its flights are told so */
	struct channel *channel; /* owned; NULL: none */
	char failed[160];	 /* why there is none while it is CONNECTING */
	struct alarm *alarm;	 /* owned */
	int64_t rings_ms;	 /* when it rings; INT64_MAX: it is not set */
	int64_t connect_by_ms;
	int greetings; /* answers still to come before the connection is up */
	int flights;
	struct flight *first, *last;	/* owned: in the order in which Redis answers */
	struct flight *oldest, *newest; /* borrowed from there: in the order of their deadlines */
	struct flight *telling; /* likewise: whose `done` hears just now that it is late; NULL: none, or it has ended */
	char *request;		/* owned: where one is written down */
	size_t request_size;
	struct wire_reading reading;
};

/* Sends one request, whether the connection is up or not. */
bool flight_send(struct wire *wire, int64_t deadline_ms, const struct wire_command *commands, int count,
		 wire_done *done, wire_done *late, void *arg);
/* Takes the one that was sent first out; the caller's to free. */
struct flight *flight_take_first(struct wire *wire);
/* Each ends as LOST; none is left. */
void flight_end_all(struct wire *wire);
/* The alarm rings at `ms` or before. */
void flight_wake_by(struct wire *wire, int64_t ms);
void flight_on_alarm(void *wire);

bool wire_answer_begin(struct wire *wire);
/* Calls who waits for what is whole. What cannot be read ends the connection. */
void wire_answer_bytes(struct wire *wire, const char *bytes, size_t length);
/* Forgets what was read. Texts that somebody is being told stay until he returns. */
void wire_answer_end(struct wire *wire);
void wire_answer_free(struct wire *wire);

#endif
