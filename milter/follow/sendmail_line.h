/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail_line: what a line of Sendmail says.
 */
#ifndef PENSTOCK_SENDMAIL_LINE_H
#define PENSTOCK_SENDMAIL_LINE_H

#include "milter/follow/log_event.h"

/* Fills in *event, which is empty but for its time. */
void sendmail_line_read(struct span message, struct log_event *event);

/* The end of a recipient as Penstock rewrites it for Sendmail, ".TRANSPORT.penstock", is cut. */
void sendmail_line_cut_suffix(struct span *rcpt);

#endif
