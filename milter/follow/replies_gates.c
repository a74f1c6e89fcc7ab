/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is made of a table that was read: the gates of all rows close to each other, and replies out of its tests.
 */
#include "milter/follow/replies_inside.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* The gate of fewest letters first: it is closed most often. */
static size_t replies_gates_of(const struct reply_row *row, uint16_t *to)
{
	size_t used = 0;
	for (int size = 1; size < REPLIES_GATES_MAX; size++)
		for (const uint16_t *gate = row->gate; *gate != 0; gate += 1 + *gate)
			for (int i = 0; *gate == size && i <= size; i++)
				to[used++] = gate[i];
	to[used++] = 0;
	return used;
}

bool replies_gates_build(struct replies *replies)
{
	size_t used = 0;
	replies->gates = calloc(replies->count, sizeof replies->rows[0].gate);
	replies->gate = calloc(replies->count, sizeof replies->gate[0]);
	for (size_t i = 0; i < replies->count && replies->gates != NULL && replies->gate != NULL; i++) {
		replies->gate[i] = (uint32_t)used;
		used += replies_gates_of(&replies->rows[i], replies->gates + used);
	}
	return replies->gates != NULL && replies->gate != NULL;
}

/* A test is written as Postfix's log has the reply. */
void replies_gates_event(const struct reply_row *row, const char *text, struct log_event *event_out)
{
	static const char greeting[] = "refused to talk to me: ", stage[] = " (in reply to ";
	memset(event_out, 0, sizeof *event_out);
	event_out->kind = LOG_DELIVERY;
	event_out->remote = !row->own;
	event_out->greeting = strncmp(text, greeting, sizeof greeting - 1) == 0;
	text += event_out->greeting ? sizeof greeting - 1 : 0;
	const char *end = strstr(text, stage);
	event_out->stage_dot = end != NULL && strncmp(end + sizeof stage - 1, "end of DATA", 11) == 0;
	event_out->stage_mail = end != NULL && strncmp(end + sizeof stage - 1, "MAIL FROM", 9) == 0;
	event_out->text = (struct span){ text, end != NULL ? (size_t)(end - text) : strlen(text) };
	event_out->status = text[0] == '5' ? LOG_STATUS_BOUNCED : LOG_STATUS_DEFERRED;
}
