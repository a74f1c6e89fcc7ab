/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose name is it, and whose domain; whose sender address; and in which class does a message go.
 */
#include "milter/message/identify.h"
#include "milter/base/idn.h"
#include "milter/daemon/logins.h"

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
		{ SOURCE_AUTH, "alice", "prvs=1234abcdef=alice@example.net", true },
		{ SOURCE_AUTH, "alice", "news-return-5-alice=a.example@example.net", false },
		{ SOURCE_CERTIFICATE, "cn=mail.example.com", "CN=mail.example.com@example.net", true },
		{ SOURCE_AUTH, "alice@xn--4ca.example", "sales@mail.xn--4ca.example", true },
		{ SOURCE_AUTH, "alice", "bob@example.net", false },
		{ SOURCE_CERTIFICATE, "mail.example.com", "x@example.com", false },
		{ SOURCE_NETWORK, "customer-42", "x@example.net", true },
		{ SOURCE_SENDER, "x@example.net", "x@example.net", true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = { .source = rows[i].source };
		snprintf(facts.account, sizeof facts.account, "%s", rows[i].account);
		is_int(identify_sender_own(&facts, rows[i].from), rows[i].own, "%s %s as <%s>",
		       source_word(rows[i].source), rows[i].account, rows[i].from);
	}
}

static void test_lanes(void)
{
	static struct config config = { .sources = { SOURCE_NETWORK }, .source_count = 1, .forwarder_count = 1 };
	struct facts facts = { 0 };
	struct identity identity = { .network_asked = true, .network = "customer-42", .from = "" };
	config.forwarders[0].account = "lists";
	ok(identify(&config, &identity, &facts), "a network's bounce");
	is_int(facts.class, MAIL_CLASS_BOUNCE, "in the class of bounces");
	is_str(facts.account, "customer-42", "is the network's account");
	ok(!facts.forwarder, "which is no forwarder");
	identity.from = "SRS0=x=y=example.org=bob@example.net";
	identity.network = "lists";
	identify(&config, &identity, &facts);
	is_int(facts.class, MAIL_CLASS_FORWARD, "a forwarder's address");
	ok(facts.forwarder, "of one that is");
}

static void test_name_spaces(void)
{
	static const struct {
		enum source source;
		const char *raw, *account;
	} rows[] = {
		{ SOURCE_AUTH, "server:all", "server%3Aall" },
		{ SOURCE_AUTH, "servers:all", "servers:all" },
		{ SOURCE_AUTH, "Sender:alice@example.com", "sender%3Aalice@example.com" },
		{ SOURCE_AUTH, "IP:192.0.2.1", "ip%3A192.0.2.1" },
		{ SOURCE_AUTH, "uid:33", "uid%3A33" },
		{ SOURCE_AUTH, "bounce:customer-42", "bounce%3Acustomer-42" },
		{ SOURCE_AUTH, "forward:x", "forward%3Ax" },
		{ SOURCE_AUTH, "client:192.0.2.1", "client%3A192.0.2.1" },
		{ SOURCE_AUTH, "alice@\xc3\x84.example", "alice@xn--4ca.example" },
		{ SOURCE_AUTH, "\xc3\xa4lice", "\xc3\xa4lice" },
		{ SOURCE_AUTH, "alice@\xff.example", "alice@\xff.example" },
		{ SOURCE_CERTIFICATE, "ip:x", "ip%3Ax" },
		{ SOURCE_NETWORK, "customer:42", "customer%3A42" },
		{ SOURCE_SENDER, "Domain:example.com", "sender:domain:example.com" },
		{ SOURCE_SENDER, "customer:42@example.com", "sender:customer:42@example.com" },
		{ SOURCE_SENDER, "alice+x@example.com", "sender:alice@example.com" },
		{ SOURCE_SENDER, "\"alice\"@example.com.", "sender:alice@example.com" },
		{ SOURCE_SENDER, "alice@\xc3\xa4.example", "sender:alice@xn--4ca.example" },
		{ SOURCE_NETWORK, "alice@\xc3\xa4.example", "alice@xn--4ca.example" },
	};
	static struct config config = { .source_count = 1, .own_network_count = 1 };
	config.set.accounts_cut_tag = true;
	netblock_parse("192.0.2.0/24", &config.own_networks[0]);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = { 0 };
		const char *raw = rows[i].raw;
		char from[ADDRESS_MAX + 1];
		idn_address(raw, from);
		struct identity identity = {
			.network_asked = true, .network = raw, .auth_authen = raw, .cert_subject = raw, .from = from
		};
		netaddr_parse("192.0.2.7", &identity.client);
		config.sources[0] = rows[i].source;
		ok(identify(&config, &identity, &facts), "%s %s", source_word(rows[i].source), rows[i].raw);
		is_str(facts.account, rows[i].account, "... is %s", rows[i].account);
		netaddr_parse("203.0.113.7", &identity.client);
		identify(&config, &identity, &facts);
		if (rows[i].source == SOURCE_SENDER)
			is_str(facts.account, "ip:203.0.113.7", "... of a stranger is his address");
	}
}

static void test_domain(void)
{
	static const struct {
		enum source source;
		const char *account, *from, *domain; /* "": none */
	} rows[] = {
		{ SOURCE_AUTH, "alice@example.com", "x@example.net", "example.com" },
		{ SOURCE_AUTH, "alice@example.com", "", "example.com" },
		{ SOURCE_AUTH, "alice", "alice@example.org", "example.org" },
		{ SOURCE_AUTH, "alice", "alice@mail.example.org", "mail.example.org" },
		{ SOURCE_AUTH, "alice", "bob@example.org", "" },
		{ SOURCE_AUTH, "alice", "alice@example.net", "" },
		{ SOURCE_AUTH, "alice", "", "" },
		{ SOURCE_NETWORK, "customer-42", "x@example.org", "" },
		{ SOURCE_SENDER, "sender:x@example.org", "x@example.org", "" },
		{ SOURCE_CLIENT, "ip:192.0.2.1", "x@example.org", "" },
		{ SOURCE_UID, "uid:33", "www-data@mail.example.org", "mail.example.org" },
	};
	char domain[ACCOUNT_MAX + 1];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = { .source = rows[i].source };
		struct identity identity = { .from = rows[i].from, .host = "mail.example.org" };
		snprintf(facts.account, sizeof facts.account, "%s", rows[i].account);
		is_int(identify_domain(&facts, &identity, domain), *rows[i].domain != '\0', "%s as <%s>: a domain",
		       rows[i].account, rows[i].from);
		is_str(domain, rows[i].domain, "... which is \"%s\"", rows[i].domain);
	}
}

/* ---- login names */

enum { NAME_MAX_HERE = 5000 };

static struct logins *logins;

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
	logins_free(&logins);
	logins = logins_read(name, error, 300);
	fclose(to);
	return logins != NULL;
}

static const char *account_of_login(const char *login)
{
	static struct config config = { .sources = { SOURCE_UID }, .source_count = 1 };
	static struct facts facts;
	struct identity identity = { .logins = logins, .injected = true, .from = login };
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
	ok(logins_read("/", error, sizeof error) == NULL && strstr(error, "/ cannot be read: it is a folder") != NULL,
	   "%s", error);
	int length = snprintf(longest, sizeof longest, "%0*d:x:7:7::/:/bin/sh\n", NAME_MAX_HERE, 0);
	ok(length > NAME_MAX_HERE && !read_logins(2, longest, error) && strstr(error, "at login 3") != NULL, "%s",
	   error);
	snprintf(longest, sizeof longest, "%0*d:x:7:7::/:/bin/sh\nafter:x:8:8::/:/bin/sh\n", 64, 0);
	ok(read_logins(2, longest, error), "a name of 64 bytes: %s", error);
	is_str(account_of_login("after"), "uid:8", "the one behind it is known");
	logins_free(&logins);
	is_str(account_of_login("u1"), "ip:unknown", "no logins at all");
	logins = logins_read("", error, sizeof error);
	ok(logins != NULL, "no file");
	is_str(account_of_login("u1"), "ip:unknown", "no login");
	logins_free(&logins);
}

int main(void)
{
	test_logins();
	test_own();
	test_lanes();
	test_name_spaces();
	test_domain();
	return done_testing();
}
