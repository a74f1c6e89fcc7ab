/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_commands: `penstockctl queue`: the mail of an account that is in Postfix's queue, as penstock-follow knows it,
 * and what an admin does with it by postsuper(1), which wants root.
 */
#ifndef PENSTOCK_QUEUE_COMMANDS_H
#define PENSTOCK_QUEUE_COMMANDS_H

#include "milter/ctl/tool/call.h"

int queue_show_run(const struct call *call);
int queue_hold_run(const struct call *call);
int queue_release_run(const struct call *call);
int queue_delete_run(const struct call *call);

#endif
