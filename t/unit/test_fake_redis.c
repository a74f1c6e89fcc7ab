/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Redis of t/fake: bytes of requests, bytes of answers. t/live/29_fake_redis.t holds it against the real one.
 */
#include "t/fake/redis_session.h"

#include "t/unit/tap.h"

#include <stdlib.h>

#define RECORD \
	"\x04" \
	"0123456789 the rest"
#define HEAD \
	"\x04" \
	"0123456789"

static int64_t now_ms = 1767614400250;

static int64_t test_clock(void)
{
	return now_ms;
}

static struct redis_data data = { .now_ms = test_clock };

/* Words, separated by blanks, as Redis takes them; @ is the word `odd`. */
static void add_request(struct fake_bytes *bytes, const char *words, struct fake_word odd)
{
	int count = 1;
	for (const char *at = words; *at != '\0'; at++)
		count += *at == ' ';
	fake_bytes_addf(bytes, "*%d\r\n", count);
	while (count-- > 0) {
		size_t length = strcspn(words, " ");
		struct fake_word word = length == 1 && *words == '@' ? odd : (struct fake_word){ words, length };
		fake_bytes_addf(bytes, "$%zu\r\n", word.length);
		fake_bytes_add(bytes, word.at, word.length);
		fake_bytes_add(bytes, "\r\n", 2);
		words += length + 1;
	}
}

static void is_answer(struct redis_session *session, const char *wanted, size_t length, const char *name)
{
	bool same = fake_bytes_are(&session->out, (struct fake_word){ wanted, length });
	if (!ok(same, "%s", name))
		printf("#      got: %s\n# expected: %s\n", session->out.length > 0 ? session->out.at : "", wanted);
	session->out.length = 0;
}

/* clang-format off */
static const struct {
	const char *words, *wanted;
} rows[] = {
	{ "PING", "+PONG\r\n" },
	{ "TIME", "*2\r\n$10\r\n1767614400\r\n$6\r\n250000\r\n" },
	{ "NOSUCH a", "-ERR unknown command 'NOSUCH', with args beginning with: 'a' \r\n" },
	{ "GET", "-ERR wrong number of arguments for 'get' command\r\n" },
	{ "GET k", "$-1\r\n" },
	{ "SET k v EX 10", "+OK\r\n" },
	{ "GET k", "$1\r\nv\r\n" },
	{ "PTTL k", ":10000\r\n" },
	{ "SET k w NX", "$-1\r\n" },
	{ "SET k w KEEPTTL", "+OK\r\n" },
	{ "PTTL k", ":10000\r\n" },
	{ "HSET k f v", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n" },
	{ "SELECT 1", "+OK\r\n" },
	{ "GET k", "$-1\r\n" },
	{ "SELECT 0", "+OK\r\n" },
	{ "MGET k none", "*2\r\n$1\r\nw\r\n$-1\r\n" },
	{ "DEL k none", ":1\r\n" },
	{ "GETRANGE k 0 10", "$0\r\n\r\n" },
	{ "SETBIT b 9 1", ":0\r\n" },
	{ "SETBIT b 9 1", ":1\r\n" },
	{ "GETBIT b 9", ":1\r\n" },
	{ "HSET h a 1 b 2", ":2\r\n" },
	{ "HSET h a 1 c x", ":1\r\n" },
	{ "HINCRBY h a 4", ":5\r\n" },
	{ "HINCRBY h c 4", "-ERR hash value is not an integer\r\n" },
	{ "HMGET h a z", "*2\r\n$1\r\n5\r\n$-1\r\n" },
	{ "HGETALL none", "*0\r\n" },
	{ "HLEN h", ":3\r\n" },
	{ "HDEL h a b c z", ":3\r\n" },
	{ "EXISTS h", ":0\r\n" },
	{ "SADD s a b a", ":2\r\n" },
	{ "SREM s a z", ":1\r\n" },
	{ "SCARD s", ":1\r\n" },
	{ "XADD x * a b", "$15\r\n1767614400250-0\r\n" },
	{ "XADD x * c d", "$15\r\n1767614400250-1\r\n" },
	{ "XRANGE x - + COUNT 1", "*1\r\n*2\r\n$15\r\n1767614400250-0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n" },
	{ "XRANGE x (1767614400250-0 +", "*1\r\n*2\r\n$15\r\n1767614400250-1\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n" },
	{ "XRANGE x (1767614400250-1 +", "*0\r\n" },
	{ "XREVRANGE x + - COUNT 1", "*1\r\n*2\r\n$15\r\n1767614400250-1\r\n*2\r\n$1\r\nc\r\n$1\r\nd\r\n" },
	{ "ZADD z 2 b 1 a", ":2\r\n" },
	{ "ZRANGEBYSCORE z (1 inf WITHSCORES", "*2\r\n$1\r\nb\r\n$1\r\n2\r\n" },
	{ "SCAN 0 MATCH s* COUNT 9", "*2\r\n$1\r\n3\r\n*1\r\n$1\r\ns\r\n" },
	{ "SCAN 3 MATCH s* COUNT 9", "*2\r\n$1\r\n0\r\n*0\r\n" },
	{ "DBSIZE", ":4\r\n" },
	{ "EVAL return_1 0", "-ERR the fake Redis knows no script but compare_and_set.lua\r\n" },
};
/* clang-format on */

static void test_rows(void)
{
	struct redis_session session;
	struct fake_bytes request = { 0 };
	redis_session_open(&session, &data);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		request.length = 0;
		add_request(&request, rows[i].words, (struct fake_word){ "", 0 });
		redis_session_feed(&session, request.at, request.length);
		is_answer(&session, rows[i].wanted, strlen(rows[i].wanted), rows[i].words);
	}
	fake_bytes_free(&request);
	redis_session_close(&session);
	redis_data_clear(&data);
}

/* All requests at once, cut anywhere. */
static void test_pieces(void)
{
	struct redis_session session;
	struct fake_bytes requests = { 0 }, wanted = { 0 };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		add_request(&requests, rows[i].words, (struct fake_word){ "", 0 });
		fake_bytes_add(&wanted, rows[i].wanted, strlen(rows[i].wanted));
	}
	for (size_t piece = 1; piece < 40; piece += 3) {
		char name[40];
		redis_session_open(&session, &data);
		for (size_t at = 0; at < requests.length; at += piece)
			redis_session_feed(&session, requests.at + at,
					   requests.length - at < piece ? requests.length - at : piece);
		snprintf(name, sizeof name, "in pieces of %zu", piece);
		is_answer(&session, wanted.at, wanted.length, name);
		redis_session_close(&session);
		redis_data_clear(&data);
	}
	fake_bytes_free(&requests);
	fake_bytes_free(&wanted);
}

static void ask(struct redis_session *session, const char *words, struct fake_word odd, struct fake_word wanted)
{
	struct fake_bytes request = { 0 };
	add_request(&request, words, odd);
	redis_session_feed(session, request.at, request.length);
	is_answer(session, wanted.at, wanted.length, words);
	fake_bytes_free(&request);
}

#define WORD(text) ((struct fake_word){ text, sizeof text - 1 })
#define NONE WORD("")

static void test_time_and_bytes(void)
{
	struct redis_session first, second;
	redis_session_open(&first, &data);
	redis_session_open(&second, &data);
	ask(&first, "HSET @ a b", WORD("a\0b"), WORD(":1\r\n"));
	ask(&first, "HLEN @", WORD("a\0c"), WORD(":0\r\n"));
	ask(&second, "HSET k @ v", WORD("\r\n\0\xff"), WORD(":1\r\n"));
	ask(&first, "HGETALL k", NONE, WORD("*2\r\n$4\r\n\r\n\0\xff\r\n$1\r\nv\r\n"));
	ask(&first, "SELECT 2", NONE, WORD("+OK\r\n"));
	ask(&second, "EXPIRE k 5", NONE, WORD(":1\r\n"));
	now_ms += 4999;
	ask(&second, "EXISTS k", NONE, WORD(":1\r\n"));
	now_ms += 1;
	ask(&second, "EXISTS k", NONE, WORD(":0\r\n"));
	redis_session_close(&first);
	redis_session_close(&second);
	redis_data_clear(&data);
}

static void test_broken(void)
{
	static const struct {
		const char *bytes, *wanted;
	} cases[] = {
		{ "*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n", "+PONG\r\n" },
		{ "*1\r\n$4\r\nPIN", "" },
		{ "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n" },
		{ "*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'\r\n" },
		{ "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n" },
		{ "*1\r\n$x\r\n*1\r\n$4\r\nPING\r\n", "-ERR Protocol error: invalid bulk length\r\n" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct redis_session session;
		redis_session_open(&session, &data);
		redis_session_feed(&session, cases[i].bytes, strlen(cases[i].bytes));
		is_answer(&session, cases[i].wanted, strlen(cases[i].wanted), cases[i].bytes);
		redis_session_close(&session);
	}
}

/* Ten draws of three out of ten: the same in each run, no field twice, and all of them sooner or later. */
static void test_draws(void)
{
	struct redis_session session;
	struct fake_bytes draws[2] = { { 0 }, { 0 } };
	for (int run = 0; run < 2; run++) {
		redis_session_open(&session, &data);
		ask(&session, "HSET h a 0 b 1 c 2 d 3 e 4 f 5 g 6 h 7 i 8 j 9", NONE, WORD(":10\r\n"));
		for (int i = 0; i < 20; i++) {
			struct fake_bytes request = { 0 };
			add_request(&request, "HRANDFIELD h 3 WITHVALUES", NONE);
			redis_session_feed(&session, request.at, request.length);
			fake_bytes_add(&draws[run], session.out.at, session.out.length);
			is_int((long long)session.out.length, 4 + 6 * 7, "three fields and their values");
			session.out.length = 0;
			fake_bytes_free(&request);
		}
		redis_session_close(&session);
		redis_data_clear(&data);
	}
	ok(fake_bytes_are(&draws[0], (struct fake_word){ draws[1].at, draws[1].length }), "the same in each run");
	for (char field = 'a'; field <= 'j'; field++)
		ok(memchr(draws[0].at, field, draws[0].length) != NULL, "%c is drawn", field);
	fake_bytes_free(&draws[0]);
	fake_bytes_free(&draws[1]);
}

/* ---- the script, as redis-schema/ has it */

static void read_script(struct fake_bytes *text)
{
	char file[400], bytes[4096];
	const char *source = getenv("srcdir");
	snprintf(file, sizeof file, "%s/redis-schema/compare_and_set.lua", source != NULL ? source : ".");
	FILE *from = fopen(file, "re");
	size_t length = from != NULL ? fread(bytes, 1, sizeof bytes, from) : 0;
	fake_bytes_set(text, bytes, length);
	if (from != NULL)
		fclose(from);
}

static void test_script(void)
{
	struct redis_session session;
	struct fake_bytes text = { 0 };
	char words[200];
	redis_session_open(&session, &data);
	read_script(&text);
	struct fake_word script = { text.at, text.length };
	ask(&session, "EVALSHA ffffffffffffffffffffffffffffffffffffffff 0", NONE,
	    WORD("-NOSCRIPT No matching script. Please use EVAL.\r\n"));
	ask(&session, "EVAL @ 3 r s k  one 60 ", script, WORD("*1\r\n:1\r\n"));
	ask(&session, "EVAL @ 3 r s k  two 60 ", script, WORD("*2\r\n$3\r\none\r\n$-1\r\n"));
	ask(&session, "EVAL @ 3 r s k one two 60 known level good", script, WORD("*1\r\n:1\r\n"));
	ask(&session, "EVAL @ 3 r s k one three 60 ", script, WORD("*2\r\n$3\r\ntwo\r\n$5\r\nknown\r\n"));
	ask(&session, "HGETALL s", NONE, WORD("*2\r\n$5\r\nlevel\r\n$4\r\ngood\r\n"));
	ask(&session, "PTTL s", NONE, WORD(":60000\r\n"));
	ask(&session, "SET r @", WORD(RECORD), WORD("+OK\r\n"));
	ask(&session, "EVAL @ 3 r s k short four 60 ", script, WORD("*2\r\n$20\r\n" RECORD "\r\n$5\r\nknown\r\n"));
	ask(&session, "GETRANGE r 0 10", NONE, WORD("$11\r\n" HEAD "\r\n"));
	struct fake_bytes request = { 0 };
	add_request(&request, "SCRIPT LOAD @", script);
	redis_session_feed(&session, request.at, request.length);
	snprintf(words, sizeof words, "EVALSHA %.40s 3 r s k @ five 60 ", session.out.at + 5);
	session.out.length = 0;
	ask(&session, words, WORD(HEAD), WORD("*1\r\n:1\r\n"));
	ask(&session, "SET s text", NONE, WORD("+OK\r\n"));
	ask(&session, "EVAL @ 3 r s k five five 60  level good", script,
	    WORD("*1\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"));
	ask(&session, "GET r", NONE, WORD("$4\r\nfive\r\n"));
	ask(&session, "SCRIPT FLUSH", NONE, WORD("+OK\r\n"));
	ask(&session, words, WORD(HEAD), WORD("-NOSCRIPT No matching script. Please use EVAL.\r\n"));
	fake_bytes_free(&request);
	fake_bytes_free(&text);
	redis_session_close(&session);
	redis_data_clear(&data);
}

static void test_password(void)
{
	struct redis_session session;
	data.password = "secret";
	redis_session_open(&session, &data);
	ask(&session, "PING", NONE, WORD("-NOAUTH Authentication required.\r\n"));
	ask(&session, "AUTH wrong", NONE, WORD("-WRONGPASS invalid username-password pair or user is disabled.\r\n"));
	ask(&session, "AUTH default secret", NONE, WORD("+OK\r\n"));
	ask(&session, "PING", NONE, WORD("+PONG\r\n"));
	redis_session_close(&session);
	data.password = NULL;
}

int main(void)
{
	test_rows();
	test_pieces();
	test_time_and_bytes();
	test_broken();
	test_draws();
	test_script();
	test_password();
	return done_testing();
}
