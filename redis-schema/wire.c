/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/wire_inside.h"

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

static void hook_add_write(void *arg)
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

static void hook_cleanup(void *arg)
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

static void on_writable(evutil_socket_t fd, short what, void *arg)
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
		on_writable(fd, what, arg);
}

/* ---- flights */

static void flight_wait(struct flight *flight)
{
	struct wire *wire = flight->wire;
	struct timeval now, timeout = { .tv_sec = wire->settings.timeout_ms / 1000,
					.tv_usec = wire->settings.timeout_ms % 1000 * 1000 };
	evutil_gettimeofday(&now, NULL);
	event_base_gettimeofday_cached(wire->base, &now);
	evutil_timeradd(&now, &timeout, &flight->deadline);
	flight->waiting = true;
	flight->older = wire->newest;
	if (wire->newest != NULL)
		wire->newest->newer = flight;
	else
		wire->oldest = flight;
	wire->newest = flight;
	if (!evtimer_pending(wire->timer, NULL))
		evtimer_add(wire->timer, &timeout);
}

static void flight_unwait(struct flight *flight)
{
	struct wire *wire = flight->wire;
	if (!flight->waiting)
		return;
	flight->waiting = false;
	if (flight->older != NULL)
		flight->older->newer = flight->newer;
	else
		wire->oldest = flight->newer;
	if (flight->newer != NULL)
		flight->newer->older = flight->older;
	else
		wire->newest = flight->older;
	flight->newer = flight->older = NULL;
}

static struct flight *flight_new(struct wire *wire, enum flight_kind kind, void *arg)
{
	if (wire->context == NULL || wire->flights >= FLIGHTS_MAX)
		return NULL;
	struct flight *flight = calloc(1, sizeof *flight);
	if (flight == NULL)
		return NULL;
	wire->flights++;
	*flight = (struct flight){ .wire = wire, .kind = kind, .arg = arg };
	return flight;
}

static void flight_free(struct flight *flight)
{
	flight_unwait(flight);
	flight->wire->flights--;
	free(flight);
}

static void tell(struct flight *flight, enum wire_end end, const char *error)
{
	bool first = flight->waiting;
	flight_unwait(flight);
	switch (flight->kind) {
	case FLIGHT_FETCH:
		if (first)
			flight->done.fetch(flight->arg, end, NULL);
		break;
	case FLIGHT_CHARGE:
		(first ? flight->done.charge : flight->late)(flight->arg, end, NULL);
		break;
	case FLIGHT_COMMAND:
		if (first)
			flight->done.command(flight->arg, end, error, 0, NULL);
		break;
	case FLIGHT_GREETING:
		break;
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	struct timeval now, left;
	(void)fd;
	(void)what;
	event_base_gettimeofday_cached(wire->base, &now);
	while (wire->oldest != NULL && !evutil_timercmp(&wire->oldest->deadline, &now, >)) {
		if (wire->oldest->kind == FLIGHT_GREETING) {
			wire_disconnect(wire, "no answer to the greeting");
			return;
		}
		tell(wire->oldest, WIRE_LATE, "no answer in time");
	}
	if (wire->oldest == NULL)
		return;
	evutil_timersub(&wire->oldest->deadline, &now, &left);
	evtimer_add(wire->timer, &left);
}

/* ---- answers */

/* A flat answer's strings; numbers as text in `memory`. Returns how many, -1 for what is not flat. */
static int flatten(const redisReply *reply, const char **items, char (*memory)[24], int most)
{
	int count = 0;
	if (reply->type == REDIS_REPLY_ARRAY) {
		for (size_t i = 0; i < reply->elements && count < most; i++)
			count += flatten(reply->element[i], items + count, memory + count, most - count);
		return count;
	}
	if (most < 1)
		return 0;
	if (reply->type == REDIS_REPLY_INTEGER) {
		snprintf(memory[0], sizeof memory[0], "%lld", reply->integer);
		items[0] = memory[0];
	} else {
		items[0] = reply->type == REDIS_REPLY_NIL ? NULL : reply->str;
	}
	return 1;
}

static void answer_fetch(struct flight *flight, const redisReply *reply)
{
	enum { MOST = 160 };
	const char *items[MOST];
	char memory[MOST][24];
	struct account_state state;
	struct wire *wire = flight->wire;
	int count = flatten(reply, items, memory, MOST);
	for (int i = 0; i < count; i++)
		if (items[i] == NULL)
			count = -1;
	if (count < 0 || !reply_read_fetch(flight->charge.account, count, items, wire->events.say, wire->events.arg,
					   &state)) {
		tell(flight, WIRE_ERROR, NULL);
		return;
	}
	if (!flight->waiting)
		return;
	flight_unwait(flight);
	flight->done.fetch(flight->arg, WIRE_OK, &state);
}

static bool read_charged(const redisReply *reply, struct wire_charged *charged)
{
	static const struct {
		const char *word;
		enum wire_status status;
	} statuses[] = { { "charged", WIRE_CHARGED }, { "over", WIRE_OVER }, { "again", WIRE_AGAIN },
			 { "newer", WIRE_NEWER }, { "wrong", WIRE_WRONG } };
	const char *items[3];
	char memory[3][24];
	int64_t over;
	if (flatten(reply, items, memory, 3) != 3 || !items[0] || !items[1] || !items[2] ||
	    !text_to_int(items[1], 0, WINDOW_COUNT, &over))
		return false;
	charged->over = over == 0 ? WINDOW_COUNT : (enum window)(over - 1);
	bool again = strcmp(items[0], "again") == 0;
	if (again ? !text_to_int(items[2], 0, INT64_MAX, &charged->number) : !reply_read_use(items[2], &charged->rates))
		return false;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (strcmp(items[0], statuses[i].word) == 0) {
			charged->status = statuses[i].status;
			return true;
		}
	return false;
}

static void answer_charge(struct flight *flight, const redisReply *reply)
{
	struct wire_charged charged = { 0 };
	if (!read_charged(reply, &charged))
		charged.status = WIRE_WRONG;	/* the script ran: sending it again would charge again */
	bool first = flight->waiting;
	flight_unwait(flight);
	(first ? flight->done.charge : flight->late)(flight->arg, WIRE_OK, &charged);
}

static void answer_command(struct flight *flight, const redisReply *reply)
{
	const char **items = calloc(ITEMS_MAX, sizeof *items);
	char(*memory)[24] = calloc(ITEMS_MAX, sizeof *memory);
	int count = items != NULL && memory != NULL ? flatten(reply, items, memory, ITEMS_MAX) : -1;
	if (count < 0) {
		tell(flight, WIRE_ERROR, "the answer is not a flat list");
	} else if (flight->waiting) {
		flight_unwait(flight);
		flight->done.command(flight->arg, WIRE_OK, NULL, count, items);
	}
	free(memory);
	free(items);
}

/* Errors that say something of the server, not of the request. */
static bool is_of_server(const char *error)
{
	static const char *const words[] = { "READONLY",    "LOADING", "OOM",	  "MASTERDOWN", "NOAUTH",  "NOPERM",
					     "NOREPLICAS",  "BUSY ",   "MISCONF", "TRYAGAIN",	"CLUSTERDOWN" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(error, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static void send_script(struct flight *flight);

static void answer_error(struct flight *flight, const char *error)
{
	struct wire *wire = flight->wire;
	bool script = flight->kind == FLIGHT_FETCH || flight->kind == FLIGHT_CHARGE;
	if (script && !flight->by_text && strncmp(error, "NOSCRIPT", 8) == 0) {
		flight->by_text = true;
		send_script(flight);
		return;
	}
	char line[300], shown[160];
	text_copy(shown, sizeof shown, error);
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis says \"%s\"", shown);
	bool server = is_of_server(error);
	if (script && !server) {
		text_add(&text, " about account ");
		text_add_word(&text, flight->charge.account);
		wire->events.say(wire->events.arg, line);
	}
	tell(flight, server ? WIRE_REFUSED : WIRE_ERROR, shown);
	flight_free(flight);
	if (server)
		wire_disconnect(wire, line);
}

static void on_reply(redisAsyncContext *context, void *answer, void *arg)
{
	struct flight *flight = arg;
	const redisReply *reply = answer;
	(void)context;
	if (reply == NULL) {
		tell(flight, WIRE_LOST, "the connection to Redis ended");
	} else if (reply->type == REDIS_REPLY_ERROR) {
		answer_error(flight, reply->str);
		return;
	} else if (flight->kind == FLIGHT_FETCH) {
		answer_fetch(flight, reply);
	} else if (flight->kind == FLIGHT_CHARGE) {
		answer_charge(flight, reply);
	} else {
		answer_command(flight, reply);
	}
	flight_free(flight);
}

/* ---- requests */

static bool send_words(struct flight *flight, int argc, const char **argv)
{
	return redisAsyncCommandArgv(flight->wire->context, on_reply, flight, argc, argv, NULL) == REDIS_OK;
}

static bool try_send_script(struct flight *flight)
{
	struct wire *wire = flight->wire;
	struct script_arguments arguments;
	const char *argv[SCRIPT_ARGUMENTS_MAX + 2];
	enum script script = flight->kind == FLIGHT_FETCH ? SCRIPT_FETCH : SCRIPT_CHARGE;
	struct wire_charge charge = { &flight->charge, flight->number };
	if (script == SCRIPT_FETCH)
		script_fetch_arguments(&arguments, wire->settings.prefix, flight->charge.account);
	else
		script_charge_arguments(&arguments, &wire->settings, &charge);
	if (wire->sha[script][0] == '\0')
		flight->by_text = true;
	argv[0] = flight->by_text ? "EVAL" : "EVALSHA";
	argv[1] = flight->by_text ? script_text[script] : wire->sha[script];
	memcpy(argv + 2, arguments.word, (size_t)arguments.count * sizeof argv[0]);
	return send_words(flight, arguments.count + 2, argv);
}

static void send_script(struct flight *flight)
{
	if (try_send_script(flight))
		return;
	tell(flight, WIRE_LOST, NULL);
	flight_free(flight);
}

static bool launch(struct flight *flight, bool sent)
{
	if (!sent) {
		flight_free(flight);
		return false;
	}
	flight_wait(flight);
	return true;
}

bool wire_fetch(struct wire *wire, const char *account, wire_fetch_done *done, void *arg)
{
	struct flight *flight = wire->up ? flight_new(wire, FLIGHT_FETCH, arg) : NULL;
	if (flight == NULL)
		return false;
	text_copy(flight->charge.account, sizeof flight->charge.account, account);
	flight->done.fetch = done;
	return launch(flight, try_send_script(flight));
}

bool wire_charge(struct wire *wire, const struct wire_charge *charge, wire_charge_done *done, wire_charge_done *late,
		 void *arg)
{
	struct flight *flight = wire->up ? flight_new(wire, FLIGHT_CHARGE, arg) : NULL;
	if (flight == NULL)
		return false;
	flight->charge = *charge->charge;
	flight->number = charge->number;
	flight->done.charge = done;
	flight->late = late;
	return launch(flight, try_send_script(flight));
}

bool wire_command(struct wire *wire, int argc, const char *const *argv, wire_command_done *done, void *arg)
{
	enum { WORDS_MAX = 64 };
	const char *words[WORDS_MAX];
	struct flight *flight = wire->up && argc <= WORDS_MAX ? flight_new(wire, FLIGHT_COMMAND, arg) : NULL;
	if (flight == NULL)
		return false;
	memcpy(words, argv, (size_t)argc * sizeof words[0]);
	flight->done.command = done;
	return launch(flight, send_words(flight, argc, words));
}

/* ---- the connection */

static void greeting_answered(redisAsyncContext *context, void *answer, void *arg)
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
static void greet(struct wire *wire, int script, int argc, const char **argv)
{
	struct flight *flight = flight_new(wire, FLIGHT_GREETING, NULL);
	if (flight == NULL)
		return;
	flight->number = script;
	wire->greetings++;
	if (redisAsyncCommandArgv(wire->context, greeting_answered, flight, argc, argv, NULL) == REDIS_OK)
		flight_wait(flight);
	else
		flight_free(flight);
}

static void send_greetings(struct wire *wire)
{
	const struct store_settings *set = &wire->settings;
	char database[24];
	wire->greetings = 0;
	if (set->password[0] != '\0' && set->username[0] != '\0')
		greet(wire, -1, 3, (const char *[]){ "AUTH", set->username, set->password });
	else if (set->password[0] != '\0')
		greet(wire, -1, 2, (const char *[]){ "AUTH", set->password });
	snprintf(database, sizeof database, "%lld", (long long)set->database);
	greet(wire, -1, 2, (const char *[]){ "SELECT", database });
	for (int i = 0; i < SCRIPT_COUNT; i++)
		greet(wire, i, 3, (const char *[]){ "SCRIPT", "LOAD", script_text[i] });
}

/* The context is gone when this returns; hiredis has answered every flight with nothing. */
static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct wire *wire = context->data;
	char line[200];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "the connection ended: %s", status == REDIS_OK ? "closed" : context->errstr);
	wire->context = NULL;
	wire->up = false;
	wire->events.down(wire->events.arg, line);
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct wire *wire = context->data;
	if (status == REDIS_OK)
		return;
	char line[200];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "cannot connect: %s", context->errstr);
	wire->context = NULL;	/* hiredis frees it */
	wire->events.down(wire->events.arg, line);
}

static bool attach(struct wire *wire)
{
	redisAsyncContext *context = wire->context;
	context->data = wire;
	wire->readable = event_new(wire->base, context->c.fd, EV_READ | EV_PERSIST, on_readable, wire);
	wire->writable = event_new(wire->base, context->c.fd, EV_WRITE | EV_PERSIST, on_writable, wire);
	context->ev.data = wire;
	context->ev.addRead = hook_add_read;
	context->ev.delRead = hook_del_read;
	context->ev.addWrite = hook_add_write;
	context->ev.delWrite = hook_del_write;
	context->ev.cleanup = hook_cleanup;
	return wire->readable != NULL && wire->writable != NULL &&
	       redisAsyncSetConnectCallback(context, on_connect) == REDIS_OK &&
	       redisAsyncSetDisconnectCallback(context, on_disconnect) == REDIS_OK;
}

void wire_connect(struct wire *wire)
{
	MUST(wire->context == NULL);
	wire->context = wire->port == 0 ? redisAsyncConnectUnix(wire->settings.server + strlen("unix:"))
					: redisAsyncConnect(wire->host, wire->port);
	if (wire->context == NULL || wire->context->err != 0 || !attach(wire)) {
		char line[200];
		struct text text = text_over(line, sizeof line);
		text_addf(&text, "cannot connect: %s", wire->context != NULL ? wire->context->errstr : "no memory");
		wire_disconnect(wire, line);
		wire->events.down(wire->events.arg, line);
		return;
	}
	send_greetings(wire);
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

static bool parse_server(struct wire *wire, char *error, size_t error_size)
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
	snprintf(error, error_size, "redis.server is \"%s\": expected unix:/path, address:port or [v6]:port, "
				    "the address in numbers", server);
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
	if (wire->flush == NULL || wire->timer == NULL || !parse_server(wire, error, error_size))
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
