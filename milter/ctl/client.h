/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client: one question to the daemon over its control socket: a line of JSON there, a line of JSON back.
 */
#ifndef PENSTOCK_CLIENT_H
#define PENSTOCK_CLIENT_H

#include <jansson.h>

enum {
	CLIENT_REQUEST_MAX = 8192,	/* bytes, with the newline: the daemon reads no more */
	CLIENT_ANSWER_MAX = 16 << 20,
	CLIENT_WAIT_MS = 15000,		/* from the connection to the whole answer */
};

/* `socket` is a path, with or without "unix:" before it. The answer is an object, owned by the caller. NULL with a
 * sentence in `error`. */
json_t *client_ask(const char *socket, const json_t *request, char *error, size_t error_size);

#endif
