/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/wire.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/wire/wire_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- hiredis's event hooks. Requests that are made in one turn of the loop leave in one write. */

static void hook_add_read(void *arg)
{
	event_add(((struct wire *)arg)->readable, NULL);
}

static void hook_del_read(void *arg)
{
	event_del(((struct wire *)arg)->readable);
}

static void wire_hook_add_write(void *arg)
{
	struct wire *wire = arg;
	if (wire->flushing || !(wire->context->c.flags & REDIS_CONNECTED))
		event_add(wire->writable, NULL);
	else
		event_active(wire->flush, EV_WRITE, 0);
}

static void hook_del_write(void *arg)
{
	event_del(((struct wire *)arg)->writable);
}

static void wire_hook_cleanup(void *arg)
{
	struct wire *wire = arg;
	if (wire->readable != NULL)
		event_free(wire->readable);
	if (wire->writable != NULL)
		event_free(wire->writable);
	wire->readable = wire->writable = NULL;
	event_del(wire->flush);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	redisAsyncHandleRead(((struct wire *)arg)->context);
}

static void wire_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	(void)fd;
	(void)what;
	wire->flushing = true;
	redisAsyncHandleWrite(wire->context);
	wire->flushing = false;
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	if (((struct wire *)arg)->context != NULL)
		wire_on_writable(fd, what, arg);
}

/* ---- the connection */

static void wire_greeting_answered(redisAsyncContext *context, void *answer, void *arg)
{
	struct flight *flight = arg;
	struct wire *wire = flight->wire;
	const redisReply *reply = answer;
	int script = (int)flight->number;
	(void)context;
	flight_free(flight);
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		char line[200];
		struct text text = text_over(line, sizeof line);
		text_addf(&text, "redis answered the greeting with \"%s\"", reply->str);
		wire_disconnect(wire, line);
		return;
	}
	if (script >= 0 && reply->type == REDIS_REPLY_STRING)
		text_copy(wire->sha[script], SHA_SIZE, reply->str);
	if (--wire->greetings == 0) {
		wire->up = true;
		wire->events.up(wire->events.arg);
	}
}

/* `script` is -1 for a greeting that loads none. */
static void wire_greet(struct wire *wire, int script, int argc, const char **argv)
{
	struct flight *flight = flight_new(wire, FLIGHT_GREETING, NULL);
	if (flight == NULL)
		return;
	flight->number = script;
	wire->greetings++;
	if (redisAsyncCommandArgv(wire->context, wire_greeting_answered, flight, argc, argv, NULL) == REDIS_OK)
		flight_wait(flight);
	else
		flight_free(flight);
}

static void wire_send_greetings(struct wire *wire)
{
	const struct store_settings *set = &wire->settings;
	char database[24];
	wire->greetings = 0;
	if (set->password[0] != '\0' && set->username[0] != '\0')
		wire_greet(wire, -1, 3, (const char *[]){ "AUTH", set->username, set->password });
	else if (set->password[0] != '\0')
		wire_greet(wire, -1, 2, (const char *[]){ "AUTH", set->password });
	snprintf(database, sizeof database, "%lld", (long long)set->database);
	wire_greet(wire, -1, 2, (const char *[]){ "SELECT", database });
	for (int i = 0; i < SCRIPT_COUNT; i++)
		wire_greet(wire, i, 3, (const char *[]){ "SCRIPT", "LOAD", script_text[i] });
}

/* The context is gone when this returns; hiredis has answered every flight with nothing. */
static void wire_on_disconnect(const redisAsyncContext *context, int status)
{
	struct wire *wire = context->data;
	char line[200];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "the connection ended: %s", status == REDIS_OK ? "closed" : context->errstr);
	wire->context = NULL;
	wire->up = false;
	wire->events.down(wire->events.arg, line);
}

static void wire_on_connect(const redisAsyncContext *context, int status)
{
	struct wire *wire = context->data;
	if (status == REDIS_OK)
		return;
	char line[200];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "cannot connect: %s", context->errstr);
	wire->context = NULL; /* hiredis frees it */
	wire->events.down(wire->events.arg, line);
}

static bool wire_attach(struct wire *wire)
{
	redisAsyncContext *context = wire->context;
	context->data = wire;
	wire->readable = event_new(wire->base, context->c.fd, EV_READ | EV_PERSIST, on_readable, wire);
	wire->writable = event_new(wire->base, context->c.fd, EV_WRITE | EV_PERSIST, wire_on_writable, wire);
	context->ev.data = wire;
	context->ev.addRead = hook_add_read;
	context->ev.delRead = hook_del_read;
	context->ev.addWrite = wire_hook_add_write;
	context->ev.delWrite = hook_del_write;
	context->ev.cleanup = wire_hook_cleanup;
	return wire->readable != NULL && wire->writable != NULL &&
	       redisAsyncSetConnectCallback(context, wire_on_connect) == REDIS_OK &&
	       redisAsyncSetDisconnectCallback(context, wire_on_disconnect) == REDIS_OK;
}

void wire_connect(struct wire *wire)
{
	MUST(wire->context == NULL);
	wire->context = wire->port == 0 ? redisAsyncConnectUnix(wire->settings.server + strlen("unix:"))
					: redisAsyncConnect(wire->host, wire->port);
	if (wire->context == NULL || wire->context->err != 0 || !wire_attach(wire)) {
		char line[200];
		struct text text = text_over(line, sizeof line);
		text_addf(&text, "cannot connect: %s", wire->context != NULL ? wire->context->errstr : "no memory");
		wire_disconnect(wire, line);
		wire->events.down(wire->events.arg, line);
		return;
	}
	wire_send_greetings(wire);
}

void wire_disconnect(struct wire *wire, const char *why)
{
	redisAsyncContext *context = wire->context;
	bool was_made = context != NULL && context->onDisconnect != NULL;
	if (context == NULL)
		return;
	context->onDisconnect = NULL;
	wire->context = NULL;
	wire->up = false;
	redisAsyncFree(context);
	if (was_made)
		wire->events.down(wire->events.arg, why);
}

static bool wire_parse_server(struct wire *wire, char *error, size_t error_size)
{
	const char *server = wire->settings.server;
	if (strncmp(server, "unix:/", 6) == 0)
		return true;
	const char *colon = strrchr(server, ':');
	struct netaddr address;
	int64_t port = 0;
	if (colon != NULL && colon > server) {
		bool bracket = *server == '[' && colon[-1] == ']';
		size_t length = (size_t)(colon - server) - (bracket ? 2 : 0);
		char host[80];
		snprintf(host, sizeof host, "%.*s", (int)length, server + bracket);
		if (text_to_int(colon + 1, 1, 65535, &port) && netaddr_parse(host, &address)) {
			netaddr_text(&address, wire->host);
			wire->port = (int)port;
			return true;
		}
	}
	snprintf(error, error_size,
		 "redis.server is \"%s\": expected unix:/path, address:port or [v6]:port, "
		 "the address in numbers",
		 server);
	return false;
}

struct wire *wire_new(struct event_base *base, const struct store_settings *settings, const struct wire_events *events,
		      char *error, size_t error_size)
{
	struct wire *wire = calloc(1, sizeof *wire);
	if (wire == NULL)
		return NULL;
	wire->base = base;
	wire->settings = *settings;
	wire->events = *events;
	wire->flush = event_new(base, -1, 0, on_flush, wire);
	wire->timer = evtimer_new(base, flight_on_timer, wire);
	if (wire->flush == NULL || wire->timer == NULL || !wire_parse_server(wire, error, error_size))
		wire_free(&wire);
	return wire;
}

void wire_free(struct wire **wire)
{
	if (*wire == NULL)
		return;
	struct wire *freed = *wire;
	*wire = NULL;
	freed->events.up = NULL;
	if (freed->context != NULL) {
		freed->context->onDisconnect = NULL;
		redisAsyncContext *context = freed->context;
		freed->context = NULL;
		freed->up = false;
		redisAsyncFree(context);
	}
	if (freed->flush != NULL)
		event_free(freed->flush);
	if (freed->timer != NULL)
		event_free(freed->timer);
	free(freed);
}
