/* SPDX-License-Identifier: BSD-2-Clause
 *
 * held_commands: `penstockctl held`: the list of held messages, and letting them go or deleting them by postsuper(1),
 * which is run without a shell and wants root and the host that holds them.
 */
#ifndef PENSTOCK_HELD_COMMANDS_H
#define PENSTOCK_HELD_COMMANDS_H

#include "milter/ctl/tool/call.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

void show_held(const json_t *answer, bool all, FILE *to);

/* Is this row of the list asked for? Then its queue id may become an argument of postsuper. One of another host's
 * daemon than `node` is for that host. found[i] is set where the i-th argument of the call names it. */
bool held_commands_wants(const struct call *call, const json_t *row, const char *node, bool *found);

int held_release_run(const struct call *call);
int held_drop_run(const struct call *call);

#endif
