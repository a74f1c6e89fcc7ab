/* SPDX-License-Identifier: BSD-2-Clause
 *
 * replay_accounts: the accounts of a replay, each with its history under one or two configurations, and the lists that
 * its lines name.
 */
#ifndef PENSTOCK_REPLAY_ACCOUNTS_H
#define PENSTOCK_REPLAY_ACCOUNTS_H

#include "milter/config/config.h"
#include "policy/replay/replay.h"

/* What became of a message, as far as its sender or our reputation can tell. */
struct replay_outcome {
	unsigned char action, level;
	unsigned char pool; /* by its place in replay_pools; 0: none */
};

struct replay_account {
	uint64_t hash;	  /* 0: a free row */
	const char *name; /* owned by the table */
	uint64_t messages, differ, moved, refused;
	int64_t first_ms;		/* of the first difference; 0: none */
	struct replay_outcome from, to; /* of it */
	struct replayed *memory;	/* one, or two with the other configuration's behind; owned by the table */
};

struct replay_accounts {
	struct replay_account *rows;
	size_t size, count;   /* rows; of them used. size is a power of 2 */
	int histories;	      /* of each account */
	char *names, *blocks; /* the newest block of each, which begins with a pointer to the one before */
	size_t names_used, blocks_used;
	size_t bytes; /* of all of it */
};

/* Ends the program where there is no memory. */
struct replay_account *replay_account(struct replay_accounts *accounts, const char *name, bool *new_out);
void replay_accounts_free(struct replay_accounts *accounts);

#endif
