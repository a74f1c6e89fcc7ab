/* SPDX-License-Identifier: BSD-2-Clause
 *
 * http_request: what a stranger's request says, read without I/O: the query, which form of answer is wanted, and who
 * asks.
 */
#ifndef PENSTOCK_HTTP_REQUEST_H
#define PENSTOCK_HTTP_REQUEST_H

#include "policy/netaddr.h"

/* The value of the one parameter `q`, decoded once (RFC 3986 section 2.1, '+' is a blank). False with a sentence in
 * `error` where there is none or more than one, where it is longer than size - 1 bytes, or where it has a NUL or other
 * control character or is not UTF-8. `query` is what follows the '?'; NULL: nothing. Other parameters are not looked
 * at. */
bool http_request_query(const char *query, char *q, size_t size, char *error, size_t error_size);

/* Does the Accept header (RFC 9110 section 12.5.1; NULL: there is none) prefer one application/json document to the
 * stream? The highest q wins, of equal ones the first; all else that is acceptable is the stream. */
bool http_request_wants_document(const char *accept);

/* Does `host` (Host or the authority of a target, RFC 9110 section 7.2) name this service: an address, "localhost" or
 * one of `names`, with or without a port? */
bool http_request_host_is_ours(const char *host, const char *const *names, int count);

bool http_request_is_proxy(const struct netaddr *address, const struct netblock *proxies, int proxy_count);

/* Who asks: the peer, or where that is a trusted proxy the last address of X-Forwarded-For that is none itself. The
 * headers of that name are in `forwarded` in their order. What is no address ends the search: the one before it counts,
 * so that a stranger's words never make an address. */
struct netaddr http_request_client(const struct netaddr *peer, const struct netblock *proxies, int proxy_count,
				   const char *const *forwarded, int forwarded_count);

#endif
