/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_commands: penstockctl client show and sessions report: a host that connects, why it stands as it does, and
 * how sessions end.
 */
#ifndef PENSTOCK_CLIENT_COMMANDS_H
#define PENSTOCK_CLIENT_COMMANDS_H

#include "milter/ctl/show.h"
#include "milter/ctl/tool/call.h"

show_answer show_sessions; /* show_sessions.c */

int client_show_run(const struct call *call);
int sessions_report_run(const struct call *call);

#endif
