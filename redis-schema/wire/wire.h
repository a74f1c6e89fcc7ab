/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wire: one connection to Redis, its requests in flight and their time-outs. It neither remembers accounts nor decides
 * when to try again: store.c does. It is also the seam at which a scenario puts in a Redis of its own.
 *
 * Loop thread only. Each `done` is called exactly once, never before the call returns.
 */
#ifndef PENSTOCK_WIRE_H
#define PENSTOCK_WIRE_H

#include "policy/known.h"
#include "redis-schema/say.h"
#include "redis-schema/scripts.h"
#include "redis-schema/settings.h"

struct event_base;
struct wire;

/* How a request ended. What LOST and LATE left behind is unknown: Redis may have done it. */
enum wire_end {
	WIRE_OK,
	WIRE_ERROR,   /* Redis answered this request with an error: it did nothing, and would not the next time */
	WIRE_REFUSED, /* the server takes no such request now (READONLY, OOM ...): it did nothing; the wire goes down */
	WIRE_LATE,    /* no answer within the time-out; it may still come */
	WIRE_LOST,    /* the connection ended first */
};

enum wire_status {
	WIRE_CHARGED,
	WIRE_OVER,    /* a limit is passed and nothing was charged */
	WIRE_AGAIN,   /* its number is not above the last one taken: it was charged before */
	WIRE_VERSION, /* the state is of another version of the schema */
	WIRE_WRONG,   /* the key holds another type */
	WIRE_BLOCKED, /* the group is blocked; nothing was charged */
	WIRE_PLAN,    /* the group's limits are of the plan that own.plan names; nothing was done */
};

struct wire_charged {
	enum wire_status status;
	enum window over;
	struct rates rates;
	int64_t number; /* AGAIN: the last number of ours that Redis has taken for the account */
	/* of a group */
	int64_t limit;	      /* the one that was passed */
	enum over limit_over; /* what its owner wants then */
	struct limits own;    /* what its key `limits` holds */
	int useless;	      /* fields of that key which mean nothing */
	char block[NOTE_MAX]; /* BLOCKED: why */
};

typedef void wire_fetch_done(void *arg, enum wire_end end, const struct account_state *state,
			     const struct known *known);
typedef void wire_charge_done(void *arg, enum wire_end end, const struct wire_charged *charged);
typedef void wire_campaign_done(void *arg, enum wire_end end, const struct campaign *campaign);
typedef void wire_command_done(void *arg, enum wire_end end, const char *error, int count, const char *const *items);

struct wire_events {
	/* The connection stands and its greeting (AUTH, SELECT, SCRIPT LOAD) was answered; or could not be made, or is
	 * gone. */
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);
	store_say *say;
	void *arg;
};

struct wire *wire_new(struct event_base *base, const struct store_settings *settings, const struct wire_events *events,
		      char *error, size_t error_size);
void wire_free(struct wire **wire);

/* Starts to connect; `up` or `down` follows within settings.timeout_ms * 4. */
void wire_connect(struct wire *wire);
/* Gives the connection up; all requests in flight end as LOST; `down` is called where it was up. */
void wire_disconnect(struct wire *wire, const char *why);

/* These return false, and call nobody, where there is no connection or too much is in flight. */
bool wire_fetch(struct wire *wire, const char *account, wire_fetch_done *done, void *arg);
/* A charge whose end was LATE calls `late` when its answer comes after all, or its connection ends. */
bool wire_charge(struct wire *wire, const struct wire_charge *charge, wire_charge_done *done, wire_charge_done *late,
		 void *arg);
/* Asks what is known of bodies like this one, and notes it. */
bool wire_campaign(struct wire *wire, const struct wire_fingerprint *fingerprint, wire_campaign_done *done, void *arg);
bool wire_command(struct wire *wire, int argc, const char *const *argv, wire_command_done *done, void *arg);

#endif
