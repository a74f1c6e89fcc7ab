/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_line: what a line of one of Postfix's daemons says.
 */
#ifndef PENSTOCK_POSTFIX_LINE_H
#define PENSTOCK_POSTFIX_LINE_H

#include "milter/follow/log_event.h"

/* Fills in *event, which is empty but for its time. `program` is "syslog_name/daemon". */
void postfix_line_read(struct span program, struct span message, struct log_event *event);

#endif
