/* SPDX-License-Identifier: BSD-2-Clause
 *
 * plan: which limits hold for an account. The daemon and replay both ask here, so that they agree.
 */
#ifndef PENSTOCK_PLAN_H
#define PENSTOCK_PLAN_H

#include "policy/account.h"
#include "policy/facts.h"

/* Fills up what is unset in `limits` from the plan of that name; where there is none, nothing happens. */
typedef void plan_fill(const void *arg, const char *name, struct limits *limits);

/* The plan of clients that have no name, "ip:ADDRESS": of whoever sends to the domains that this host relays for. */
#define PLAN_STRANGER "stranger"

/* The account's own limits while they last, its plan's, where it has no name PLAN_STRANGER's, the plan default's; and where
 * it is new, no more than the ramp allows today. */
void plan_limits(const char *account, const struct account_state *state, int64_t now_ms, plan_fill *fill, const void *arg,
		 struct limits *limits_out);

#endif
