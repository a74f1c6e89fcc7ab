/* SPDX-License-Identifier: BSD-2-Clause
 *
 * http: GET /health (JSON; 503 where it is critical) and GET /metrics (Prometheus text). Reads only, no secrets, no
 * mail addresses: it may be reached by whoever reaches its address, which is a loopback one unless configured
 * otherwise.
 *
 * Loop thread only, or with the loop stopped.
 */
#ifndef PENSTOCK_HTTP_H
#define PENSTOCK_HTTP_H

#include <stddef.h>

struct event_base;
struct http;

enum { HTTP_CONNECTIONS_MAX = 64 };

/* `listen` is "address:port" or "[v6]:port". NULL with a sentence in `error`. */
struct http *http_start(struct event_base *base, const char *listen, char *error, size_t error_size);
/* Clears the pointer; NULL is fine. */
void http_stop(struct http **http);

#endif
