/* SPDX-License-Identifier: BSD-2-Clause
 *
 * follow: what is done with each line of the log, in its order. Everything that it leaves (credits, notes and their
 * ordinals, the map of messages, the lines that wait, sessions and the mail that waits for their end, the table of
 * receivers, the trace) hangs on the lines alone: who reads the same lines again from the same checkpoint leaves the
 * same.
 */
#ifndef PENSTOCK_FOLLOW_H
#define PENSTOCK_FOLLOW_H

#include "milter/follow/log_event.h"
#include "milter/follow/queue_map.h"
#include "milter/follow/quits.h"
#include "milter/follow/samples.h"
#include "milter/follow/sessions.h"
#include "milter/follow/waiting.h"
#include "policy/outcome.h"

#include <stdbool.h>
#include <stdint.h>

struct checkpoint;
struct checkpoint_row;
struct credit;
struct notes;
struct queue_hold;
struct receivers;
struct replies;
struct tally;
struct trace;

enum {
	/* Where a place in the log is lost, lines that were counted before are not read again, and what comes must not
	 * get their ordinals: so many are left out. More than that are not read between two checkpoints. */
	FOLLOW_ORDINALS_LEFT_OUT = 1 << 24,
};

/* Borrowed, all of them. NULL but for `replies`: what would go there goes nowhere. */
struct follow_parts {
	const struct replies *replies;
	struct receivers *receivers;
	struct trace *trace;
	struct queue_hold *hold; /* its rows stand among ours */
	struct credit *credit;
	struct notes *notes;
	struct tally *accounts; /* rows: account, outcome, sent by which transport to which receiver */
};

/* Since the log was followed first. */
struct follow_counts {
	uint64_t lines;
	uint64_t kinds[LOG_KINDS];
	uint64_t outcomes[OUTCOME_COUNT];     /* of recipients, whosesoever message it was */
	uint64_t ours;			      /* recipients of messages that Penstock let go ... */
	uint64_t others;		      /* ... and those of which it knows nothing */
	uint64_t lost;			      /* lines that journald says it has dropped */
	uint64_t wordings;		      /* replies whose words no row knows */
	uint64_t clients[CLIENT_EVENT_COUNT]; /* what clients did */
	uint64_t stages[CLIENT_STAGE_COUNT];  /* ... where they were when they hung up */
};

struct follow {
	struct follow_parts parts;
	struct queue_map *map;	   /* owned */
	struct waiting *waiting;   /* owned */
	struct sessions *sessions; /* owned */
	struct quits *quits;	   /* owned */
	uint64_t ordinal;	   /* of the last line */
	int64_t time_us;	   /* ... and its time */
	struct follow_counts counts;
	struct samples unknown, wordings; /* since this process began */
	bool rests_changed; /* a transport's rest began or ended: the daemons should hear of it; the caller clears it */
};

/* False: no memory. */
bool follow_init(struct follow *follow, const struct follow_parts *parts);
void follow_release(struct follow *follow);

/* The next line. `known` false: it has no head, and head->message is all of it. */
void follow_line(struct follow *follow, const struct log_head *head, bool known);
/* There will be no more lines: those that wait belong to nobody. */
void follow_end(struct follow *follow);

/* Rows of the checkpoint file. follow_load() is false where the row is none of it, or none that is right. */
void follow_save(const struct follow *follow, struct checkpoint *to);
bool follow_load(struct follow *follow, const struct checkpoint_row *row);

#endif
