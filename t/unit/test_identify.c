/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose sender address is it, and in which lane does a message go.
 */
#include "milter/identify.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_own(void)
{
	static const struct {
		enum source source;
		const char *account, *from;
		bool own;
	} rows[] = {
		{ SOURCE_AUTH, "alice@example.com", "alice@example.com", true },
		{ SOURCE_AUTH, "alice@example.com", "Alice+x@EXAMPLE.com", true },
		{ SOURCE_AUTH, "alice@example.com", "sales@example.com", true },
		{ SOURCE_AUTH, "alice@example.com", "x@news.example.com", true },
		{ SOURCE_AUTH, "alice@example.com", "x@badexample.com", false },
		{ SOURCE_AUTH, "alice@example.com", "x@com", false },
		{ SOURCE_AUTH, "alice@example.com", "alice@example.net", false },
		{ SOURCE_AUTH, "alice@example.com", "alice", false },
		{ SOURCE_AUTH, "alice@example.com", "", true },
		{ SOURCE_AUTH, "alice", "alice@example.net", true },
		{ SOURCE_AUTH, "alice", "alice+tag@example.net", true },
		{ SOURCE_AUTH, "alice", "alice", true },
		{ SOURCE_AUTH, "alice", "bob@example.net", false },
		{ SOURCE_CERTIFICATE, "mail.example.com", "x@example.com", false },
		{ SOURCE_NETWORK, "customer-42", "x@example.net", true },
		{ SOURCE_SENDER, "x@example.net", "x@example.net", true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = { .source = rows[i].source };
		snprintf(facts.account, sizeof facts.account, "%s", rows[i].account);
		is_int(identify_sender_own(&facts, rows[i].from), rows[i].own, "%s %s as <%s>", source_word(rows[i].source),
		       rows[i].account, rows[i].from);
	}
}

/* A lane's name has an end where the account's has its. */
static void test_long_names(void)
{
	static struct config config = { .sources = { SOURCE_NETWORK }, .source_count = 1 };
	struct facts one = { 0 }, two = { 0 };
	char name[ACCOUNT_MAX + 1];
	memset(name, 'a', ACCOUNT_MAX);
	name[ACCOUNT_MAX] = '\0';
	struct identity identity = { .network_asked = true, .network = name, .from = "" };
	ok(identify(&config, &identity, &one), "a name of the greatest length");
	name[ACCOUNT_MAX - 1] = 'b';
	ok(identify(&config, &identity, &two), "another one");
	is_int(one.lane, LANE_BOUNCE, "in the lane of bounces");
	is_int((long long)strlen(one.account), ACCOUNT_MAX, "is cut");
	ok(strncmp(one.account, "bounce:aaa", 10) == 0, "keeps its head");
	ok(strcmp(one.account, two.account) != 0, "and the two stay two");
}

static void test_names_of_groups(void)
{
	static const struct {
		enum source source;
		const char *raw, *account;
	} rows[] = {
		{ SOURCE_AUTH, "server:all", "server%3Aall" },
		{ SOURCE_AUTH, "servers:all", "servers:all" },
		{ SOURCE_SENDER, "Domain:example.com", "domain%3Aexample.com" },
		{ SOURCE_SENDER, "customer:42@example.com", "customer%3A42@example.com" },
		{ SOURCE_SENDER, "customer:a:b", "customer%3Aa:b" },
		{ SOURCE_NETWORK, "customer:42", "customer:42" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct config config = { .source_count = 1 };
		struct facts facts = { 0 };
		const char *raw = rows[i].raw;
		struct identity identity = { .network_asked = true, .network = raw, .auth_authen = raw, .from = raw };
		config.sources[0] = rows[i].source;
		ok(identify(&config, &identity, &facts), "%s %s", source_word(rows[i].source), rows[i].raw);
		is_str(facts.account, rows[i].account, "... is %s", rows[i].account);
	}
}

/* ---- login names */

enum { NAME_MAX_HERE = 5000 };

/* A file of `count` logins u0, u1, ..., and `last` behind them; read as the daemon reads it. */
static bool read_logins(int count, const char *last, char error[300])
{
	char name[40];
	int fd = memfd_create("passwd", 0);
	FILE *to = fdopen(fd, "w");
	for (int i = 0; i < count; i++)
		fprintf(to, "u%d:x:%d:100::/:/bin/sh\n", i, 1000 + i);
	fputs(last, to);
	fflush(to);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	error[0] = '\0';
	bool fine = identify_read_logins(name, error, 300);
	fclose(to);
	return fine;
}

static const char *account_of_login(const char *login)
{
	static struct config config = { .sources = { SOURCE_UID }, .source_count = 1 };
	static struct facts facts;
	struct identity identity = { .injected = true, .from = login };
	facts = (struct facts){ 0 };
	ok(identify(&config, &identity, &facts), "mail of %.20s", login);
	return facts.account;
}

static void test_logins(void)
{
	char error[300], longest[NAME_MAX_HERE + 40];
	ok(read_logins(600000, "", error), "600000 logins: %s", error);
	is_str(account_of_login("u599999"), "uid:600999", "the last one is known");
	ok(!read_logins(1000001, "", error), "a million and one");
	ok(strstr(error, "1000000") != NULL, "%s", error);
	is_str(account_of_login("u599999"), "uid:600999", "those read before stay");
	ok(!identify_read_logins("/", error, sizeof error) && strstr(error, "/ cannot be read at login 1") != NULL, "%s", error);
	int length = snprintf(longest, sizeof longest, "%0*d:x:7:7::/:/bin/sh\n", NAME_MAX_HERE, 0);
	ok(length > NAME_MAX_HERE && !read_logins(2, longest, error) && strstr(error, "at login 3") != NULL, "%s", error);
	snprintf(longest, sizeof longest, "%0*d:x:7:7::/:/bin/sh\nafter:x:8:8::/:/bin/sh\n", 64, 0);
	ok(read_logins(2, longest, error), "a name of 64 bytes: %s", error);
	is_str(account_of_login("after"), "uid:8", "the one behind it is known");
	ok(identify_read_logins("", error, sizeof error), "no file");
	is_str(account_of_login("u1"), "ip:unknown", "no login");
}

int main(void)
{
	test_logins();
	test_own();
	test_long_names();
	test_names_of_groups();
	return done_testing();
}
