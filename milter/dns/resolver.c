/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/resolver.h"

#include "milter/base/clock.h"
#include "milter/dns/channel.h"
#include "milter/dns/resolv_conf.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "milter/base/own_hash.h"
#include "policy/base/text.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "policy/base/banned.h"

enum {
	TICK_MS = 20, /* how exact the deadlines are; c-ares 1.18 walks all questions to name its next one */
	BUCKETS = 1024,
	QUEUED_MOST = 32768, /* questions that wait for their turn */
	LATE_MOST = 5,	     /* answers in a row that came only after a time-out: the first server is dead */
	LOOK_S = 2,	     /* between looks at resolv.conf; inotify would have to follow links and renames */
};

/* Somebody who waits for a query's answer. */
struct waiter {
	struct waiter *next;
	resolver_done *done;
	void *arg;
};

/* One question under way. It lives until it has been delivered and c-ares has let go of it, which may be later than
 * our deadline. */
struct query {
	struct channel_question question; /* first */
	TAILQ_ENTRY(query) place; /* in `queued`, then in `waiting`, oldest first, then in `ready`, then in none */
	struct query *next_in_bucket;
	struct resolver *resolver;
	struct waiter *waiters; /* owned */
	struct dns_answer answer;
	void *data; /* owned: the answer's */
	int64_t deadline_ms;
	bool held; /* the channel will still call back */
	bool settled, delivered;
	char name[DNS_NAME_MAX + 1]; /* in lower case */
};

TAILQ_HEAD(query_list, query);

struct resolver {
	struct event_base *base; /* the loop's */
	struct resolver_settings settings;
	struct dns_channel *channel;	       /* owned */
	struct dns_channel *leaving;	       /* owned: the one before, until its questions have ended; NULL: none */
	int first;			       /* the server that `channel` asks first */
	int late;			       /* answers in a row that came after a time-out */
	struct event *tick, *deliver;	       /* owned */
	struct event *look;		       /* owned; NULL: the servers are the configuration's */
	struct resolv_conf conf;	       /* what was read last, where there is `look` */
	const char *names[RESOLV_SERVERS_MAX]; /* its servers, for `settings` */
	bool unopened;			       /* for want of memory `channel` asks the servers of before */
	unsigned generation;
	struct query_list queued, waiting, ready;
	struct query *buckets[BUCKETS]; /* those in `queued` and `waiting`, by name and type */
	int64_t queued_count, waiters;
	bool ending;
};

static struct query **bucket_of(struct resolver *resolver, const char *name, enum dns_type type)
{
	return &resolver->buckets[own_hash_string(name, (uint64_t)type) % BUCKETS];
}

static struct query *resolver_find_open(struct resolver *resolver, const char *name, enum dns_type type)
{
	struct query *query = *bucket_of(resolver, name, type);
	while (query != NULL && (query->answer.type != type || strcmp(query->name, name) != 0))
		query = query->next_in_bucket;
	return query;
}

static int64_t held(const struct resolver *resolver)
{
	return channel_held(resolver->channel) + (resolver->leaving != NULL ? channel_held(resolver->leaving) : 0);
}

static void free_query(struct query *query)
{
	free(query->data);
	free(query);
}

/* The outcome is known. The waiters hear of it from the loop, so that no `done` runs inside c-ares or inside
 * resolver_query. */
static void resolver_settle(struct query *query)
{
	struct resolver *resolver = query->resolver;
	struct query **link = bucket_of(resolver, query->name, query->answer.type);
	while (*link != query)
		link = &(*link)->next_in_bucket;
	*link = query->next_in_bucket;
	query->settled = true;
	TAILQ_REMOVE(&resolver->waiting, query, place);
	TAILQ_INSERT_TAIL(&resolver->ready, query, place);
	event_active(resolver->deliver, EV_TIMEOUT, 0);
}

static void resolver_deliver_all(struct resolver *resolver)
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
			free_query(query);
	}
}

static void start_tick(struct resolver *resolver)
{
	struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	if (!event_pending(resolver->tick, EV_TIMEOUT, NULL))
		event_add(resolver->tick, &tick);
}

static void resolver_send_query(struct query *query)
{
	struct resolver *resolver = query->resolver;
	query->deadline_ms = clock_monotonic_ms() + resolver->settings.timeout_ms;
	query->held = true;
	TAILQ_INSERT_TAIL(&resolver->waiting, query, place);
	start_tick(resolver);
	channel_ask(resolver->channel, query->name, query->answer.type, &query->question);
}

static void resolver_send_queued(struct resolver *resolver)
{
	struct query *query;
	while ((query = TAILQ_FIRST(&resolver->queued)) != NULL && held(resolver) < resolver->settings.inflight) {
		TAILQ_REMOVE(&resolver->queued, query, place);
		resolver->queued_count--;
		resolver_send_query(query);
	}
}

static void resolver_on_deliver(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	resolver_deliver_all(arg);
	resolver_send_queued(arg);
}

/* Parsed beside the query, which keeps no more than the records' own size. */
static void resolver_read_reply(struct query *query, const struct channel_reply *reply)
{
	struct dns_data data;
	struct dns_answer answer;
	dns_answer_parse(reply->bytes, reply->length, query->name, query->answer.type, &data, &answer);
	if (answer.size > 0) {
		query->data = malloc(answer.size);
		if (query->data == NULL)
			return;
		memcpy(query->data, data.bytes, answer.size);
	}
	query->answer = answer;
	query->answer.data = query->data;
}

/* c-ares 1.18 begins each question with the same server, dead or not. A channel cannot change its servers while it is
 * in use: a new one begins with the next server, the old one is let run out. */
static void resolver_turn(struct resolver *resolver)
{
	char error[200];
	int next = (resolver->first + 1) % resolver->settings.server_count;
	struct dns_channel *channel = channel_new(resolver->base, &resolver->settings, next, error, sizeof error);
	resolver->late = 0;
	if (channel == NULL)
		return;
	log_line(SEVERITY_WARNING, "dns: server %d does not answer in time; server %d is asked first from now on",
		 resolver->first + 1, next + 1);
	resolver->leaving = resolver->channel;
	resolver->channel = channel;
	resolver->first = next;
}

static void resolver_note_tries(struct query *query, const struct channel_reply *reply)
{
	struct resolver *resolver = query->resolver;
	if (resolver->ending || reply->bytes == NULL || query->question.channel != resolver->channel)
		return;
	resolver->late = reply->timeouts > 0 ? resolver->late + 1 : 0;
}

static void resolver_on_reply(struct channel_question *question, const struct channel_reply *reply)
{
	struct query *query = (struct query *)(void *)question;
	query->held = false;
	resolver_note_tries(query, reply);
	if (query->resolver->queued_count > 0) /* there is room for one more */
		event_active(query->resolver->deliver, EV_TIMEOUT, 0);
	if (query->delivered) {
		free_query(query);
		return;
	}
	if (query->settled)
		return;
	if (reply->bytes != NULL)
		resolver_read_reply(query, reply);
	else if (reply->timed_out)
		query->answer.outcome = DNS_TIMEOUT;
	resolver_settle(query);
}

static void resolver_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	struct query *query;
	int64_t now_ms = clock_monotonic_ms();
	(void)fd;
	(void)what;
	channel_tick(resolver->channel);
	if (resolver->leaving != NULL) {
		channel_tick(resolver->leaving);
		if (channel_held(resolver->leaving) == 0)
			channel_free(&resolver->leaving);
	}
	while ((query = TAILQ_FIRST(&resolver->waiting)) != NULL && query->deadline_ms <= now_ms) {
		query->answer.outcome = DNS_TIMEOUT;
		resolver_settle(query);
	}
	if (resolver->late >= LATE_MOST && resolver->leaving == NULL && resolver->settings.server_count > 1)
		resolver_turn(resolver);
	if (held(resolver) > 0 || resolver->leaving != NULL)
		start_tick(resolver);
}

/* ---- the system's servers */

static void say_trouble(const struct resolv_conf *conf, const struct resolv_conf *before)
{
	if (conf->trouble[0] != '\0' && strcmp(conf->trouble, before->trouble) != 0)
		log_line(conf->none ? SEVERITY_ERROR : SEVERITY_WARNING, "dns: %s", conf->trouble);
}

static void resolver_say_servers(const char *path, const struct resolv_conf *conf)
{
	char list[RESOLV_SERVERS_MAX * (RESOLV_SERVER_MAX + 2)];
	struct text servers = text_over(list, sizeof list);
	for (int i = 0; i < conf->count; i++)
		text_addf(&servers, i > 0 ? ", %s" : "%s", conf->servers[i]);
	log_line(SEVERITY_INFO, "dns: %s has changed; asked from now on: %s", path, list);
}

static void resolver_take_system(struct resolver *resolver, const struct resolv_conf *conf)
{
	say_trouble(conf, &resolver->conf);
	resolver->conf = *conf;
	for (int i = 0; i < conf->count; i++)
		resolver->names[i] = resolver->conf.servers[i];
	resolver->settings.servers = resolver->names;
	resolver->settings.server_count = conf->count;
}

/* What is under way runs out on the channel of before, whose servers may be fine. */
static void resolver_change_channel(struct resolver *resolver)
{
	char error[200];
	struct dns_channel *channel = channel_new(resolver->base, &resolver->settings, 0, error, sizeof error);
	resolver->unopened = channel == NULL;
	if (channel == NULL) {
		log_line(SEVERITY_ERROR, "dns: %s; the servers of before are asked until there is", error);
		return;
	}
	channel_free(&resolver->leaving);
	resolver->leaving = resolver->channel;
	resolver->channel = channel;
	resolver->first = 0;
	resolver->late = 0;
	resolver->generation++;
	start_tick(resolver);
}

static void resolver_on_look(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *resolver = arg;
	const char *path = resolver->settings.resolv_conf;
	struct resolv_conf conf;
	(void)fd;
	(void)what;
	if (!resolver->unopened && !resolv_conf_changed(path, &resolver->conf))
		return;
	resolv_conf_read(path, &conf);
	bool same = resolv_conf_same_servers(&conf, &resolver->conf);
	if (!same)
		resolver_say_servers(path, &conf);
	resolver_take_system(resolver, &conf);
	if (!same || resolver->unopened)
		resolver_change_channel(resolver);
}

/* False: no memory. */
static bool resolver_use_system(struct resolver *resolver)
{
	struct timeval every = { .tv_sec = LOOK_S };
	struct resolv_conf conf;
	if (resolver->settings.resolv_conf == NULL)
		resolver->settings.resolv_conf = RESOLV_CONF;
	resolv_conf_read(resolver->settings.resolv_conf, &conf);
	resolver_take_system(resolver, &conf);
	resolver->look = event_new(resolver->base, -1, EV_PERSIST, resolver_on_look, resolver);
	return resolver->look != NULL && event_add(resolver->look, &every) == 0;
}

const char *resolver_trouble(const struct resolver *resolver)
{
	return resolver->conf.none ? resolver->conf.trouble : "";
}

unsigned resolver_generation(const struct resolver *resolver)
{
	return resolver->generation;
}

/* ---- life */

struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings, char *error,
			      size_t error_size)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	if (resolver == NULL) {
		snprintf(error, error_size, "DNS cannot be set up: no memory");
		return NULL;
	}
	TAILQ_INIT(&resolver->queued);
	TAILQ_INIT(&resolver->waiting);
	TAILQ_INIT(&resolver->ready);
	resolver->base = loop_base(loop);
	resolver->settings = *settings;
	resolver->tick = event_new(resolver->base, -1, 0, resolver_on_tick, resolver);
	resolver->deliver = event_new(resolver->base, -1, 0, resolver_on_deliver, resolver);
	if (resolver->tick == NULL || resolver->deliver == NULL ||
	    (settings->server_count == 0 && !resolver_use_system(resolver)))
		snprintf(error, error_size, "DNS cannot be set up: no memory");
	else
		resolver->channel = channel_new(resolver->base, &resolver->settings, 0, error, error_size);
	if (resolver->channel == NULL)
		resolver_free(&resolver);
	return resolver;
}

static void resolver_end_queued(struct resolver *resolver)
{
	struct query *query;
	while ((query = TAILQ_FIRST(&resolver->queued)) != NULL) {
		TAILQ_REMOVE(&resolver->queued, query, place);
		TAILQ_INSERT_TAIL(&resolver->waiting, query, place);
		resolver_settle(query);
	}
}

void resolver_free(struct resolver **resolver)
{
	struct resolver *old = *resolver;
	*resolver = NULL;
	if (old == NULL)
		return;
	old->ending = true; /* a `done` may ask again: no */
	channel_free(&old->leaving);
	channel_free(&old->channel);
	resolver_end_queued(old);
	resolver_deliver_all(old);
	if (old->look != NULL)
		event_free(old->look);
	if (old->tick != NULL)
		event_free(old->tick);
	if (old->deliver != NULL)
		event_free(old->deliver);
	free(old);
}

static struct query *resolver_new_query(struct resolver *resolver, const char *name, enum dns_type type)
{
	struct query *query = resolver->queued_count < QUEUED_MOST ? calloc(1, sizeof *query) : NULL;
	if (query == NULL)
		return NULL;
	text_copy(query->name, sizeof query->name, name);
	query->question.done = resolver_on_reply;
	query->resolver = resolver;
	query->answer = (struct dns_answer){ .type = type, .rcode = DNS_RCODE_NONE };
	query->next_in_bucket = *bucket_of(resolver, name, type);
	*bucket_of(resolver, name, type) = query;
	return query;
}

static void resolver_start_query(struct query *query)
{
	struct resolver *resolver = query->resolver;
	if (resolver->queued_count == 0 && held(resolver) < resolver->settings.inflight) {
		resolver_send_query(query);
		return;
	}
	TAILQ_INSERT_TAIL(&resolver->queued, query, place);
	resolver->queued_count++;
}

/* False: no name can be so long. */
static bool resolver_lower_of(const char *name, char lower[DNS_NAME_MAX + 1])
{
	if (!text_copy(lower, DNS_NAME_MAX + 1, name))
		return false;
	for (char *c = lower; *c != '\0'; c++)
		*c = text_lower(*c);
	return true;
}

bool resolver_asks(struct resolver *resolver, const char *name, enum dns_type type)
{
	char lower[DNS_NAME_MAX + 1];
	return resolver_lower_of(name, lower) && resolver_find_open(resolver, lower, type) != NULL;
}

bool resolver_query(struct resolver *resolver, const char *name, enum dns_type type, resolver_done *done, void *arg)
{
	char lower[DNS_NAME_MAX + 1];
	if (!resolver_lower_of(name, lower) || resolver->ending ||
	    resolver->waiters >= resolver->settings.inflight + QUEUED_MOST)
		return false;
	struct waiter *waiter = malloc(sizeof *waiter);
	struct query *query = resolver_find_open(resolver, lower, type);
	bool joined = query != NULL;
	if (waiter != NULL && !joined)
		query = resolver_new_query(resolver, lower, type);
	if (waiter == NULL || query == NULL) {
		free(waiter);
		return false;
	}
	*waiter = (struct waiter){ query->waiters, done, arg };
	query->waiters = waiter;
	resolver->waiters++;
	if (!joined)
		resolver_start_query(query);
	return true;
}

struct resolver_load resolver_load(const struct resolver *resolver)
{
	int64_t asked = held(resolver);
	return (struct resolver_load){ asked > resolver->waiters ? asked : resolver->waiters,
				       resolver->settings.inflight };
}
