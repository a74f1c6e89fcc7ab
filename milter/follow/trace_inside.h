/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_inside: what the files of trace share.
 */
#ifndef PENSTOCK_TRACE_INSIDE_H
#define PENSTOCK_TRACE_INSIDE_H

#include "milter/follow/trace.h"
#include "milter/trace/trace_index.h"

enum { TRACE_BUFFER = 65536, TRACE_IDS = 2048 };

/* A Message-ID that waits for the message's own line. */
struct trace_id {
	char queue_id[101], message_id[251]; /* cut, as a row would */
};

struct trace {
	int folder; /* of the files */
	int64_t days;
	bool hashed;
	uint64_t key[2];
	int64_t now_s; /* trace_tick()'s; 0: it was not called yet */

	int64_t day; /* of the newest file; 0: none */
	int fd;	     /* of it; -1: none, or it cannot be opened */
	int64_t length;
	char buffer[TRACE_BUFFER]; /* whole rows that are to be written behind `length` */
	size_t waiting;
	uint64_t waiting_rows;
	bool untidy; /* there may be days to remove, and days without a whole index */
	struct trace_stats stats;
	uint64_t said;			/* of stats.lost, as the log has it */
	struct trace_id ids[TRACE_IDS]; /* by a hash of the queue id */
};

/* trace_files: the folder. Opens DAY's file; its length in *length_out, back to the last whole row. -1 with errno. */
int trace_files_open(int folder, int64_t day, bool make, int64_t *length_out);
/* The newest day that is there; 0: none. */
int64_t trace_files_newest(int folder);
/* Removes the days before `first`, and those behind `last`. */
void trace_files_keep(int folder, int64_t first, int64_t last);
/* Cuts DAY's file to `length`, and its index to the blocks that are whole then. */
void trace_files_cut(int folder, int64_t day, int64_t length);
/* A piece of work on the index of the newest day, or if it has all it can have, of another. False: nothing was to be
 * done. */
bool trace_files_index(int folder, int64_t newest);

#endif
