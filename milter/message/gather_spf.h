/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gather_spf: SPF (RFC 7208) for one message. Of the client, where he has no login. And of the sender's domain for the
 * addresses of our own transports: would this message pass when it leaves? It is asked at the first recipient outside
 * this host, so that the answer has the time of the message's text to come.
 */
#ifndef PENSTOCK_GATHER_SPF_H
#define PENSTOCK_GATHER_SPF_H

#include "milter/message/session.h"

/* At MAIL, with the account known: starts the client's check. Does not wait. */
void gather_spf_mail(struct session *session);

/* Waits for it until the deadline (clock_monotonic_ms) or spf.timeout_ms, and fills in the fact. */
void gather_spf_client(struct message *message, int64_t deadline_ms);

/* At a recipient outside this host: starts the check of our transports. Does not wait; once a message. */
void gather_spf_rcpt(struct session *session);

/* At the end of the message: waits likewise for both, and fills in the facts. */
void gather_spf_message(struct session *session, int64_t deadline_ms);

#endif
