/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace: what became of each message, a line each in a file for each day, so that an admin can search it with
 * penstockctl trace, or with grep. The forms of the lines are in milter/trace/trace_row.h, the index beside each file
 * is milter/trace/trace_index.h's.
 *
 * A line goes to the file of the day (UTC) of its own time. One that is of an earlier day than the newest file is goes
 * to the newest: so the order of the lines over all files is the one in which they were noted, and a message stands
 * before its deliveries. Nothing here is fatal: what cannot be written is counted and said once. One thread. All
 * functions take a `trace` of NULL and do nothing then: follow.trace_days is 0.
 */
#ifndef PENSTOCK_TRACE_H
#define PENSTOCK_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_event;
struct queued;
struct reply_class;
struct span;
struct trace;
struct trace_row;

struct trace_options {
	const char *folder; /* STATE/trace: made where it is missing, mode 750; borrowed until trace_open() returns */
	int64_t days;	    /* 1 and more: files of earlier days are removed by trace_tick() */
	bool hashed;	    /* follow.trace_recipients = "hashed" */
	const char *salt;   /* facts.salt; "": the key is a file in the folder, made where it is missing */
};

/* How far the files had been written: of a checkpoint. */
struct trace_place {
	int64_t day;	/* of the newest file, days since 1970; 0: there is none yet */
	int64_t length; /* bytes of it; -1: none was written, and trace_cut() does nothing */
};

struct trace_stats {
	uint64_t rows, bytes; /* written since the start */
	uint64_t lost;	      /* rows that could not be written */
	bool losing;	      /* the last write failed ... */
	char why[160];	      /* ... why */
};

/* NULL with one sentence in `error` where the folder or the key cannot be had. */
struct trace *trace_open(const struct trace_options *options, char *error, size_t error_size);
void trace_close(struct trace **trace); /* writes what waits */

/* LOG_MESSAGE_ID, or LOG_QUEUED that has one: kept for a while, until the message's own line comes. */
void trace_message_id(struct trace *trace, const struct log_event *event);
/* The line of a message that Penstock answered, once: `verdict` is a LOG_VERDICT, `queued` the map's entry of it; NULL:
 * it has none, since it was refused. */
void trace_message(struct trace *trace, const struct log_event *verdict, const struct queued *queued);
/* One delivery attempt of it; `delivery` is LOG_DELIVERY or LOG_EXPIRED (then `rcpt` is NULL), `receiver` a name or "".
 */
void trace_delivery(struct trace *trace, const struct queued *queued, const struct span *rcpt,
		    const struct log_event *delivery, const struct reply_class *class, const char *receiver);
/* postsuper -r gave it another queue id: LOG_REQUEUED of a message that the map knows. */
void trace_requeued(struct trace *trace, const struct log_event *requeued);
/* What these make of it: any row, with its recipient in clear. */
void trace_write(struct trace *trace, const struct trace_row *row);

/* Each second or so, with the wall clock: writes what waits, brings the index after, a piece at a time, removes old
 * files. Lines whose day is later than tomorrow by this clock count as out of order: who can write to the log cannot
 * make the trace end. */
void trace_tick(struct trace *trace, int64_t now_s);

/* Writes what waits, and says where that ends. */
struct trace_place trace_position(struct trace *trace);
/* Before the first row: cuts the files back to where a checkpoint was saved, so that lines that are read again are not
 * written twice. Rows that a crash of the host took are lost. */
void trace_cut(struct trace *trace, const struct trace_place *place);

struct trace_stats trace_stats(const struct trace *trace);

#endif
