/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_command: `penstockctl trace`: what became of messages. Reads the files of penstock-follow itself, and asks
 * nobody.
 */
#ifndef PENSTOCK_TRACE_COMMAND_H
#define PENSTOCK_TRACE_COMMAND_H

#include "milter/ctl/tool/call.h"
#include "milter/ctl/trace/trace_days.h"

int trace_command_run(const struct call *call);

/* The days of the configuration's trace, which is left in *config_out, to be dropped. False with the complaint made,
 * also where there are none. Close and drop them in any case. */
bool trace_command_open(const struct call *call, struct config **config_out, struct trace_days *days);

#endif
