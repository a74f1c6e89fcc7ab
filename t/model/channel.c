/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In the place of redis-schema/wire/channel.c.
 */
#include "redis-schema/wire/channel.h"

#include "t/model/lot.h"
#include "t/model/model.h"
#include "t/model/net.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct channel {
	struct link *link; /* borrowed from the list; it stays while the channel is there */
};

static struct link *links; /* newest first */

struct channel *channel_open(struct event_base *base, const char *path, const char *host, int port,
			     const struct channel_events *events, char *error, size_t error_size)
{
	struct channel *channel = model_new(sizeof *channel);
	struct link *link = model_new(sizeof *link);
	(void)base;
	(void)path;
	(void)host;
	(void)error;
	(void)error_size;
	link->daemon = port - PORT_FIRST;
	link->asked = link->held = link->served = true;
	link->events = *events;
	redis_session_open(&link->session, &server_data);
	link->next = links;
	links = link;
	channel->link = link;
	return channel;
}

bool channel_write(struct channel *channel, const char *bytes, size_t length)
{
	if (!model.calm && !model.well && lot_once_in(300)) { /* too much is kept already */
		model_say("... daemon %d cannot send", channel->link->daemon);
		model.lost = true;
		return false;
	}
	if (channel->link->served)
		fake_bytes_add(&channel->link->under_way, bytes, length);
	return true;
}

/* What is under way comes, comes in part or is lost. */
void channel_close(struct channel **channel)
{
	struct link *link = (*channel)->link;
	free(*channel);
	*channel = NULL;
	link->held = link->asked = false;
	if (model.calm || lot_once_in(3))
		link->under_way.length = 0;
	else if (link->under_way.length > 0 && lot_once_in(3))
		link->under_way.length = (size_t)lot((int)link->under_way.length);
	model_say("daemon %d has no connection; %zu bytes of it are under way", link->daemon, link->under_way.length);
}

/* ---- the schedule's side */

struct link *net_first(void)
{
	return links;
}

struct link *net_any(void)
{
	int count = 0;
	struct link *drawn = NULL;
	for (struct link *link = links; link != NULL; link = link->next)
		if (lot_once_in(++count))
			drawn = link;
	return drawn;
}

void net_open(struct link *link)
{
	if (!link->asked)
		return;
	model_say("daemon %d is connected", link->daemon);
	link->asked = false;
	link->events.open(link->events.arg);
}

void net_refuse(struct link *link)
{
	if (!link->asked)
		return;
	model_say("daemon %d cannot connect", link->daemon);
	link->asked = link->served = false;
	link->events.closed(link->events.arg, "connection refused");
}

void net_to_redis(struct link *link, size_t length)
{
	length = length < link->under_way.length ? length : link->under_way.length;
	if (link->asked || !link->served || length == 0)
		return;
	model_say("%zu of %zu bytes of daemon %d come to Redis%s", length, link->under_way.length, link->daemon,
		  link->held ? "" : ", whose connection is gone");
	fake_bytes_add(&link->session.in, link->under_way.at, length);
	fake_bytes_cut(&link->under_way, length);
	server_run(link);
}

void net_to_daemon(struct link *link, size_t length)
{
	length = length < link->session.out.length ? length : link->session.out.length;
	if (!link->held || link->asked || length == 0)
		return;
	model_say("%zu of %zu bytes come to daemon %d", length, link->session.out.length, link->daemon);
	char *bytes = model_new(length);
	memcpy(bytes, link->session.out.at, length);
	fake_bytes_cut(&link->session.out, length);
	link->events.bytes(link->events.arg, bytes, length);
	free(bytes);
}

void net_lose(struct link *link)
{
	if (link->asked || !link->served)
		return;
	model_say("Redis loses the connection of daemon %d: %zu bytes under way, %zu of answers", link->daemon,
		  link->under_way.length, link->session.out.length);
	link->served = false;
	link->under_way.length = 0;
	link->session.out.length = 0;
}

void net_end(struct link *link)
{
	if (!link->held || link->asked)
		return;
	model_say("the connection of daemon %d ends: %zu bytes under way, %zu of answers", link->daemon,
		  link->under_way.length, link->session.out.length);
	link->session.out.length = 0;
	link->events.closed(link->events.arg, "connection reset by peer");
}

void net_sweep(void)
{
	for (struct link **at = &links; *at != NULL;) {
		struct link *link = *at;
		if (link->held || (link->served && link->under_way.length > 0)) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		redis_session_close(&link->session);
		fake_bytes_free(&link->under_way);
		free(link);
	}
}

bool net_is_connected(int daemon)
{
	for (const struct link *link = links; link != NULL; link = link->next)
		if (link->daemon == daemon && link->held && link->served && !link->asked)
			return true;
	return false;
}

bool net_is_quiet(void)
{
	for (const struct link *link = links; link != NULL; link = link->next)
		if (link->held && (link->asked || link->under_way.length > 0 || link->session.out.length > 0))
			return false;
	return true;
}

void net_clear(void)
{
	for (struct link *link = links; link != NULL; link = link->next) {
		MODEL_MUST(!link->held, "daemon %d keeps a connection at its end", link->daemon);
		link->under_way.length = 0;
	}
	net_sweep();
}
