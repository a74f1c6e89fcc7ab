/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shelf: places for so many names and no more. Who comes when all are taken gets the place of the one that is worth
 * least among a few. What stands at a place is the caller's, in an array beside it.
 *
 * The same names in the same order always get the same places: what is read twice ends alike.
 */
#ifndef PENSTOCK_SHELF_H
#define PENSTOCK_SHELF_H

#include <stdbool.h>

enum { SHELF_NAME_MAX = 191 };

struct shelf;

/* What the place is worth; the least goes. */
typedef double shelf_worth(const void *arg, int place);

/* NULL: no memory. */
struct shelf *shelf_new(int places);
void shelf_free(struct shelf **shelf);

/* Its place; *new_out: it has just got it, and whatever stood there is another's. -1: the name is too long. */
int shelf_put(struct shelf *shelf, const char *name, shelf_worth *worth, const void *arg, bool *new_out);

/* How many places are taken: from 0 on. */
int shelf_count(const struct shelf *shelf);
const char *shelf_name(const struct shelf *shelf, int place);

#endif
