/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients_inside: what the files of the clients' table are to each other. Each guards its own with a lock of its own.
 */
#ifndef PENSTOCK_CLIENTS_INSIDE_H
#define PENSTOCK_CLIENTS_INSIDE_H

#include "milter/clients/clients.h"
#include "milter/clients/clients_report.h"
#include "milter/clients/clients_table.h"

/* ---- clients.c: the tables, and rows as they are, by their place, for the snapshot */

bool clients_open(int64_t most); /* false: no memory */
void clients_close(void);
void clients_set(const struct config *config);

size_t clients_copy(enum clients_kind kind, size_t place, struct clients_entry entries[CLIENTS_WALK_MOST]);
void clients_restore(enum clients_kind kind, const struct clients_entry *entry);
/* Its members of rows and of what was forgotten. */
void clients_fill_stats(struct clients_stats *stats);

/* ---- clients_hours.c: totals by hour, and since the start */

bool clients_hours_start(void); /* false: no memory */
void clients_hours_stop(void);
void clients_hours_note(const struct client_note *note, int64_t now_s);
void clients_hours_session(enum client_standing standing, bool encrypted, int64_t now_s);
void clients_hours_message(enum client_standing standing, bool encrypted, bool spam, int64_t now_s);
/* Place 0 to CLIENTS_HOURS_MOST - 1; false: nothing is there. */
bool clients_hours_copy(size_t place, struct clients_hour *hour_out);
void clients_hours_restore(const struct clients_hour *hour);
void clients_hours_jumped(int64_t hour); /* the alarm was on in it */
void clients_hours_fill_stats(struct clients_stats *stats);

/* ---- clients_slow.c: places of clients that wait */

void clients_slow_set(int64_t most);
/* Once a second: is it to be said that all are taken? */
void clients_slow_look(void);
void clients_slow_fill_stats(struct clients_stats *stats);

/* ---- clients_lists.c: ready lists and how many clients stand how */

bool clients_lists_start(void); /* false: no memory */
void clients_lists_stop(void);
void clients_lists_make(void); /* walks the whole table */
void clients_lists_fill_stats(struct clients_stats *stats);

/* ---- clients_keeper.c: the thread that does what takes time */

bool clients_keeper_start(const char *folder); /* after the snapshot was read; "": there is none */
void clients_keeper_stop(void);		       /* saves */

/* ---- clients_save.c: the snapshot */

/* Reads what is there, into tables that are empty. A file that is no whole snapshot is set aside, which is logged. */
void clients_save_read(const char *folder);
/* Whether it could be written is the trouble TROUBLE_CLIENTS. */
void clients_save_write(const char *folder);
void clients_save_fill_stats(struct clients_stats *stats);

/* ---- clients_batches.c: what entries of the stream hold, and up to where it is counted */

enum { CLIENTS_WRITERS_MOST = 256, CLIENTS_STREAM_ID_MAX = 48, CLIENTS_WRITER_NAME_MAX = 64 };

/* Up to where one follower's batches are counted. */
struct clients_writer {
	char name[CLIENTS_WRITER_NAME_MAX]; /* "NODE:WRITER" */
	uint64_t ordinal;
	int64_t heard_s;
};

struct clients_position {
	char last_id[CLIENTS_STREAM_ID_MAX]; /* of the stream; "": none was read */
	int writer_count;
	struct clients_writer writers[CLIENTS_WRITERS_MOST];
};

/* Counts the entries of an answer to XRANGE; how many there were, -1: it halts, and nothing was counted. `back`: it was
 * asked for from the last one on, and that one does not count again. */
int clients_batches_count(bool back, int count, const char *const *items);
/* Which one was the last; "": none. False: it halts. */
bool clients_batches_last(char id[CLIENTS_STREAM_ID_MAX]);
/* From here on to the second nothing is counted of the stream: what is copied meanwhile fits to the position. */
void clients_batches_halt(struct clients_position *position_out);
void clients_batches_go_on(void);
void clients_batches_restore(const struct clients_position *position); /* NULL: from nothing */
void clients_batches_fill_stats(struct clients_stats *stats);

/* ---- clients_stream.c: asks Redis for them */

bool clients_stream_start(struct event_base *base);
void clients_stream_stop(void);
void clients_stream_fill_stats(struct clients_stats *stats);

/* ---- clients_alarm.c: sessions without QUIT against what is usual */

void clients_alarm_note(const struct client_note *note, uint32_t as_number, int64_t now_s);
/* Once a minute. */
void clients_alarm_look(int64_t now_s);
/* Since when it is on; 0: it is not. Restored, the rest is learnt anew of the hours. */
int64_t clients_alarm_since_s(void);
void clients_alarm_restore(int64_t since_s);

#endif
