/* SPDX-License-Identifier: BSD-2-Clause
 *
 * endpoint: "unix:/path", "address:port", "[v6]:port", with or without "inet:" before it, or libmilter's
 * "inet:port@address"; numeric addresses only, so that reading one never waits for a resolver.
 */
#ifndef PENSTOCK_ENDPOINT_H
#define PENSTOCK_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

/* False with a sentence in `error`. */
bool endpoint_parse(const char *text, struct endpoint *endpoint_out, char *error, size_t error_size);

/* An IPv6 address of one link only (RFC 4291 section 2.5.6): which link, a zone behind it ("%eth0") has to say. */
bool endpoint_is_link_local(const struct endpoint *endpoint);

/* For libmilter's smfi_setconn: "inet:port@address", "inet6:port@address", "unix:/path". */
void endpoint_for_libmilter(const struct endpoint *endpoint, char *text, size_t size);

/* The same for who connects to it by Postfix's words: "inet:address:port", "inet:[v6]:port", "unix:/path". */
void endpoint_for_postfix(const struct endpoint *endpoint, char *text, size_t size);

/* For people: a path, address:port or [v6]:port. */
void endpoint_text(const struct endpoint *endpoint, char *text, size_t size);

/* Removes the socket file that a daemon which died left behind; false with a sentence in `error` where one that lives
 * would be robbed of it. */
bool endpoint_claim(const struct endpoint *endpoint, char *error, size_t error_size);

/* A non-blocking, close-on-exec listening socket; claims it first. `mode` is for a unix socket's file; `group` is its
 * group, "" leaves it. -1 with a sentence in `error`. */
int endpoint_listen(const struct endpoint *endpoint, unsigned mode, const char *group, char *error, size_t error_size);

/* A blocking connection, for programs that have nothing else to do; -1 with errno. */
int endpoint_connect(const struct endpoint *endpoint);

#endif
