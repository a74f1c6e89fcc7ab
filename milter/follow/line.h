/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line: the lines of a mail log, as a file or standard input has them. Chunks of bytes go in, whole lines come out, and
 * each one's head says when, who and what. All of it may be a stranger's.
 */
#ifndef PENSTOCK_LINE_H
#define PENSTOCK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of somebody else's bytes, with no NUL at its end. `at` NULL: not there, and `length` is 0. */
struct span {
	const char *at; /* borrowed, for as long as those bytes stand */
	size_t length;
};

bool span_is(struct span span, const char *word);
/* Copies it into `to` (size bytes, 1 or more; NUL added), cutting what does not fit. False where it was cut. */
bool span_copy(char *to, size_t size, struct span span);

enum { LINE_MOST = 16 * 1024 }; /* bytes of a line; rsyslog's own have 8,112 at most */

/* Zero is empty. A line of more than LINE_MOST bytes comes out cut to that, once, and its rest is dropped. */
struct line_split {
	char bytes[LINE_MOST]; /* of a line that has begun in an earlier chunk */
	size_t length;
	bool cut;	/* more bytes of the line came than there is room for */
	uint64_t count; /* of lines that were cut so far */
};

/* Takes bytes from the front of *chunk up to and with the next newline, and moves *chunk behind them. True: *line_out
 * is that line without its newline; it stands until the next call and as long as the chunk does. False: the chunk is
 * used up, and what it left is kept for the next one. */
bool line_split(struct line_split *split, struct span *chunk, struct span *line_out);

struct log_head {
	int64_t time_us; /* Unix */
	struct span program, message;
	int64_t pid; /* 0: not said */
};

/* The time at the front of a span, in the forms of line_head. */
bool line_time(struct span *rest, int64_t now_s, int64_t *time_us_out);

/* Splits "2026-11-28T17:10:43.676032+00:00 host program[pid]: message" and "Nov 28 17:10:43 host program[pid]:
 * message". The latter is local time and has no year: of all such moments it is the last one before now_s (Unix) + 1
 * day. False where it is neither; *head_out is then zero. */
bool line_head(const char *line, size_t length, int64_t now_s, struct log_head *head_out);

#endif
