/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply: the texts that Redis holds, read. No I/O: a panel may have written anything. Each says through `say` what it
 * could not use, naming the account's key.
 */
#ifndef PENSTOCK_REPLY_H
#define PENSTOCK_REPLY_H

#include "redis-schema/store.h"

/* Strings of an answer, some of them binary; each has a NUL behind it. NULL: nil. */
struct reply_items {
	int count;
	const char *const *text;
	const size_t *length;
};

/* The answer of fetch.lua. False where it is not one. `*map_out`: the map of known recipients inside `items`, or NULL. */
bool reply_read_fetch(const char *account, const struct reply_items *items, store_say *say, void *say_arg,
		      struct account_state *state_out, const unsigned char **map_out);

/* Fields and values of a key `limits`. Says what it cannot use. */
void reply_read_limits(const char *account, int count, const char *const *items, store_say *say, void *say_arg,
		       struct limits *limits_out);

/* The fields `msgs` and `rcpts`, or those and `kb` as texts of version 1; "" is an account without any. False: they are of
 * no use, and the result is empty. */
struct reply_use {
	const char *msgs;	/* all are borrowed, and have a NUL behind them */
	size_t msgs_length;
	const char *rcpts;
	size_t rcpts_length;
	const char *kb;
};
bool reply_read_use(const struct reply_use *use, struct rates *rates_out);

/* The fields `rep` and `sig`, whose time is that of `msgs`. */
enum { REPLY_REP_BYTES = 4 * COUNTERS_REP, REPLY_SIG_BYTES = 4 * (COUNTER_COUNT - COUNTERS_REP) };
struct reply_counters {
	bool packed;		/* `rep` is of version 2 */
	const char *rep;	/* both are borrowed */
	size_t rep_length;
	const char *sig;
	size_t sig_length;
};
bool reply_read_counters(const struct reply_counters *from, int64_t at_ms, struct counters *counters_out);
void reply_write_rep(const struct counters *counters, char bytes[REPLY_REP_BYTES]);
void reply_write_sig(const struct counters *counters, char bytes[REPLY_SIG_BYTES]);

/* A plan's text, "field=value field=value". Says what it cannot use. */
void reply_read_plan(const char *name, const char *text, store_say *say, void *say_arg, struct limits *limits_out);

#endif
