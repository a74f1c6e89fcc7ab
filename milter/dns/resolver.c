/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/resolver.h"

#include "milter/clock.h"
#include "milter/endpoint.h"
#include "milter/loop.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <ares.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "policy/base/banned.h"

enum {
	EDNS_SIZE = 1232,	/* no fragments on any path of today */
	TRIES = 2,
	TRY_LEAST_MS = 50,
	TICK_MS = 20,		/* how exact the deadlines are; c-ares 1.18 walks all questions to name its next one */
	BUCKETS = 1024,
	SERVERS_TEXT_MAX = 1024,
};

/* Somebody who waits for a query's answer. */
struct waiter {
	struct waiter *next;
	void (*done)(void *arg, const struct dns_answer *answer);
	void *arg;
};

/* One question under way. It lives until it has been delivered and c-ares has let go of it, which may be later than
 * our deadline. */
struct query {
	TAILQ_ENTRY(query) place;	/* in `waiting`, oldest first, then in `ready`, then in none */
	struct query *next_in_bucket;
	struct resolver *resolver;
	struct waiter *waiters;	/* owned */
	struct dns_answer answer;
	int64_t deadline_ms;
	bool held;	/* c-ares will still call back */
	bool settled, delivered;
	char name[DNS_NAME_MAX + 1];	/* in lower case */
};

TAILQ_HEAD(query_list, query);

struct watch {
	struct watch *next;
	ares_socket_t fd;
	struct event *event;	/* owned */
};

struct resolver {
	ares_channel channel;
	bool open;	/* the channel is there */
	struct event_base *base;	/* the loop's */
	struct event *tick, *deliver;
	struct watch *watches;
	struct query_list waiting, ready;
	struct query *buckets[BUCKETS];	/* those in `waiting`, by name */
	int64_t timeout_ms, inflight;
	int64_t waiters, held;	/* how many */
};

static struct query **bucket_of(struct resolver *resolver, const char *name)
{
	return &resolver->buckets[hash_string(name, 0) % BUCKETS];
}

static struct query *find_waiting(struct resolver *resolver, const char *name)
{
	struct query *query = *bucket_of(resolver, name);
	while (query != NULL && strcmp(query->name, name) != 0)
		query = query->next_in_bucket;
	return query;
}

/* The outcome is known. The waiters hear of it from the loop, so that no `done` runs inside c-ares or inside
 * resolver_query_a. */
static void settle(struct query *query)
{
	struct resolver *resolver = query->resolver;
	struct query **link = bucket_of(resolver, query->name);
	while (*link != query)
		link = &(*link)->next_in_bucket;
	*link = query->next_in_bucket;
	query->settled = true;
	TAILQ_REMOVE(&resolver->waiting, query, place);
	TAILQ_INSERT_TAIL(&resolver->ready, query, place);
	event_active(resolver->deliver, EV_TIMEOUT, 0);
}

static void deliver_all(struct resolver *resolver)
{
	struct query *query;
	while ((query = TAILQ_FIRST(&resolver->ready)) != NULL) {
		TAILQ_REMOVE(&resolver->ready, query, place);
		for (struct waiter *waiter = query->waiters, *next; waiter != NULL; waiter = next) {
			next = waiter->next;
			resolver->waiters--;
			waiter->done(waiter->arg, &query->answer);
			free(waiter);
		}
		query->delivered = true;
		if (!query->held)
			free(query);
	}
}

static void on_deliver(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	deliver_all(arg);
}

/* c-ares's statuses for NXDOMAIN and for no data come with the answer; all others (it calls SERVFAIL
 * ARES_ECONNREFUSED) are unknown. */
static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int length)
{
	struct query *query = arg;
	bool answered = status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
	(void)timeouts;
	query->held = false;
	query->resolver->held--;
	if (query->delivered) {
		free(query);
		return;
	}
	if (query->settled)
		return;
	if (answered && bytes != NULL && length > 0)
		dns_answer_parse(bytes, (size_t)length, query->name, &query->answer);
	else if (status == ARES_ETIMEOUT)
		query->answer.outcome = DNS_TIMEOUT;
	settle(query);
}

static void start_tick(struct resolver *resolver)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	if (!event_pending(resolver->tick, EV_TIMEOUT, NULL))
		event_add(resolver->tick, &tick);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	struct query *query;
	int64_t now_ms = clock_monotonic_ms();
	(void)fd;
	(void)what;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	while ((query = TAILQ_FIRST(&resolver->waiting)) != NULL && query->deadline_ms <= now_ms) {
		query->answer.outcome = DNS_TIMEOUT;
		settle(query);
	}
	if (resolver->held > 0)
		start_tick(resolver);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	ares_process_fd(resolver->channel, (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
			(what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
}

static void drop_watch(struct watch **link)
{
	struct watch *watch = *link;
	*link = watch->next;
	event_free(watch->event);
	free(watch);
}

/* c-ares says what it waits for on a socket of its own; nothing at all: it is about to close it. Without memory for
 * the event the question runs into its time-out. */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *resolver = arg;
	struct watch **link = &resolver->watches;
	short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
	while (*link != NULL && (*link)->fd != fd)
		link = &(*link)->next;
	if (*link != NULL)
		drop_watch(link);
	if (!readable && !writable)
		return;
	struct watch *watch = calloc(1, sizeof *watch);
	if (watch == NULL)
		return;
	watch->fd = fd;
	watch->event = event_new(resolver->base, fd, what, on_socket, resolver);
	if (watch->event == NULL) {
		free(watch);
		return;
	}
	event_add(watch->event, NULL);
	watch->next = resolver->watches;
	resolver->watches = watch;
}

/* c-ares wants plain numbers, an IPv6 address in brackets. */
static bool add_server(struct text *servers, const char *server, char *error, size_t error_size)
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

static bool set_servers(struct resolver *resolver, const struct resolver_settings *settings, char *error,
			size_t error_size)
{
	char list[SERVERS_TEXT_MAX];
	struct text servers = text_over(list, sizeof list);
	for (int i = 0; i < settings->server_count; i++)
		if (!add_server(&servers, settings->servers[i], error, error_size))
			return false;
	if (servers.cut) {
		snprintf(error, error_size, "%d DNS servers are too many", settings->server_count);
		return false;
	}
	int status = settings->server_count > 0 ? ares_set_servers_ports_csv(resolver->channel, list + 1) : ARES_SUCCESS;
	if (status != ARES_SUCCESS)
		snprintf(error, error_size, "DNS servers \"%s\": %s", list + 1, ares_strerror(status));
	return status == ARES_SUCCESS;
}

/* A server's answer counts also when the next try is already out, so tries may follow each other soon. */
static bool open_channel(struct resolver *resolver, const struct resolver_settings *settings, char *error,
			 size_t error_size)
{
	int servers = settings->server_count > 0 ? settings->server_count : 1;
	int64_t try_ms = settings->timeout_ms / (TRIES * servers);
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = (int)(try_ms < TRY_LEAST_MS ? TRY_LEAST_MS : try_ms),
		.tries = TRIES,
		.ednspsz = EDNS_SIZE,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = resolver,
	};
	int status = ares_init_options(&resolver->channel, &options,
				       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
					       ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		snprintf(error, error_size, "DNS cannot be set up: %s", ares_strerror(status));
		return false;
	}
	resolver->open = true;
	return set_servers(resolver, settings, error, error_size);
}

struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings, char *error,
			      size_t error_size)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	if (resolver == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		snprintf(error, error_size, "DNS cannot be set up: no memory");
		free(resolver);
		return NULL;
	}
	TAILQ_INIT(&resolver->waiting);
	TAILQ_INIT(&resolver->ready);
	resolver->base = loop_base(loop);
	resolver->timeout_ms = settings->timeout_ms;
	resolver->inflight = settings->inflight;
	resolver->tick = event_new(resolver->base, -1, 0, on_tick, resolver);
	resolver->deliver = event_new(resolver->base, -1, 0, on_deliver, resolver);
	if (resolver->tick == NULL || resolver->deliver == NULL)
		snprintf(error, error_size, "DNS cannot be set up: no memory");
	else if (open_channel(resolver, settings, error, error_size))
		return resolver;
	resolver_free(&resolver);
	return NULL;
}

void resolver_free(struct resolver **resolver)
{
	struct resolver *old = *resolver;
	*resolver = NULL;
	if (old == NULL)
		return;
	old->inflight = 0;	/* a `done` may ask again: no */
	if (old->open)
		ares_destroy(old->channel);
	deliver_all(old);
	while (old->watches != NULL)
		drop_watch(&old->watches);
	if (old->tick != NULL)
		event_free(old->tick);
	if (old->deliver != NULL)
		event_free(old->deliver);
	free(old);
	ares_library_cleanup();
}

static struct query *start_query(struct resolver *resolver, const char *name)
{
	struct query *query = resolver->held < resolver->inflight ? calloc(1, sizeof *query) : NULL;
	if (query == NULL)
		return NULL;
	text_copy(query->name, sizeof query->name, name);
	query->resolver = resolver;
	query->answer.rcode = DNS_RCODE_NONE;
	query->deadline_ms = clock_monotonic_ms() + resolver->timeout_ms;
	query->held = true;
	resolver->held++;
	TAILQ_INSERT_TAIL(&resolver->waiting, query, place);
	query->next_in_bucket = *bucket_of(resolver, name);
	*bucket_of(resolver, name) = query;
	return query;
}

bool resolver_query_a(struct resolver *resolver, const char *name,
		      void (*done)(void *arg, const struct dns_answer *answer), void *arg)
{
	enum { CLASS_IN = 1, TYPE_A = 1 };
	char lower[DNS_NAME_MAX + 1];
	if (!text_copy(lower, sizeof lower, name) || resolver->waiters >= resolver->inflight)
		return false;
	for (char *c = lower; *c != '\0'; c++)
		*c = text_lower(*c);
	struct waiter *waiter = malloc(sizeof *waiter);
	struct query *query = find_waiting(resolver, lower);
	bool joined = query != NULL;
	if (waiter != NULL && !joined)
		query = start_query(resolver, lower);
	if (waiter == NULL || query == NULL) {
		free(waiter);
		return false;
	}
	*waiter = (struct waiter){ query->waiters, done, arg };
	query->waiters = waiter;
	resolver->waiters++;
	if (!joined) {
		start_tick(resolver);
		ares_query(resolver->channel, lower, CLASS_IN, TYPE_A, on_answer, query);
	}
	return true;
}
