/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl_command: penstockctl rbl TARGET...: what all block lists say of addresses, host names and networks. The daemon
 * asks them and streams what it hears (control.h); here it is read, handed on, and comes to an exit code.
 *
 * For programs (--json) the daemon's lines as they are, and for each error one more:
 *   {"type":"error","target":"...","error":"one sentence"}
 */
#ifndef PENSTOCK_RBL_COMMAND_H
#define PENSTOCK_RBL_COMMAND_H

#include "milter/ctl/tool/call.h"

/* EXIT_USAGE where any target's answer is missing, broken or says nothing at all: what is not known is not clean. Else
 * EXIT_NO where any target is listed; else EXIT_FINE. */
int rbl_command_run(const struct call *call);

#endif
