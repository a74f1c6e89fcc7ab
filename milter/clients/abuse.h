/* SPDX-License-Identifier: BSD-2-Clause
 *
 * abuse: tells who is responsible for a network of its bad clients, where clients.abuse_contacts names a DNS zone that
 * knows him: one report a network and day, and clients.abuse_a_day of them a day, of all daemons of one Redis. Where
 * Redis or DNS do not answer nothing is reported.
 *
 * Only clients of bad standing are reported: that an account is blocked is between it and us.
 */
#ifndef PENSTOCK_ABUSE_H
#define PENSTOCK_ABUSE_H

#include "milter/tell/event.h"

struct loop;

/* Before the loop starts. False: no memory. */
bool abuse_start(struct loop *loop);
/* Before the loop stops: ends the sending. */
void abuse_stop(void);
/* With the loop stopped and the store freed, before setup_clear(). */
void abuse_clear(void);

/* Any thread. */
struct abuse_stats {
	uint64_t reported;   /* mails that were written */
	uint64_t no_contact; /* networks of which the zone names nobody */
	uint64_t unanswered; /* DNS or Redis did not answer */
	bool spent;	     /* today's number is reached */
	struct event_sink_stats mail;
};
struct abuse_stats abuse_stats(void);

#endif
