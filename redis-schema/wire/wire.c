/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/wire.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/wire/wire_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- the end */

/* Who is told may ask, which is in vain, but not connect. */
static void wire_drop(struct wire *wire)
{
	wire->life++;
	wire->state = WIRE_AWAY;
	wire->ending = true;
	channel_close(&wire->channel);
	wire_answer_end(wire);
	alarm_clear(wire->alarm);
	wire->rings_ms = INT64_MAX;
	wire->failed[0] = '\0';
	flight_end_all(wire);
	wire->ending = false;
}

void wire_disconnect(struct wire *wire, const char *why)
{
	char line[240]; /* `why` may be of an answer, or of the wire */
	if (wire->state == WIRE_AWAY)
		return;
	text_copy(line, sizeof line, why);
	wire_drop(wire);
	wire->events.down(wire->events.arg, line);
}

/* ---- the greeting */

static void wire_greeted(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct wire *wire = arg;
	(void)count;
	if (end == WIRE_LATE) {
		wire_disconnect(wire, "no answer to the greeting");
	} else if (end == WIRE_OK && answers->error != NULL) {
		char line[200];
		struct text text = text_over(line, sizeof line);
		text_addf(&text, "redis answered the greeting with \"%.150s\"", answers->error);
		wire_disconnect(wire, line);
	} else if (end == WIRE_OK && --wire->greetings == 0) {
		wire->state = WIRE_UP;
		wire->events.up(wire->events.arg);
	}
}

/* Each by itself: where the first is refused and Redis hangs up, its answer is told. */
static bool wire_greet(struct wire *wire, int argc, const char *const *argv)
{
	struct wire_command command = { .argc = argc, .argv = argv };
	wire->greetings++;
	return flight_send(wire, alarm_clock_ms() + wire->settings.timeout_ms, &command, 1, wire_greeted, NULL, wire);
}

static void wire_on_open(void *arg)
{
	struct wire *wire = arg;
	const struct store_settings *set = &wire->settings;
	char database[24];
	bool sent = true;
	wire->state = WIRE_GREETING;
	wire->greetings = 0;
	if (set->password[0] != '\0' && set->username[0] != '\0')
		sent = wire_greet(wire, 3, (const char *[]){ "AUTH", set->username, set->password });
	else if (set->password[0] != '\0')
		sent = wire_greet(wire, 2, (const char *[]){ "AUTH", set->password });
	snprintf(database, sizeof database, "%lld", (long long)set->database);
	if (!sent || !wire_greet(wire, 2, (const char *[]){ "SELECT", database }))
		wire_disconnect(wire, "cannot connect: no memory");
}

/* ---- the connection */

static void wire_on_bytes(void *arg, const char *bytes, size_t length)
{
	wire_answer_bytes(arg, bytes, length);
}

static void wire_on_closed(void *arg, const char *why)
{
	wire_disconnect(arg, why);
}

/* What cannot even be tried is told by the alarm, as no event comes before this returns. */
void wire_connect(struct wire *wire)
{
	struct channel_events events = {
		.open = wire_on_open, .bytes = wire_on_bytes, .closed = wire_on_closed, .arg = wire
	};
	char error[120] = "no memory";
	MUST(wire->state == WIRE_AWAY && !wire->ending);
	wire->state = WIRE_CONNECTING;
	wire->connect_by_ms = alarm_clock_ms() + wire->settings.timeout_ms;
	if (wire_answer_begin(wire))
		wire->channel =
			channel_open(wire->base, wire->path, wire->host, wire->port, &events, error, sizeof error);
	if (wire->channel == NULL) {
		snprintf(wire->failed, sizeof wire->failed, "cannot connect: %s", error);
		wire->connect_by_ms = alarm_clock_ms();
	}
	flight_wake_by(wire, wire->connect_by_ms);
}

bool wire_is_up(const struct wire *wire)
{
	return wire->state == WIRE_UP;
}

/* ---- the wire */

static bool wire_parse_server(struct wire *wire, char *error, size_t error_size)
{
	const char *server = wire->settings.server;
	if (strncmp(server, "unix:/", 6) == 0) {
		wire->path = server + strlen("unix:");
		return true;
	}
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
	if (wire == NULL) {
		text_copy(error, error_size, "no memory");
		return NULL;
	}
	wire->base = base;
	wire->settings = *settings;
	wire->events = *events;
	wire->rings_ms = INT64_MAX;
	wire->alarm = alarm_new(base, flight_on_alarm, wire);
	if (wire->alarm == NULL)
		text_copy(error, error_size, "no memory");
	if (wire->alarm == NULL || !wire_parse_server(wire, error, error_size))
		wire_free(&wire);
	return wire;
}

void wire_free(struct wire **wire)
{
	struct wire *freed = *wire;
	if (freed == NULL)
		return;
	if (freed->state != WIRE_AWAY)
		wire_drop(freed);
	*wire = NULL;
	wire_answer_free(freed);
	alarm_free(&freed->alarm);
	free(freed->request);
	free(freed);
}
