/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Redis answers, to the greeting and to requests.
 */
#include "redis-schema/wire/wire.h"

#include "t/unit/wire_fixture.h"

/* ---- what Redis answers to a request of one command, 1, and one of two commands, 2 */

#define FOUR_DEEP "*1\r\n*1\r\n*1\r\n*1\r\n"

/* clang-format off */
static const struct {
	const char *name, *says;
	bool hangs_up;
	const char *want;
} answers[] = {
	{ "texts and a list", ONE "+OK\r\n*2\r\n$1\r\nf\r\n$0\r\n\r\n", false, "1 ok 'x'; 2 ok 'OK' [ 'f' '' ]; " },
	{ "numbers", ":-9223372036854775808\r\n:0\r\n*1\r\n:9223372036854775807\r\n", false,
	  "1 ok '-9223372036854775808'; 2 ok '0' [ '9223372036854775807' ]; " },
	{ "nothing", "$-1\r\n*-1\r\n*0\r\n", false, "1 ok nil; 2 ok nil [ ]; " },
	{ "nothing but empty lists", "*0\r\n*0\r\n*0\r\n", false, "1 ok [ ]; 2 ok [ ] [ ]; " },
	{ "nothing in a list", ONE ONE "*3\r\n$-1\r\n*0\r\n*-1\r\n", false, "1 ok 'x'; 2 ok 'x' [ nil nil ]; " },
	{ "errors", "-OOM full\r\n-WRONGTYPE odd\r\n-ERR x\r\n", false,
	  "1 ok error 1 \"OOM full\"; 2 ok error 2 \"WRONGTYPE odd\" error 5 \"ERR x\"; " },
	{ "an error in a list is a text", ONE ONE "*2\r\n-ERR x\r\n:1\r\n", false, "1 ok 'x'; 2 ok 'x' [ 'ERR x' '1' ]; " },
	{ "lists in a list", ONE ONE "*3\r\n*2\r\n:1\r\n:2\r\n*0\r\n*1\r\n*1\r\n:3\r\n", false,
	  "1 ok 'x'; 2 ok 'x' [ '1' '2' '3' ]; " },
	{ "a list instead of a text", "*1\r\n" ONE ONE ONE, false, "1 ok [ 'x' ]; 2 ok 'x' 'x'; " },
	{ "as deep as can be", FOUR_DEEP ":1\r\n" ONE ONE, false, "1 ok [ '1' ]; 2 ok 'x' 'x'; " },
	{ "nested too deep", FOUR_DEEP "*1\r\n:1\r\n" ONE ONE, false,
	  "1 ok error 5 \"the answer is nested too deep\"; 2 ok 'x' 'x'; " },
	{ "nested too deep to be read", FOUR_DEEP FOUR_DEEP FOUR_DEEP, false,
	  "1 lost; 2 lost; down Redis answered with lists in lists, 8 deep; " },

	{ "hangs up", "", true, "1 lost; 2 lost; down the connection ended: closed; " },
	{ "hangs up within an answer", "$5\r\nab", true, "1 lost; 2 lost; down the connection ended: closed; " },
	{ "hangs up within a request", ONE ONE, true, "1 ok 'x'; 2 lost; down the connection ended: closed; " },
	{ "hangs up behind all", ONE ONE ONE, true, "1 ok 'x'; 2 ok 'x' 'x'; down the connection ended: closed; " },

	{ "one too many", ONE ONE ONE ONE, false,
	  "1 ok 'x'; 2 ok 'x' 'x'; down Redis answered something that nobody asked for; " },
	{ "a byte too many", ONE ONE ONE "+", false,
	  "1 ok 'x'; 2 ok 'x' 'x'; down Redis answered something that nobody asked for; " },
	{ "a monstrous list", ONE "*1000000000\r\n", false,
	  "1 ok 'x'; 2 lost; down Redis answered with an array of 1000000000 items, expected at most 1048576; " },
	{ "lists that are monstrous together", "*2\r\n*1048570\r\n", false, NULL },
	{ "and are", "*4\r\n*1048573\r\n", false, "1 lost; 2 lost; down Redis answered with more than 1048576 items; " },
	{ "a monstrous text", "$10000000000\r\nxyz", false,
	  "1 lost; 2 lost; down Redis answered with a text of 10000000000 bytes, expected at most 67108864; " },
	{ "a monstrous text in a list", ONE ONE "*2\r\n" ONE "$67108864\r\n", false,
	  "1 ok 'x'; 2 lost; down Redis answered with a text of 67108864 bytes, expected at most 67108864; " },
	{ "another language", "HTTP/1.1 400 Bad Request\r\n\r\n", false,
	  "1 lost; 2 lost; down cannot read what Redis answers: Protocol error, got \"H\" as reply type byte; " },
	{ "a number that is none", ":1x\r\n", false, NULL },
	{ "a length that is none", "$-2\r\n", false, NULL },
	{ "a length beyond all", "$99999999999999999999\r\n", false, NULL },
	{ "a list without a length", "*\r\n", false, NULL },
	{ "a kind of a later protocol", "%1\r\n+a\r\n+b\r\n", false, NULL },
	{ "a truth of a later protocol", "#t\r\n", false, NULL },
	{ "a line without end", NULL, false, "1 lost; 2 lost; down Redis answered with a line of more than 65536 bytes; " },
};
/* clang-format on */

static void say_endless_line(void)
{
	static char line[80000];
	memset(line, 'x', sizeof line);
	line[0] = '+';
	server_say_bytes(line, sizeof line, 30000);
}

/* Rows that say nothing of what they want are of a kind that hiredis's versions word differently, or not at all. */
static void check_answers(size_t piece)
{
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (answers[i].says == NULL && piece == 1)
			continue;
		begin_two_requests();
		if (answers[i].says == NULL)
			say_endless_line();
		else
			server_say_bytes(answers[i].says, strlen(answers[i].says), piece);
		if (answers[i].hangs_up)
			server_hang_up();
		if (answers[i].want != NULL)
			is_str(logged, answers[i].want, "%s, in pieces of %zu", answers[i].name, piece);
		else
			ok(strstr(logged, "ok") == NULL, "%s, in pieces of %zu", answers[i].name, piece);
		end();
	}
}

/* ---- the greeting */

/* clang-format off */
static const struct {
	const char *username, *password;
	int64_t database;
	const char *hears, *says;
	bool hangs_up;
	const char *want;
} greetings[] = {
	{ "", "", 0, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "+OK\r\n", false, "up; " },
	{ "", "pass", 12, "*2\r\n$4\r\nAUTH\r\n$4\r\npass\r\n*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n", "+OK\r\n+OK\r\n", false, "up; " },
	{ "me", "pass", 0, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$4\r\npass\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "+OK\r\n+OK\r\n",
	  false, "up; " },
	{ "me", "", 0, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "+OK\r\n", false, "up; " },
	{ "", "pass", 0, NULL, "-WRONGPASS no\r\n-NOAUTH no\r\n", false, "down redis answered the greeting with \"WRONGPASS no\"; " },
	{ "", "pass", 0, NULL, "-ERR max number of clients reached\r\n", true,
	  "down redis answered the greeting with \"ERR max number of clients reached\"; " },
	{ "", "", 99, NULL, "-ERR DB index is out of range\r\n", false,
	  "down redis answered the greeting with \"ERR DB index is out of range\"; " },
	{ "", "", 0, NULL, "-LOADING later\r\n", false, "down redis answered the greeting with \"LOADING later\"; " },
	{ "", "pass", 0, NULL, "+OK\r\n", true, "down the connection ended: closed; " },
	{ "", "", 0, NULL, "+OK\r\n+OK\r\n", true, "up; down Redis answered something that nobody asked for; " },
};
/* clang-format on */

static void check_greetings(void)
{
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
		settings.username = greetings[i].username;
		settings.password = greetings[i].password;
		settings.database = greetings[i].database;
		begin();
		ok(!wire_is_up(wire) && !ask("1", done), "no request before the greeting");
		if (greetings[i].hears != NULL)
			is_str(server_heard(), greetings[i].hears, "greeting %zu", i);
		heard_length = 0;
		server_say(greetings[i].says);
		if (greetings[i].hangs_up)
			server_hang_up();
		is_str(logged, greetings[i].want, "what came of greeting %zu", i);
		end();
	}
	settings.username = settings.password = "";
	settings.database = 0;
}

static void check_silence(void)
{
	settings.timeout_ms = 20;
	begin();
	wait_for_word();
	is_str(logged, "down no answer to the greeting; ", "who says nothing is left");
	end();
	settings.timeout_ms = 100000;
}

int main(void)
{
	begin_test();
	check_answers(SIZE_MAX);
	check_answers(1);
	check_greetings();
	check_silence();
	return end_test();
}
