/* SPDX-License-Identifier: BSD-2-Clause
 *
 * status: what the follower tells others by Redis: the key follow:NODE, which daemons read
 * (redis-schema/follow_head.h), and followed:NODE, a JSON object for people.
 */
#ifndef PENSTOCK_STATUS_H
#define PENSTOCK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct credit;
struct follow;
struct notes;
struct queue_hold;
struct quits_act;
struct trace;
struct receivers;
struct log_source;
struct store;

enum {
	STATUS_EVERY_MS = 2000, /* written at most so often, and where nothing changed, ... */
	STATUS_KEEP_S = 600,	/* ... often enough that it stays */
};

struct status {
	struct store *store; /* borrowed */
	char *receivers_key, *counts_key;
	int64_t written_ms, rows_ms; /* monotonic: when they were written last */
	int64_t number;		     /* follow_head's */
	uint64_t rows_hash;	     /* of what stood behind the head */
	uint64_t ordinal;	     /* of the last line then */
	uint64_t rate_lines;	     /* for lines a second */
	double rate;
	uint64_t troubles; /* a bit for each that was told */
};

/* What is there to tell. All borrowed. */
struct status_now {
	const struct trace *trace; /* NULL: none is kept */
	const struct queue_hold *hold;
	const struct notes *notes;
	const struct quits_act *quits_act;
	bool require_quit; /* clients.require_quit */
	bool ending;	   /* nobody follows the log from now on */
	const struct follow *follow;
	const struct log_source *source;
	const struct credit *credit;
	const struct receivers *receivers;
	int64_t now_ms;	   /* Unix */
	bool at_end;	   /* of the log */
	bool reading;	   /* false: Redis does not take what comes of it */
	bool save_failing; /* checkpoints cannot be written ... */
	bool save_stops;   /* ... and until then no line is read */
};

bool status_init(struct status *status, const char *node); /* `store` is there already. False: no memory */
void status_release(struct status *status);

/* To be called each second or so. */
void status_write(struct status *status, const struct status_now *now);

#endif
