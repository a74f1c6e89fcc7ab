/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stamp: the marks by which a message that left is known again when a complaint or a bounce comes back: a token of ours
 * in a header field and in the envelope (RFC 3461's ENVID), where complaints are to be sent (RFC 9477), and Gmail's
 * Feedback-ID. Mail of proven accounts that leaves this host bears them.
 */
#ifndef PENSTOCK_STAMP_H
#define PENSTOCK_STAMP_H

#include "milter/mta/apply.h"

/* At MAIL: `arguments` are libmilter's. Keeps the sender as it came where the envelope may bear an ENVID of ours. */
void stamp_mail(struct session *session, char **arguments);

/* Is a client's field of this name deleted where ours takes its place? */
bool stamp_replaces(const struct config *config, const char *name);

/* At the end of a message that is not refused. */
void stamp_message(SMFICTX *context, const struct session *session);

#endif
