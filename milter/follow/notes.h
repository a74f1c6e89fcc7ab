/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notes: what the log says of clients, on its way into the stream PREFIX:clients of Redis, which every daemon reads.
 * A batch goes under the ordinal of its last line; the daemons leave out a batch whose ordinal is not above the last
 * one that they saw of this log. So a batch whose answer was lost goes again as it was; and who reads lines again after
 * a crash first asks the stream up to which line it has them, and leaves out those.
 *
 * What waits is bounded: Redis keeps no more either, so while it is away the oldest are lost, counted and said. Loop
 * thread only. No clock: its user gives the time.
 */
#ifndef PENSTOCK_FOLLOW_NOTES_H
#define PENSTOCK_FOLLOW_NOTES_H

#include "redis-schema/client_note.h"

#include <stdbool.h>
#include <stdint.h>

struct notes;
struct store;

enum {
	NOTES_MOST = 50000,   /* that wait; some 120 bytes each */
	NOTES_EVERY_MS = 500, /* a batch that is not full waits so long for more */
};

/* More may be sent, or nothing waits any more. Called from within an answer of the store's. */
typedef void notes_eased(void *arg);

/* `store` is borrowed and ends first: store_free(), then notes_free(). `writer` is credit_new()'s. NULL: no memory. */
struct notes *notes_new(struct store *store, const char *node, uint64_t writer, notes_eased *eased, void *arg);
void notes_free(struct notes **notes);

/* Of the line with this ordinal, which never falls. */
void notes_add(struct notes *notes, uint64_t ordinal, const struct client_note *note);
/* The line is worked off. Sends where that is due, or `at_once`; `now_ms` is monotonic. */
void notes_send(struct notes *notes, int64_t now_ms, bool at_once);
/* Once a second: what Redis did not take is tried again. */
void notes_tick(struct notes *notes, int64_t now_ms);

/* Redis has all of them: a checkpoint behind the last line loses nothing. */
bool notes_idle(const struct notes *notes);

struct notes_counts {
	uint64_t pending; /* wait, or are under way */
	uint64_t sent;
	uint64_t left_out; /* the stream had them already */
	uint64_t lost;	   /* too many waited, or Redis refused them for good */
	char why[160];	   /* ... it says why; "": it does not */
};
struct notes_counts notes_counts(const struct notes *notes);

#endif
