/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client: one question to the daemon over its control socket: a line of JSON there, and back a line of JSON, or a
 * stream of them.
 */
#ifndef PENSTOCK_CLIENT_H
#define PENSTOCK_CLIENT_H

#include <jansson.h>

enum {
	CLIENT_REQUEST_MAX = 8192, /* bytes, with the newline: the daemon reads no more */
	CLIENT_ANSWER_MAX = 16 << 20,
	CLIENT_WAIT_MS = 15000,	 /* from the connection to the whole answer */
	CLIENT_LINE_MAX = 65536, /* bytes of a line of a stream */
};

/* `socket` is a path, with or without "unix:" before it. The answer is an object, owned by the caller. NULL with a
 * sentence in `error`. */
json_t *client_ask(const char *socket, const json_t *request, char *error, size_t error_size);

/* A stream may take as long as it likes, but not be silent for longer than `silence_ms`. Closing it ends what the
 * daemon does for it. NULL with a sentence in `error`. */
struct client_stream;
struct client_stream *client_open(const char *socket, const json_t *request, int silence_ms, char *error,
				  size_t error_size);
void client_close(struct client_stream **stream);

enum client_said {
	CLIENT_LINE,	/* the next line, without its newline but with a NUL; it is there until the next call */
	CLIENT_WAITING, /* none came within `wait_ms`; ask again */
	CLIENT_END,	/* the daemon has closed the stream, behind a whole line */
	CLIENT_FAILED,	/* a sentence in `error` */
};

enum client_said client_next(struct client_stream *stream, int wait_ms, const char **line_out, size_t *length_out,
			     char *error, size_t error_size);

#endif
