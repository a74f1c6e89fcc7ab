/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tally: how often each of many words was met, in the order of the alphabet, for penstock-follow --dry-run.
 */
#ifndef PENSTOCK_TALLY_H
#define PENSTOCK_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally;

enum { TALLY_ROWS_MOST = 1000000, TALLY_WORD_MAX = 1200 };

struct tally *tally_new(void); /* NULL: no memory */
void tally_free(struct tally **tally);

/* `count` more of a row. Where there are too many rows, or no memory, it is counted as a row "(others)". */
void tally_add(struct tally *tally, const char *row, double count);

typedef void tally_show(void *arg, const char *row, double count);
/* All rows in the order of their bytes, "(others)" last. */
void tally_each(const struct tally *tally, tally_show *show, void *arg);

#endif
