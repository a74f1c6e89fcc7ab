/* SPDX-License-Identifier: BSD-2-Clause
 *
 * held_tool: `penstockctl held`: the list of held messages, and letting them go or deleting them by postsuper(1), which
 * is run without a shell and wants root and the host that holds them.
 */
#ifndef PENSTOCK_HELD_TOOL_H
#define PENSTOCK_HELD_TOOL_H

#include "milter/ctl/call.h"

#include <jansson.h>
#include <stdio.h>

void show_held(const json_t *answer, FILE *to);

int held_release_run(const struct call *call);
int held_drop_run(const struct call *call);

#endif
