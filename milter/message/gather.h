/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gather: the only step that waits. It asks Redis, the block lists and the scanners, in parallel where it can, and
 * fills in facts; what is not there by the deadline stays unknown.
 */
#ifndef PENSTOCK_GATHER_H
#define PENSTOCK_GATHER_H

#include "milter/message/session.h"

/* What the MTA said with MAIL; NULL where it did not. */
struct mail_macros {
	const char *auth_authen, *cert_subject, *verify;
	const char *host; /* j: the MTA's own name */
};

/* At connect: starts what has to be asked about the client; does not wait. */
void gather_connect(struct session *session);

/* At MAIL: whose message is it, and what is known of him. */
void gather_mail(struct session *session, const struct mail_macros *macros);

/* A message as it is with one recipient more. */
struct with_rcpt {
	const char *raw; /* the recipient, borrowed */
	struct facts facts;
	struct rcpts rcpts;
	int64_t aliased; /* message.rcpts_aliased */
};

/* At RCPT: what the message is with this recipient, for the judge; the message itself stays as it is ... */
void gather_rcpt(struct session *session, const char *raw, enum rcpt_way way, struct with_rcpt *with);
/* ... until the recipient is accepted. */
void gather_take_rcpt(struct session *session, const struct with_rcpt *with);

/* At the end of the message: what it is, and what the block lists and the scanners say. */
void gather_message(struct session *session);

/* Checks and charges the message, with the verdict so far: the account, its groups and the campaign in one wait. The
 * result stands in the facts. Has what is left of the budget of gather_message, and redis.timeout_ms at least. */
void gather_charge(struct session *session);

/* Sends behind the charge what its answer changed of the verdict. Does not wait. */
void gather_amend(const struct session *session);

/* At the end of a message, with its verdict: true, once, where it is turned away for a limit for which its account was
 * turned away within the last ten minutes. The facts say so then, and it has to be judged again: a queue that tries
 * again is no abuse, and its tries are no evidence. */
bool gather_note_try(struct session *session);
/* Counts a message that was turned away for a limit before its end, where its client is known; one of an account and a
 * limit in ten minutes. Does not wait. */
void gather_note_breach(const struct session *session);

/* For session_end. */
void gather_release_charge(struct charge_ask **charge);

/* For session_free. */
void gather_release_network(struct network_ask **network);

#endif
