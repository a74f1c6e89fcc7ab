/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the entries of the stream hold, and up to where it is counted. An entry is a batch of one writer, known by its
 * ordinal: a batch that was counted is skipped, whatever the stream it comes by.
 */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"

#include <pthread.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	ROWS_BYTES_MOST = CLIENT_NOTE_BATCH_MAX * CLIENT_NOTE_ROW_MAX,
	BAD_ROWS_SAID = 1,
};

static struct {
	pthread_mutex_t lock; /* held while an answer is counted, or all is copied */
	struct clients_position position;
	uint64_t counted, again, bad_rows, gaps;
} batches = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- one entry; with the lock held */

/* The writer's row; of too many the one that was silent for longest gives way. */
static struct clients_writer *clients_batches_writer(const char *name, int64_t now_s)
{
	struct clients_position *position = &batches.position;
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
static bool clients_batches_name(const char *text, char name[CLIENTS_WRITER_NAME_MAX], uint64_t *ordinal_out)
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

static void clients_batches_bad(const char *id, const char *why)
{
	if (batches.bad_rows++ < BAD_ROWS_SAID)
		log_line(SEVERITY_WARNING,
			 "clients: entry %s of the stream " KEY_PART_CLIENTS
			 " of Redis is no note of clients: %s; such "
			 "entries are left out",
			 id, why);
}

static void clients_batches_rows(const char *id, const char *rows)
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
			clients_batches_bad(id, why);
		length += end != NULL;
		rows += length;
		left -= length;
	}
}

static void clients_batches_one(const char *id, const char *number, const char *rows, int64_t now_s)
{
	char name[CLIENTS_WRITER_NAME_MAX];
	uint64_t ordinal;
	if (!clients_batches_name(number, name, &ordinal)) {
		clients_batches_bad(id, "its field n is not NODE:WRITER:ORDINAL");
		return;
	}
	struct clients_writer *writer = clients_batches_writer(name, now_s);
	writer->heard_s = now_s;
	if (ordinal <= writer->ordinal) {
		batches.again++;
		return;
	}
	writer->ordinal = ordinal;
	batches.counted++;
	clients_batches_rows(id, rows);
}

/* ---- an answer: ID, then its fields and values, entry behind entry. An ID has a hyphen, and no field's name has. */

static bool clients_batches_is_id(const char *item)
{
	size_t digits = strspn(item, "0123456789");
	return digits > 0 && item[digits] == '-' && item[digits + 1] != '\0' &&
	       item[digits + 1 + strspn(item + digits + 1, "0123456789")] == '\0';
}

/* How many items the entry at `items` has; counts it where `counts`. */
static int clients_batches_entry(const char *const *items, int count, bool counts, int64_t now_s)
{
	const char *number = NULL, *rows = NULL;
	int at = 1;
	for (; at + 1 < count && items[at] != NULL && !clients_batches_is_id(items[at]); at += 2) {
		if (strcmp(items[at], "n") == 0)
			number = items[at + 1];
		else if (strcmp(items[at], "r") == 0)
			rows = items[at + 1];
	}
	text_copy(batches.position.last_id, sizeof batches.position.last_id, items[0]);
	if (counts && number != NULL && rows != NULL)
		clients_batches_one(items[0], number, rows, now_s);
	else if (counts)
		clients_batches_bad(items[0], "it has not the fields n and r");
	return at;
}

/* The entry that was counted last is gone. */
static void clients_batches_gone(bool others)
{
	if (others) {
		batches.gaps++;
		log_line(SEVERITY_WARNING, "clients: the stream " KEY_PART_CLIENTS
					   " of Redis has lost entries before they were read; what clients did then is "
					   "not counted here");
	} else {
		batches.position.last_id[0] = '\0';
	}
}

int clients_batches_count(bool back, int count, const char *const *items)
{
	if (pthread_mutex_trylock(&batches.lock) != 0)
		return -1;
	int64_t now_s = clock_now_ms() / 1000;
	int entries = 0;
	bool there = back && count > 0 && items[0] != NULL && strcmp(items[0], batches.position.last_id) == 0;
	if (back && !there)
		clients_batches_gone(count > 0);
	for (int at = 0; at < count && items[at] != NULL && clients_batches_is_id(items[at]); entries++)
		at += clients_batches_entry(items + at, count - at, !there || entries > 0, now_s);
	pthread_mutex_unlock(&batches.lock);
	return there ? entries - 1 : entries;
}

bool clients_batches_last(char id[CLIENTS_STREAM_ID_MAX])
{
	if (pthread_mutex_trylock(&batches.lock) != 0)
		return false;
	text_copy(id, CLIENTS_STREAM_ID_MAX, batches.position.last_id);
	pthread_mutex_unlock(&batches.lock);
	return true;
}

/* ---- the snapshot */

void clients_batches_halt(struct clients_position *position_out)
{
	pthread_mutex_lock(&batches.lock);
	*position_out = batches.position;
}

void clients_batches_go_on(void)
{
	pthread_mutex_unlock(&batches.lock);
}

void clients_batches_restore(const struct clients_position *position)
{
	static const struct clients_position none;
	pthread_mutex_lock(&batches.lock);
	batches.position = position != NULL ? *position : none;
	batches.counted = batches.again = batches.bad_rows = batches.gaps = 0;
	pthread_mutex_unlock(&batches.lock);
}

/* While all is copied the disk is written: nobody waits for that. */
void clients_batches_fill_stats(struct clients_stats *stats)
{
	if (pthread_mutex_trylock(&batches.lock) != 0)
		return;
	stats->batches = batches.counted;
	stats->again = batches.again;
	stats->bad_rows = batches.bad_rows;
	stats->gaps = batches.gaps;
	pthread_mutex_unlock(&batches.lock);
}
