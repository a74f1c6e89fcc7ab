/* SPDX-License-Identifier: BSD-2-Clause
 *
 * record: counters, the sender's route for the socketmap, and the one log line of a message.
 */
#ifndef PENSTOCK_RECORD_H
#define PENSTOCK_RECORD_H

#include "milter/message/session.h"

/* `stage` is where the verdict fell; `queue_id` NULL where the MTA gave none. */
void record_verdict(const struct session *session, enum stage stage, const char *queue_id);

#endif
