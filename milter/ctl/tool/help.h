/* SPDX-License-Identifier: BSD-2-Clause
 *
 * help: rows of a usage text, no line of which is longer than a terminal of 80 columns.
 */
#ifndef PENSTOCK_HELP_H
#define PENSTOCK_HELP_H

#include <stdio.h>

enum { HELP_WIDTH = 80 };

/* `term` behind two spaces, and from column `at` on what it is, broken between words; below a term that is too long. */
void help_row(FILE *to, const char *term, int at, const char *what);

/* A paragraph: `first` spaces before its first line, `indent` before each other. */
void help_text(FILE *to, int first, int indent, const char *text);

#endif
