/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rests: transports that rest for a receiver who refuses them (policy/receiver.h), as penstock-follow on this host
 * tells in the key follow:NODE of Redis. Its first line is read every two seconds, all of it where it is another one. A
 * follower that has been silent for an hour is believed no longer; where there never was one, nothing is ever asked of
 * a message.
 *
 * A message all of whose remote recipients belong to one receiver leaves by another transport of its pool where its
 * account's rests for that one. The account keeps its transport for everybody else. Postfix's own question by the
 * socketmap names no recipients, so nothing is changed there.
 */
#ifndef PENSTOCK_RESTS_H
#define PENSTOCK_RESTS_H

#include "milter/config/config.h"
#include "milter/pools/rests_table.h"
#include "policy/facts.h"

struct event_base;

enum {
	RESTS_SILENT_S = 600,	/* after which health warns ... */
	RESTS_TOO_OLD_S = 3600, /* ... and nothing rests any more */
	RESTS_FOLLOWS_S = 90,	/* so long a follower lives after it wrote last, who writes each FOLLOW_WRITES_S ... */
	RESTS_BEHIND_S = 30,	/* ... and so far it may be behind the log's end */
};

/* Before the loop starts, with store and setup there. False: no memory. */
bool rests_start(struct event_base *base);
/* With the loop stopped. */
void rests_stop(void);

/* ---- a message; any thread */

/* Zeroed at MAIL. */
struct rests_of_message {
	struct rests_table *table; /* held from the first recipient on; NULL: nothing rests */
	const char *receiver;	   /* borrowed from it: of all recipients so far; NULL: several, or not known */
	int rcpts;
};

/* A recipient outside of this host was accepted; `raw` as it came. */
void rests_add_rcpt(struct rests_of_message *message, const char *raw);
/* At its end: what rests for its receiver, into the facts, whose transports pools_now() has filled. */
void rests_fill(const struct rests_of_message *message, const struct config *config, struct facts *facts);
void rests_release(struct rests_of_message *message);

/* Does a follower of this host's log live, is it at the log's end, and does it release mail that waits for the end of
 * its session? Any thread. */
bool rests_follows(void);

/* Raises `withheld` of transports that several receivers refuse at a time. Any thread; costs nothing where there is
 * none. */
void rests_states(const struct config *config, struct transport_state *states);
/* The per cent that are withheld of one, for people; 0: none. Any thread. */
int rests_withheld(const char *transport);

/* ---- for people; loop thread */

struct rests_view {
	const struct rests_table
		*table;		   /* what is believed now; borrowed until it returns to the loop; NULL: nothing */
	struct follow_head head;   /* the newest, believed or not; number 0: there never was a follower */
	struct follow_head before; /* half an hour to an hour before, or when this daemon first read it */
	const char *trouble;	   /* why what is in the key cannot be read: "it ..."; "" : it can */
	char key[80];		   /* behind the prefix */
};
void rests_view(struct rests_view *view_out);

/* ---- rests_tell.c: what happened, to the log and as events */

/* A rest that is in `after` and not in `before` (NULL: there was no table), and one that has ended. Of those that
 * began before `since_ms` nobody is told: an earlier run of this daemon has done it. */
void rests_tell(const struct rests_table *before, const struct rests_table *after, int64_t since_ms, int64_t now_ms);
/* So many receivers refuse the transport now, `withheld` of its share is withheld, and was before. */
void rests_tell_fall(const char *transport, int receivers, int withheld, int withheld_before);

#endif
