/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/state.h"

#include "milter/base/plain_file.h"
#include "milter/follow/checkpoint.h"
#include "milter/follow/follow.h"
#include "milter/follow/queue_hold.h"
#include "milter/follow/receivers.h"
#include "policy/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/base/banned.h"

#define STATE_WRITER_ROW "writer"
#define STATE_TRACE_ROW "trace"
#define STATE_RECEIVERS_ROW "receivers" /* so many, each with a piece */

enum {
	STATE_PIECE = 16 * 1024,
	STATE_RECEIVERS_MOST = 16 * 1024 * 1024,
	STATE_WRITER_BITS = 40,
};

/* ---- the folder */

int state_lock(const char *folder, char *error, size_t error_size)
{
	char path[1024];
	const char *why;
	struct text name = text_over(path, sizeof path);
	text_addf(&name, "%s/lock", folder);
	int fd = plain_file_open(path, O_RDWR | O_CREAT, &why);
	if (fd < 0) {
		snprintf(error, error_size, "%s: it cannot be written: %s", path, why);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	snprintf(error, error_size, "%s: another penstock-follow keeps its state in this folder (follow.state): %s",
		 path, strerror(errno));
	close(fd);
	return -1;
}

/* ---- reading */

struct state_reading {
	struct state *state;
	struct follow *follow;
	const char *source_name;
};

static bool state_take_receivers(struct state *state, const struct span *piece)
{
	size_t length = state->receivers_length + piece->length;
	char *bytes = length <= STATE_RECEIVERS_MOST ? realloc(state->receivers, length + 1) : NULL;
	if (bytes == NULL)
		return false;
	memcpy(bytes + state->receivers_length, piece->at, piece->length);
	bytes[length] = '\0';
	state->receivers = bytes;
	state->receivers_length = length;
	return true;
}

static bool state_take(void *arg, const struct checkpoint_row *row)
{
	const struct state_reading *reading = arg;
	struct state *state = reading->state;
	struct span word = row->fields[0];
	int64_t writer;
	if (span_is(word, STATE_WRITER_ROW)) {
		bool fine = checkpoint_int(row, 1, &writer) && writer > 0 && writer >> STATE_WRITER_BITS == 0;
		state->writer = fine ? (uint64_t)writer : 0;
		return fine;
	}
	state->traced = state->traced || span_is(word, STATE_TRACE_ROW);
	if (span_is(word, STATE_TRACE_ROW))
		return checkpoint_int(row, 1, &state->trace.day) && checkpoint_int(row, 2, &state->trace.length);
	if (span_is(word, STATE_RECEIVERS_ROW))
		return row->count == 2 && state_take_receivers(state, &row->fields[1]);
	struct queue_hold *hold = reading->follow->parts.hold;
	return source_place_load(&state->place, reading->source_name, row) || follow_load(reading->follow, row) ||
	       (hold != NULL && queue_hold_load(hold, row));
}

static bool state_draw_writer(struct state *state)
{
	while (state->writer == 0) {
		if (getrandom(&state->writer, sizeof state->writer, 0) != (ssize_t)sizeof state->writer)
			return false;
		state->writer >>= 64 - STATE_WRITER_BITS;
	}
	return true;
}

/* As if there had been none. */
static bool state_begin_anew(struct state *state, struct follow *follow)
{
	struct follow_parts parts = follow->parts;
	state_release(state);
	*state = (struct state){ 0 };
	follow_release(follow);
	return follow_init(follow, &parts);
}

bool state_load(struct state *state, const char *file, const char *source_name, struct follow *follow, char *error,
		size_t error_size)
{
	struct state_reading reading = { state, follow, source_name };
	char why[512] = "";
	bool found;
	*state = (struct state){ 0 };
	error[0] = '\0';
	bool whole = checkpoint_load(file, state_take, &reading, &found, why, sizeof why);
	if (!whole && !found) {
		snprintf(error, error_size, "%s", why);
		return false;
	}
	if (found && (!whole || state->writer == 0)) {
		char aside[1024];
		struct text name = text_over(aside, sizeof aside);
		text_addf(&name, "%s.damaged", file);
		snprintf(error, error_size, "%s; it is now %s, and the log is followed as if for the first time",
			 whole ? "the checkpoint has no writer" : why, aside);
		if (rename(file, aside) != 0 || !state_begin_anew(state, follow))
			return false;
	}
	if (state_draw_writer(state))
		return true;
	snprintf(error, error_size, "no random number can be had: %s", strerror(errno));
	return false;
}

void state_release(struct state *state)
{
	free(state->receivers);
	state->receivers = NULL;
}

/* ---- writing */

static bool state_save_receivers(const struct receivers *receivers, struct checkpoint *to)
{
	size_t length;
	char *bytes = receivers_write(receivers, &length);
	if (bytes == NULL)
		return false;
	for (size_t at = 0; at < length; at += STATE_PIECE) {
		checkpoint_row_begin(to, STATE_RECEIVERS_ROW);
		checkpoint_add(to, bytes + at, length - at < STATE_PIECE ? length - at : STATE_PIECE);
		checkpoint_row_end(to);
	}
	free(bytes);
	return true;
}

bool state_save(const struct state *state, const char *file, const char *source_name, const struct follow *follow,
		const struct receivers *receivers, struct trace *trace, char *error, size_t error_size)
{
	struct checkpoint *to = checkpoint_begin(file, error, error_size);
	if (to == NULL)
		return false;
	checkpoint_row_begin(to, STATE_WRITER_ROW);
	checkpoint_add_int(to, (int64_t)state->writer);
	checkpoint_row_end(to);
	source_place_save(&state->place, source_name, to);
	if (trace != NULL) {
		struct trace_place place = trace_position(trace);
		checkpoint_row_begin(to, STATE_TRACE_ROW);
		checkpoint_add_int(to, place.day);
		checkpoint_add_int(to, place.length);
		checkpoint_row_end(to);
	}
	follow_save(follow, to);
	if (follow->parts.hold != NULL)
		queue_hold_save(follow->parts.hold, to);
	if (receivers != NULL && !state_save_receivers(receivers, to)) {
		checkpoint_abandon(&to);
		snprintf(error, error_size, "%s: no memory to write it", file);
		return false;
	}
	return checkpoint_commit(&to, error, error_size);
}
