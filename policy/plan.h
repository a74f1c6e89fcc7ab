/* SPDX-License-Identifier: BSD-2-Clause
 *
 * plan: which limits hold for an account, and which for a group. The daemon, the store and replay all ask here, so that
 * they agree.
 */
#ifndef PENSTOCK_PLAN_H
#define PENSTOCK_PLAN_H

#include "policy/account.h"
#include "policy/facts.h"

/* Fills up what is unset in `limits` from the plan of that name. False: there is none, and nothing happens. */
typedef bool plan_fill(const void *arg, const char *name, struct limits *limits);

/* The plan of clients that have no name, "ip:ADDRESS": of whoever sends to the domains that this host relays for. */
#define PLAN_STRANGER "stranger"

/* The account's own limits while they last, its plan's, where it has no name PLAN_STRANGER's, the plan default's; and
 * where it is new, no more than the ramp allows today. */
void plan_limits(const char *account, const struct account_state *state, int64_t now_ms, plan_fill *fill,
		 const void *arg, struct limits *limits_out);

/* The plan that a group's key names; what it leaves open is taken from `given`, the plan of the group's scope, which
 * holds alone where none is named, or one that is not found: then false. limits_out->plan names the plan that holds. */
bool plan_of_group(const char *named, const struct limits *given, plan_fill *fill, const void *arg,
		   struct limits *limits_out);

/* A group's own limits while they last, then those of its plan_of_group(). */
void plan_group_limits(const struct limits *own, const struct limits *plan, int64_t now_ms, struct limits *limits_out);

/* Has a group that limits the places of `window` room for so many? */
bool plan_has_place(const struct limits *limits, enum window window, int64_t count);

/* The limit that a message passes which was counted in its group already: `rates` are the group's without it, `places`
 * how many of each kind there are on this day with the ones that it brings; 0: it brings none that is new. */
struct breach plan_group_judge(const struct charge *charge, const struct rates *rates,
			       const int64_t places[WINDOW_COUNT - WINDOW_SUMS]);

/* The limit, of those that hold, which a message to one recipient would pass in the group now; sums alone. */
struct breach plan_group_breach(const char *group, const struct account_state *state, const struct limits *limits,
				int64_t now_ms);

#endif
