/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_lists: streams and sorted sets of the Redis in redis.c, under its lock.
 */
#ifndef PENSTOCK_FAKE_REDIS_LISTS_H
#define PENSTOCK_FAKE_REDIS_LISTS_H

#include "t/fake/fake.h"

/* False where it is none of its commands. */
bool fake_lists_command(int argc, const char *const *argv, struct fake_reply *reply);
void fake_lists_clear(void);

/* redis.c's. */
void fake_reply_add(struct fake_reply *reply, const char *item);

#endif
