/* SPDX-License-Identifier: BSD-2-Clause
 *
 * http: the HTTP listener. GET /health (JSON; 503 where it is critical) and GET /metrics (Prometheus text) for those
 * who watch this daemon; with http.rbl also /rbl, a page that looks addresses up in block lists, its API /api/v1/rbl,
 * and /openapi.json, for whoever may reach the address, which is a loopback one unless configured otherwise. Nothing
 * changes anything, and there are no secrets and no mail addresses.
 *
 * Bounded: connections (connections.h), bytes of a request, seconds of a connection; checks at once, and their rate
 * (rate_limit.h). What of a request is not as RFC 9112 has it is refused (head.h), and what is for another host
 * (http.hosts).
 *
 * Loop thread only, or with the loop stopped.
 */
#ifndef PENSTOCK_HTTP_H
#define PENSTOCK_HTTP_H

#include <stddef.h>

struct event_base;
struct http;

/* `listen` is "address:port" or "[v6]:port". NULL with a sentence in `error`. */
struct http *http_start(struct event_base *base, const char *listen, char *error, size_t error_size);
/* Ends all checks. Clears the pointer; NULL is fine. */
void http_stop(struct http **http);

#endif
