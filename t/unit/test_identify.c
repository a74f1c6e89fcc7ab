/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose sender address is it, and in which lane does a message go.
 */
#include "milter/identify.h"

#include "t/unit/tap.h"

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

int main(void)
{
	test_own();
	test_long_names();
	test_names_of_groups();
	return done_testing();
}
