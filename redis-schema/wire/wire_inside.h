/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wire_inside: what wire.c (the connection), wire_flight.c (requests and their time-outs) and wire_answer.c (what Redis
 * says) share. Nobody else includes it.
 */
#ifndef PENSTOCK_WIRE_INSIDE_H
#define PENSTOCK_WIRE_INSIDE_H

#include "redis-schema/scripts.h"
#include "redis-schema/wire/wire.h"

#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

enum { FLIGHTS_MAX = 16384, SHA_SIZE = 41 };

enum flight_kind { FLIGHT_FETCH, FLIGHT_CHARGE, FLIGHT_CAMPAIGN, FLIGHT_COMMAND, FLIGHT_GREETING };

/* One request under way. */
struct flight {
	struct wire *wire;	      /* borrowed; outlives the flight */
	struct flight *newer, *older; /* in the order of their deadlines, while nobody has been told yet */
	enum flight_kind kind;
	bool waiting;	     /* in that order */
	bool by_text;	     /* sent by EVAL: a NOSCRIPT is then an error */
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	union {
		wire_fetch_done *fetch;
		wire_charge_done *charge;
		wire_campaign_done *campaign;
		wire_command_done *command;
	} done;
	wire_charge_done *late;
	void *arg;
	struct charge charge; /* of a charge; of a fetch its account alone */
	int64_t number;
	enum scope scope;
	char plan[PLAN_NAME_MAX + 1]; /* of a group */
	uint32_t *new_known;	      /* owned; NULL: none */
	int new_known_count;
	struct wire_fingerprint fingerprint;
};

struct wire {
	struct event_base *base;
	struct store_settings settings; /* its strings live as long as the wire */
	struct wire_events events;
	char host[NETADDR_TEXT_MAX];
	int port;		    /* 0: a unix socket */
	redisAsyncContext *context; /* NULL: not connected */
	struct event *readable, *writable, *flush, *timer;
	bool up, flushing;
	int flights;
	int greetings; /* answers still to come before the connection is up */
	struct flight *oldest, *newest;
	char sha[SCRIPT_COUNT][SHA_SIZE];
};

/* NULL where there is no connection or too much is in flight. */
struct flight *flight_new(struct wire *wire, enum flight_kind kind, void *arg);
void flight_free(struct flight *flight);
/* Its time-out runs from now on. */
void flight_wait(struct flight *flight);
void flight_unwait(struct flight *flight);
/* It ended without an answer of use. */
void flight_tell(struct flight *flight, enum wire_end end, const char *error);
/* Sends its script; where that cannot be, the flight ends. */
void flight_send_script(struct flight *flight);
void flight_on_timer(evutil_socket_t fd, short what, void *arg);

/* hiredis calls it once a request; `arg` is the flight. */
void wire_answered(redisAsyncContext *context, void *answer, void *arg);

#endif
