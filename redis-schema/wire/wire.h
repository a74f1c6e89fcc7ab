/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wire: one connection to Redis, its requests in flight and their time-outs. It knows no key and no script, and never
 * decides when to try again: the store does.
 *
 * Loop thread only. Each `done` is called exactly once, never before the call returns. A `done` may call any function
 * here but wire_free() and, told that the connection ended, wire_connect(), for which `down` is the place.
 */
#ifndef PENSTOCK_WIRE_H
#define PENSTOCK_WIRE_H

#include "redis-schema/settings.h"
#include "redis-schema/wire/blame.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct wire;

/* How a request ended. What LATE and LOST left behind is unknown: Redis may have done it. */
enum wire_end {
	WIRE_OK,   /* each of its commands has an answer, which may be an error */
	WIRE_LATE, /* no answer by its deadline; it may still come */
	WIRE_LOST, /* the connection ended first */
};

struct wire_command {
	int argc;
	const char *const *argv;
	const size_t *length; /* of each word; NULL: they are strings */
};

/* What Redis answered to one command. A nested list is flat; integers are text. */
struct wire_answer {
	enum blame blame;
	const char *error; /* its text, and the answer's own is nil; NULL: none */
	bool list;	   /* an array; else `count` is 1 */
	int count;
	const char *const *text; /* each has a NUL behind it; NULL: nil */
	const size_t *length;
};

/* `answers`: `count` of them, one for each command, borrowed until it returns; NULL where the end is not OK. */
typedef void wire_done(void *arg, enum wire_end end, int count, const struct wire_answer *answers);

struct wire_events {
	/* The connection stands, and AUTH and SELECT were answered: requests are taken from now on. */
	void (*up)(void *arg);
	/* It could not be made, or is gone; all requests in flight have ended as LOST. */
	void (*down)(void *arg, const char *why);
	void *arg;
};

/* NULL with a sentence in `error` where redis.server is of no use. */
struct wire *wire_new(struct event_base *base, const struct store_settings *settings, const struct wire_events *events,
		      char *error, size_t error_size);
/* Requests in flight end as LOST; no event comes. */
void wire_free(struct wire **wire);

/* Starts to connect, where there is no connection; `up` or `down` follows within settings.timeout_ms * 4. */
void wire_connect(struct wire *wire);
/* Gives the connection up: requests in flight end as LOST, then `down` is called. Nothing where there is none. */
void wire_disconnect(struct wire *wire, const char *why);
bool wire_is_up(const struct wire *wire);

/* Of commands in a request, words in a command, and items in all lists of the answers to a request: where Redis sends
 * more of these, the connection ends. */
enum { WIRE_FLIGHTS_MAX = 16384, WIRE_COMMANDS_MAX = 64, WIRE_WORDS_MAX = 4096, WIRE_ITEMS_MAX = 1 << 20 };

/* Sends the commands in one piece. `late`, NULL or called once after an end of LATE: with OK when the answers come
 * after all, with LOST when the connection ends, and never before `done` has returned. False, and nobody is called,
 * where there is no connection or WIRE_FLIGHTS_MAX are in flight. */
bool wire_ask(struct wire *wire, const struct wire_command *commands, int count, wire_done *done, wire_done *late,
	      void *arg);
/* The same with a deadline of its own, at alarm_clock_ms(), instead of settings.timeout_ms from now. */
bool wire_ask_until(struct wire *wire, int64_t deadline_ms, const struct wire_command *commands, int count,
		    wire_done *done, wire_done *late, void *arg);

#endif
