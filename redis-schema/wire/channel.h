/* SPDX-License-Identifier: BSD-2-Clause
 *
 * channel: a stream of bytes to Redis and back, by a socket that does not block. A test puts one of its own in the
 * place of channel.c.
 *
 * Loop thread only. No event comes before channel_open() returned, within channel_write() or after channel_close().
 */
#ifndef PENSTOCK_WIRE_CHANNEL_H
#define PENSTOCK_WIRE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct channel;

struct channel_events {
	void (*open)(void *arg); /* connected */
	/* Borrowed until it returns. */
	void (*bytes)(void *arg, const char *bytes, size_t length);
	/* It could not be opened, or ended, as the whole sentence `why` says; the last event. */
	void (*closed)(void *arg, const char *why);
	void *arg;
};

/* `path` of a unix socket, or NULL: `host` (an address in numbers) and `port`. NULL with why in `error` where it cannot
 * even be tried. */
struct channel *channel_open(struct event_base *base, const char *path, const char *host, int port,
			     const struct channel_events *events, char *error, size_t error_size);
/* What is written in one turn of the loop leaves in one piece. What cannot leave yet is kept; false: no memory, or more
 * than CHANNEL_KEPT_MAX is kept. */
bool channel_write(struct channel *channel, const char *bytes, size_t length);
enum { CHANNEL_KEPT_MAX = 64 << 20 };
void channel_close(struct channel **channel);

#endif
