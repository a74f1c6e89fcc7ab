/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply: the texts that Redis holds, read. No I/O: a panel may have written anything. Each says through `say` what it
 * could not use, naming the account's key.
 */
#ifndef PENSTOCK_REPLY_H
#define PENSTOCK_REPLY_H

#include "policy/facts.h"
#include "policy/known.h"
#include "redis-schema/say.h"

/* Strings of an answer, some of them binary; each has a NUL behind it. NULL: nil. */
struct reply_items {
	int count;
	const char *const *text;
	const size_t *length;
};

/* The answer of fetch.lua. False where it is not one. `known_out` borrows from it. */
bool reply_read_fetch(const char *account, const struct reply_items *items, store_say *say, void *say_arg,
		      struct account_state *state_out, struct known *known_out);

/* Fields and values of a key `limits`, REPLY_FIELDS_MAX at most. Says what it cannot use, and looks like a slip;
 * without `named` the lines are about the fields alone. Returns how many it said. */
enum { REPLY_FIELDS_MAX = 32 };
int reply_read_limits(const char *account, bool named, int count, const char *const *items, store_say *say,
		      void *say_arg, struct limits *limits_out);

/* A field's value, with a NUL behind it; borrowed. */
struct reply_field {
	const char *bytes;
	size_t length;
};

/* The sums, fields `m` and `r`; both empty: an account without any. False: they are of no use, and the result is empty.
 */
bool reply_read_sums(struct reply_field m, struct reply_field r, struct rates *rates_out);

/* The counters, fields `c` and `s`; their time is that of `m`. */
enum {
	REPLY_C_BYTES = 4 * COUNTERS_REP,
	REPLY_S_BYTES = 4 * (COUNTER_COUNT - COUNTERS_REP),
};

/* A plan's text, "field=value field=value". Says what it cannot use; as above. */
int reply_read_plan(const char *name, bool named, const char *text, store_say *say, void *say_arg,
		    struct limits *limits_out);

#endif
