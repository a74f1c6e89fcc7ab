/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/socketmap.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/base/descriptors.h"
#include "milter/base/netstring.h"
#include "milter/mta/socketmap_inside.h"
#include "milter/daemon/stats.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	INPUT_MAX = SOCKETMAP_REQUEST_MAX + 16, /* a whole request with its length always fits */
	OUTPUT_MAX = 16384,			/* unread answers, from which on a client's further requests wait */
	WRITE_S = 30,
	GRACE_MS = 250, /* in which a request comes from who has one */
	FULL_MS = 20,	/* until room is looked for again */
};

struct socketmap {
	struct event_base *base;
	struct evconnlistener *listener;	  /* owned */
	struct event *resume;			  /* owned */
	int64_t full_ms;			  /* monotonic: since when nobody could go for one more; 0: he could */
	struct socketmap_client *oldest, *newest; /* owned */
	int count;
};

/* -- clients, in the order of their last request -- */

static void socketmap_client_unlink(struct socketmap_client *client)
{
	struct socketmap *socketmap = client->socketmap;
	*(client->older != NULL ? &client->older->newer : &socketmap->oldest) = client->newer;
	*(client->newer != NULL ? &client->newer->older : &socketmap->newest) = client->older;
	client->older = client->newer = NULL;
	socketmap->count--;
}

static void socketmap_client_link(struct socketmap_client *client)
{
	struct socketmap *socketmap = client->socketmap;
	client->older = socketmap->newest;
	*(socketmap->newest != NULL ? &socketmap->newest->newer : &socketmap->oldest) = client;
	socketmap->newest = client;
	client->since_ms = clock_monotonic_ms();
	socketmap->count++;
}

static void socketmap_client_close(struct socketmap_client *client)
{
	socketmap_client_unlink(client);
	if (client->lookup != NULL)
		client->lookup->client = NULL;
	bufferevent_free(client->bev);
	free(client);
}

/* -- requests: "MAP KEY" -- */

static const struct {
	const char *name;
	socketmap_map *look_up;
} maps[] = {
	{ "transport", map_transport },
	{ "throttle", map_throttle },
	{ "throttle_client", map_throttle }, /* as it was called where `throttle` was asked for logins alone */
	{ "account-throttle", map_account_throttle },
	{ "starttls", map_starttls },
};
enum { MAPS = sizeof maps / sizeof maps[0] };

static void socketmap_request(struct socketmap_client *client, const struct netstring *netstring)
{
	char line[SOCKETMAP_REQUEST_MAX + 1];
	memcpy(line, netstring->bytes, netstring->length);
	line[netstring->length] = '\0';
	char *space = strchr(line, ' ');
	bool whole = strlen(line) == netstring->length && space != NULL; /* a NUL is in no address */
	size_t map = whole ? 0 : MAPS;
	if (whole)
		*space = '\0';
	while (map < MAPS && strcmp(line, maps[map].name) != 0)
		map++;
	if (map == MAPS) {
		map_not_found(client);
		return;
	}
	struct setup *setup = setup_hold();
	maps[map].look_up(client, setup->config, space + 1);
	setup_drop(&setup);
}

/* Answers what has come, as far as it can be answered now. May close the client. */
static void socketmap_serve(struct socketmap_client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->bev), *output = bufferevent_get_output(client->bev);
	if (client->serving) /* a store without memory answers at once */
		return;
	while (client->lookup == NULL && evbuffer_get_length(input) > 0 && evbuffer_get_length(output) < OUTPUT_MAX) {
		struct netstring netstring;
		size_t length = evbuffer_get_length(input);
		enum netstring_progress progress = netstring_parse((const char *)evbuffer_pullup(input, -1), length,
								   SOCKETMAP_REQUEST_MAX, &netstring);
		if (progress == NETSTRING_BAD) {
			socketmap_client_close(client);
			return;
		}
		if (progress == NETSTRING_MORE)
			break;
		socketmap_client_unlink(client);
		socketmap_client_link(client);
		client->serving = true;
		socketmap_request(client, &netstring);
		client->serving = false;
		evbuffer_drain(input, netstring.whole);
	}
	if (client->ended && client->lookup == NULL && evbuffer_get_length(output) == 0)
		socketmap_client_close(client);
}

/* -- connections -- */

static void on_input(struct bufferevent *bev, void *arg)
{
	(void)bev;
	struct socketmap_client *client = arg;
	socketmap_serve(client);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	socketmap_serve(arg);
}

static void socketmap_on_end(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	struct socketmap_client *client = arg;
	if ((what & BEV_EVENT_EOF) == 0) {
		socketmap_client_close(client);
		return;
	}
	client->ended = true;
	socketmap_serve(client);
}

/* The one whose last whole request is oldest, so that nobody stays by trickling; but nobody who is owed an answer, nor
 * who came or asked just now, unless all are such for a while. */
static struct socketmap_client *socketmap_find_idle(const struct socketmap *socketmap)
{
	int64_t now_ms = clock_monotonic_ms();
	struct socketmap_client *client = socketmap->oldest;
	while (client != NULL && client->lookup != NULL)
		client = client->newer;
	bool may = client != NULL && (now_ms - client->since_ms >= GRACE_MS ||
				      (socketmap->full_ms != 0 && now_ms - socketmap->full_ms >= GRACE_MS));
	return may ? client : NULL;
}

/* There is one more than may be. Where nobody may go, others that come wait in the kernel's queue until somebody may.
 */
static void socketmap_make_room(struct socketmap *socketmap)
{
	struct socketmap_client *idle = socketmap_find_idle(socketmap);
	if (idle != NULL) {
		stats_closed(STATS_CLOSED_SOCKETMAP);
		socketmap_client_close(idle);
		socketmap->full_ms = 0;
		evconnlistener_enable(socketmap->listener);
		return;
	}
	if (socketmap->full_ms == 0)
		socketmap->full_ms = clock_monotonic_ms();
	evconnlistener_disable(socketmap->listener);
	evtimer_add(socketmap->resume, &(struct timeval){ .tv_usec = FULL_MS * 1000 });
}

static void socketmap_on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
				    int length, void *arg)
{
	(void)listener;
	(void)address;
	(void)length;
	struct socketmap *socketmap = arg;
	struct timeval idle = { .tv_sec = SOCKETMAP_IDLE_S }, slow = { .tv_sec = WRITE_S };
	struct socketmap_client *client = calloc(1, sizeof *client);
	struct bufferevent *bev = bufferevent_socket_new(socketmap->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client == NULL || bev == NULL) {
		if (bev != NULL)
			bufferevent_free(bev);
		else
			close(fd);
		free(client);
		return;
	}
	*client = (struct socketmap_client){ .socketmap = socketmap, .bev = bev, .answered = socketmap_serve };
	socketmap_client_link(client);
	bufferevent_setcb(bev, on_input, on_written, socketmap_on_end, client);
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	bufferevent_set_timeouts(bev, &idle, &slow);
	if (bufferevent_enable(bev, EV_READ | EV_WRITE) != 0)
		socketmap_client_close(client);
	if (socketmap->count > SOCKETMAP_CONNECTIONS_MAX)
		socketmap_make_room(socketmap);
}

/* Out of file descriptors: the connection stays in the queue and would wake the loop again at once. */
static void socketmap_on_listen_error(struct evconnlistener *listener, void *arg)
{
	struct socketmap *socketmap = arg;
	struct timeval pause = { .tv_sec = 1 };
	if (descriptors_make_way(evconnlistener_get_fd(listener)))
		return;
	evconnlistener_disable(listener);
	evtimer_add(socketmap->resume, &pause);
}

static void socketmap_on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct socketmap *socketmap = arg;
	if (socketmap->count > SOCKETMAP_CONNECTIONS_MAX) {
		socketmap_make_room(socketmap);
		return;
	}
	socketmap->full_ms = 0;
	evconnlistener_enable(socketmap->listener);
}

struct socketmap *socketmap_start(struct event_base *base, int listen_fd)
{
	struct socketmap *socketmap = calloc(1, sizeof *socketmap);
	if (socketmap != NULL) {
		socketmap->base = base;
		socketmap->resume = evtimer_new(base, socketmap_on_resume, socketmap);
		socketmap->listener = evconnlistener_new(base, socketmap_on_connection, socketmap,
							 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
	}
	if (socketmap == NULL || socketmap->resume == NULL || socketmap->listener == NULL) {
		if (socketmap == NULL || socketmap->listener == NULL)
			close(listen_fd);
		socketmap_stop(&socketmap);
		return NULL;
	}
	evconnlistener_set_error_cb(socketmap->listener, socketmap_on_listen_error);
	return socketmap;
}

struct evconnlistener *socketmap_listener(struct socketmap *socketmap)
{
	return socketmap->listener;
}

void socketmap_stop(struct socketmap **socketmap)
{
	struct socketmap *old = *socketmap;
	*socketmap = NULL;
	if (old == NULL)
		return;
	if (old->listener != NULL)
		evconnlistener_free(old->listener);
	if (old->resume != NULL)
		event_free(old->resume);
	while (old->oldest != NULL)
		socketmap_client_close(old->oldest);
	free(old);
}
