/* SPDX-License-Identifier: BSD-2-Clause
 *
 * post: one request by HTTP or one message by SMTP, and its answer. The one place that knows libcurl. Waits, for its
 * time-out at most: for a courier's thread only.
 *
 * Redirects are not followed, proxies of the environment not used, no protocol but the two is spoken, TLS is verified,
 * and no more than 64 KiB of an answer are read.
 */
#ifndef PENSTOCK_POST_H
#define PENSTOCK_POST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct post {
	const char *url;		/* http://, https:// or smtp://address:port */
	const char *ca_file;		/* "" : the system's */
	int64_t timeout_ms;		/* of all */
	const char *const *headers;	/* of HTTP, "Name: value", NULL at the end */
	const char *mail_from;		/* of SMTP; "" : <> */
	const char *const *mail_to;	/* of SMTP, NULL at the end */
	const char *body;		/* of SMTP: with CRLF at each line's end */
	size_t length;
	const atomic_bool *stop;	/* true: give up within a second */
};

struct post_answer {
	long status;		/* of HTTP or SMTP, the last one; 0: none came */
	bool whole;		/* the exchange came to its end */
	int64_t retry_after_s;	/* the server's; 0: it said nothing */
	char error[120];	/* where none came or it broke off: why, never in the server's words */
};

/* Before any thread is made, once. */
void post_open(void);
void post_send(const struct post *post, struct post_answer *answer_out);

#endif
