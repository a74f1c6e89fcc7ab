/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_inside: what store.c (the requests), store_charge.c (charges) and store_link.c (the connection's health, and
 * what Redis is owed) share. Nobody else includes it.
 */
#ifndef PENSTOCK_STORE_INSIDE_H
#define PENSTOCK_STORE_INSIDE_H

#include "redis-schema/plans.h"
#include "redis-schema/store/recent.h"
#include "redis-schema/store/store.h"
#include "redis-schema/wire/wire.h"

#include <event2/event.h>
#include <pthread.h>

enum { SAID_ROWS = 256, SAID_MOST = 100 };

struct store {
	struct event_base *base;
	struct store_settings settings; /* its strings live as long as the store */
	store_say *say;
	void *say_arg;
	struct wire *wire;
	struct event *retry, *tick;
	int64_t retry_ms; /* the next wait */
	int64_t failures; /* in a row */
	int64_t number;	  /* of the last charge */
	bool said_away, plans_asked, secret_asked;
	bool secret_missing;  /* Redis has none: it is written at the next tick */
	bool refused;	      /* the last charge had an error for an answer: a replica, or full memory */
	uint64_t said_key[2]; /* a stranger may choose account names: he cannot choose whose line is taken for said */
	struct {
		uint64_t line;
		int64_t at_s;
	} said[SAID_ROWS];
	int64_t accounts_said_from_s; /* of lines about accounts in these ten minutes: since when they are counted ...
				       */
	uint64_t accounts_said;	      /* ... and how many there were; SAID_MOST are written */
	pthread_mutex_t lock;	      /* of what follows; never held while somebody's `done` runs */
	struct recent *recent;
	struct plans *plans;
	uint64_t secret[2];
	bool secret_shared;   /* Redis has it */
	int64_t away_since_s; /* CLOCK_MONOTONIC; 0: it is not away */
	struct store_stats stats;
};

void store_count(struct store *store, uint64_t *counter);
/* An answer was given, from the table of recent accounts or by Redis. The lock is held. */
void store_count_answer(struct store *store, bool local);
/* CLOCK_MONOTONIC. */
int64_t store_clock_s(void);
/* Calls `run` in the next turn of the loop, so that no `done` is called before the request's function returned. */
void store_soon(struct store *store, event_callback_fn run, void *arg);

/* Does the account's key name a plan that nobody defined? Then that is said: it has limits that nobody meant. */
bool store_plan_missing(struct store *store, const char *account, const char *plan);

/* Makes the wire and its timers, and lets it connect. False with a sentence in `error`. */
bool store_link_open(struct store *store, char *error, size_t error_size);
void store_link_close(struct store *store);

/* How a request ended: opens the breaker after too many failures in a row. */
void store_noted(struct store *store, enum wire_end end);
/* How a charge ended. A Redis that greets us and takes no charges (READONLY, OOM) is away, and back when it takes one.
 */
void store_note_taken(struct store *store, enum wire_end end);

/* A charge that Redis has not confirmed; `local` is how the message was judged, `number` 0 where it was never sent. */
void store_owe(struct store *store, const struct charge *charge, const struct charge_result *local, int64_t number);

/* The charge's number was not above the last one that Redis knows of this node: the clock went back while the daemon
 * was away, or two daemons have one node name. Go on above it. */
void store_jump(struct store *store, int64_t known);

/* What a panel wrote of one of very many accounts is said once in ten minutes, not once a message, and of all of them
 * SAID_MOST lines in that time, and how many there were more. `arg` is the store. */
void store_say_of_account(void *arg, const char *line);

#endif
