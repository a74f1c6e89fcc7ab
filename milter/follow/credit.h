/* SPDX-License-Identifier: BSD-2-Clause
 *
 * credit: what the mail log says of accounts, on its way into their records in Redis. Each credit has the ordinal of
 * the line that made it; Redis takes each number of an account once (store_credit()), so who reads lines again after a
 * crash adds the same credits with the same ordinals again, and nothing counts twice.
 *
 * What Redis has not acknowledged waits here, in the order in which it came, bounded: where it is full nobody reads on,
 * and the log itself is the queue. Of one account one request is under way, of several accounts some at once.
 *
 * Loop thread only. No clock: its user calls credit_tick().
 */
#ifndef PENSTOCK_CREDIT_H
#define PENSTOCK_CREDIT_H

#include "redis-schema/store/store.h"

enum { CREDITS_MOST = 100000 }; /* that wait; some 220 bytes each */

struct credit;

/* It is no longer full, or idle now: read on, or save a checkpoint. Called on the loop thread, from within an answer of
 * the store's; it may call all of these functions but credit_free(). */
typedef void credit_eased(void *arg);

/* `store` is borrowed and ends first: store_free(), then credit_free(). `writer` is 40 bits that were drawn once for
 * this log and are kept with its ordinals (store_credit()). At most `most` credits wait. NULL: no memory. */
struct credit *credit_new(struct store *store, uint64_t writer, size_t most, credit_eased *eased, void *arg);
void credit_free(struct credit **credit);

/* `counts` of the line with this ordinal, for the account: they wait, and nothing is sent before credit_send().
 * Ordinals are from 1 to 2^40 - 1 and never fall; what one line adds to one account is one credit, in however many
 * calls, which credit_send() must not part. Counts of nought are nothing. May be called where it is full: a line that
 * was read is worked off. */
void credit_add(struct credit *credit, const char *account, uint64_t ordinal, const double counts[COUNTER_COUNT]);
/* The line is worked off: what waits may go. To be called before the loop waits; cheap. */
void credit_send(struct credit *credit);
/* Once a second: what Redis did not take is tried again. */
void credit_tick(struct credit *credit);

/* So many wait that no further line should be read. */
bool credit_full(const struct credit *credit);
/* All that was added is acknowledged, or given up: a checkpoint behind the last line loses and repeats nothing. */
bool credit_idle(const struct credit *credit);

struct credit_counts {
	uint64_t pending;  /* wait, or are under way */
	uint64_t done;	   /* Redis added them */
	uint64_t refused;  /* it had them already */
	uint64_t given_up; /* the record is not ours to change, or there was no memory */
};
struct credit_counts credit_counts(const struct credit *credit);

#endif
