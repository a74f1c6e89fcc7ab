/* SPDX-License-Identifier: BSD-2-Clause
 *
 * courier: hands parcels to somebody outside, in order, each until it is taken: a bounded queue and a thread of its
 * own, which may hang in a slow server for as long as its time-out lets it, and nobody waits for it.
 */
#ifndef PENSTOCK_COURIER_H
#define PENSTOCK_COURIER_H

#include "milter/tell/event.h"

#include <stdatomic.h>

struct courier;

enum { COURIER_FIRST_MS = 1000, COURIER_MOST_MS = 3600000, COURIER_AGE_MOST_S = 3 * 86400 };

struct parcel {
	struct parcel *next; /* the courier's */
	int64_t since_ms;    /* clock_monotonic_ms() when it began to wait; 0: when the courier takes it */
	enum event_kind kind;
	char id[EVENT_ID_MAX + 1];
	size_t length;
	char text[]; /* with a NUL behind it */
};

enum courier_said { COURIER_TAKEN, COURIER_LATER, COURIER_NEVER };

struct courier_answer {
	char why[200];	/* where it was not taken: what follows "webhook.example.com " */
	char whom[256]; /* host of the other side */
	int64_t wait_s; /* the other side asks to be left alone for so long; 0: it does not */
};

/* On the courier's thread. Gives up soon after `stop` is true. */
typedef enum courier_said courier_send(const struct parcel *parcel, const atomic_bool *stop,
				       struct courier_answer *answer_out);

/* It is taken or given up, but not where the daemon ends before. Any thread. */
typedef void courier_done(const struct parcel *parcel);

/* NULL without memory. Its thread is made with the first parcel. `name` ("webhook") is borrowed for ever. `done` is
 * NULL where nobody keeps what waits. */
struct courier *courier_new(const char *name, courier_send *send, courier_done *done);

/* Any thread, never waits. Takes `parcel` (of malloc; NULL is ignored). Where `most` wait, the oldest is given up. */
void courier_take(struct courier *courier, struct parcel *parcel, int64_t most);

/* Any thread: what waits for its next try is tried now, as after a reload that may have mended something. */
void courier_hurry(struct courier *courier);

struct event_sink_stats courier_stats(struct courier *courier);

/* Ends the thread, once; NULL is ignored. The others may still be called: what they bring waits in vain. */
void courier_stop(struct courier *courier);
/* When nobody else calls any more, and behind courier_stop. What waits is lost, or kept, and that is said. */
void courier_free(struct courier **courier);

/* How long to wait after `tries` failures in a row, 1 or more: doubles up to an hour, the latter half of it by chance,
 * so that a server that comes back is not met by all at once. */
int64_t courier_wait_ms(unsigned tries, uint32_t chance);
/* The longer one of that and what the other side asked for, which may be any number; an hour at most. */
int64_t courier_longer_ms(int64_t wait_ms, int64_t asked_s);

#endif
