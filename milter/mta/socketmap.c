/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/socketmap.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/base/descriptors.h"
#include "milter/base/idn.h"
#include "milter/pools/monitor.h"
#include "milter/base/netstring.h"
#include "milter/pools/pools.h"
#include "milter/pools/sender.h"
#include "milter/daemon/stats.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

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

struct socketmap_lookup;

struct client {
	struct socketmap *socketmap;
	struct bufferevent *bev;	 /* owned */
	struct socketmap_lookup *lookup; /* the store is asked; nothing is read meanwhile: answers keep their order */
	bool serving;			 /* its request is still in its buffer; an answer may come meanwhile */
	bool ended;			 /* the client sends no more */
	int64_t since_ms;		 /* monotonic: its last request, or that it came */
	struct client *older, *newer;	 /* by last request */
};

/* A question to the store; outlives its client. */
struct socketmap_lookup {
	struct client *client; /* borrowed; NULL: it has gone */
	void (*answer)(struct socketmap_lookup *lookup, const struct config *config, const struct account_state *state);
	char account[ACCOUNT_MAX + 1];
};

struct socketmap {
	struct event_base *base;
	struct evconnlistener *listener; /* owned */
	struct event *resume;		 /* owned */
	int64_t full_ms;		 /* monotonic: since when nobody could go for one more; 0: he could */
	struct client *oldest, *newest;	 /* owned */
	int count;
};

/* -- clients, in the order of their last request -- */

static void socketmap_client_unlink(struct client *client)
{
	struct socketmap *socketmap = client->socketmap;
	*(client->older != NULL ? &client->older->newer : &socketmap->oldest) = client->newer;
	*(client->newer != NULL ? &client->newer->older : &socketmap->newest) = client->older;
	client->older = client->newer = NULL;
	socketmap->count--;
}

static void socketmap_client_link(struct client *client)
{
	struct socketmap *socketmap = client->socketmap;
	client->older = socketmap->newest;
	*(socketmap->newest != NULL ? &socketmap->newest->newer : &socketmap->oldest) = client;
	socketmap->newest = client;
	client->since_ms = clock_monotonic_ms();
	socketmap->count++;
}

static void socketmap_client_close(struct client *client)
{
	socketmap_client_unlink(client);
	if (client->lookup != NULL)
		client->lookup->client = NULL;
	bufferevent_free(client->bev);
	free(client);
}

static void socketmap_reply(struct client *client, const char *word, const char *data)
{
	char bytes[TRANSPORT_NAME_MAX + 16], framed[sizeof bytes + 8];
	struct text text = text_over(bytes, sizeof bytes);
	text_addf(&text, "%s %s", word, data);
	bufferevent_write(client->bev, framed, netstring_write(framed, sizeof framed, text.at, text.length));
}

/* "clean-1:" leaves the next hop to the MTA. */
static void socketmap_reply_transport(struct client *client, const char *transport)
{
	char data[TRANSPORT_NAME_MAX + 2];
	struct text text = text_over(data, sizeof data);
	text_addf(&text, "%s:", transport);
	socketmap_reply(client, "OK", data);
}

static void reply_not_found(struct client *client)
{
	socketmap_reply(client, "NOTFOUND", "");
}

/* -- the map `transport` -- */

/* NULL: a reload took it away; its name would defer all mail that is sent to it. */
static const struct transport *socketmap_find_transport(const struct config *config, const char *name,
							const struct pool **pool_out)
{
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			if (strcmp(config->pools[i].transports[j].name, name) == 0) {
				*pool_out = &config->pools[i];
				return &config->pools[i].transports[j];
			}
	return NULL;
}

static const struct transport *pick(const struct config *config, const struct pool *pool, const char *account)
{
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	pools_now(config, states);
	return pool_pick(pool, account, states);
}

/* One that has warmed up enough for today keeps the messages that were counted for it. */
static bool is_out(const struct config *config, const struct transport *transport)
{
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	monitor_states(config, states);
	return states[transport->index].withheld == TRANSPORT_OUT;
}

/* The one that the sender's newest message was to leave by; where it has left its pool since, another of that pool. */
static const struct transport *socketmap_remembered(const struct config *config, const char *sender,
						    const char *account)
{
	char name[TRANSPORT_NAME_MAX + 1];
	const struct pool *pool = NULL;
	if (!sender_find(sender, clock_monotonic_ms(), name))
		return NULL;
	const struct transport *transport = socketmap_find_transport(config, name, &pool);
	return transport != NULL && is_out(config, transport) ? pick(config, pool, account) : transport;
}

static void socketmap_serve(struct client *client);

static void socketmap_on_fetched(void *arg, const struct account_state *state, const struct known *known)
{
	(void)known;
	struct socketmap_lookup *lookup = arg;
	struct client *client = lookup->client;
	if (client != NULL) {
		struct setup *setup = setup_hold();
		client->lookup = NULL;
		lookup->answer(lookup, setup->config, state);
		setup_drop(&setup);
		bufferevent_enable(client->bev, EV_READ);
		socketmap_serve(client);
	}
	free(lookup);
}

/* False: nothing is known for sure of the account, and the answer is "not found". */
static bool socketmap_stands(const struct socketmap_lookup *lookup, const struct config *config,
			     const struct account_state *state, struct verdict *verdict)
{
	if (state->known != KNOWLEDGE_FULL || !account_noted(state))
		return false;
	*verdict = pools_judge(config, lookup->account, state);
	return true;
}

static void socketmap_answer_transport(struct socketmap_lookup *lookup, const struct config *config,
				       const struct account_state *state)
{
	struct verdict verdict;
	if (socketmap_stands(lookup, config, state, &verdict) && verdict.transport != NULL)
		socketmap_reply_transport(lookup->client, verdict.transport->name);
	else
		reply_not_found(lookup->client);
}

static void socketmap_answer_throttle(struct socketmap_lookup *lookup, const struct config *config,
				      const struct account_state *state)
{
	char data[40];
	struct text text = text_over(data, sizeof data);
	struct verdict verdict;
	int64_t seconds = config->set.socketmap_throttle_s;
	text_addf(&text, "sleep %lld", (long long)seconds);
	if (seconds > 0 && socketmap_stands(lookup, config, state, &verdict) && verdict.throttle)
		socketmap_reply(lookup->client, "OK", data);
	else
		reply_not_found(lookup->client);
}

static void socketmap_ask_store(struct client *client, const char *account,
				void (*answer)(struct socketmap_lookup *lookup, const struct config *config,
					       const struct account_state *state))
{
	struct socketmap_lookup *lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL) {
		reply_not_found(client);
		return;
	}
	lookup->client = client;
	lookup->answer = answer;
	text_copy(lookup->account, sizeof lookup->account, account);
	client->lookup = lookup;
	bufferevent_disable(client->bev, EV_READ);
	store_fetch(the_daemon.store, lookup->account, socketmap_on_fetched, lookup);
}

static void socketmap_look_up_transport(struct client *client, const struct config *config, const char *key)
{
	char sender[ADDRESS_MAX + 1], account[ACCOUNT_MAX + 1];
	/* Postfix writes the null sender with its quotes */
	bool whole = strcmp(key, "\"<>\"") != 0 && idn_address(key, sender);
	bool named = whole && account_proven(sender, config->set.accounts_cut_tag, account);
	const struct transport *transport =
		whole ? socketmap_remembered(config, sender, named ? account : sender) : NULL;
	if (transport != NULL)
		socketmap_reply_transport(client, transport->name);
	else if (named)
		socketmap_ask_store(client, account, socketmap_answer_transport);
	else
		reply_not_found(client);
}

/* -- the maps `throttle` and `throttle_client` -- */

static void socketmap_ask_throttle(struct client *client, const struct config *config, const char *account)
{
	if (config->set.socketmap_throttle_s > 0)
		socketmap_ask_store(client, account, socketmap_answer_throttle);
	else
		reply_not_found(client);
}

/* `key` is a login: he has shown his password, so none but customers fill the table of recent accounts here. */
static void socketmap_look_up_throttle(struct client *client, const struct config *config, const char *key)
{
	char account[ACCOUNT_MAX + 1], ascii[ADDRESS_MAX + 1];
	if (account_proven(idn_name(key, ascii), config->set.accounts_cut_tag, account))
		socketmap_ask_throttle(client, config, account);
	else
		reply_not_found(client);
}

/* Postfix asks by the client's name first, and by parts of name and address: who asks for a whole address alone is
 * meant. */
static void socketmap_look_up_throttle_client(struct client *client, const struct config *config, const char *key)
{
	struct netaddr address;
	char account[ACCOUNT_MAX + 1];
	if (!netaddr_parse(key, &address)) {
		reply_not_found(client);
		return;
	}
	account_client(&address, account);
	socketmap_ask_throttle(client, config, account);
}

/* -- requests: "MAP KEY" -- */

static const struct {
	const char *name;
	void (*look_up)(struct client *client, const struct config *config, const char *key); /* replies, or will */
} maps[] = {
	{ "transport", socketmap_look_up_transport },
	{ "throttle", socketmap_look_up_throttle },
	{ "throttle_client", socketmap_look_up_throttle_client },
};
enum { MAPS = sizeof maps / sizeof maps[0] };

static void socketmap_request(struct client *client, const struct netstring *netstring)
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
		reply_not_found(client);
		return;
	}
	struct setup *setup = setup_hold();
	maps[map].look_up(client, setup->config, space + 1);
	setup_drop(&setup);
}

/* Answers what has come, as far as it can be answered now. May close the client. */
static void socketmap_serve(struct client *client)
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
	struct client *client = arg;
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
	struct client *client = arg;
	if ((what & BEV_EVENT_EOF) == 0) {
		socketmap_client_close(client);
		return;
	}
	client->ended = true;
	socketmap_serve(client);
}

/* The one whose last whole request is oldest, so that nobody stays by trickling; but nobody who is owed an answer, nor
 * who came or asked just now, unless all are such for a while. */
static struct client *socketmap_find_idle(const struct socketmap *socketmap)
{
	int64_t now_ms = clock_monotonic_ms();
	struct client *client = socketmap->oldest;
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
	struct client *idle = socketmap_find_idle(socketmap);
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
	struct client *client = calloc(1, sizeof *client);
	struct bufferevent *bev = bufferevent_socket_new(socketmap->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client == NULL || bev == NULL) {
		if (bev != NULL)
			bufferevent_free(bev);
		else
			close(fd);
		free(client);
		return;
	}
	*client = (struct client){ .socketmap = socketmap, .bev = bev };
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
