/* SPDX-License-Identifier: BSD-2-Clause
 *
 * table: aligned columns of text for people, and the few forms that numbers and times take in them.
 * Whatever came from strangers is cleaned on the way to the terminal, see clean.h.
 */
#ifndef PENSTOCK_TABLE_H
#define PENSTOCK_TABLE_H

#include <stdint.h>
#include <stdio.h>

struct table;

enum { FORM_MAX = 64 }; /* bytes that a form_ function writes at most, with its NUL */

/* Titles of the columns, NULL at the end; one that begins with '>' is for numbers, at the right edge. The titles
 * are borrowed for the life of the table. */
struct table *table_new(const char *const *titles);
/* The next cell, row after row; a copy is kept. */
void table_add(struct table *table, const char *cell);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Titles that are all empty are not printed. `indent` spaces stand before each line. */
void table_print(const struct table *table, FILE *to, int indent);
void table_free(struct table **table);

/* 45 -> "45 s", 7300 -> "2 h", 200000 -> "2 d" */
const char *form_span(char form[FORM_MAX], int64_t seconds);
/* "3 h ago"; "never" for 0 and less; "just now" also for a time yet to come, where two clocks differ */
const char *form_ago(char form[FORM_MAX], int64_t then, int64_t now);
/* "12", "12.5" */
const char *form_number(char form[FORM_MAX], double number);
/* "[####......]" ; "" where there is no limit (below 0) */
const char *form_bar(char form[FORM_MAX], double used, double limit);

#endif
