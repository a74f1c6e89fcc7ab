/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_lookup: a check of an address, a name or a network (milter/lookup/check.h) for a client of the control
 * socket: its lines are sent as they come (milter/report/report_check.h), for as long as the client reads them; one
 * that has gone ends the check.
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_CONTROL_LOOKUP_H
#define PENSTOCK_CONTROL_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

struct exchange_call;

enum { CONTROL_LOOKUPS_MAX = 8 }; /* under way at once */

/* Takes over the call: it will be answered. False: `error` holds one sentence, and the call is still the caller's. */
bool control_lookup_start(struct exchange_call *call, const char *target, char *error, size_t error_size);

#endif
