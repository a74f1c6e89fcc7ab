/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exchange: a server whose connections carry one request and one answer and are then closed: the control socket.
 * Bounded in all ways: connections, bytes of a request, seconds from accept to close. An answer may come in parts: then
 * its client may take as long as it reads at all.
 *
 * Loop thread only, or with the loop stopped. SIGPIPE has to be ignored.
 */
#ifndef PENSTOCK_EXCHANGE_H
#define PENSTOCK_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evconnlistener;
struct event_base;
struct evbuffer;
struct exchange;
struct exchange_call; /* one connection; valid until its exchange_answer */

struct exchange_kind {
	/* From there on the oldest goes that has its answer, or asks nothing or reads nothing for a while; else more
	 * wait. */
	int connections_max;
	void (*closed)(void); /* one of those went; NULL: nobody counts them */
	size_t request_max;   /* bytes */
	int deadline_s;	      /* of a connection as a whole */
	bool close_ends;      /* a client that closes its sending side has ended its request */
	/* Where the request ends that begins at `bytes`; 0: it is not whole yet. */
	size_t (*end)(const char *bytes, size_t length);
	/* A whole request, borrowed until it returns or answers; NULL: it was longer than request_max. Must lead to one
	 * exchange_answer, at once or later. */
	void (*serve)(struct exchange_call *call, const char *request, size_t length);
};

/* Takes over the listening socket; `kind` must live as long. NULL: no memory, the socket is closed. */
struct exchange *exchange_start(struct event_base *base, int listen_fd, const struct exchange_kind *kind);

/* Borrowed. */
struct evconnlistener *exchange_listener(struct exchange *exchange);

/* For answers that come in parts; called on the loop thread, never from inside exchange_send. */
struct exchange_stream {
	/* The client has gone, or has read nothing for deadline_s, or the server ends. exchange_answer is still owed,
	 * and may be called from here. */
	void (*gone)(void *arg);
	/* What is not sent yet has fallen below EXCHANGE_LOW again. */
	void (*drained)(void *arg);
	void *arg;
};

enum { EXCHANGE_HIGH = 256 * 1024, EXCHANGE_LOW = 64 * 1024 }; /* bytes that are not sent yet */

/* The answer will come in parts. Once for a call, from inside `serve`, whose request is gone afterwards; `stream` is
 * copied. */
void exchange_begin(struct exchange_call *call, const struct exchange_stream *stream);

/* Sends a part (drained). False: more than EXCHANGE_HIGH bytes are not sent yet; it is taken all the same, but begin
 * nothing more before `drained`. What comes until then is taken too, and false again. */
bool exchange_send(struct exchange_call *call, struct evbuffer *part);

/* Sends what is in `answer` (drained; NULL: no memory) and closes. Safe, and still owed, when client or server have
 * gone. */
void exchange_answer(struct exchange_call *call, struct evbuffer *answer);

/* Closes all connections. Calls that are not answered yet stay valid until they are. */
void exchange_stop(struct exchange **exchange);

#endif
