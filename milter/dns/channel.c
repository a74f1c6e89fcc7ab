/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/channel.h"

#include "milter/base/endpoint.h"
#include "policy/base/text.h"

#define CARES_NO_DEPRECATED /* what c-ares 1.28 and later has in place of ares_query is not there in 1.18 */
#include <ares.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum {
	EDNS_SIZE = 1232, /* no fragments on any path of today */
	TRIES = 2,
	TRY_LEAST_MS = 50,
	RECEIVE_BYTES = 4 << 20, /* a burst's answers come at once; the kernel may allow less */
	SERVERS_TEXT_MAX = 1024,
};

struct channel_watch {
	struct channel_watch *next;
	ares_socket_t fd;
	struct event *event; /* owned */
};

struct dns_channel {
	ares_channel ares;
	bool open;		 /* `ares` is there */
	struct event_base *base; /* the loop's */
	struct channel_watch *watches;
	int64_t held;
};

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct dns_channel *channel = arg;
	ares_process_fd(channel->ares, (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
			(what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
}

static void channel_drop_watch(struct channel_watch **link)
{
	struct channel_watch *watch = *link;
	*link = watch->next;
	event_free(watch->event);
	free(watch);
}

/* c-ares says what it waits for on a socket of its own; nothing at all: it is about to close it. Without memory for
 * the event the question runs into its time-out. */
static void channel_on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_channel *channel = arg;
	struct channel_watch **link = &channel->watches;
	short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
	while (*link != NULL && (*link)->fd != fd)
		link = &(*link)->next;
	if (*link != NULL)
		channel_drop_watch(link);
	if (!readable && !writable)
		return;
	struct channel_watch *watch = calloc(1, sizeof *watch);
	if (watch == NULL)
		return;
	watch->fd = fd;
	watch->event = event_new(channel->base, fd, what, on_socket, channel);
	if (watch->event == NULL) {
		free(watch);
		return;
	}
	event_add(watch->event, NULL);
	watch->next = channel->watches;
	channel->watches = watch;
}

/* c-ares wants plain numbers, an IPv6 address in brackets. */
static bool channel_add_server(struct text *servers, const char *server, char *error, size_t error_size)
{
	struct endpoint endpoint;
	char address[INET6_ADDRSTRLEN];
	if (!endpoint_parse(server, &endpoint, error, error_size))
		return false;
	if (endpoint.address.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&endpoint.address;
		inet_ntop(AF_INET, &in->sin_addr, address, sizeof address);
		text_addf(servers, ",%s:%u", address, ntohs(in->sin_port));
	} else if (endpoint.address.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&endpoint.address;
		inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof address);
		text_addf(servers, ",[%s]:%u", address, ntohs(in6->sin6_port));
	} else {
		snprintf(error, error_size, "\"%s\": expected a DNS server as address:port or [v6]:port", server);
		return false;
	}
	return true;
}

/* In their order, begun with another one. */
static bool channel_set_servers(struct dns_channel *channel, const struct resolver_settings *settings, int first,
				char *error, size_t error_size)
{
	char list[SERVERS_TEXT_MAX];
	struct text servers = text_over(list, sizeof list);
	for (int i = 0; i < settings->server_count; i++)
		if (!channel_add_server(&servers, settings->servers[(first + i) % settings->server_count], error,
					error_size))
			return false;
	if (servers.cut) {
		snprintf(error, error_size, "%d DNS servers are too many", settings->server_count);
		return false;
	}
	int status = ares_set_servers_ports_csv(channel->ares, list + 1);
	if (status != ARES_SUCCESS)
		snprintf(error, error_size, "DNS servers \"%s\": %s", list + 1, ares_strerror(status));
	return status == ARES_SUCCESS;
}

/* A server's answer counts also when the next try is already out, so tries may follow each other soon. */
static bool channel_open(struct dns_channel *channel, const struct resolver_settings *settings, int first, char *error,
			 size_t error_size)
{
	int64_t try_ms = settings->timeout_ms / (TRIES * settings->server_count);
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = (int)(try_ms < TRY_LEAST_MS ? TRY_LEAST_MS : try_ms),
		.tries = TRIES,
		.ednspsz = EDNS_SIZE,
		.socket_receive_buffer_size = RECEIVE_BYTES,
		.sock_state_cb = channel_on_socket_state,
		.sock_state_cb_data = channel,
	};
	int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_RCVBUF |
		    ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE /* since 1.31 c-ares caches for itself, unless told so: tests of lists would hear old \
			       answers */
	options.qcache_max_ttl = 0;
	given |= ARES_OPT_QUERY_CACHE;
#endif
	int status = ares_init_options(&channel->ares, &options, given);
	if (status != ARES_SUCCESS) {
		snprintf(error, error_size, "DNS cannot be set up: %s", ares_strerror(status));
		return false;
	}
	channel->open = true;
	return channel_set_servers(channel, settings, first, error, error_size);
}

struct dns_channel *channel_new(struct event_base *base, const struct resolver_settings *settings, int first,
				char *error, size_t error_size)
{
	struct dns_channel *channel = calloc(1, sizeof *channel);
	if (channel == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		snprintf(error, error_size, "DNS cannot be set up: no memory");
		free(channel);
		return NULL;
	}
	channel->base = base;
	if (!channel_open(channel, settings, first, error, error_size))
		channel_free(&channel);
	return channel;
}

void channel_free(struct dns_channel **channel)
{
	struct dns_channel *old = *channel;
	*channel = NULL;
	if (old == NULL)
		return;
	if (old->open)
		ares_destroy(old->ares);
	while (old->watches != NULL)
		channel_drop_watch(&old->watches);
	free(old);
	ares_library_cleanup();
}

/* c-ares's statuses for NXDOMAIN and for no data come with the answer; all others (it calls SERVFAIL
 * ARES_ECONNREFUSED) are unknown. */
static void channel_on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int length)
{
	struct channel_question *question = arg;
	bool answered = status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
	struct channel_reply reply = { .timed_out = status == ARES_ETIMEOUT, .timeouts = timeouts };
	if (answered && bytes != NULL && length > 0) {
		reply.bytes = bytes;
		reply.length = (size_t)length;
	}
	question->channel->held--;
	question->done(question, &reply);
}

void channel_ask(struct dns_channel *channel, const char *name, enum dns_type type, struct channel_question *question)
{
	enum { CLASS_IN = 1 };
	question->channel = channel;
	channel->held++;
	ares_query(channel->ares, name, CLASS_IN, (int)type, channel_on_answer, question);
}

void channel_tick(struct dns_channel *channel)
{
	ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

int64_t channel_held(const struct dns_channel *channel)
{
	return channel->held;
}
