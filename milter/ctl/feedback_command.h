/* SPDX-License-Identifier: BSD-2-Clause
 *
 * feedback_command: penstockctl feedback. Reads one message from standard input, as an alias or pipe(8) gives it, and
 * hands what it reports to the daemon.
 *
 * Exit codes are those of sysexits.h, for the MTA: 0, also of what is no report of ours, since a bounce would go to
 * whoever its sender pretends to be; 64 for wrong usage; 75 where the daemon cannot take it now.
 */
#ifndef PENSTOCK_FEEDBACK_COMMAND_H
#define PENSTOCK_FEEDBACK_COMMAND_H

#include "milter/ctl/tool/call.h"

int feedback_command_run(const struct call *call);

#endif
