/* SPDX-License-Identifier: BSD-2-Clause
 *
 * follow_head: the first line of the key follow:NODE, by which penstock-follow tells the daemons how it is; a JSON
 * object with what it knows of receivers follows behind it. The line alone is read every two seconds, the rest where
 * `number` is another one.
 *
 *   penstock-follow 1 NUMBER AT_MS LINES UNKNOWN LOST LAG_S
 *
 * Pure.
 */
#ifndef PENSTOCK_FOLLOW_HEAD_H
#define PENSTOCK_FOLLOW_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FOLLOW_HEAD_MAX = 200,	    /* bytes of the line, its end included */
	FOLLOW_VALUE_MAX = 1 << 20, /* bytes of all of it */
	FOLLOW_KEEP_S = 30 * 86400, /* the key's time to live, from each write on */
	FOLLOW_WRITES_S = 60,	    /* at least as often it is written, changed or not */
};

struct follow_head {
	int64_t number;	       /* another one for each other text behind the line, such as a time in ms; 1 and more */
	int64_t at_ms;	       /* Unix time of the follower's own clock when it was written */
	int64_t lines;	       /* of the log that it read, since it began ever ... */
	int64_t unknown, lost; /* ... of them that no rule knows; and lines that the log says it has lost */
	int64_t lag_s;	       /* by how much what it reads is older than now; 0: it is at the end of the log */
};

/* Bytes written, with the line's end and a NUL behind them that is not counted; 0: `size` is below FOLLOW_HEAD_MAX. */
size_t follow_head_write(const struct follow_head *head, char *to, size_t size);

/* Bytes of the line, its end included; 0: it is none, and *head_out is untouched. */
size_t follow_head_read(const char *bytes, size_t length, struct follow_head *head_out);

#endif
