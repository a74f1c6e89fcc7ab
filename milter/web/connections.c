/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/connections.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/base/descriptors.h"
#include "milter/daemon/stats.h"
#include "milter/web/page.h"
#include "milter/web/rate_limit.h"
#include "milter/web/http_request.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/base/banned.h"

enum { UNREAD_MAX = 32768 /* what is read ahead while an answer is on its way */, DEADLINE_S = 60 };

/* So that there is always one that may go. */
static_assert((int)CHECKS_OF_CLIENT_MAX < (int)CONNECTIONS_OF_PEER_MAX, "checks of a peer leave room for other pages");
static_assert((int)CHECKS_MAX < (int)CONNECTIONS_OF_PROXY_MAX, "all checks leave room for other pages");

static struct connections *listening; /* the one listener's, which has room for evhttp's argument alone */

/* ---- one */

/* evhttp has taken its callbacks from a stream that it has freed. */
static bool connections_is_over(const struct connection *connection)
{
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *arg;
	bufferevent_getcb(connection->stream, &on_read, &on_write, &on_event, &arg);
	return on_read == NULL && on_write == NULL && on_event == NULL;
}

static void end(const struct connection *connection)
{
	if (!connections_is_over(connection))
		bufferevent_trigger_event(connection->stream, BEV_EVENT_TIMEOUT | BEV_EVENT_READING, 0);
}

/* What came last lies at the end, in some pieces. */
static void connections_on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;
	struct evbuffer_ptr at;
	size_t left = info->n_added;
	if (left == 0 || evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - left, EVBUFFER_PTR_SET) != 0)
		return;
	while (left > 0) {
		struct evbuffer_iovec piece;
		if (evbuffer_peek(input, -1, &at, &piece, 1) < 1)
			break;
		size_t length = piece.iov_len < left ? piece.iov_len : left;
		head_read(&connection->head, piece.iov_base, length);
		left -= length;
		if (left > 0)
			evbuffer_ptr_set(input, &at, length, EVBUFFER_PTR_ADD);
	}
}

static void connection_free(struct connection *connection)
{
	evbuffer_remove_cb(bufferevent_get_input(connection->stream), connections_on_input, connection);
	bufferevent_decref(connection->stream); /* closes */
	free(connection);
}

static struct netaddr connections_peer_of(struct bufferevent *stream)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof peer;
	getpeername(bufferevent_getfd(stream), (struct sockaddr *)&peer, &length);
	if (peer.ss_family == AF_INET)
		return netaddr_v4((const uint8_t *)&((const struct sockaddr_in *)&peer)->sin_addr);
	if (peer.ss_family == AF_INET6)
		return netaddr_v6((const uint8_t *)&((const struct sockaddr_in6 *)&peer)->sin6_addr);
	return (struct netaddr){ .family = NETADDR_UNKNOWN };
}

/* ---- all */

static void connections_reap(struct connections *connections)
{
	int kept = 0, admitted = 0;
	for (int i = 0; i < connections->count; i++) {
		if (connections_is_over(connections->open[i])) {
			connection_free(connections->open[i]);
			continue;
		}
		admitted += i < connections->admitted;
		connections->open[kept++] = connections->open[i];
	}
	connections->count = kept;
	connections->admitted = admitted;
}

static bool is_of(const struct connection *connection, const struct netaddr *peer)
{
	return peer == NULL || rate_limit_same_client(&connection->peer, peer);
}

/* The one that goes for the one at `newcomer`: of the same peer, or (NULL) of any. */
static struct connection *connections_find_victim(const struct connections *connections, int newcomer,
						  const struct netaddr *peer)
{
	for (enum connection_does does = CONNECTION_ASKS; does < CONNECTION_CHECKS; does++)
		for (int i = 0; i < newcomer; i++)
			if (connections->open[i]->does == does && is_of(connections->open[i], peer))
				return connections->open[i];
	return NULL;
}

static void connections_close_for(struct connections *connections, int newcomer, const struct netaddr *peer,
				  enum stats_closed why)
{
	struct connection *victim = connections_find_victim(connections, newcomer, peer);
	if (victim == NULL) /* never, by the limits of checks */
		return;
	stats_closed(why);
	end(victim);
}

static int connections_most_of(const struct netaddr *peer)
{
	struct setup *setup = setup_hold();
	bool proxy = peer->family == NETADDR_UNKNOWN ||
		     http_request_is_proxy(peer, setup->config->proxies, setup->config->proxy_count);
	setup_drop(&setup);
	return proxy ? CONNECTIONS_OF_PROXY_MAX : CONNECTIONS_OF_PEER_MAX;
}

static void connections_let_in(struct connections *connections, int newcomer)
{
	struct connection *connection = connections->open[newcomer];
	int of_peer = 1;
	connection->peer = connections_peer_of(connection->stream);
	for (int i = 0; i < newcomer; i++)
		of_peer += is_of(connections->open[i], &connection->peer);
	if (of_peer > connections_most_of(&connection->peer))
		connections_close_for(connections, newcomer, &connection->peer, STATS_CLOSED_HTTP_PEER);
	else if (newcomer >= CONNECTIONS_MAX)
		connections_close_for(connections, newcomer, NULL, STATS_CLOSED_HTTP_FULL);
}

/* Behind the accept, which knows neither address nor socket. */
static void connections_on_admit(evutil_socket_t fd, short what, void *arg)
{
	struct connections *connections = arg;
	(void)fd;
	(void)what;
	connections_reap(connections);
	while (connections->admitted < connections->count) {
		connections_let_in(connections, connections->admitted++);
		connections_reap(connections);
	}
	if (connections->count <= CONNECTIONS_MAX && connections->listener != NULL)
		evconnlistener_enable(connections->listener);
}

static void connections_on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct connections *connections = arg;
	int64_t now_ms = clock_monotonic_ms();
	for (int i = 0; i < connections->count; i++)
		if (now_ms > connections->open[i]->until_ms)
			end(connections->open[i]);
	connections_on_admit(fd, what, arg);
}

struct bufferevent *connections_begin(struct event_base *base, void *arg)
{
	struct connections *connections = arg;
	if (connections->count > CONNECTIONS_MAX) /* the listener is another one since, and was not off */
		return NULL;
	struct connection *connection = calloc(1, sizeof *connection);
	struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (connection == NULL || stream == NULL) {
		free(connection);
		if (stream != NULL)
			bufferevent_free(stream);
		return NULL;
	}
	bufferevent_setwatermark(stream, EV_READ, 0, UNREAD_MAX);
	evbuffer_add_cb(bufferevent_get_input(stream), connections_on_input, connection);
	bufferevent_incref(stream);
	connection->stream = stream;
	connection->until_ms = clock_monotonic_ms() + DEADLINE_S * 1000;
	connections->open[connections->count++] = connection;
	if (connections->count > CONNECTIONS_MAX) /* the others wait in the kernel's queue until one has gone */
		evconnlistener_disable(connections->listener);
	event_active(connections->admit, EV_TIMEOUT, 0);
	return stream;
}

struct connection *connections_find(struct connections *connections, const struct bufferevent *stream)
{
	for (int i = 0; i < connections->count; i++)
		if (connections->open[i]->stream == stream)
			return connections->open[i];
	return NULL;
}

/* ---- begin and end */

bool connections_start(struct connections *connections, struct event_base *base)
{
	struct timeval every = { .tv_sec = 1 };
	connections->base = base;
	connections->sweep = event_new(base, -1, EV_PERSIST, connections_on_sweep, connections);
	connections->admit = event_new(base, -1, 0, connections_on_admit, connections);
	return connections->sweep != NULL && connections->admit != NULL && event_add(connections->sweep, &every) == 0;
}

/* Out of file descriptors: the connection stays in the queue and would wake the loop again at once. The oldest that may
 * go does, and the next sweep looks again. */
static void connections_on_listen_error(struct evconnlistener *listener, void *arg)
{
	(void)arg; /* evhttp's */
	if (descriptors_make_way(evconnlistener_get_fd(listener)))
		return;
	struct connection *victim = connections_find_victim(listening, listening->admitted, NULL);
	if (victim != NULL) {
		stats_closed(STATS_CLOSED_HTTP_FULL);
		end(victim);
	}
	evconnlistener_disable(listener);
}

void connections_listen(struct connections *connections, struct evconnlistener *listener)
{
	connections->listener = listener;
	listening = connections;
	evconnlistener_set_error_cb(listener, connections_on_listen_error);
}

void connections_stop(struct connections *connections)
{
	while (connections->count > 0)
		connection_free(connections->open[--connections->count]);
	if (connections->sweep != NULL)
		event_free(connections->sweep);
	if (connections->admit != NULL)
		event_free(connections->admit);
}
