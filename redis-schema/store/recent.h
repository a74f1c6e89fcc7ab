/* SPDX-License-Identifier: BSD-2-Clause
 *
 * recent: a bounded table of the accounts and groups that this daemon saw last. It answers while Redis is away. The
 * oldest row of which nothing is owed makes room for a new one; where there is none, accounts share rows. Not locked:
 * store.c does that.
 */
#ifndef PENSTOCK_RECENT_H
#define PENSTOCK_RECENT_H

#include "redis-schema/account_record.h"
#include "redis-schema/store/store.h"

struct account_book;
struct recent;

struct recent_row {
	char account[ACCOUNT_MAX + 1];
	struct account_state state; /* its history has all that was counted here, be it in Redis or not */
	bool group;		    /* no account: not among the top */
	bool useless;		    /* it is counted as one whose limits have fields that mean nothing */
	bool foreign;		    /* likewise as one whose record is not ours */
	bool based; /* an account's: state.history is the record that Redis held when it was heard last ... */
	struct record_write writes[RECORD_WRITERS]; /* ... with these writes */
	uint8_t earlier;			    /* ... in bytes of an earlier version */
	struct account_book *book;		    /* store_book.c's; NULL: nothing is under way, and nothing owed */
	/* a group's */
	unsigned windows;      /* those that are limited, and so counted in Redis: a set of 1 << enum window */
	struct amounts owed;   /* what was let out while Redis was away ... */
	uint64_t owed_charges; /* ... by so many charges */
	struct amounts paying; /* of them: what is under way */
	uint64_t paying_charges;
	struct recent_row *newer, *older, *next_in_bucket;
};

struct recent *recent_new(size_t rows);
void recent_free(struct recent **recent);

struct recent_row *recent_find(struct recent *recent, const char *account);
/* Makes the row where it is not there; NULL only where Redis is owed something by every row, and by `more` beyond the
 * table's size, or memory is out. */
struct recent_row *recent_take(struct recent *recent, const char *account, size_t more);
/* The counts that accounts without a row share with each other: what is counted for one is counted for some more. Never
 * NULL. */
struct rates *recent_shared(struct recent *recent, const char *account);
void recent_forget(struct recent *recent, const char *account);
size_t recent_count(const struct recent *recent);

/* After a change of row->state.useless or unreadable. */
void recent_count_useless(struct recent *recent, struct recent_row *row);
size_t recent_useless(const struct recent *recent);
size_t recent_foreign(const struct recent *recent);

/* Newest first; NULL behind the last. */
struct recent_row *recent_first(struct recent *recent);

/* Fills at most `most` rows, the highest first; returns how many. */
size_t recent_top(struct recent *recent, enum store_top_order order, size_t most, struct store_top_row *rows);

#endif
