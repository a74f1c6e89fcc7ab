/* SPDX-License-Identifier: BSD-2-Clause
 *
 * waiting: lines about a message whose own line, Penstock's, has not been read yet. Programs write a log side by side,
 * and what came first need not stand first. They wait by the log's own time, and then belong to no message of ours.
 */
#ifndef PENSTOCK_WAITING_H
#define PENSTOCK_WAITING_H

#include "milter/follow/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint;
struct checkpoint_row;
struct waiting;

enum {
	WAITING_MOST = 20000, /* lines, and ... */
	WAITING_BYTES_MOST = 16 * 1024 * 1024,
	WAITING_S = 60,
};

/* One of them, the caller's: to be freed with free(). The head points into it. */
struct waiting_line {
	struct log_head head;
	const char *queue_id;	   /* into the same memory */
	struct waiting_line *next; /* waiting's own, as what follows */
	struct waiting_line *older, *newer;
	size_t size;
	char bytes[];
};

struct waiting *waiting_new(void); /* NULL: no memory */
void waiting_free(struct waiting **waiting);

/* Copies it. Where that are too many the oldest goes: waiting_pass() hands it out first. */
void waiting_add(struct waiting *waiting, const struct span *queue_id, const struct log_head *head);
bool waiting_has(const struct waiting *waiting, const struct span *queue_id);
/* The oldest line about this message; NULL: none, or none any more. */
struct waiting_line *waiting_take(struct waiting *waiting, const struct span *queue_id);
/* The oldest line of all where it has waited for WAITING_S, or there are too many; else NULL. */
struct waiting_line *waiting_pass(struct waiting *waiting, int64_t now_us);
/* The oldest line of all; NULL: none is left. */
struct waiting_line *waiting_take_oldest(struct waiting *waiting);

struct waiting_counts {
	size_t lines, bytes; /* now */
	uint64_t lost;	     /* for want of memory */
};
struct waiting_counts waiting_counts(const struct waiting *waiting);

/* Rows of the checkpoint file. waiting_load() is false where the row is none of it. */
void waiting_save(const struct waiting *waiting, struct checkpoint *to);
bool waiting_load(struct waiting *waiting, const struct checkpoint_row *row);

#endif
