/* SPDX-License-Identifier: BSD-2-Clause
 *
 * progress: a line on the terminal that says how far a long work is: it comes after half a second, is drawn at most ten
 * times a second, never wraps, and is wiped before anything else is written and at the end. One at a time. Where
 * standard error is no terminal, or standard output a pipe, nothing is ever drawn.
 */
#ifndef PENSTOCK_PROGRESS_H
#define PENSTOCK_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what;    /* cleaned; "" for nothing */
	int64_t done, total; /* total 0: not known yet */
	const char *unit;    /* "lists" */
	int64_t listed;
};

/* "192.0.2.1 [######......] 45 of 62 lists, 2 listed" in at most `columns`: what is too much is left away, last the
 * numbers. */
void progress_draw(char *line, size_t size, size_t columns, const struct progress *progress);

/* A work begins. Where a signal ends the program from now on, the line is wiped first. */
void progress_begin(void);
/* Draws the line where it is time. Gives the milliseconds back after which to call again. */
int progress_show(const struct progress *progress);
void progress_wipe(void);

#endif
