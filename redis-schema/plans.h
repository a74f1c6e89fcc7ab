/* SPDX-License-Identifier: BSD-2-Clause
 *
 * plans: the limits of the plans that panels keep in Redis. Not locked: store.c does that.
 */
#ifndef PENSTOCK_PLANS_H
#define PENSTOCK_PLANS_H

#include "policy/limit.h"
#include "redis-schema/say.h"

struct plans;

struct plans *plans_new(void);
void plans_free(struct plans **plans);

/* Takes what HGETALL of the plans' hash answered. Reads it only where it differs from the last one, so that what is of
 * no use is said once. More than 256 plans are said and left out. */
void plans_set(struct plans *plans, int count, const char *const *items, store_say *say, void *say_arg);

/* How many of them have something that is of no use, or are of no use themselves. */
int plans_useless(const struct plans *plans);

const struct limits *plans_find(const struct plans *plans, const char *name);

#endif
