/* SPDX-License-Identifier: BSD-2-Clause
 *
 * usage_command: `penstockctl usage`: what each account or customer sent in a month (UTC), from the trace.
 */
#ifndef PENSTOCK_USAGE_COMMAND_H
#define PENSTOCK_USAGE_COMMAND_H

#include "milter/ctl/tool/call.h"

int usage_command_run(const struct call *call);

#endif
