/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply: the texts that Redis holds, read. No I/O: a panel may have written anything. Each says through `say` what it
 * could not use, naming the account's key.
 */
#ifndef PENSTOCK_REPLY_H
#define PENSTOCK_REPLY_H

#include "redis-schema/store.h"

/* The answer of fetch.lua as strings (none is NULL). False where it is not one. */
bool reply_read_fetch(const char *account, int count, const char *const *items, store_say *say, void *say_arg,
		      struct account_state *state_out);

/* The fields `msgs` and `rcpts` in one text, and `rep`, whose time is theirs; "" is an account without any. False: the text is of no use, and the result is empty. */
bool reply_read_use(const char *text, struct rates *rates_out);
bool reply_read_rep(const char *text, int64_t at_ms, struct counters *counters_out);

/* A plan's text, "field=value field=value". Says what it cannot use. */
void reply_read_plan(const char *name, const char *text, store_say *say, void *say_arg, struct limits *limits_out);

#endif
