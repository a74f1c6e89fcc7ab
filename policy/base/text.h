/* SPDX-License-Identifier: BSD-2-Clause
 *
 * text: a bounded string builder over memory that the caller owns, and the copies that strings from strangers need.
 * What does not fit is cut at the end and noted in `cut`; the result always ends with a NUL.
 */
#ifndef PENSTOCK_TEXT_H
#define PENSTOCK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;      /* borrowed from the caller for the life of the text */
	size_t size;   /* bytes at `at`, 1 or more */
	size_t length; /* bytes used, without the NUL */
	bool cut;      /* something did not fit */
};

struct text text_over(char *memory, size_t size);
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Like text_add, but each byte outside printable ASCII, and each quote and backslash, becomes '?', each space '_' and
 * each comma ';', so that a stranger's string stays one word of one log line, and one item of a list in it. */
void text_add_word(struct text *text, const char *string);

/* The noun that a number has: `one` of 1, else `many`. */
const char *text_noun(int64_t number, const char *one, const char *many);

/* Copies `from` into `to` (size bytes, NUL added), cutting what does not fit. Returns false where it was cut. */
bool text_copy(char *to, size_t size, const char *from);

/* A whole decimal number, nothing before or behind it. Returns false and leaves *number_out alone otherwise, also
 * where it lies outside min..max. */
bool text_to_int(const char *string, int64_t min, int64_t max, int64_t *number_out);

/* ASCII case folding; never the locale's. */
char text_lower(char c);
bool text_same_nocase(const char *a, const char *b);

/* What a hexadecimal digit stands for, of either case; -1: it is none. */
int text_hex(char c);

#endif
