/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wire_fixture: a wire to a Redis that the test plays itself, between turns of the one loop, on a unix socket of a
 * folder of its own.
 */
#ifndef PENSTOCK_WIRE_FIXTURE_H
#define PENSTOCK_WIRE_FIXTURE_H

#include "redis-schema/wire/alarm.h"
#include "redis-schema/wire/wire.h"
#include "t/unit/tap.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { TURNS = 8, STUCK_S = 60 };
#define ONE "$1\r\nx\r\n"

static struct event_base *base;
static struct store_settings settings;
static struct wire *wire;
static char folder[] = "/tmp/penstock-wire-XXXXXX", path[80], server_name[90];
static int listener = -1, client = -1; /* the server's */
static char heard[3 << 20];	       /* by the server */
static size_t heard_length;
static char logged[4000]; /* what the wire's caller was told */

/* ---- the wire's caller */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	size_t used = strlen(logged);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(logged + used, sizeof logged - used, format, arguments);
	va_end(arguments);
}

TAP_UNUSED static void say_item(const char *text, size_t length)
{
	if (text == NULL) {
		say(" nil");
		return;
	}
	if (length > 100) {
		say(" %zu bytes", length);
		return;
	}
	say(" '");
	for (size_t i = 0; i < length; i++)
		say(text[i] == '\0' ? "\\0" : "%c", text[i]);
	say("'");
	if (text[length] != '\0')
		say(" without a NUL");
}

TAP_UNUSED static void say_end(const char *who, const char *which, enum wire_end end, int count,
			       const struct wire_answer *answers)
{
	static const char *const ends[] = { "ok", "late", "lost" };
	say("%s%s%s", who, which, ends[end]);
	for (int i = 0; i < count; i++) {
		const struct wire_answer *answer = &answers[i];
		if (answer->error != NULL) {
			say(" error %d \"%s\"%s", (int)answer->blame, answer->error,
			    answer->count == 1 && answer->text[0] == NULL && !answer->list ? "" : " with a text");
			continue;
		}
		say(answer->list ? " [" : "");
		for (int j = 0; j < answer->count; j++)
			say_item(answer->text[j], answer->length[j]);
		say(answer->list ? " ]" : "");
	}
	say("; ");
}

TAP_UNUSED static void done(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	say_end(arg, " ", end, count, answers);
}

TAP_UNUSED static void late(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	say_end(arg, " after all ", end, count, answers);
}

TAP_UNUSED static void silent(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	(void)arg;
	(void)end;
	(void)count;
	(void)answers;
}

TAP_UNUSED static void on_up(void *arg)
{
	(void)arg;
	say("up; ");
}

TAP_UNUSED static void on_down(void *arg, const char *why)
{
	(void)arg;
	say("down %s; ", why);
}

TAP_UNUSED static bool ask_until(int64_t deadline_ms, const char *name, wire_done *told)
{
	static const char *const get[] = { "GET", "a" };
	const struct wire_command command = { .argc = 2, .argv = get };
	return wire_ask_until(wire, deadline_ms, &command, 1, told, late, (void *)(uintptr_t)name);
}

TAP_UNUSED static bool ask(const char *name, wire_done *told)
{
	return ask_until(alarm_clock_ms() + 100000, name, told);
}

TAP_UNUSED static bool ask_two(const char *name)
{
	static const char *const set[] = { "SET", "b", "x\0y" }, *const all[] = { "HGETALL", "c" };
	static const size_t lengths[] = { 3, 1, 3 };
	const struct wire_command commands[] = { { 3, set, lengths }, { 2, all, NULL } };
	return wire_ask(wire, commands, 2, done, NULL, (void *)(uintptr_t)name);
}

/* ---- the server */

TAP_UNUSED static void turn(void)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

TAP_UNUSED static void server_hear(void)
{
	ssize_t got;
	while ((got = recv(client, heard + heard_length, sizeof heard - 1 - heard_length, MSG_DONTWAIT)) > 0)
		heard_length += (size_t)got;
	heard[heard_length] = '\0';
}

TAP_UNUSED static const char *server_heard(void)
{
	server_hear();
	heard_length = 0;
	return heard;
}

/* In pieces, each of which is a turn. */
TAP_UNUSED static void server_say_bytes(const char *bytes, size_t length, size_t piece)
{
	while (length > 0) {
		ssize_t sent = send(client, bytes, length < piece ? length : piece, MSG_NOSIGNAL);
		turn();
		if (sent < 0 && errno != EAGAIN)
			return;
		bytes += sent > 0 ? sent : 0;
		length -= (size_t)(sent > 0 ? sent : 0);
	}
}

TAP_UNUSED static void server_say(const char *bytes)
{
	server_say_bytes(bytes, strlen(bytes), SIZE_MAX);
}

TAP_UNUSED static void server_hang_up(void)
{
	if (client >= 0)
		close(client);
	client = -1;
	turn();
}

TAP_UNUSED static void server_accept(void)
{
	client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	turn();
	server_hear();
}

/* Up to an empty log. */
TAP_UNUSED static void begin(void)
{
	char error[200];
	const struct wire_events events = { .up = on_up, .down = on_down };
	logged[0] = '\0';
	wire = wire_new(base, &settings, &events, error, sizeof error);
	if (wire == NULL)
		printf("Bail out! %s\n", error);
	wire_connect(wire);
	turn();
	server_accept();
}

TAP_UNUSED static void begin_up(void)
{
	begin();
	server_say("+OK\r\n");
	server_heard();
	is_str(logged, "up; ", "it is up once it was greeted");
	logged[0] = '\0';
}

TAP_UNUSED static void end(void)
{
	wire_free(&wire);
	server_hang_up();
}

TAP_UNUSED static int server_listen(int family, const struct sockaddr *address, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, address, length) != 0 || listen(fd, 8) != 0) {
		perror("Bail out! cannot listen");
		exit(1);
	}
	return fd;
}

TAP_UNUSED static void server_listen_at_path(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(path, sizeof path, "%s/s", folder);
	snprintf(server_name, sizeof server_name, "unix:%s", path);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	listener = server_listen(AF_UNIX, (const struct sockaddr *)&address, sizeof address);
	settings.server = server_name;
}

TAP_UNUSED static void begin_two_requests(void)
{
	static const char want[] = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
				   "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$3\r\nx\0y\r\n"
				   "*2\r\n$7\r\nHGETALL\r\n$1\r\nc\r\n";
	begin_up();
	ok(ask("1", done) && ask_two("2"), "two requests");
	is_str(logged, "", "are not answered before they left");
	turn();
	server_hear();
	ok(heard_length == sizeof want - 1 && memcmp(heard, want, sizeof want) == 0, "are what Redis reads");
	heard_length = 0;
}

/* Whatever happens next, until something was told. */
TAP_UNUSED static void wait_for_word(void)
{
	while (logged[0] == '\0')
		event_base_loop(base, EVLOOP_ONCE);
}

TAP_UNUSED static void begin_test(void)
{
	alarm(STUCK_S);
	base = event_base_new();
	settings = (struct store_settings){ .username = "", .password = "", .timeout_ms = 100000 };
	if (mkdtemp(folder) == NULL)
		exit(1);
	server_listen_at_path();
}

TAP_UNUSED static int end_test(void)
{
	close(listener);
	unlink(path);
	rmdir(folder);
	event_base_free(base);
	return done_testing();
}

#endif
