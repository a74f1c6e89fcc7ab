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
void clean_print(FILE *to, const char *text);

/* Of cleaned text: columns on the screen; how many bytes of it take at most `columns`, never half a character. */
size_t text_columns(const char *clean);
size_t text_fit(const char *clean, size_t columns);

#endif
