/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pump: the questions of one check wait here for their turn. They go out as long as DNS has room: about half of what
 * may be under way is left to the mail, and a little more by a check of very many addresses. So the mail does not queue
 * behind a check, and no turn of the loop is long.
 *
 * A pump is the first member of what it serves, and what keeps it alive: counted, one reference for the owner and one
 * for each question under way, which cannot be called back. Loop thread only.
 */
#ifndef PENSTOCK_PUMP_H
#define PENSTOCK_PUMP_H

#include "milter/dns/engine.h"

#include <sys/queue.h>

struct event;

/* Something that waits for its turn; embed it. */
struct step {
	TAILQ_ENTRY(step) place;
	void (*begin)(struct step *step); /* asks: between pump_hold and pump_heard */
};

struct pump {
	struct engine *engine;		  /* borrowed; NULL: it is gone, and nothing can be asked any more */
	bool many;			  /* it asks more than others do: it leaves them room */
	void (*after)(struct pump *pump); /* a turn is over: what is next? */
	void (*free)(struct pump *pump);  /* the last reference is gone */
	/* the rest is the pump's */
	TAILQ_HEAD(step_list, step) waiting;
	struct event *turn; /* owned */
	int references;
	bool ended; /* no step begins any more */
};

/* False: no memory. */
bool pump_init(struct pump *pump, struct loop *loop);
/* The owner lets go. */
void pump_end(struct pump *pump);

/* `soon`: before those that wait. */
void pump_push(struct pump *pump, struct step *step, bool soon);
/* There will be a turn. */
void pump_wake(struct pump *pump);
bool pump_waits(const struct pump *pump); /* there are steps whose turn has not come */

void pump_hold(struct pump *pump);
/* An answer has come. False: nobody wants it. pump_release is owed in any case. */
bool pump_heard(struct pump *pump);
void pump_release(struct pump *pump);

/* A question of a pump to the engine, or what is cached. Embed it; it must live as long as the pump or until `done`. */
struct lookup {
	struct step step; /* first */
	struct pump *pump;
	void (*done)(struct lookup *lookup, const struct dns_answer *answer);
	bool (*leaves)(struct lookup *lookup); /* the question is about to be sent: may it be? NULL: it may */
	enum dns_type type;
	char name[DNS_NAME_MAX + 1];
};

/* `name` of the lookup is `head`, a dot and `zone`; `zone` may be "". False: no name is so long; `done` will not be
 * called. */
bool lookup_ask(struct lookup *lookup, struct pump *pump, const char *head, const char *zone, enum dns_type type,
		void (*done)(struct lookup *lookup, const struct dns_answer *answer));

#endif
