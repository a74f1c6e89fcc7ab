/* SPDX-License-Identifier: BSD-2-Clause
 *
 * webhook: an event as one POST of JSON, signed. The request is a contract: penstock.conf(5), "EVENTS".
 */
#ifndef PENSTOCK_WEBHOOK_H
#define PENSTOCK_WEBHOOK_H

#include "milter/tell/courier.h"

courier_send webhook_send;

/* What an answer means: 2xx is taken; what may be better later (no answer, 5xx, 408, 429, and a redirection, which is
 * the admin's to mend) is tried again; any other 4xx is a no. */
enum courier_said webhook_meaning(long status, bool whole);

/* "hooks.example.com" of "https://user:password@hooks.example.com:8443/secret", for logs; cut where it is too long. */
void webhook_host(const char *url, char *host, size_t size);

#endif
