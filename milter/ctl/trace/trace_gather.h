/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_gather: all rows of some queue ids, and the messages that they tell of.
 */
#ifndef PENSTOCK_TRACE_GATHER_H
#define PENSTOCK_TRACE_GATHER_H

#include "milter/ctl/trace/trace_scan.h"

enum { TRACE_GATHER_MOST = 300000 }; /* rows; some 100 MB */

/* Queue ids. Zero is none. */
struct trace_ids {
	json_t *set;
	uint64_t *hashes;
	int count;
};
void trace_ids_add(struct trace_ids *ids, const char *id); /* NULL: nothing */
void trace_ids_free(struct trace_ids *ids);

/* A message and its deliveries, in the order in which they were noted. */
struct trace_story {
	struct trace_kept *message;	/* NULL: its row is gone, or in no file that was looked at; owned */
	struct trace_kept **deliveries; /* and the rows of new queue ids; owned */
	int count;
};
int64_t trace_story_time(const struct trace_story *story); /* ms; of the message, else of its first delivery */
/* Its first row: no other story has the same. */
const struct trace_kept *trace_story_head(const struct trace_story *story);

struct trace_stories {
	struct trace_story *at; /* owned */
	int count;
	int64_t rows;
	bool cut; /* there were too many rows */
};
/* Adds those of the days `first` to `last`. Queue ids that messages got later are followed; `ids` gets those that they
 * had before: true where there are such, and another call with an earlier `first` finds more. */
bool trace_gather(const struct trace_days *days, int64_t first, int64_t last, struct trace_ids *ids,
		  struct trace_stories *stories);
void trace_story_free(struct trace_story *story); /* what it owns */
void trace_stories_free(struct trace_stories *stories);
/* A story of one row, which it takes over. */
void trace_stories_add(struct trace_stories *stories, struct trace_kept *message);

#endif
