/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/channel.h"

#include "policy/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { READ_SIZE = 64 << 10, FIRST_SIZE = 16 << 10, IDLE_SIZE = 1 << 20 };

struct channel {
	struct channel_events events;
	int fd; /* owned; -1: none */
	bool open;
	bool flushing;				   /* `flush` or `writable` will send what is kept */
	int error;				   /* why it cannot be opened or written to; 0: it can */
	struct event *readable, *writable, *flush; /* owned */
	char *kept;				   /* owned: what cannot leave yet stands from `start` to `end` */
	size_t start, end, size;
};

/* ---- the end */

/* The last that is done with a channel: who hears of it closes it. */
static void channel_end(struct channel *channel, const char *why)
{
	char line[160];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "%s: %s", channel->open ? "the connection ended" : "cannot connect", why);
	event_del(channel->readable);
	event_del(channel->writable);
	event_del(channel->flush);
	channel->events.closed(channel->events.arg, line);
}

/* ---- reading */

/* One piece a turn, and nothing of the channel is touched behind the event: who hears of it may close it. */
static void channel_on_readable(evutil_socket_t fd, short what, void *arg)
{
	static char buffer[READ_SIZE]; /* of the loop thread; a piece of a closed channel is still there */
	struct channel *channel = arg;
	ssize_t got = recv(fd, buffer, sizeof buffer, 0);
	int error = got < 0 ? errno : 0;
	(void)what;
	if (error == EAGAIN || error == EINTR) {
		if (channel->error != 0)
			channel_end(channel, strerror(channel->error));
		return;
	}
	if (got <= 0) {
		channel_end(channel, got == 0 ? "closed" : strerror(error));
		return;
	}
	if (channel->error != 0)
		event_active(channel->readable, EV_READ, 0);
	channel->events.bytes(channel->events.arg, buffer, (size_t)got);
}

/* ---- writing */

/* What Redis said before it ceased to listen is read first: it may be why. */
static void channel_broken(struct channel *channel, int error)
{
	channel->error = error;
	channel->start = channel->end = 0;
	event_active(channel->readable, EV_READ, 0);
}

static void channel_send(struct channel *channel)
{
	while (channel->start < channel->end) {
		ssize_t sent =
			send(channel->fd, channel->kept + channel->start, channel->end - channel->start, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			event_add(channel->writable, NULL);
			return;
		}
		if (sent < 0) {
			channel_broken(channel, errno);
			break;
		}
		channel->start += (size_t)sent;
	}
	channel->flushing = false;
	channel->start = channel->end = 0;
	if (channel->size <= IDLE_SIZE)
		return;
	free(channel->kept);
	channel->kept = NULL;
	channel->size = 0;
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	channel_send(arg);
}

/* Room for `length` bytes at `end`. */
static bool channel_grow(struct channel *channel, size_t length)
{
	size_t used = channel->end - channel->start, size = channel->size > 0 ? channel->size : FIRST_SIZE;
	if (channel->end + length <= channel->size)
		return true;
	if (channel->start > 0)
		memmove(channel->kept, channel->kept + channel->start, used);
	channel->start = 0;
	channel->end = used;
	while (size < used + length)
		size *= 2;
	if (size == channel->size)
		return true;
	char *grown = realloc(channel->kept, size);
	if (grown == NULL)
		return false;
	channel->kept = grown;
	channel->size = size;
	return true;
}

bool channel_write(struct channel *channel, const char *bytes, size_t length)
{
	if (channel->error != 0)
		return true; /* `closed` is on its way */
	if (length > CHANNEL_KEPT_MAX - (channel->end - channel->start) || !channel_grow(channel, length))
		return false;
	memcpy(channel->kept + channel->end, bytes, length);
	channel->end += length;
	if (!channel->open || channel->flushing)
		return true;
	channel->flushing = true;
	/* behind all that is active in this turn: what they write leaves with it */
	event_active(channel->flush, EV_WRITE, 0);
	return true;
}

/* ---- opening */

static void channel_on_connected(struct channel *channel)
{
	socklen_t length = sizeof channel->error;
	if (channel->error == 0 && getsockopt(channel->fd, SOL_SOCKET, SO_ERROR, &channel->error, &length) != 0)
		channel->error = errno;
	if (channel->error != 0) {
		channel_end(channel, strerror(channel->error));
		return;
	}
	channel->open = true;
	event_add(channel->readable, NULL);
	if (channel->end > 0) {
		channel->flushing = true;
		event_active(channel->flush, EV_WRITE, 0);
	}
	channel->events.open(channel->events.arg);
}

static void channel_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *channel = arg;
	(void)fd;
	(void)what;
	if (channel->open)
		channel_send(channel);
	else
		channel_on_connected(channel);
}

union channel_address {
	struct sockaddr any;
	struct sockaddr_un unix_path;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Its length; 0: it is of no use. */
static socklen_t channel_address_of(const char *path, const char *host, int port, union channel_address *address)
{
	*address = (union channel_address){ 0 };
	if (path != NULL) {
		address->unix_path.sun_family = AF_UNIX;
		return text_copy(address->unix_path.sun_path, sizeof address->unix_path.sun_path, path)
			       ? sizeof address->unix_path
			       : 0;
	}
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return sizeof address->v4;
	}
	*address = (union channel_address){ 0 };
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
		return 0;
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons((uint16_t)port);
	return sizeof address->v6;
}

/* What comes of it is heard in a later turn, whether it is known already or not. */
static void channel_connect(struct channel *channel, const union channel_address *address, socklen_t length)
{
	int yes = 1;
	if (address->any.sa_family != AF_UNIX)
		setsockopt(channel->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (connect(channel->fd, &address->any, length) != 0 && errno != EINPROGRESS)
		channel->error = errno;
	if (channel->error != 0)
		event_active(channel->writable, EV_WRITE, 0);
	else
		event_add(channel->writable, NULL);
}

struct channel *channel_open(struct event_base *base, const char *path, const char *host, int port,
			     const struct channel_events *events, char *error, size_t error_size)
{
	union channel_address address;
	socklen_t length = channel_address_of(path, host, port, &address);
	struct channel *channel = length > 0 ? calloc(1, sizeof *channel) : NULL;
	if (channel == NULL) {
		text_copy(error, error_size, length > 0 ? strerror(ENOMEM) : "no address of a socket");
		return NULL;
	}
	channel->events = *events;
	channel->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (channel->fd < 0) {
		text_copy(error, error_size, strerror(errno));
		channel_close(&channel);
		return NULL;
	}
	channel->readable = event_new(base, channel->fd, EV_READ | EV_PERSIST, channel_on_readable, channel);
	channel->writable = event_new(base, channel->fd, EV_WRITE, channel_on_writable, channel);
	channel->flush = event_new(base, -1, 0, on_flush, channel);
	if (channel->readable == NULL || channel->writable == NULL || channel->flush == NULL) {
		text_copy(error, error_size, strerror(ENOMEM));
		channel_close(&channel);
		return NULL;
	}
	channel_connect(channel, &address, length);
	return channel;
}

void channel_close(struct channel **channel)
{
	struct channel *closed = *channel;
	if (closed == NULL)
		return;
	*channel = NULL;
	struct event *events[] = { closed->readable, closed->writable, closed->flush };
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (closed->fd >= 0)
		close(closed->fd);
	free(closed->kept);
	free(closed);
}
