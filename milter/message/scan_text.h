/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_text: a message's header as a scanner is to see it.
 */
#ifndef PENSTOCK_SCAN_TEXT_H
#define PENSTOCK_SCAN_TEXT_H

#include "milter/message/session.h"

/* A field as it came, with its line breaks as CRLF. */
void scan_text_header(struct message *message, const char *name, const char *value);
/* A scanner wants to see where the message came from; the MTA's own Received line is not there yet. `host` is the MTA's
 * name; NULL, as `queue_id`: it did not say. */
void scan_text_received(const struct session *session, const char *host, const char *queue_id);

#endif
