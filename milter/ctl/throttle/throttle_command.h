/* SPDX-License-Identifier: BSD-2-Clause
 *
 * throttle_command: penstockctl throttle report.
 */
#ifndef PENSTOCK_THROTTLE_COMMAND_H
#define PENSTOCK_THROTTLE_COMMAND_H

#include "milter/ctl/tool/call.h"

int throttle_command_run(const struct call *call);

#endif
