/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/trace.h"

#include "milter/base/log.h"
#include "milter/follow/trace_inside.h"
#include "milter/trace/trace_secret.h"
#include "policy/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* ---- losses */

static void trace_lose(struct trace *trace, uint64_t rows, const char *why)
{
	trace->stats.lost += rows;
	text_copy(trace->stats.why, sizeof trace->stats.why, why);
	if (!trace->stats.losing)
		log_line(SEVERITY_WARNING, "the trace cannot be written: %s; rows are lost until that ends", why);
	trace->stats.losing = true;
}

static void trace_end_loss(struct trace *trace)
{
	if (!trace->stats.losing)
		return;
	log_line(SEVERITY_INFO, "the trace is written again; %llu rows were lost",
		 (unsigned long long)(trace->stats.lost - trace->said));
	trace->said = trace->stats.lost;
	trace->stats.losing = false;
}

/* ---- writing */

static bool trace_write_all(struct trace *trace)
{
	for (size_t done = 0; done < trace->waiting;) {
		ssize_t wrote =
			pwrite(trace->fd, trace->buffer + done, trace->waiting - done, trace->length + (int64_t)done);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		done += (size_t)wrote;
	}
	return true;
}

static void trace_flush(struct trace *trace)
{
	if (trace->waiting == 0)
		return;
	if (trace->fd >= 0 && trace_write_all(trace)) {
		trace->length += (int64_t)trace->waiting;
		trace->stats.bytes += trace->waiting;
		trace->stats.rows += trace->waiting_rows;
		trace_end_loss(trace);
	} else {
		trace_lose(trace, trace->waiting_rows, trace->fd < 0 ? "no file is open" : strerror(errno));
		if (trace->fd >= 0 &&
		    ftruncate(trace->fd, trace->length) != 0) /* no half row; else the next one ends it */
			trace_lose(trace, 0, strerror(errno));
	}
	trace->waiting = 0;
	trace->waiting_rows = 0;
}

static void trace_put(struct trace *trace, const char *line, size_t length)
{
	if (length > sizeof trace->buffer - trace->waiting)
		trace_flush(trace);
	memcpy(trace->buffer + trace->waiting, line, length);
	trace->waiting += length;
}

/* "#M	time	queue_id ...": for who reads it with his eyes. */
static void trace_head(struct trace *trace)
{
	for (int kind = 0; kind < TRACE_KINDS; kind++) {
		char memory[TRACE_LINE_MAX];
		struct text line = text_over(memory, sizeof memory);
		text_addf(&line, "#%c\ttime", trace_forms[kind].letter);
		for (const enum trace_column *column = trace_forms[kind].columns; *column != TRACE_COLUMNS; column++)
			text_addf(&line, "\t%s", trace_column_word(*column));
		text_add(&line, "\n");
		trace_put(trace, memory, line.length);
	}
}

/* The file of `day` takes the place of the newest; where it cannot be had, that one stays. */
static void trace_take_day(struct trace *trace, int64_t day)
{
	int64_t length = 0;
	trace_flush(trace);
	int fd = trace_files_open(trace->folder, day, true, &length);
	if (fd < 0) {
		trace_lose(trace, 0, strerror(errno));
		return;
	}
	if (trace->fd >= 0)
		close(trace->fd);
	trace->fd = fd;
	trace->day = day;
	trace->length = length;
	trace->untidy = true;
	if (length == 0)
		trace_head(trace);
}

/* In which file a row of `day` goes; see trace.h. */
static int64_t trace_day_for(const struct trace *trace, int64_t day)
{
	int64_t last = trace->now_s > 0 ? trace->now_s / 86400 + 1 : INT64_MAX;
	int64_t newest = trace->day <= last ? trace->day : 0; /* the clock was wrong: else all went there until then */
	if (day > last)
		day = newest > 0 ? newest : trace->now_s / 86400;
	return day > newest ? day : newest;
}

void trace_write(struct trace *trace, const struct trace_row *row)
{
	char line[TRACE_LINE_MAX], rcpt[TRACE_VALUE_MAX], text[TRACE_VALUE_MAX];
	struct trace_row written = *row;
	if (trace == NULL)
		return;
	int64_t day = trace_day_for(trace, trace_day_of(row->time_ms));
	if (day > 0 && (day != trace->day || trace->fd < 0))
		trace_take_day(trace, day);
	if (trace->hashed && row->value[TRACE_TEXT] != NULL) {
		text_copy(text, sizeof text, row->value[TRACE_TEXT]);
		trace_secret_text(row->value[TRACE_RCPT] != NULL ? row->value[TRACE_RCPT] : "", text);
		written.value[TRACE_TEXT] = text;
	}
	if (trace->hashed && row->value[TRACE_RCPT] != NULL) {
		trace_secret_rcpt(trace->key, row->value[TRACE_RCPT], rcpt);
		written.value[TRACE_RCPT] = rcpt;
	}
	trace_put(trace, line, trace_row_write(&written, line));
	trace->waiting_rows++;
}

/* ---- the files' lives */

struct trace *trace_open(const struct trace_options *options, char *error, size_t error_size)
{
	if (mkdir(options->folder, 0750) != 0 && errno != EEXIST) {
		snprintf(error, error_size, "%s: cannot be made: %s", options->folder, strerror(errno));
		return NULL;
	}
	struct trace *trace = calloc(1, sizeof *trace);
	int folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (trace == NULL || folder < 0 || faccessat(folder, ".", W_OK | X_OK, 0) != 0) {
		snprintf(error, error_size, "%s: cannot be written to: %s", options->folder, strerror(errno));
		goto failed;
	}
	if (options->hashed && !trace_secret(options->folder, options->salt, true, trace->key, error, error_size))
		goto failed;
	trace->folder = folder;
	trace->days = options->days;
	trace->hashed = options->hashed;
	trace->untidy = true;
	trace->fd = -1;
	trace->day = trace_files_newest(folder);
	if (trace->day > 0)
		trace_take_day(trace, trace->day);
	return trace;
failed:
	if (folder >= 0)
		close(folder);
	free(trace);
	return NULL;
}

void trace_close(struct trace **trace)
{
	if (*trace == NULL)
		return;
	trace_flush(*trace);
	if ((*trace)->fd >= 0)
		close((*trace)->fd);
	close((*trace)->folder);
	free(*trace);
	*trace = NULL;
}

void trace_tick(struct trace *trace, int64_t now_s)
{
	if (trace == NULL)
		return;
	bool begins = trace->now_s == 0 || trace->now_s / 86400 != now_s / 86400;
	trace->now_s = now_s;
	trace_flush(trace);
	/* a log of long ago that is read again removes nothing, nor does one line from the future */
	int64_t today = now_s / 86400, last = trace->day < today ? trace->day : today;
	if (begins || trace->untidy)
		trace_files_keep(trace->folder, last - trace->days + 1, INT64_MAX);
	trace->untidy = trace_files_index(trace->folder, trace->day);
}

struct trace_place trace_position(struct trace *trace)
{
	if (trace == NULL)
		return (struct trace_place){ 0, -1 };
	trace_flush(trace);
	return (struct trace_place){ trace->day, trace->length };
}

void trace_cut(struct trace *trace, const struct trace_place *place)
{
	if (trace == NULL || place->length < 0)
		return;
	if (trace->fd >= 0)
		close(trace->fd);
	trace->fd = -1;
	trace->day = trace->length = 0;
	trace->waiting = 0;
	trace_files_keep(trace->folder, 0, place->day);
	if (place->day > 0) {
		trace_files_cut(trace->folder, place->day, place->length);
		trace_take_day(trace, place->day);
	}
}

struct trace_stats trace_stats(const struct trace *trace)
{
	return trace != NULL ? trace->stats : (struct trace_stats){ 0 };
}
