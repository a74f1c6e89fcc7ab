/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fuzz/world.h"

#include "milter/base/clock.h"
#include "milter/control/control_lookup.h"
#include "milter/daemon/daemon.h"
#include "milter/base/exchange.h"
#include "milter/base/loop.h"
#include "milter/daemon/outbox.h"
#include "redis-schema/store/store.h"
#include "redis-schema/wire/wire.h"
#include "t/fuzz/fuzz.h"

#include <event2/buffer.h>
#include <event2/event.h>

enum { WORDS_MAX = 40, ITEMS_MAX = 300, TURNS_MAX = 10000 };

static const char conf[] = "redis: { server = \"127.0.0.1:1\"; };\n"
			   "dns: { servers = [ \"127.0.0.1:1\" ]; };\n"
			   "webhook: { url = \"http://127.0.0.1:1/\"; };\n"
			   "plans = ( { name = \"default\"; rcpts_per_hour = 500; }, { name = \"gold\"; } );\n"
			   "pools = ( { name = \"clean\"; levels = [\"good\", \"new\", \"suspect\"]; transports = ( { "
			   "name = \"clean-1\"; } ); } );\n";

int world_word_count;
char *world_words[WORDS_MAX + 1];

/* ---- clock.c */

int64_t clock_now_ms(void)
{
	return WORLD_NOW_MS;
}

int64_t clock_monotonic_ms(void)
{
	return 1000000;
}

/* ---- exchange.c: answers are looked at */

void exchange_begin(struct exchange_call *call, const struct exchange_stream *stream)
{
	MUST(!call->parts && stream->gone != NULL && stream->drained != NULL);
	call->parts = true;
}

bool exchange_send(struct exchange_call *call, struct evbuffer *part)
{
	size_t length = evbuffer_get_length(part);
	MUST(call->parts && call->answers == 0 && length > 0);
	char *lines = string_of(evbuffer_pullup(part, -1), length), *rest = NULL;
	MUST(lines[length - 1] == '\n');
	for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		MUST(json_is_string(json_object_get(json, "type")));
		json_decref(json);
	}
	free(lines);
	evbuffer_drain(part, length);
	return true;
}

struct evconnlistener *exchange_listener(struct exchange *exchange)
{
	(void)exchange;
	return NULL;
}

/* {"ok":true, ...} or {"error":"one sentence."}, in one line; of parts the last. */
void exchange_answer(struct exchange_call *call, struct evbuffer *answer)
{
	if (call->parts)
		exchange_send(call, answer);
	MUST(answer != NULL && ++call->answers == 1);
	if (call->parts)
		return;
	size_t length = evbuffer_get_length(answer);
	char *line = string_of(evbuffer_pullup(answer, -1), length);
	MUST(length > 2 && memchr(line, '\n', length) == line + length - 1);
	call->answer = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	const char *error = json_string_value(json_object_get(call->answer, "error"));
	MUST(json_is_true(json_object_get(call->answer, "ok")) == (error == NULL));
	MUST(error == NULL || (error[0] != '\0' && error[strlen(error) - 1] == '.'));
}

struct exchange *exchange_start(struct event_base *base, int listen_fd, const struct exchange_kind *kind)
{
	(void)base, (void)listen_fd, (void)kind;
	return NULL;
}

void exchange_stop(struct exchange **exchange)
{
	*exchange = NULL;
}

/* ---- control_lookup.c: what is asked of it is checked by fuzz_check_parse */

bool control_lookup_start(struct exchange_call *call, const char *target, char *error, size_t error_size)
{
	(void)call;
	snprintf(error, error_size, "%.20s: no look-ups here.", strlen(target) > 0 ? "rbl" : "");
	return false;
}

/* ---- wire.c: Redis answers with lines of the input */

struct wire {
	struct event_base *base;
	struct wire_events events;
	bool up;
};

enum flight_kind { FLIGHT_OWN, FLIGHT_FETCH, FLIGHT_COMMAND };

struct flight {
	enum flight_kind kind; /* OWN: of the store itself, answered as by a Redis that holds nothing */
	wire_done *done;
	void *arg;
	int count;
	const char *name[WIRE_COMMANDS_MAX]; /* of each command; constants */
};

static const char *left; /* of the input */
static size_t left_size;
static int under_way;

/* The next answer, to be freed; its lines, up to an empty one, are items. */
static char *next_answer(const char *items[ITEMS_MAX], size_t lengths[ITEMS_MAX], int *count_out)
{
	const char *end = memmem(left, left_size, "\n\n", 2);
	size_t size = end != NULL ? (size_t)(end - left) : left_size;
	char *text = string_of(left, size), *rest = NULL;
	*count_out = 0;
	for (char *at = strtok_r(text, "\n", &rest); at != NULL && *count_out < ITEMS_MAX;
	     at = strtok_r(NULL, "\n", &rest)) {
		lengths[*count_out] = strlen(at);
		items[(*count_out)++] = at[0] == '\1' && at[1] == '\0' ? NULL : at;
	}
	size += end != NULL ? 2 : 0;
	left += size;
	left_size -= size;
	return text;
}

static void say(void *arg, const char *line)
{
	(void)arg;
	MUST(strlen(line) < 1000);
}

static bool is_list(const char *name)
{
	static const char *const names[] = { "HGETALL", "HMGET", "MGET", "TIME", "EVALSHA", "HRANDFIELD" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* What a Redis that holds nothing answers to each command. */
static void answer_own(const struct flight *flight, struct wire_answer *answers)
{
	static const char *const one[] = { "1", "1" }, *const nil[] = { NULL };
	static const size_t lengths[] = { 1, 1 };
	for (int i = 0; i < flight->count; i++) {
		const char *name = flight->name[i];
		bool none = strcmp(name, "GET") == 0 || strcmp(name, "HGET") == 0;
		answers[i] = (struct wire_answer){
			.list = is_list(name), .count = 1, .text = none ? nil : one, .length = lengths
		};
		if (strcmp(name, "TIME") == 0)
			answers[i].count = 2;
		else if (strncmp(name, "H", 1) == 0 && answers[i].list)
			answers[i].count = 0;
	}
}

static void tell_command(const struct flight *flight)
{
	const char *items[ITEMS_MAX];
	size_t lengths[ITEMS_MAX];
	int count = 0;
	char *text = next_answer(items, lengths, &count);
	struct wire_answer answer = { .list = count != 1, .count = count, .text = items, .length = lengths };
	if (count > 0 && items[0] != NULL && items[0][0] == '-') {
		answer.error = items[0] + 1;
		answer.blame = blame_of(answer.error);
	}
	flight->done(flight->arg, WIRE_OK, 1, &answer);
	free(text);
}

/* A line each for record, block and exempt, and the rest for limits. */
static void tell_fetch(const struct flight *flight)
{
	const char *items[ITEMS_MAX];
	size_t lengths[ITEMS_MAX];
	struct wire_answer answers[WIRE_COMMANDS_MAX];
	int count = 0, at = 0;
	char *text = next_answer(items, lengths, &count);
	answer_own(flight, answers);
	for (int i = 1; i < flight->count && at < count; i++) {
		bool list = is_list(flight->name[i]);
		answers[i].count = list ? count - at : 1;
		answers[i].text = items + at;
		answers[i].length = lengths + at;
		at += answers[i].count;
	}
	flight->done(flight->arg, WIRE_OK, flight->count, answers);
	free(text);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct flight *flight = arg;
	struct wire_answer answers[WIRE_COMMANDS_MAX];
	(void)fd, (void)what;
	under_way--;
	if (flight->kind == FLIGHT_FETCH) {
		tell_fetch(flight);
	} else if (flight->kind == FLIGHT_COMMAND) {
		tell_command(flight);
	} else {
		answer_own(flight, answers);
		flight->done(flight->arg, WIRE_OK, flight->count, answers);
	}
	free(flight);
}

static void keep_words(int argc, const char *const *argv)
{
	while (world_word_count > 0)
		free(world_words[--world_word_count]);
	for (; world_word_count < argc; world_word_count++)
		world_words[world_word_count] = string_of(argv[world_word_count], strlen(argv[world_word_count]));
	world_words[argc] = NULL;
}

/* Is the key under the prefix, and the account in it one that there can be? An admin may name any other, too. */
static void check_key(const char *key, bool of_admin)
{
	const char *brace = strchr(key, '{'), *end = strrchr(key, '}');
	MUST(strncmp(key, "penstock:", 9) == 0);
	if (brace == NULL || end == NULL || of_admin || strncmp(brace, "{probe-", 7) == 0)
		return;
	char *account = string_of(brace + 1, (size_t)(end - brace - 1));
	must_be_account(account);
	free(account);
}

static enum flight_kind kind_of(const struct wire_command *commands, int count)
{
	const char *const *argv = commands[0].argv;
	if (strcmp(argv[0], "TIME") == 0)
		return FLIGHT_FETCH;
	if (count > 1 || strcmp(argv[0], "EVALSHA") == 0)
		return FLIGHT_OWN;
	if (strcmp(argv[0], "SCAN") == 0 || strcmp(argv[0], "DBSIZE") == 0) /* these name no key */
		return FLIGHT_COMMAND;
	bool own = strcmp(argv[1], "penstock:plans") == 0 || strcmp(argv[1], "penstock:secret") == 0;
	return own ? FLIGHT_OWN : FLIGHT_COMMAND;
}

bool wire_ask(struct wire *wire, const struct wire_command *commands, int count, wire_done *done, wire_done *late,
	      void *arg)
{
	struct flight *flight = calloc(1, sizeof *flight);
	(void)late;
	MUST(flight != NULL && count > 0 && count <= WIRE_COMMANDS_MAX);
	*flight = (struct flight){ .kind = kind_of(commands, count), .done = done, .arg = arg, .count = count };
	for (int i = 0; i < count; i++) {
		const char *name = flight->name[i] = commands[i].argv[0];
		MUST(commands[i].argc <= WIRE_WORDS_MAX);
		if (strncmp(name, "EVAL", 4) == 0)
			check_key(commands[i].argv[3], false);
		else if (strcmp(name, "SCRIPT") != 0 && strcmp(name, "TIME") != 0 && strcmp(name, "SCAN") != 0 &&
			 strcmp(name, "DBSIZE") != 0)
			check_key(commands[i].argv[1], flight->kind == FLIGHT_COMMAND);
	}
	if (flight->kind == FLIGHT_COMMAND)
		keep_words(commands[0].argc, commands[0].argv);
	under_way++;
	MUST(event_base_once(wire->base, -1, EV_TIMEOUT, on_answer, flight, &(struct timeval){ 0 }) == 0);
	return true;
}

bool wire_ask_until(struct wire *wire, int64_t deadline_ms, const struct wire_command *commands, int count,
		    wire_done *done, wire_done *late, void *arg)
{
	(void)deadline_ms;
	return wire_ask(wire, commands, count, done, late, arg);
}

bool wire_is_up(const struct wire *wire)
{
	return wire->up;
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	(void)fd, (void)what;
	wire->up = true;
	wire->events.up(wire->events.arg);
}

void wire_connect(struct wire *wire)
{
	event_base_once(wire->base, -1, EV_TIMEOUT, on_connected, wire, &(struct timeval){ 0 });
}

void wire_disconnect(struct wire *wire, const char *why)
{
	(void)wire, (void)why;
	MUST(!wire->up); /* no answer of ours is a reason for it */
}

struct wire *wire_new(struct event_base *base, const struct store_settings *settings, const struct wire_events *events,
		      char *error, size_t error_size)
{
	static struct wire wire;
	(void)settings, (void)error, (void)error_size;
	wire.base = base;
	wire.events = *events;
	return &wire;
}

void wire_free(struct wire **wire)
{
	*wire = NULL;
}

/* ---- the daemon */

static void turn(void)
{
	event_base_loop(loop_base(the_daemon.loop), EVLOOP_NONBLOCK);
}

void world_run(void)
{
	int turns = 0;
	do
		turn();
	while (under_way > 0 && ++turns < TURNS_MAX);
	MUST(turns < TURNS_MAX);
}

void world_begin(const char *redis, size_t size)
{
	left = redis;
	left_size = size;
	keep_words(0, NULL);
}

void world_start(void)
{
	char name[MEMORY_FILE_NAME], error[CONFIG_ERROR_MAX] = "";
	struct store_settings settings = { .server = "127.0.0.1:1",
					   .username = "",
					   .password = "",
					   .prefix = "penstock",
					   .node = WORLD_NODE,
					   .timeout_ms = 1000,
					   .breaker_failures = 1000000,
					   .retry_ms = 1,
					   .recent_accounts = 100,
					   .state_ttl_s = 1000 };
	int fd = memory_file(conf, sizeof conf - 1, name);
	struct config *config = config_load(name, error);
	close(fd);
	if (config == NULL)
		fprintf(stderr, "%s\n", error);
	MUST(config != NULL);
	the_daemon.loop = loop_new();
	MUST(the_daemon.loop != NULL);
	snprintf(the_daemon.node, sizeof the_daemon.node, WORLD_NODE);
	the_daemon.store = store_new(loop_base(the_daemon.loop), &settings, say, NULL, error, sizeof error);
	MUST(the_daemon.store != NULL && setup_start(config, error, sizeof error));
	MUST(outbox_start(loop_base(the_daemon.loop)));
	world_begin("", 0);
	world_run();
}
