/* SPDX-License-Identifier: BSD-2-Clause
 *
 * factlog: the file of fact lines (policy/replay/factline.h), for `penstockctl replay`. Lines are gathered in memory
 * and written by a thread of its own, at the latest after a second, several at once by one write(2): neither mail nor
 * the loop ever waits for the disk. What does not fit while the disk is full or hangs is counted, said once, and a
 * reason in /health until lines are written again.
 */
#ifndef PENSTOCK_FACTLOG_H
#define PENSTOCK_FACTLOG_H

#include "milter/config/config.h"

/* Opens what the configuration says; a file that was open gets what was noted until now and is closed, so that it can
 * be rotated. False with a sentence in `error`: what was before goes on. */
bool factlog_open(const struct config *config, char *error, size_t error_size);
/* Writes what is left, and ends. */
void factlog_close(void);

/* At the end of a message, or where it is refused: what was judged, and how. Any thread. */
void factlog_note(const struct facts *judged, const struct verdict *verdict, enum stage stage);
/* Something was learnt of an account's earlier mail. Any thread. */
void factlog_feedback(const char *account, enum counter counter, double count, int64_t now_ms);

/* Any thread. */
struct factlog_stats {
	uint64_t lost; /* lines, since the start */
	bool losing;   /* the last ones were lost */
	char why[80];  /* "No space left on device" */
};
struct factlog_stats factlog_stats(void);

#endif
