/* SPDX-License-Identifier: BSD-2-Clause
 *
 * page: what the pages share, and the pages themselves, one function for each row of the table in http.c. A page
 * answers at once, or hands its request to a stream (stream.h).
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_WEB_PAGE_H
#define PENSTOCK_WEB_PAGE_H

#include "milter/web/connections.h"
#include "policy/netaddr.h"

#include <stdbool.h>
#include <stdint.h>

struct evbuffer;
struct evhttp_request;
struct page_host;
struct rate_limit;

typedef void page_function(struct page_host *host, struct evhttp_request *request);

page_function page_health, page_metrics; /* page_status.c */
page_function page_check;		 /* page_check.c: /api/v1/rbl */
page_function page_file, page_root;	 /* page_file.c: what is embedded at build time; / leads to /rbl */

/* The path asked for, as it came. */
const char *page_path(struct evhttp_request *request);
bool page_is_head(struct evhttp_request *request);

/* Headers that each answer has. */
void page_headers(struct evhttp_request *request, const char *type, const char *cache);
/* The answer, once its headers are set; HEAD gets none of `body`. */
void page_send(struct evhttp_request *request, int code, struct evbuffer *body);
/* An answer that may not be kept; `body` may be NULL (no memory). */
void page_answer(struct evhttp_request *request, int code, const char *type, struct evbuffer *body);
/* {"error":"sentence"}; `retry_s` above 0 becomes Retry-After. */
void page_answer_error(struct evhttp_request *request, int code, const char *sentence, int64_t retry_s);

enum { CHECKS_MAX = 16, CHECKS_OF_CLIENT_MAX = 4 };

/* The checks under way. */
struct page_checks {
	struct rate_limit *rate; /* owned by http.c */
	int running;
	struct netaddr clients[CHECKS_MAX]; /* of those that run */
};

/* What the pages of one listener share; owned by http.c. */
struct page_host {
	struct connections connections;
	struct page_checks checks;
};

/* NULL: there was no memory for one when it came; no page is asked then. */
struct connection *page_connection(struct page_host *host, struct evhttp_request *request);
struct netaddr page_peer(struct page_host *host, struct evhttp_request *request);
/* A check is under way: the connection ends so many seconds from now, instead of a minute after it began. */
void page_hold_open(struct page_host *host, struct evhttp_request *request, int seconds);

#endif
