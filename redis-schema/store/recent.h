/* SPDX-License-Identifier: BSD-2-Clause
 *
 * recent: a bounded table of the accounts that this daemon saw last, and what it owes Redis for each. It answers while
 * Redis is away, with the same arithmetic as charge.lua. The oldest row that owes nothing makes room for a new one.
 * Not locked: store.c does that.
 */
#ifndef PENSTOCK_RECENT_H
#define PENSTOCK_RECENT_H

#include "redis-schema/store/store.h"

struct recent;
struct recent_row;

/* A charge that Redis has to be told, or may have to be told. */
struct owed {
	struct owed *next;
	struct recent_row *row; /* borrowed; a row that owes is not removed */
	int64_t number;		/* with which it was sent; 0: it never was */
	bool in_flight;
	struct charge charge;
};

struct recent_row {
	char account[ACCOUNT_MAX + 1];
	struct account_state state;
	bool group;	   /* no account: not among the top */
	bool useless;	   /* it is counted as one whose limits have fields that mean nothing */
	struct owed *owed; /* owned: by number, those never sent last */
	struct recent_row *newer, *older, *next_in_bucket;
};

struct recent *recent_new(size_t rows);
void recent_free(struct recent **recent);

struct recent_row *recent_find(struct recent *recent, const char *account);
/* Makes the row where it is not there; NULL only where every row owes or memory is out. */
struct recent_row *recent_take(struct recent *recent, const char *account);
void recent_forget(struct recent *recent, const char *account);
size_t recent_count(const struct recent *recent);

/* After a change of row->state.useless. */
void recent_count_useless(struct recent *recent, struct recent_row *row);
size_t recent_useless(const struct recent *recent);

/* Newest first; NULL behind the last. */
struct recent_row *recent_first(struct recent *recent);

/* Fills at most `most` rows, the highest first; returns how many. */
size_t recent_top(struct recent *recent, enum store_top_order order, size_t most, struct store_top_row *rows);

/* Checks and charges in the row alone; what charge.lua does. */
struct charge_result recent_charge(struct recent_row *row, const struct charge *charge);

/* Notes that `charge` is owed. One that was never sent (number 0) is added to the one that waits already. Returns NULL
 * where there is no memory. */
struct owed *recent_owe(struct recent_row *row, const struct charge *charge, int64_t number);
/* The charge has been taken: removes and frees it. */
void recent_paid(struct owed *owed);

#endif
