/* SPDX-License-Identifier: BSD-2-Clause
 *
 * apply: the only step that speaks to the MTA.
 */
#ifndef PENSTOCK_APPLY_H
#define PENSTOCK_APPLY_H

#include "milter/message/session.h"

#include <libmilter/mfapi.h>

/* Sets the reply of a verdict that refuses and returns what the callback has to return; SMFIS_CONTINUE for others. */
sfsistat apply_refusal(SMFICTX *context, const struct session *session);

/* At the end of the message: headers, hold, or refusal. */
sfsistat apply_verdict(SMFICTX *context, const struct session *session);

#endif
