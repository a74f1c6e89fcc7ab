/* SPDX-License-Identifier: BSD-2-Clause
 *
 * pools: what of our own transports can be used just now, and how an account stands with it.
 */
#ifndef PENSTOCK_POOLS_H
#define PENSTOCK_POOLS_H

#include "milter/config/config.h"

/* Fills the `withheld` of each transport of `config`, which may be older than the configuration in force: what the
 * monitor, the warm-up and receivers that refuse them hold back now. `states` is zeroed. Any thread. */
void pools_now(const struct config *config, struct transport_state states[TRANSPORTS_ALL_MAX]);

/* judge_account() of what is known now. Any thread. */
struct verdict pools_judge(const struct config *config, const char *account, const struct account_state *state);

#endif
