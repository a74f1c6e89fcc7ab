/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clean: what strangers wrote, before it reaches a terminal: control characters, escape sequences, broken UTF-8,
 * characters that the locale cannot print and those that turn the direction of writing become '?'. And how wide it is.
 */
#ifndef PENSTOCK_CLEAN_H
#define PENSTOCK_CLEAN_H

#include <stddef.h>
#include <stdio.h>

/* A cleaned copy, to be freed by the caller. */
char *clean_text(const char *text);
/* The same, with domains in A-labels spelt in UTF-8 where the locale is UTF-8 (milter/base/idn.h): for the eyes alone,
 * no command to be copied. */
char *clean_shown(const char *text);
void clean_print(FILE *to, const char *text);

/* Columns that cleaned text takes on the screen. */
size_t text_columns(const char *clean);

#endif
