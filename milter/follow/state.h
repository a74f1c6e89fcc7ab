/* SPDX-License-Identifier: BSD-2-Clause
 *
 * state: the checkpoint of a follower: which log it is and how far it was read, and what every part of it knew there.
 * May be saved only where no credit is under way: what is behind it is read again after a crash, and is refused by
 * Redis where that has it already.
 */
#ifndef PENSTOCK_STATE_H
#define PENSTOCK_STATE_H

#include "milter/follow/source.h"
#include "milter/follow/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct follow;
struct receivers;
struct trace;

/* What a checkpoint says. */
struct state {
	uint64_t writer; /* store_credit()'s: 40 bits, drawn where there was no checkpoint */
	struct source_place place;
	struct trace_place trace;
	bool traced;	 /* `trace` is known */
	char *receivers; /* receivers_write()'s bytes, owned; NULL: none */
	size_t receivers_length;
};

/* A descriptor that holds the folder until it is closed; -1 with a sentence: it cannot be written to, or another
 * process follows a log there. Two would take each other's place in the log, and the same numbers for other lines. */
int state_lock(const char *folder, char *error, size_t error_size);

/* `follow` is new, and is filled. No file: a new state, with a writer of its own, and that is fine. A file that is
 * damaged is moved to FILE.damaged, `error` is a sentence that says so, and the state is new; `error` is "" else. False
 * with a sentence: it may not be read, or the writer cannot be drawn. */
bool state_load(struct state *state, const char *file, const char *source_name, struct follow *follow, char *error,
		size_t error_size);
void state_release(struct state *state);

/* `receivers` and `trace` may be NULL. False with a sentence in `error`. */
bool state_save(const struct state *state, const char *file, const char *source_name, const struct follow *follow,
		const struct receivers *receivers, struct trace *trace, char *error, size_t error_size);

#endif
