/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pending: the questions under way of a DNS that a test puts in: pending.c takes the place of milter/dns/resolver.c and
 * answers in a later turn of the loop. What it answers comes from the one of resolver.c and zone.c that is linked.
 */
#ifndef PENSTOCK_FAKE_PENDING_H
#define PENSTOCK_FAKE_PENDING_H

#include "milter/dns/resolver.h"

struct pending {
	struct pending *next, **at;
	struct event *timer;
	resolver_done *done;
	void *arg;
	struct dns_answer answer;
	struct dns_data data; /* the answer's */
};

/* Fills in pending->answer, which is unknown so far and has its type and data. False: nobody answers, and the question
 * ends as it is then when its time is over. */
bool pending_look_up(const char *name, struct pending *pending);

/* Any thread: others are asked from now on. What they are not fit for, as resolver_trouble; "": nothing. Borrowed. */
void pending_servers(const char *their_trouble);

#endif
