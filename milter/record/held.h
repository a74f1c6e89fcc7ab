/* SPDX-License-Identifier: BSD-2-Clause
 *
 * held: messages in the MTA's hold queue, and when each is to leave it: the sorted set `held` of Redis. The MTA forgets
 * why and until when; so what is held is listed there, also when Redis was away at the time (milter/daemon/outbox.h),
 * and somebody hears of it when its date has passed and nobody released it.
 *
 * The daemon has no right to release mail: `penstockctl held release --due` does, as root, on the host whose daemon
 * held it, run by penstock-release.timer.
 */
#ifndef PENSTOCK_HELD_H
#define PENSTOCK_HELD_H

#include "milter/base/queue_id.h"
#include "milter/message/session.h"

struct event_base;

enum {
	HELD_MEMBER_MAX = 16 + 1 + QUEUE_ID_MOST + 1 + REFERENCE_MAX + 1 + ACCOUNT_MAX,
	HELD_LATE_S = 900, /* past its date by so much is somebody's business */
};

#define HELD_NEVER_S INT64_C(253402300799) /* the end of the year 9999: an admin decides */

/* One member of the set: "NODE QUEUEID REFERENCE ACCOUNT". */
struct held {
	char node[17], queue_id[QUEUE_ID_MOST + 1], reference[REFERENCE_MAX + 1], account[ACCOUNT_MAX + 1];
};

void held_write(const struct held *held, char member[HELD_MEMBER_MAX + 1]);
/* False where it is not such a member to the byte: what is nearly one would be taken off the list by another's name. */
bool held_read(const char *member, struct held *held_out);

/* The MTA was told to hold the message. Any thread; never waits. */
void held_note(const struct session *session, const char *queue_id);

/* Counts for /health, brought up to date twice a minute and by each look at the list. Any thread. */
struct held_stats {
	uint64_t messages; /* in the set, of all nodes */
	uint64_t late;	   /* of this node, past their date by HELD_LATE_S */
	uint64_t waiting;  /* not yet in the set: Redis is away */
};
struct held_stats held_stats(void);
/* Loop thread: count again soon. */
void held_count(void);

/* Before the loop starts; false: no memory. And with the loop stopped, before the store is freed. */
bool held_start(struct event_base *base);
void held_stop(void);

#endif
