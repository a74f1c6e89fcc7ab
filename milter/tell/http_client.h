/* SPDX-License-Identifier: BSD-2-Clause
 *
 * http_client: one request by HTTP or one message by SMTP, and its answer. The one place that knows libcurl. Waits, for
 * its time-out at most: for a courier's thread only.
 *
 * Redirects are not followed, proxies of the environment not used, no protocol but the two is spoken, TLS is verified,
 * and no more than 64 KiB of an answer are read.
 */
#ifndef PENSTOCK_HTTP_CLIENT_H
#define PENSTOCK_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client_request {
	const char *url;	    /* http://, https:// or smtp://address:port */
	const char *ca_file;	    /* "" : the system's */
	int64_t timeout_ms;	    /* of all */
	const char *const *headers; /* of HTTP, "Name: value", NULL at the end */
	const char *mail_from;	    /* of SMTP; "" : <> */
	const char *const *mail_to; /* of SMTP, NULL at the end */
	const char *body;	    /* of SMTP: with CRLF at each line's end */
	size_t length;
	const atomic_bool *stop; /* true: give up within a second */
};

struct http_client_answer {
	long status;	       /* of HTTP or SMTP, the last one; 0: none came */
	bool whole;	       /* the exchange came to its end */
	int64_t retry_after_s; /* the server's; 0: it said nothing */
	char error[120];       /* where none came or it broke off: why, never in the server's words */
};

/* Before any thread is made, once. False: no memory. */
bool http_client_open(void);
void http_client_send(const struct http_client_request *post, struct http_client_answer *answer_out);

#endif
