/* SPDX-License-Identifier: BSD-2-Clause
 *
 * checkpoint: all that the follower must know after a restart, in one file that is replaced as a whole. Rows of fields,
 * in text: a row a line, a tab between fields; tabs, newlines, backslashes and other control bytes are \xNN. The first
 * row has the version, the last one how many rows there are and a hash of them: a file without that is none.
 *
 * What a row's fields mean is known by who wrote it: each begins with a word of its own.
 */
#ifndef PENSTOCK_CHECKPOINT_H
#define PENSTOCK_CHECKPOINT_H

#include "milter/follow/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	CHECKPOINT_VERSION = 1,
	CHECKPOINT_FIELDS_MOST = 32,
	CHECKPOINT_BYTES_MOST = 256 * 1024 * 1024, /* of the file */
};

/* ---- writing */

struct checkpoint;

/* NULL with a sentence in `error`. The file is FOLDER/NAME; what is written goes to FOLDER/NAME.new meanwhile. */
struct checkpoint *checkpoint_begin(const char *file, char *error, size_t error_size);
/* One row. Its first field is `word`. */
void checkpoint_row_begin(struct checkpoint *checkpoint, const char *word);
void checkpoint_add(struct checkpoint *checkpoint, const char *bytes, size_t length);
void checkpoint_add_string(struct checkpoint *checkpoint, const char *string);
void checkpoint_add_int(struct checkpoint *checkpoint, int64_t number);
void checkpoint_row_end(struct checkpoint *checkpoint);
/* Puts the file in its place, on the disk first. Releases the checkpoint. False with a sentence in `error`: the old one
 * stays. */
bool checkpoint_commit(struct checkpoint **checkpoint, char *error, size_t error_size);

/* The old one stays. */
void checkpoint_abandon(struct checkpoint **checkpoint);

/* ---- reading */

struct checkpoint_row {
	int count;
	struct span fields[CHECKPOINT_FIELDS_MOST]; /* fields[0] is the word; the text's, each with a NUL behind it */
};

/* Called for each row between the first and the last. False: the row is none of what is expected. */
typedef bool checkpoint_take(void *arg, const struct checkpoint_row *row);

/* Reads `length` bytes, which it changes. All rows are looked at before the first is given out: false with half a
 * sentence in `error`, and nothing or, where `take` said no, a part was given out. */
bool checkpoint_parse(char *bytes, size_t length, checkpoint_take *take, void *arg, char *error, size_t error_size);

/* The same for a file. No file is fine, and *found_out is false. */
bool checkpoint_load(const char *file, checkpoint_take *take, void *arg, bool *found_out, char *error,
		     size_t error_size);

/* A field as a number; false and *number_out as it was where it is none, or there is no such field. */
bool checkpoint_int(const struct checkpoint_row *row, int at, int64_t *number_out);
/* A field as a string; "" where there is none. It has no NUL inside. */
const char *checkpoint_string(const struct checkpoint_row *row, int at);

#endif
