/* SPDX-License-Identifier: BSD-2-Clause
 *
 * record: counters, the sender's route for the socketmap, and the one log line of a message.
 */
#ifndef PENSTOCK_RECORD_H
#define PENSTOCK_RECORD_H

#include "milter/message/session.h"

/* `stage` is where the verdict fell, `judged` what it was about: at RCPT the message's facts with the recipient.
 * `queue_id` is NULL where the MTA gave none. */
void record_verdict(const struct session *session, enum stage stage, const struct facts *judged, const char *queue_id);

#endif
