/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_hold_tell: a line of the log and an event (kind held) where messages of the queue were put on hold, released or
 * deleted.
 */
#ifndef PENSTOCK_QUEUE_HOLD_TELL_H
#define PENSTOCK_QUEUE_HOLD_TELL_H

#include "milter/follow/queue_helper.h"

#include <stdint.h>

struct config;
struct store;

/* `why`: an admin's words, or "level"; of what is held alone. */
void queue_hold_tell(struct store *store, const struct config *config, const char *node, const char *account,
		     enum queue_verb verb, int64_t count, const char *why);

#endif
