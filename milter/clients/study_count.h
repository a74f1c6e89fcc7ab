/* SPDX-License-Identifier: BSD-2-Clause
 *
 * study_count: the hash table of the study, for the clients of a range of the hash, and what is counted of each.
 */
#ifndef PENSTOCK_STUDY_COUNT_H
#define PENSTOCK_STUDY_COUNT_H

#include "milter/clients/history_file.h"
#include "milter/clients/study.h"

struct study_client {
	uint64_t hash;			       /* of the client, and no other client's; 0: the slot is empty */
	uint32_t first_refused, first_gave_up; /* 0: never */
	uint32_t refused;
	uint16_t slowed; /* at most 65535, as below */
	uint8_t taken;	 /* 1: yes */
	uint8_t unused;
};

struct study_table {
	uint64_t odd[3];   /* drawn at random: no stranger chooses who collides with whom */
	uint64_t from, to; /* of the hash: who is counted; a full table gives up the upper half */
	size_t slots, slots_most, count;
	struct study_client *clients; /* owned */
};

/* False: no memory. */
bool study_table_begin(struct study_table *table, size_t slots_most);
void study_table_end(struct study_table *table);
/* Empties it for those from `from` on to the end. */
void study_table_next(struct study_table *table, uint64_t from);

enum { STUDY_ROWS_AT_ONCE = 32 };
/* At most STUDY_ROWS_AT_ONCE rows; those of clients out of the range are passed over. False: no memory. */
bool study_table_add(struct study_table *table, const struct history_row *rows, int count);

/* Counts all that are in it. */
void study_count(const struct study_table *table, struct study *study);

#endif
