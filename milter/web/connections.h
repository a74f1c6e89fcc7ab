/* SPDX-License-Identifier: BSD-2-Clause
 *
 * connections: those of the HTTP listener, which evhttp neither counts nor ends. There is always room for one more: at
 * a limit the oldest goes that has no whole request, and where all have one, the oldest whose answer is no check but is
 * only read slowly. So nobody who trickles, idles or does not read keeps others out; whoever is in is looked at before
 * the next one gets in.
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_WEB_CONNECTIONS_H
#define PENSTOCK_WEB_CONNECTIONS_H

#include "milter/web/head.h"
#include "policy/netaddr.h"

struct bufferevent;
struct evconnlistener;
struct event;
struct event_base;

enum {
	CONNECTIONS_MAX = 64,
	CONNECTIONS_OF_PEER_MAX = 16, /* an IPv4 address or an IPv6 /64, as rate_limit.h has it */
	CONNECTIONS_OF_PROXY_MAX =
		48, /* of http.proxies, behind which many stand, and of a unix socket, which names none */
};

enum connection_does { CONNECTION_ASKS, CONNECTION_IS_ANSWERED, CONNECTION_CHECKS };

struct connection {
	struct bufferevent *stream; /* one reference */
	struct netaddr peer;	    /* once it was let in */
	struct head head;
	enum connection_does does;
	int64_t until_ms;
};

struct connections {
	struct event_base *base;		      /* borrowed */
	struct evconnlistener *listener;	      /* borrowed */
	struct event *sweep, *admit;		      /* owned */
	struct connection *open[CONNECTIONS_MAX + 1]; /* owned; oldest first; the last one may be one too many */
	int count, admitted;			      /* all; those that were let in */
};

bool connections_start(struct connections *connections, struct event_base *base); /* false: no memory */
void connections_stop(struct connections *connections);				  /* behind evhttp_free */
/* Whose accept it is, once evhttp has it. */
void connections_listen(struct connections *connections, struct evconnlistener *listener);
/* evhttp_set_bevcb's; `arg` is a struct connections. */
struct bufferevent *connections_begin(struct event_base *base, void *arg);
/* NULL: it is none of these. */
struct connection *connections_find(struct connections *connections, const struct bufferevent *stream);

#endif
