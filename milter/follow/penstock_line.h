/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstock_line: what a line of our own daemon says.
 */
#ifndef PENSTOCK_PENSTOCK_LINE_H
#define PENSTOCK_PENSTOCK_LINE_H

#include "milter/follow/log_event.h"

/* Fills in *event, which is empty but for its time. What strangers say (account, sender) are words without spaces in
 * the line: none can begin a field of its own, and each field counts where it stands first. */
void penstock_line_read(struct span message, struct log_event *event);

#endif
