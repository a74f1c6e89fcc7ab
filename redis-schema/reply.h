/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply: limits and plans as Redis holds them, read. No I/O: a panel may have written anything. Each says through `say`
 * what it could not use, naming the account's key.
 */
#ifndef PENSTOCK_REPLY_H
#define PENSTOCK_REPLY_H

#include "policy/limit.h"
#include "redis-schema/say.h"

/* Fields and values of a key `limits`, REPLY_FIELDS_MAX at most. Says what it cannot use, and looks like a slip;
 * without `named` the lines are about the fields alone. Returns how many it said. */
enum { REPLY_FIELDS_MAX = 32 };
int reply_read_limits(const char *account, bool named, int count, const char *const *items, store_say *say,
		      void *say_arg, struct limits *limits_out);

/* A plan's text, "field=value field=value". Says what it cannot use; as above. */
int reply_read_plan(const char *name, bool named, const char *text, store_say *say, void *say_arg,
		    struct limits *limits_out);

#endif
