/* SPDX-License-Identifier: BSD-2-Clause
 *
 * habits_inside: the lists of hashes, for habits*.c alone.
 */
#ifndef PENSTOCK_HABITS_INSIDE_H
#define PENSTOCK_HABITS_INSIDE_H

#include "policy/habits.h"

enum {
	AGE_BITS = 3, /* of an entry: half-days until it is the account's */
	AGE_NEW = 2,
};

/* Some bits that the maps do not use, never 0. */
static inline uint16_t entry_of(uint64_t hash)
{
	uint16_t entry = (uint16_t)(hash >> 16) & (uint16_t)~AGE_BITS;
	return entry != 0 ? entry : AGE_BITS + 1;
}

static inline bool is_new(uint16_t entry)
{
	return (entry & AGE_BITS) != 0;
}

/* Is it there, and not new? */
bool habits_has_entry(const uint16_t *list, int size, uint64_t hash);
/* True where the list changed: a thing of the account's moves to the front only past half the list, so that a user of
 * two programs does not rewrite it with each message. */
bool habits_note_entry(uint16_t *list, int size, uint64_t hash);
/* How many are not new. */
int habits_count_old(const uint16_t *list, int size);
void habits_age_list(uint16_t *list, int size, int64_t halves);
/* True where the list changed. */
bool habits_drop_new(uint16_t *list, int size);

void habits_age_texts(struct habits *habits, int64_t halves);
/* True where something changed; of both. */
bool habits_forget_texts(struct habits *habits);
bool habits_note_last_text(struct habits *habits, uint64_t text);
bool habits_note_text(struct habits *habits, const struct habit_facts *facts);

#endif
