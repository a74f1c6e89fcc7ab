/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_map: whose message a queue id is, for as long as the message is in the queue.
 *
 * Bounded: where it is full the message that has been known longest is forgotten, and counted. All times are those of
 * the log's lines, and nothing hangs on the order of the table: the same lines leave the same map.
 */
#ifndef PENSTOCK_QUEUE_MAP_H
#define PENSTOCK_QUEUE_MAP_H

#include "milter/follow/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint;
struct checkpoint_row;
struct log_event;
struct queue_map;

enum {
	QUEUE_MAP_MOST = 200000,    /* messages; each takes some 300 bytes */
	QUEUE_MAP_BYTES_MOST = 200, /* ... of strings for each message that there may be: senders can be long */
	QUEUED_DAYS_MOST = 35,	    /* one whose end was never seen is forgotten then */
	QUEUED_DONE_S =
		3600, /* one whose recipients all have their end is kept so long: an alias may make more of them */
	QUEUED_FIELD_MOST = 1000, /* bytes of one of the strings below; longer ones are cut */
};

/* A message. The strings are never NULL, "" where the line did not say, and the map's: good until the next call that
 * changes it. */
struct queued {
	const char *queue_id;
	const char *account; /* a name of policy/account.h */
	const char *transport, *reference, *customer, *level;
	const char *sender; /* without angle brackets */
	int64_t time_us;    /* of Penstock's line */
	int64_t size;	    /* bytes */
	int64_t rcpts;	    /* recipients that the queue manager counts; 0: it has not said yet */
	int64_t ended;	    /* of these, how many were delivered or returned */
	int64_t done_us;    /* when the last one was; 0: some are left */
};

struct queue_map *queue_map_new(size_t most); /* NULL: no memory */
void queue_map_free(struct queue_map **map);

/* NULL: no such message. */
const struct queued *queue_map_find(const struct queue_map *map, const struct span *queue_id);

/* Penstock's line: `account` is the name that its word means. A queue id that is used again is another message. NULL:
 * it has no queue id or account, or there is no memory. */
const struct queued *queue_map_add(struct queue_map *map, const struct log_event *verdict, const char *account);
/* LOG_QUEUED, LOG_REMOVED, LOG_REQUEUED. Of a message that is not known: nothing happens. False then. */
bool queue_map_queued(struct queue_map *map, const struct log_event *event);
bool queue_map_removed(struct queue_map *map, const struct log_event *event);
bool queue_map_requeued(struct queue_map *map, const struct log_event *event);
/* The same message stands under `id`, too: a filter gave it back. False: there is one of that id already. */
bool queue_map_passed_on(struct queue_map *map, const struct span *queue_id, const struct span *id);
/* So many of its recipients have their end. */
void queue_map_ended(struct queue_map *map, const struct span *queue_id, int64_t rcpts, int64_t now_us);
/* How many have none yet, at least 1: whom LOG_EXPIRED is about. */
int64_t queued_left(const struct queued *queued);

/* Forgets messages of long ago, as that line's time has it; two at most, so that one line with a wrong date does not
 * empty the map. */
void queue_map_pass(struct queue_map *map, int64_t now_us);

struct queue_map_counts {
	size_t messages; /* now */
	uint64_t pushed; /* forgotten because it was full, or there was no memory */
	uint64_t passed; /* ... because they were old */
};
struct queue_map_counts queue_map_counts(const struct queue_map *map);

/* Those that are in the queue, in the order in which they came. `visit` changes nothing; false: no more. */
typedef bool queue_map_visit(void *arg, const struct queued *queued);
void queue_map_each(const struct queue_map *map, queue_map_visit *visit, void *arg);

/* Rows of the checkpoint file. queue_map_load() is false where the row is none of it. */
void queue_map_save(const struct queue_map *map, struct checkpoint *to);
bool queue_map_load(struct queue_map *map, const struct checkpoint_row *row);

#endif
