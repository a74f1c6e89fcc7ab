/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_hold: mail of a blocked account that is in the queue already does not leave: it is put on hold within some
 * seconds, and released when the block ends. What the milter did not see as bad yet is stopped so.
 *
 * Every QUEUE_HOLD_MS some of the accounts that have mail in the queue are looked up in Redis and judged as the daemon
 * would (judge_account()): blocked by their level or by an admin, and neither exempt nor in shadow mode. Where Redis
 * does not answer nothing changes. Only what was put on hold here is released here: what an admin or the milter holds
 * stays theirs, and what an admin releases is not held again. Nothing is deleted, and nothing is released because it is
 * old: mail of an account that is never pardoned stays until an admin looks at it.
 */
#ifndef PENSTOCK_QUEUE_HOLD_H
#define PENSTOCK_QUEUE_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint;
struct checkpoint_row;
struct config;
struct event_base;
struct queue_hold;
struct queue_map;
struct store;

enum {
	QUEUE_HOLD_MS = 2000,
	QUEUE_HOLD_ACCOUNTS = 1000, /* looked up at once */
};

struct queue_hold_counts {
	size_t held;		  /* now, by us */
	uint64_t holds, releases; /* messages, since the start */
	uint64_t failed;	  /* requests that penstock-queue did not fulfil */
	bool failing;		  /* the last one */
};

/* All borrowed. NULL: no memory. Before queue_hold_start() it does nothing, but may be loaded; nothing either where
 * follow.hold_blocked is false. */
struct queue_hold *queue_hold_new(const struct config *config);
void queue_hold_start(struct queue_hold *hold, struct event_base *base, struct store *store, struct queue_map *map,
		      const char *node);
/* Behind store_free(), which ends what was asked. */
void queue_hold_free(struct queue_hold **hold);

/* As often as you like; of no use before `now_ms` (monotonic) has gone on by QUEUE_HOLD_MS. */
void queue_hold_tick(struct queue_hold *hold, int64_t now_ms);

/* Has a checkpoint to be saved since it was asked last? */
bool queue_hold_changed(struct queue_hold *hold);

struct queue_hold_counts queue_hold_counts(const struct queue_hold *hold);

/* Rows of the checkpoint file. queue_hold_load() is false where the row is none of it; before the map is loaded or
 * after. */
void queue_hold_save(struct queue_hold *hold, struct checkpoint *to);
bool queue_hold_load(struct queue_hold *hold, const struct checkpoint_row *row);

#endif
