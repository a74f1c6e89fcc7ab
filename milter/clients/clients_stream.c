/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stream PREFIX:clients is read behind the last entry that was counted. At first, and where nothing came for a
 * while, that entry is asked for, too: where it is gone, entries were lost before they were read, or it is another
 * stream, which is read from its beginning. What was counted is known by its writer's ordinals, whatever the stream.
 */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/daemon/daemon.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	TICK_MS = 500,
	ENTRIES = 16,		/* that are asked for at one time */
	LOOKS_BACK_TICKS = 120, /* without an entry */
	ROWS_BYTES_MOST = CLIENT_NOTE_BATCH_MAX * CLIENT_NOTE_ROW_MAX,
	BAD_ROWS_SAID = 1,
};

static struct {
	pthread_mutex_t lock; /* of the position; held while a piece is counted, or all is copied */
	struct clients_position position;
	struct clients_stats stats; /* its part of them */
	struct event *tick;	    /* owned; this and what follows is the loop thread's */
	bool asking, looks_back;
	int idle;
} stream = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- one entry; with the lock held */

/* The writer's row; of too many the one that was silent for longest gives way. */
static struct clients_writer *clients_writer_of(const char *name, int64_t now_s)
{
	struct clients_position *position = &stream.position;
	struct clients_writer *oldest = &position->writers[0];
	for (int i = 0; i < position->writer_count; i++) {
		if (strcmp(position->writers[i].name, name) == 0)
			return &position->writers[i];
		if (position->writers[i].heard_s < oldest->heard_s)
			oldest = &position->writers[i];
	}
	if (position->writer_count < CLIENTS_WRITERS_MOST)
		oldest = &position->writers[position->writer_count++];
	*oldest = (struct clients_writer){ .heard_s = now_s };
	text_copy(oldest->name, sizeof oldest->name, name);
	return oldest;
}

/* "NODE:WRITER:ORDINAL" */
static bool clients_stream_name(const char *text, char name[CLIENTS_WRITER_NAME_MAX], uint64_t *ordinal_out)
{
	const char *colon = strrchr(text, ':');
	int64_t ordinal;
	if (colon == NULL || colon == text || (size_t)(colon - text) >= CLIENTS_WRITER_NAME_MAX ||
	    !text_to_int(colon + 1, 1, INT64_MAX, &ordinal))
		return false;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	*ordinal_out = (uint64_t)ordinal;
	return true;
}

static void clients_stream_bad(const char *id, const char *why)
{
	if (stream.stats.bad_rows++ < BAD_ROWS_SAID)
		log_line(SEVERITY_WARNING,
			 "clients: entry %s of the stream " KEY_PART_CLIENTS
			 " of Redis is no note of clients: %s; such "
			 "entries are left out",
			 id, why);
}

static void clients_stream_rows(const char *id, const char *rows)
{
	size_t left = strnlen(rows, ROWS_BYTES_MOST);
	for (int i = 0; i < CLIENT_NOTE_BATCH_MAX && left > 0; i++) {
		const char *end = memchr(rows, '\n', left);
		size_t length = end != NULL ? (size_t)(end - rows) : left;
		struct client_note note;
		char why[200];
		if (client_note_read(rows, length, &note, why, sizeof why))
			clients_note(&note);
		else
			clients_stream_bad(id, why);
		length += end != NULL;
		rows += length;
		left -= length;
	}
}

static void clients_stream_batch(const char *id, const char *number, const char *rows, int64_t now_s)
{
	char name[CLIENTS_WRITER_NAME_MAX];
	uint64_t ordinal;
	if (!clients_stream_name(number, name, &ordinal)) {
		clients_stream_bad(id, "its field n is not NODE:WRITER:ORDINAL");
		return;
	}
	struct clients_writer *writer = clients_writer_of(name, now_s);
	writer->heard_s = now_s;
	if (ordinal <= writer->ordinal) {
		stream.stats.again++;
		return;
	}
	writer->ordinal = ordinal;
	stream.stats.batches++;
	clients_stream_rows(id, rows);
}

/* ---- an answer: ID, then its fields and values, entry behind entry. An ID has a hyphen, and no field's name has. */

static bool clients_stream_is_id(const char *item)
{
	size_t digits = strspn(item, "0123456789");
	return digits > 0 && item[digits] == '-' && item[digits + 1] != '\0' &&
	       item[digits + 1 + strspn(item + digits + 1, "0123456789")] == '\0';
}

/* How many items the entry at `items` has; counts it where `counts`. */
static int clients_stream_entry(const char *const *items, int count, bool counts, int64_t now_s)
{
	const char *number = NULL, *rows = NULL;
	int at = 1;
	for (; at + 1 < count && items[at] != NULL && !clients_stream_is_id(items[at]); at += 2) {
		if (strcmp(items[at], "n") == 0)
			number = items[at + 1];
		else if (strcmp(items[at], "r") == 0)
			rows = items[at + 1];
	}
	text_copy(stream.position.last_id, sizeof stream.position.last_id, items[0]);
	if (counts && number != NULL && rows != NULL)
		clients_stream_batch(items[0], number, rows, now_s);
	else if (counts)
		clients_stream_bad(items[0], "it has not the fields n and r");
	return at;
}

/* The entry that was counted last is gone. */
static void clients_stream_gone(bool others)
{
	if (others) {
		stream.stats.gaps++;
		log_line(SEVERITY_WARNING, "clients: the stream " KEY_PART_CLIENTS
					   " of Redis has lost entries before they were read; what clients did then is "
					   "not counted here");
	} else {
		stream.position.last_id[0] = '\0';
	}
}

int clients_stream_count(bool back, int count, const char *const *items)
{
	int64_t now_s = clock_now_ms() / 1000;
	int entries = 0;
	bool there = back && count > 0 && items[0] != NULL && strcmp(items[0], stream.position.last_id) == 0;
	if (back && !there)
		clients_stream_gone(count > 0);
	for (int at = 0; at < count && items[at] != NULL && clients_stream_is_id(items[at]); entries++)
		at += clients_stream_entry(items + at, count - at, !there || entries > 0, now_s);
	stream.stats.stream_read_s = now_s;
	return there ? entries - 1 : entries;
}

/* ---- Redis */

static void clients_stream_ask(void);

/* That Redis is away is said elsewhere; what it says of this stream is. Said once, until it is another one, or none. */
static void clients_stream_trouble(const char *error)
{
	if (error != NULL && strncmp(error, "WRONGTYPE", 9) != 0 && strncmp(error, "NOPERM", 6) != 0)
		return;
	char why[sizeof stream.stats.stream_why];
	snprintf(why, sizeof why, "%s", error != NULL ? error : "");
	if (strcmp(stream.stats.stream_why, why) == 0)
		return;
	text_copy(stream.stats.stream_why, sizeof stream.stats.stream_why, why);
	if (error != NULL)
		log_line(SEVERITY_WARNING,
			 "clients: the stream " KEY_PART_CLIENTS
			 " of Redis cannot be read: Redis says \"%s\"; what the "
			 "logs say of clients is not known here",
			 why);
}

static void clients_stream_on_entries(void *arg, const char *error, int count, const char *const *items)
{
	int entries = 0;
	(void)arg;
	stream.asking = false;
	if (pthread_mutex_trylock(&stream.lock) != 0)
		return; /* it is being copied: asked again at the next tick */
	clients_stream_trouble(error);
	if (error == NULL) {
		entries = clients_stream_count(stream.looks_back, count, items);
		stream.looks_back = false;
		stream.idle = entries > 0 ? 0 : stream.idle + 1;
	}
	pthread_mutex_unlock(&stream.lock);
	if (entries >= ENTRIES - 1)
		clients_stream_ask();
}

static void clients_stream_ask(void)
{
	char from[CLIENTS_STREAM_ID_MAX + 1], count[12];
	if (stream.idle >= LOOKS_BACK_TICKS && stream.position.last_id[0] != '\0') {
		stream.looks_back = true;
		stream.idle = 0;
	}
	/* the position is written by this thread alone once it runs */
	snprintf(from, sizeof from, "%s%s", stream.looks_back || stream.position.last_id[0] == '\0' ? "" : "(",
		 stream.position.last_id[0] == '\0' ? "-" : stream.position.last_id);
	snprintf(count, sizeof count, "%d", ENTRIES);
	stream.asking = true;
	store_key_command(the_daemon.store, 6,
			  (const char *[]){ "XRANGE", KEY_PART_CLIENTS, from, "+", "COUNT", count },
			  clients_stream_on_entries, NULL);
}

static void clients_stream_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!stream.asking)
		clients_stream_ask();
}

bool clients_stream_start(struct event_base *base)
{
	struct timeval every = { .tv_usec = TICK_MS * 1000 };
	stream.stats = (struct clients_stats){ .batches = 0 };
	stream.looks_back = stream.position.last_id[0] != '\0';
	stream.asking = false;
	stream.idle = 0;
	stream.tick = event_new(base, -1, EV_PERSIST, clients_stream_on_tick, NULL);
	return stream.tick != NULL && event_add(stream.tick, &every) == 0;
}

void clients_stream_stop(void)
{
	if (stream.tick != NULL)
		event_free(stream.tick);
	stream.tick = NULL;
}

void clients_stream_forget(void)
{
	stream.position = (struct clients_position){ .writer_count = 0 };
}

/* ---- the snapshot */

void clients_stream_halt(struct clients_position *position_out)
{
	pthread_mutex_lock(&stream.lock);
	*position_out = stream.position;
}

void clients_stream_go_on(void)
{
	pthread_mutex_unlock(&stream.lock);
}

void clients_stream_restore(const struct clients_position *position)
{
	stream.position = *position;
}

/* ---- for people */

/* Figures that are one number each may be a moment old. */
void clients_stream_fill_stats(struct clients_stats *stats)
{
	if (pthread_mutex_trylock(&stream.lock) != 0)
		return;
	stats->batches = stream.stats.batches;
	stats->again = stream.stats.again;
	stats->bad_rows = stream.stats.bad_rows;
	stats->gaps = stream.stats.gaps;
	stats->stream_read_s = stream.stats.stream_read_s;
	memcpy(stats->stream_why, stream.stats.stream_why, sizeof stats->stream_why);
	pthread_mutex_unlock(&stream.lock);
}
