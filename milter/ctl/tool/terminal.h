/* SPDX-License-Identifier: BSD-2-Clause
 *
 * terminal: what the place that is printed to can show, and printing that goes by it. Elsewhere than on a terminal
 * there are neither colours nor a width.
 */
#ifndef PENSTOCK_TERMINAL_H
#define PENSTOCK_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum tone { TONE_PLAIN, TONE_TITLE, TONE_BAD, TONE_GOOD, TONE_DOUBT, TONE_FAINT };

/* Where something is written to, which may be memory, and how it will be looked at. */
struct paper {
	FILE *to;  /* borrowed */
	int width; /* columns; 0: no end */
	bool colours;
};

/* A terminal that does as it is told (TERM is set, and not "dumb"). */
bool terminal_is(FILE *to);
/* NO_COLOR is not set either. */
bool terminal_colours(FILE *to);
/* Columns; 0 where it is no terminal. */
int terminal_width(FILE *to);

void tone_begin(const struct paper *paper, enum tone tone);
void tone_end(const struct paper *paper, enum tone tone);

/* `label` in its tone and padded to `indent` columns, then `text`, cleaned, its further lines below its first; broken
 * between words, or not at all where the paper has no width. A word that is wider than a line stays whole: an address
 * of the web is there to be copied. */
void print_labelled(const struct paper *paper, const char *label, enum tone tone, size_t indent, const char *text);

#endif
