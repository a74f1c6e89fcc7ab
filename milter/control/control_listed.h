/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_listed: who is on our own block list, for penstockctl: {"do":"client.list"}, and {"do":"client.list",
 * "behind":"192.0.2.7"} for what comes behind the last one of an answer that says "more".
 */
#ifndef PENSTOCK_CONTROL_LISTED_H
#define PENSTOCK_CONTROL_LISTED_H

#include "milter/control/control_request.h"

enum { CONTROL_LISTED_MAX = 5000 }; /* in one answer */

/* {"ok":true, "now":UNIX, "runs":true, "subscribers":UNIX|null, "left_out":0, "more":false,
 *  "listed":[{"client":"192.0.2.7", "code":3, "why":"logins", "since":UNIX, "until":UNIX, "ref":"C-..."}]} */
command_function control_listed;

#endif
