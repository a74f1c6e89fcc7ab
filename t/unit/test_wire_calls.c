/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where nobody answers, or late, or while one is being told of an answer; and much at once.
 */
#include "redis-schema/wire/wire.h"

#include "t/unit/wire_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* ---- nobody there */

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void check_nobody_there(void)
{
	static const char *const servers[][2] = {
		{ "unix:/nowhere/at/all", "down cannot connect: No such file or directory; " },
		{ "unix:/" HUNDRED "012345678", "down cannot connect: no address of a socket; " },
	};
	char error[200];
	const struct wire_events events = { .up = on_up, .down = on_down };
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		settings.server = servers[i][0];
		logged[0] = '\0';
		wire = wire_new(base, &settings, &events, error, sizeof error);
		for (int again = 0; again < 2; again++) {
			wire_connect(wire);
			is_str(logged, "", "nothing is told before it returns");
			wait_for_word();
			is_str(logged, servers[i][1], "there is nobody at %.40s", servers[i][0]);
			logged[0] = '\0';
		}
		wire_connect(wire);
		wire_disconnect(wire, "by the test");
		turn();
		is_str(logged, "down by the test; ", "given up at once");
		wire_disconnect(wire, "again");
		is_str(logged, "down by the test; ", "and once");
		wire_free(&wire);
	}
	settings.server = "[::1]:1";
	logged[0] = '\0';
	wire = wire_new(base, &settings, &events, error, sizeof error);
	wire_connect(wire);
	wait_for_word();
	is_str(strstr(logged, "down cannot connect: "), logged, "nor by IPv6, where there is any");
	wire_free(&wire);
	settings.server = "localhost:6379";
	ok(wire_new(base, &settings, &events, error, sizeof error) == NULL, "a host's name is no address");
	is_str(error,
	       "redis.server is \"localhost:6379\": expected unix:/path, address:port or [v6]:port, "
	       "the address in numbers",
	       "which is said");
	settings.server = server_name;
}

static void check_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int unix_listener = listener;
	char name[40];
	listener = server_listen(AF_INET, (const struct sockaddr *)&address, sizeof address);
	getsockname(listener, (struct sockaddr *)&address, &length);
	snprintf(name, sizeof name, "127.0.0.1:%d", ntohs(address.sin_port));
	settings.server = name;
	begin_two_requests();
	server_say(ONE ONE ONE);
	is_str(logged, "1 ok 'x'; 2 ok 'x' 'x'; ", "by TCP");
	end();
	close(listener);
	logged[0] = '\0';
	const struct wire_events events = { .up = on_up, .down = on_down };
	wire = wire_new(base, &settings, &events, (char[200]){ 0 }, 200);
	wire_connect(wire);
	wait_for_word();
	is_str(logged, "down cannot connect: Connection refused; ", "nobody listens any more");
	wire_free(&wire);
	listener = unix_listener;
	settings.server = server_name;
}

/* ---- deadlines */

static void check_late(void)
{
	begin_up();
	ok(ask("1", done) && ask_until(alarm_clock_ms() - 2, "2", done) && ask_two("3") &&
		   ask_until(alarm_clock_ms() - 1, "4", done),
	   "two of four have no time");
	is_str(logged, "", "nobody is told before the call returns");
	wait_for_word();
	turn();
	is_str(logged, "2 late; 4 late; ", "they are told, the one with the least time first");
	server_say(ONE);
	server_say(ONE ONE "*0\r\n");
	is_str(logged, "2 late; 4 late; 1 ok 'x'; 2 after all ok 'x'; 3 ok 'x' [ ]; ", "answers come in their order");
	ok(ask("5", done), "a later one");
	turn();
	server_heard();
	logged[0] = '\0';
	server_hang_up();
	is_str(logged, "4 after all lost; 5 lost; down the connection ended: closed; ", "what never came is lost");
	end();
}

static void done_asks_late(void *arg, enum wire_end how, int count, const struct wire_answer *told)
{
	say_end(arg, " ", how, count, told);
	if (how == WIRE_LATE && strlen(logged) < 20)
		ok(ask_until(alarm_clock_ms() - 1, arg, done_asks_late), "asks again, without time");
}

static void check_late_again(void)
{
	static const char *const get[] = { "GET", "a" };
	const struct wire_command command = { .argc = 2, .argv = get };
	begin_up();
	wire_ask_until(wire, alarm_clock_ms() - 1, &command, 1, done_asks_late, NULL, (void *)(uintptr_t) "1");
	while (strlen(logged) < 20)
		event_base_loop(base, EVLOOP_ONCE);
	is_str(logged, "1 late; 1 late; 1 late; ", "a deadline that has passed is told again and again, a turn each");
	logged[0] = '\0';
	server_say(ONE ONE ONE);
	is_str(logged, "1 after all ok 'x'; 1 after all ok 'x'; ", "`late` may be missing");
	end();
}

/* ---- what a `done` may do */

static void done_disconnects(void *arg, enum wire_end how, int count, const struct wire_answer *told)
{
	wire_disconnect(wire, told != NULL ? told->text[0] : "for nothing");
	say_end(arg, " ", how, count, told);
	ok(!ask("9", done), "no request without a connection");
}

static void done_connects(void *arg, const char *why)
{
	on_down(arg, why);
	wire_connect(wire);
}

static void done_asks(void *arg, enum wire_end how, int count, const struct wire_answer *told)
{
	ok(how != WIRE_OK || ask("3", done), "asks within an answer");
	say_end(arg, " ", how, count, told);
}

static void check_calls_within(void)
{
	begin_up();
	ok(ask("1", done_disconnects) && ask("2", done), "two requests");
	server_say(ONE ONE ONE);
	is_str(logged, "2 lost; down x; 1 ok 'x'; ", "disconnected within an answer");
	end();

	begin_up();
	ok(ask_until(alarm_clock_ms() - 1, "1", done_disconnects) && ask("2", done), "two requests, one without time");
	wait_for_word();
	is_str(logged, "2 lost; down for nothing; 1 late; 1 after all lost; ", "disconnected within a deadline");
	end();

	begin_up();
	ok(ask("1", done_asks) && ask("2", done), "two requests");
	turn();
	server_heard();
	server_say(ONE ONE);
	is_str(server_heard(), "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "what was asked within an answer leaves");
	server_say(ONE);
	is_str(logged, "1 ok 'x'; 2 ok 'x'; 3 ok 'x'; ", "and is answered");
	server_hang_up();
	end();
}

static void check_connects_within(void)
{
	char error[200];
	const struct wire_events events = { .up = on_up, .down = done_connects };
	wire = wire_new(base, &settings, &events, error, sizeof error);
	wire_connect(wire);
	turn();
	server_accept();
	server_say("+OK\r\n");
	logged[0] = '\0';
	ok(ask("1", done_disconnects) && ask("2", done), "two requests");
	server_say(ONE ONE ONE ONE);
	is_str(logged, "2 lost; down x; 1 ok 'x'; ", "connects within an answer");
	server_hang_up();
	heard_length = 0;
	server_accept();
	is_str(server_heard(), "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "the next connection is greeted");
	logged[0] = '\0';
	server_say("+OK\r\n");
	ok(ask("3", done), "one more request");
	server_say("$2\r\nyz\r\n");
	is_str(logged, "up; 3 ok 'yz'; ", "and nothing of the one before is left");
	end();
}

/* ---- much */

static void check_many(void)
{
	int count = 0;
	begin_up();
	while (ask("1", silent))
		count++;
	is_int(count, WIRE_FLIGHTS_MAX, "so many may be in flight");
	for (int i = 0; i < 100; i++)
		turn(), server_hear();
	is_int((long long)heard_length, WIRE_FLIGHTS_MAX * 20LL, "all of them leave, as fast as Redis reads");
	heard_length = 0;
	end();
	begin_up();
	logged[0] = '\0';
	for (int i = 0; i < 4; i++)
		ask("1", done);
	wire_free(&wire);
	turn();
	is_str(logged, "1 lost; 1 lost; 1 lost; 1 lost; ", "a freed wire has no event");
	end();
}

static void check_big(void)
{
	enum { BIG = 1 << 20 };
	static char big[BIG + 40];
	const char *const set[] = { "SET", "a", big };
	const size_t lengths[] = { 3, 1, BIG };
	const struct wire_command command = { 3, set, lengths };
	memset(big, 'b', BIG);
	begin_up();
	ok(wire_ask(wire, &command, 1, done, NULL, (void *)(uintptr_t) "1"), "a big request");
	turn();
	memset(big, 'c', BIG);
	ok(wire_ask(wire, &command, 1, silent, NULL, NULL) && ask("2", done), "and more, while Redis does not read");
	turn();
	for (int i = 0; i < 200; i++)
		turn(), server_hear();
	is_int((long long)heard_length, 2 * (BIG + 32) + 20, "leave in parts");
	ok(heard[BIG + 29] == 'b' && heard[BIG + 32] == '*' && heard[BIG + 32 + 30] == 'c' &&
		   memcmp(heard + 2 * (BIG + 32), "*2\r\n$3\r\nGET", 11) == 0,
	   "in their order");
	heard_length = 0;
	server_say("+OK\r\n+OK\r\n");
	is_str(logged, "1 ok 'OK'; ", "and is answered");
	logged[0] = '\0';
	server_say("$1048576\r\n");
	memset(big, '\0', BIG);
	memcpy(big + BIG, "\r\n", 2);
	server_say_bytes(big, BIG + 2, 100000);
	is_str(logged, "2 ok 1048576 bytes; ", "a big answer");
	logged[0] = '\0';
	ok(ask("3", done), "and another request");
	server_say(ONE);
	is_str(logged, "3 ok 'x'; ", "as if nothing had been");
	end();
}

/* Redis said why, and then no more listened. */
static void check_last_words(void)
{
	begin_up();
	ok(ask("1", done), "a request");
	turn();
	send(client, ONE, strlen(ONE), MSG_NOSIGNAL);
	close(client);
	client = -1;
	ok(ask("2", done), "another one, to nobody");
	turn();
	is_str(strstr(logged, "1 ok 'x'; 2 lost; down the connection ended: "), logged, "the answer was read");
	end();
}

int main(void)
{
	begin_test();
	check_nobody_there();
	check_tcp();
	check_late();
	check_late_again();
	check_calls_within();
	check_connects_within();
	check_many();
	check_big();
	check_last_words();
	return end_test();
}
