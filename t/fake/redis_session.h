/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_session: one connection to a Redis in memory, without a socket: bytes of requests come in, in pieces of any
 * size, bytes of answers go out. Many sessions may share the same keys. One thread at a time.
 */
#ifndef PENSTOCK_FAKE_REDIS_SESSION_H
#define PENSTOCK_FAKE_REDIS_SESSION_H

#include "t/fake/redis_keys.h"

enum { REDIS_ARGS_MAX = 1 << 20, REDIS_BULK_MAX = 512 << 20 };

struct redis_request {
	int argc;
	struct fake_word *argv; /* owned; the words borrowed from what came in */
	int argv_room;
	size_t whole; /* bytes that it takes */
};

struct redis_session {
	struct redis_data *data; /* borrowed */
	int64_t database;
	bool greeted;
	bool broken;		   /* what came in is no request: the answer says so, and nothing more is read */
	struct fake_bytes in, out; /* owned; who sends the answers cuts them off */
	struct redis_request request;
};

void redis_session_open(struct redis_session *session, struct redis_data *data);
void redis_session_close(struct redis_session *session);

/* All whole requests in it are done, and answered in `out`. */
void redis_session_feed(struct redis_session *session, const void *bytes, size_t length);

/* The same step by step: is there a whole request? It is in `request` then, until it is done or left out. */
bool redis_session_next(struct redis_session *session);
void redis_session_do(struct redis_session *session);
void redis_session_skip(struct redis_session *session); /* not done and not answered */

#endif
