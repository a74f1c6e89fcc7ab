/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limits: the limits in force: those of panels in Redis, else of a configuration. policy/plan.h says which of them
 * hold.
 */
#ifndef PENSTOCK_LIMITS_H
#define PENSTOCK_LIMITS_H

#include "milter/config/config.h"

/* The plan of the groups of a scope; "": none. Groups of domain, server and client are not counted then. */
const char *group_plan(const struct config *config, enum scope scope);

/* The limits that hold for a group: its own, then what plan_of_group() says. */
void limits_of_group(const struct config *config, enum scope scope, const struct limits *own, int64_t now_ms,
		     struct limits *limits_out);

/* A plan of Redis, else of `config`: the plan_fill of a session that keeps this configuration. Any thread. */
bool limits_fill_plan(const void *config, const char *name, struct limits *limits);

/* The limits of one plan (of Redis, else of the file) and its name in them; "" or one that is nowhere: none. */
void limits_of_plan(const struct config *config, const char *name, struct limits *limits_out);

/* The limits that hold for an account: its own, its plan's (of Redis, else of the file), the default plan's; and where
 * it is new no more than the ramp allows today. */
void limits_of(const struct config *config, const char *account, const struct account_state *state, int64_t now_ms,
	       struct limits *limits_out);

#endif
