/* SPDX-License-Identifier: BSD-2-Clause
 *
 * roster_tool: penstockctl account list and account check: reads the daemon's stream (milter/control/roster.h), as a
 * table for people or line by line for programs.
 */
#ifndef PENSTOCK_ROSTER_TOOL_H
#define PENSTOCK_ROSTER_TOOL_H

#include "milter/ctl/tool/call.h"

/* Exit codes: of the list 0, of the check 1 where something was found; 2 where not all was looked at. */
int roster_list_run(const struct call *call);
int roster_check_run(const struct call *call);

#endif
