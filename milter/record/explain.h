/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain: what support wants to know of a message later: the whole sum as it was then, what happened and what the
 * client was told. One entry for each notable message in the stream `explain` of Redis (redis-schema/README.md),
 * bounded by explain.keep and explain.days, written without waiting and kept while Redis is away.
 *
 * Notable: refused, held, slowed, tagged, moved by a signal, of a suspect account, of one whose level changed, or
 * one that would have been treated otherwise but for a rule which runs in shadow mode, or for the account's exemption.
 * What happens to an account again within a minute, for the same cause, at the same level, has the reference of the
 * last entry: a flood of refusals writes one entry a minute, and each reference that somebody was told is found. Of
 * messages that were taken, whose queue id people have in hand, the first ten a minute have entries of their own; of
 * the others the stream `explain_ids` has the queue id and the reference of one that was judged alike: some 50 bytes,
 * EXPLAIN_ALIKE times as many as there are entries.
 */
#ifndef PENSTOCK_EXPLAIN_H
#define PENSTOCK_EXPLAIN_H

#include "milter/message/session.h"

#include <jansson.h>

enum { EXPLAIN_ALIKE = 10 };

/* The verdict stands: gives the message its reference, or none. Before the MTA is told. Any thread. */
void explain_refer(const struct session *session);

/* Sends the entry, where the message needs one of its own. Any thread; never waits. */
void explain_note(const struct session *session, enum stage stage, const char *queue_id);

/* With all sessions ended. */
void explain_clear(void);

#endif
