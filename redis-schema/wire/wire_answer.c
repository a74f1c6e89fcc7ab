/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hiredis takes RESP apart. What it finds is put down here at once, flat, so that an answer costs no memory of its own.
 * Whoever answers may be no Redis at all: each number that he sends is held against a bound.
 */
#include "redis-schema/wire/wire.h"

#include "policy/base/text.h"
#include "redis-schema/wire/wire_inside.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	BYTES_MAX = 64 << 20, /* of the answers to one request */
	LINE_MAX_BYTES = 64 << 10,
	DEPTH_MAX = 4,	 /* of lists in lists that are flattened */
	DEPTH_READ = 7,	 /* and of those that are read at all: hiredis 0.14 takes no more */
	FEED = 16 << 10, /* hiredis moves what is left in its buffer each KiB */
	IDLE_BUFFER = 256 << 10,
	IDLE_ITEMS = 4096,
	IDLE_BYTES = 256 << 10,
	FIRST_ITEMS = 64,
	FIRST_BYTES = 4096,
};
#define ITEM_NIL SIZE_MAX

/* ---- what hiredis finds */

static struct wire_reading *reading_of(const redisReadTask *task)
{
	return task->privdata;
}

/* Room for one more item, and for `length` bytes and a NUL. */
static bool wire_answer_room(struct wire_reading *reading, size_t length)
{
	if (reading->items == reading->items_most) {
		size_t most = reading->items_most > 0 ? reading->items_most * 2 : FIRST_ITEMS;
		size_t *at = realloc(reading->at, most * sizeof *at);
		reading->at = at != NULL ? at : reading->at;
		size_t *lengths = realloc(reading->length, most * sizeof *lengths);
		reading->length = lengths != NULL ? lengths : reading->length;
		const char **text = realloc(reading->text, most * sizeof *text);
		reading->text = text != NULL ? text : reading->text;
		if (at == NULL || lengths == NULL || text == NULL)
			return false;
		reading->items_most = most;
	}
	if (reading->used + length < reading->size)
		return true;
	size_t size = reading->size > 0 ? reading->size : FIRST_BYTES;
	while (size <= reading->used + length)
		size *= 2;
	char *bytes = realloc(reading->bytes, size);
	if (bytes == NULL)
		return false;
	reading->bytes = bytes;
	reading->size = size;
	return true;
}

/* NULL, which hiredis takes for a want of memory, makes it give up. What is not NULL it only hands on. */
static void *wire_answer_add(struct wire_reading *reading, const char *bytes, size_t length)
{
	if (length >= BYTES_MAX - reading->used) {
		snprintf(reading->why, sizeof reading->why, "Redis answered with more than %d bytes", BYTES_MAX);
		return NULL;
	}
	if (!wire_answer_room(reading, length))
		return NULL;
	size_t item = reading->items++;
	reading->length[item] = length;
	reading->at[item] = bytes != NULL ? reading->used : ITEM_NIL;
	if (bytes == NULL)
		return reading;
	if (length > 0)
		memcpy(reading->bytes + reading->used, bytes, length);
	reading->used += length;
	reading->bytes[reading->used++] = '\0';
	return reading;
}

/* The row of the answer that this is the whole or a part of. */
static struct wire_row *wire_answer_row(const redisReadTask *task)
{
	struct wire_reading *reading = reading_of(task);
	struct wire_row *row = &reading->rows[reading->count];
	if (task->parent == NULL) {
		*row = (struct wire_row){ .first = reading->items, .error = task->type == REDIS_REPLY_ERROR };
		reading->begun = true;
	}
	return row;
}

static void *answer_string(const redisReadTask *task, char *bytes, size_t length)
{
	wire_answer_row(task);
	return wire_answer_add(reading_of(task), bytes, length);
}

static void *answer_nil(const redisReadTask *task)
{
	wire_answer_row(task);
	return wire_answer_add(reading_of(task), NULL, 0);
}

static void *answer_integer(const redisReadTask *task, long long value)
{
	char digits[24], *at = digits + sizeof digits;
	unsigned long long left = value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
	wire_answer_row(task);
	do
		*--at = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (value < 0)
		*--at = '-';
	return wire_answer_add(reading_of(task), at, (size_t)(digits + sizeof digits - at));
}

static void *wire_answer_list(const redisReadTask *task, long long count)
{
	struct wire_reading *reading = reading_of(task);
	struct wire_row *row = wire_answer_row(task);
	int depth = 1;
	for (const redisReadTask *outer = task->parent; outer != NULL; outer = outer->parent)
		depth++;
	if (task->type != REDIS_REPLY_ARRAY) {
		snprintf(reading->why, sizeof reading->why, "Redis answered with a kind that nobody asked for");
	} else if (depth > DEPTH_READ) {
		snprintf(reading->why, sizeof reading->why, "Redis answered with lists in lists, %d deep", depth);
	} else if (count > WIRE_ITEMS_MAX) {
		snprintf(reading->why, sizeof reading->why,
			 "Redis answered with an array of %lld items, expected at most %d", count, WIRE_ITEMS_MAX);
	} else if ((size_t)count > WIRE_ITEMS_MAX - reading->announced) {
		snprintf(reading->why, sizeof reading->why, "Redis answered with more than %d items", WIRE_ITEMS_MAX);
	} else {
		reading->announced += (size_t)count;
		row->list = true;
		row->deep = row->deep || (depth > DEPTH_MAX && count > 0);
		return reading;
	}
	return NULL;
}

#if HIREDIS_MAJOR >= 1
static void *answer_list(const redisReadTask *task, size_t count)
{
	return wire_answer_list(task, count <= INT32_MAX ? (long long)count : INT32_MAX);
}
#else
static void *answer_list(const redisReadTask *task, int count)
{
	return wire_answer_list(task, count);
}
#endif

/* Kinds that only later protocols have are left out: see `begun`. */
static redisReplyObjectFunctions functions = {
	.createString = answer_string,
	.createArray = answer_list,
	.createInteger = answer_integer,
	.createNil = answer_nil,
};

/* ---- whole answers */

/* hiredis waits until a whole text is there. Looks at what it left: does it begin something that is too long to wait
 * for? */
static bool wire_answer_is_monstrous(struct wire_reading *reading)
{
	const char *left = reading->reader->buf + reading->reader->pos;
	size_t length = reading->reader->len - reading->reader->pos;
	const char *end =
		length > 0 ? memmem(left, length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES, "\r\n", 2) : NULL;
	long long announced = 0;
	if (end == NULL && length >= LINE_MAX_BYTES)
		snprintf(reading->why, sizeof reading->why, "Redis answered with a line of more than %d bytes",
			 LINE_MAX_BYTES);
	if (end == NULL)
		return length >= LINE_MAX_BYTES;
	/* hiredis leaves a whole line where it announces a text that is not whole yet */
	for (const char *at = left; at < end && *at >= '0' && *at <= '9' && announced <= INT64_MAX / 10 - 9; at++)
		announced = announced * 10 + (*at - '0');
	if (announced < (long long)(BYTES_MAX - reading->used))
		return false;
	snprintf(reading->why, sizeof reading->why, "Redis answered with a text of %lld bytes, expected at most %d",
		 announced, BYTES_MAX);
	return true;
}

static void wire_answer_refuse(struct wire *wire)
{
	char line[200];
	const struct wire_reading *reading = &wire->reading;
	struct text text = text_over(line, sizeof line);
	if (reading->why[0] != '\0')
		text_add(&text, reading->why);
	else
		text_addf(&text, "cannot read what Redis answers: %s", reading->reader->errstr);
	wire_disconnect(wire, line);
}

static void wire_answer_fill(struct wire_reading *reading, int at, struct wire_answer *answer)
{
	static const char *const nothing[] = { NULL };
	static const size_t no_length[] = { 0 };
	const struct wire_row *row = &reading->rows[at];
	size_t end = at + 1 < reading->count ? row[1].first : reading->items;
	for (size_t i = row->first; i < end; i++)
		reading->text[i] = reading->at[i] != ITEM_NIL ? reading->bytes + reading->at[i] : NULL;
	*answer = (struct wire_answer){ .count = 1, .text = nothing, .length = no_length };
	if (row->error || row->deep) {
		answer->error = row->error ? reading->text[row->first] : "the answer is nested too deep";
		answer->blame = row->error ? blame_of(answer->error) : BLAME_COMMAND;
	} else {
		answer->list = row->list;
		answer->count = (int)(end - row->first);
	}
	if (answer->error == NULL && answer->count > 0) {
		answer->text = reading->text + row->first;
		answer->length = reading->length + row->first;
	}
}

static void wire_answer_clear(struct wire_reading *reading)
{
	reading->count = 0;
	reading->begun = false;
	reading->announced = reading->items = reading->used = 0;
}

static void wire_answer_forget_memory(struct wire_reading *reading)
{
	free(reading->at);
	free(reading->length);
	free(reading->text);
	free(reading->bytes);
	reading->at = reading->length = NULL;
	reading->text = NULL;
	reading->bytes = NULL;
	reading->items_most = reading->size = 0;
}

/* All answers to the first request are there. */
static void wire_answer_tell(struct wire *wire)
{
	struct wire_reading *reading = &wire->reading;
	struct wire_answer answers[WIRE_COMMANDS_MAX];
	struct flight *flight = flight_take_first(wire);
	wire_done *told = flight->told ? flight->late : flight->done;
	void *arg = flight->arg;
	int count = reading->count;
	free(flight);
	if (told != NULL) {
		for (int i = 0; i < count; i++)
			wire_answer_fill(reading, i, &answers[i]);
		told(arg, WIRE_OK, count, answers);
	}
	wire_answer_clear(reading);
	if (reading->items_most > IDLE_ITEMS || reading->size > IDLE_BYTES)
		wire_answer_forget_memory(reading);
}

enum wire_answer_next { ANSWER_MORE, ANSWER_TAKEN, ANSWER_REFUSED };

/* Takes one answer out of hiredis's buffer. */
static enum wire_answer_next wire_answer_take(struct wire *wire)
{
	struct wire_reading *reading = &wire->reading;
	void *found = NULL;
	if (reading->reader->pos == reading->reader->len)
		return ANSWER_MORE;
	if (wire->first == NULL) {
		text_copy(reading->why, sizeof reading->why, "Redis answered something that nobody asked for");
		return ANSWER_REFUSED;
	}
	if (redisReaderGetReply(reading->reader, &found) != REDIS_OK)
		return ANSWER_REFUSED;
	if (found == NULL)
		return wire_answer_is_monstrous(reading) ? ANSWER_REFUSED : ANSWER_MORE;
	if (!reading->begun) {
		text_copy(reading->why, sizeof reading->why, "Redis answered with a kind that nobody asked for");
		return ANSWER_REFUSED;
	}
	reading->begun = false;
	reading->count++;
	return ANSWER_TAKEN;
}

/* Who is told may end the connection, and even begin another one: then nothing of it is touched. */
void wire_answer_bytes(struct wire *wire, const char *bytes, size_t length)
{
	struct wire_reading *reading = &wire->reading;
	unsigned life = wire->life;
	while (length > 0) {
		size_t piece = length < FEED ? length : FEED;
		enum wire_answer_next next = ANSWER_REFUSED;
		if (redisReaderFeed(reading->reader, bytes, piece) == REDIS_OK)
			while ((next = wire_answer_take(wire)) == ANSWER_TAKEN) {
				if (reading->count < wire->first->count)
					continue;
				wire_answer_tell(wire);
				if (wire->life != life)
					return;
			}
		if (next == ANSWER_REFUSED) {
			wire_answer_refuse(wire);
			return;
		}
		bytes += piece;
		length -= piece;
	}
}

/* ---- a connection's */

bool wire_answer_begin(struct wire *wire)
{
	struct wire_reading *reading = &wire->reading;
	reading->reader = redisReaderCreateWithFunctions(&functions);
	if (reading->reader == NULL)
		return false;
	reading->reader->privdata = reading;
	reading->reader->maxbuf = IDLE_BUFFER;
	reading->why[0] = '\0';
	return true;
}

void wire_answer_end(struct wire *wire)
{
	if (wire->reading.reader != NULL)
		redisReaderFree(wire->reading.reader);
	wire->reading.reader = NULL;
	wire_answer_clear(&wire->reading);
}

void wire_answer_free(struct wire *wire)
{
	wire_answer_end(wire);
	wire_answer_forget_memory(&wire->reading);
}
