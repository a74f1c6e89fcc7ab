/* SPDX-License-Identifier: BSD-2-Clause
 *
 * behaviour: what a client did, by one line of the log: the notes that the daemons count (redis-schema/client_note.h).
 * One table of what each kind of line is worth. Pure.
 */
#ifndef PENSTOCK_FOLLOW_BEHAVIOUR_H
#define PENSTOCK_FOLLOW_BEHAVIOUR_H

#include "milter/follow/log_event.h"
#include "milter/follow/sessions.h"
#include "redis-schema/client_note.h"

enum { BEHAVIOUR_MOST = 2 };

/* How many notes there are. `news` is what sessions_hear() said of the line. */
int behaviour_of(const struct log_head *head, const struct log_event *event, const struct session_news *news,
		 struct client_note notes[BEHAVIOUR_MOST]);

#endif
