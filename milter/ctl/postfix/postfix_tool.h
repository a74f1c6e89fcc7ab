/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_tool: `penstockctl postfix`: what Postfix must be told, and whether it was, and how it is taken back.
 */
#ifndef PENSTOCK_POSTFIX_TOOL_H
#define PENSTOCK_POSTFIX_TOOL_H

#include "milter/ctl/tool/call.h"

int postfix_print_run(const struct call *call);
int postfix_check_run(const struct call *call);
int postfix_remove_run(const struct call *call);

#endif
