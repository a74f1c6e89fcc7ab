/* SPDX-License-Identifier: BSD-2-Clause
 *
 * logins_commands: penstockctl logins report, who tries passwords and who is tried; and client report, by which other
 * services tell of their clients: one event, rows of redis-schema/client_note.h, or their log, from standard input.
 */
#ifndef PENSTOCK_LOGINS_COMMANDS_H
#define PENSTOCK_LOGINS_COMMANDS_H

#include "milter/ctl/tool/call.h"

int logins_report_run(const struct call *call); /* logins_commands.c */
int client_report_run(const struct call *call); /* client_report.c */

#endif
