/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_logins: attacks on logins, and what other services tell of their clients.
 *
 *   {"do":"logins.report","count":20}
 *   {"do":"client.report","rows":["1764483108 192.0.2.7 auth_failure - imap alice%40example.com", ...]}
 *
 * Rows are those of redis-schema/client_note.h. Where one cannot be read, none is taken. They go into the stream that
 * all daemons of this Redis read, this one, too; while Redis is away this daemon alone counts them, and says so
 * ("shared":false).
 */
#ifndef PENSTOCK_CONTROL_LOGINS_H
#define PENSTOCK_CONTROL_LOGINS_H

#include "milter/control/control_request.h"

bool control_logins_report(struct control_request *request, char *error, size_t error_size);
bool control_client_report(struct control_request *request, char *error, size_t error_size);

#endif
