/* SPDX-License-Identifier: BSD-2-Clause
 *
 * replay_show: what a replay counted, and how it is told to people and programs.
 */
#ifndef PENSTOCK_REPLAY_SHOW_H
#define PENSTOCK_REPLAY_SHOW_H

#include "milter/ctl/replay/replay_accounts.h"
#include "policy/verdict.h"

enum { REPLAY_POOLS_MAX = 2 * POOLS_MAX + 32, REPLAY_WAYS = ACTION_COUNT + REPLAY_POOLS_MAX };

struct replay_totals {
	uint64_t messages, differ, levels; /* levels: differ by the level alone, or too */
	uint64_t moved, refused, freed;	   /* another pool; refused or held that was not; the other way round */
	uint64_t damaged, cut;		   /* lines */
	char first_damaged[300];	   /* file:line */
	int64_t first_ms, last_ms;
	char pools[REPLAY_POOLS_MAX][TRANSPORT_NAME_MAX + 1]; /* from 1 on */
	int pool_count;
	uint64_t ways[REPLAY_WAYS][REPLAY_WAYS]; /* from, to: the actions, then pass by each pool */
};

/* A pool's place in `pools`; 0 for no pool, and where there are too many. */
unsigned char replay_pool(struct replay_totals *totals, const char *name);
void replay_count(struct replay_totals *totals, struct replay_account *account, int64_t now_ms,
		  struct replay_outcome from, struct replay_outcome to);
void replay_damaged(struct replay_totals *totals, const char *file, uint64_t line);

/* `rows`: accounts that are named, those that differ most first. Sorts the table. */
void replay_show(const struct replay_totals *totals, struct replay_accounts *accounts, size_t rows, const char *against,
		 bool json, FILE *to);

#endif
