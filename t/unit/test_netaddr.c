/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/netaddr.h"

#include "t/unit/tap.h"

static void test_parse(void)
{
	static const struct {
		const char *text, *want; /* NULL: not an address */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "IPv6:2001:db8::1", "2001:db8::1" },
		{ "IPv6:::1", "::1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "2001:DB8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "0001:0002:0003:0004:0005:0006:0007:0008", "1:2:3:4:5:6:7:8" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "1:0:0:2::", "1:0:0:2::" },
		{ "0:0:3:4:5:6:0:0", "::3:4:5:6:0:0" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::FFFF:c000:201", "192.0.2.1" },
		{ "IPv6:::ffff:192.0.2.1", "192.0.2.1" },
		{ "0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1" },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
		{ "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201" },
		{ "", NULL },
		{ "unknown", NULL },
		{ "localhost", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.", NULL },
		{ "192.0.2.1.", NULL },
		{ "192.0.2.1.5", NULL },
		{ "192.0.2.256", NULL },
		{ "192.0.2.1000", NULL },
		{ "192.0.2.0001", NULL },
		{ "192.0.2.-1", NULL },
		{ "192.0.2.1 ", NULL },
		{ " 192.0.2.1", NULL },
		{ "192.0.2.1/24", NULL },
		{ "192..2.1", NULL },
		{ "3221225985", NULL },
		{ "0xc0.0.2.1", NULL },
		{ ":", NULL },
		{ ":::", NULL },
		{ "::1::", NULL },
		{ "1::2::3", NULL },
		{ ":1:2:3:4:5:6:7", NULL },
		{ "1:2:3:4:5:6:7:", NULL },
		{ "1:2:3:4:5:6:7", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "1:2:3:4::5:6:7:8", NULL },
		{ "::1:2:3:4:5:6:7:8", NULL },
		{ "12345::", NULL },
		{ "g::", NULL },
		{ "fe80::1%eth0", NULL },
		{ "[::1]", NULL },
		{ "::1 ", NULL },
		{ "::192.0.2", NULL },
		{ "::192.0.2.1.1", NULL },
		{ "::192.0.2.1:1", NULL },
		{ "1:2:3:4:5:6:7:192.0.2.1", NULL },
		{ "IPv6:", NULL },
		{ "IPv6:IPv6:::1", NULL },
		{ "%s%n:%x", NULL },
		{ "\xff\xff:\x01", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr address = { .family = NETADDR_UNKNOWN };
		bool good = netaddr_parse(rows[i].text, &address);
		ok(good == (rows[i].want != NULL), "'%s' is %san address", rows[i].text,
		   rows[i].want != NULL ? "" : "not ");
		if (!good || rows[i].want == NULL)
			continue;
		char text[NETADDR_TEXT_MAX];
		netaddr_text(&address, text);
		is_str(text, rows[i].want, "'%s' for people", rows[i].text);
		struct netaddr again;
		ok(netaddr_parse(text, &again) && netaddr_same(&address, &again), "and back");
	}
}

static struct netaddr parsed(const char *text)
{
	struct netaddr address = { .family = NETADDR_UNKNOWN };
	if (!netaddr_parse(text, &address))
		ok(false, "'%s' should be an address", text);
	return address;
}

static void test_reverse(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "192.0.2.99", "99.2.0.192" },
		{ "::ffff:192.0.2.99", "99.2.0.192" },
		{ "2001:db8:1:2:3:4:567:89ab",
		  "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2" },
		{ "::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0" },
	};
	/* clang-format on */
	char text[NETADDR_REVERSE_MAX];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr address = parsed(rows[i].text);
		netaddr_reverse(&address, text);
		is_str(text, rows[i].want, "what stands before a list's zone for %s", rows[i].text);
	}
	struct netaddr none = { .family = NETADDR_UNKNOWN };
	netaddr_reverse(&none, text);
	is_str(text, "", "nothing for no address");
	char shown[NETADDR_TEXT_MAX];
	netaddr_text(&none, shown);
	is_str(shown, "unknown", "no address is unknown");
}

static void test_networks(void)
{
	static const struct {
		const char *text;
		int length;
		const char *want;
	} rows[] = {
		{ "192.0.2.255", 32, "192.0.2.255" },
		{ "192.0.2.255", 31, "192.0.2.254" },
		{ "192.0.2.255", 25, "192.0.2.128" },
		{ "192.0.2.255", 24, "192.0.2.0" },
		{ "192.0.2.255", 23, "192.0.2.0" },
		{ "192.0.255.255", 20, "192.0.240.0" },
		{ "192.0.2.255", 1, "128.0.0.0" },
		{ "192.0.2.255", 0, "0.0.0.0" },
		{ "2001:db8:ffff:ffff::1", 128, "2001:db8:ffff:ffff::1" },
		{ "2001:db8:ffff:ffff::1", 127, "2001:db8:ffff:ffff::" },
		{ "2001:db8:ffff:ffff::1", 64, "2001:db8:ffff:ffff::" },
		{ "2001:db8:ffff:ffff::1", 56, "2001:db8:ffff:ff00::" },
		{ "2001:db8:ffff:ffff::1", 44, "2001:db8:fff0::" },
		{ "2001:db8:ffff:ffff::1", 0, "::" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr address = parsed(rows[i].text), network = netaddr_network(&address, rows[i].length);
		char text[NETADDR_TEXT_MAX];
		netaddr_text(&network, text);
		is_str(text, rows[i].want, "%s/%d", rows[i].text, rows[i].length);
	}
}

static void test_kinds(void)
{
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {
		{ "127.0.0.1", true }, { "127.255.255.254", true },  { "128.0.0.1", false },
		{ "::1", true },       { "::ffff:127.0.0.1", true }, { "::2", false },
		{ "7f00::", false },   { "2001:db8::1", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr address = parsed(rows[i].text);
		ok(netaddr_is_loopback(&address) == rows[i].loopback, "%s is %sloopback", rows[i].text,
		   rows[i].loopback ? "" : "not ");
	}
	struct netaddr none = { .family = NETADDR_UNKNOWN };
	ok(!netaddr_is_loopback(&none), "no address is not loopback");
	struct netaddr v4 = parsed("127.0.0.1"), v6 = parsed("7f00:1::");
	ok(!netaddr_same(&v4, &v6), "equal bytes of two families are two addresses");
}

static void test_blocks(void)
{
	/* clang-format off */
	static const struct {
		const char *block;
		int bits;	/* -1: cannot be read */
		const char *in, *out;
	} rows[] = {
		{ "192.0.2.0/24", 24, "192.0.2.255", "192.0.3.0" },	{ "192.0.2.1", 32, "192.0.2.1", "192.0.2.2" },
		{ "0.0.0.0/0", 0, "255.255.255.255", "2001:db8::1" },	{ "2001:db8::/32", 32, "2001:db8:ffff::",
		  "2001:db9::" },
		{ "::/127", 127, "::1", "::2" },			{ "192.0.2.1/24", -1, NULL, NULL },
		{ "192.0.2.0/33", -1, NULL, NULL },			{ "192.0.2.0/", -1, NULL, NULL },
		{ "192.0.2.0/-1", -1, NULL, NULL },			{ "192.0.2.0/0024", -1, NULL, NULL },
		{ "2001:db8::/129", -1, NULL, NULL },			{ "/8", -1, NULL, NULL },
		{ "", -1, NULL, NULL },					{ "example.com/8", -1, NULL, NULL },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netblock block;
		bool fine = netblock_parse(rows[i].block, &block);
		ok(fine == (rows[i].bits >= 0), "\"%s\" is %sa network", rows[i].block, rows[i].bits < 0 ? "not " : "");
		if (!fine || rows[i].bits < 0)
			continue;
		struct netaddr in = parsed(rows[i].in), out = parsed(rows[i].out);
		ok(block.bits == rows[i].bits && netblock_has(&block, &in) && !netblock_has(&block, &out),
		   "%s has %s, and not %s", rows[i].block, rows[i].in, rows[i].out);
	}
}

static void test_reserved(void)
{
	/* clang-format off */
	static const struct {
		const char *address, *why;
	} rows[] = {
		{ "10.1.2.3", "private" },	{ "172.31.255.255", "private" },      { "172.32.0.0", NULL },
		{ "192.168.0.1", "private" },	{ "100.64.0.1", "shared by a provider's customers" },
		{ "127.0.0.2", "loopback" },	{ "192.0.2.1", "for documentation" }, { "224.0.0.1", "multicast" },
		{ "255.255.255.255", "reserved" }, { "8.8.8.8", NULL },		      { "::1", "loopback" },
		{ "::ffff:10.0.0.1", "private" }, { "fe80::1", "link-local" },	      { "fd00::1", "private" },
		{ "2001:db8::1", "for documentation" }, { "2a00:1450::1", NULL },	{ "0.0.0.0",
		  "the host itself" },
		{ "100.63.255.255", NULL },	{ "100.127.255.255", "shared by a provider's customers" },
		{ "169.254.1.1", "link-local" }, { "198.19.0.1", "for benchmarks" },	{ "::", "loopback" },
		{ "::10.0.0.1", "nobody's" },	{ "fec0::1", "nobody's" },		{ "5f00::1", "nobody's" },
		{ "1fff::1", "nobody's" },	{ "2001:20::1", "a name, not a place" }, { "3fff:fff::1",
		  "for documentation" },
		{ "2002:a01:203::1", "private" }, { "2002:808:808::1", NULL },		{ "64:ff9b::7f00:1",
		  "loopback" },
		{ "64:ff9b::808:808", NULL },	{ "64:ff9b:1::1", "private" },		{ "3fff:1000::1", NULL },
		{ "2600::1", NULL },		{ "ff02::1", "multicast" },		{ "::ffff:8.8.8.8", NULL },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr address = parsed(rows[i].address);
		const char *why = netaddr_reserved(&address);
		is_str(why != NULL ? why : "-", rows[i].why != NULL ? rows[i].why : "-", "%s", rows[i].address);
	}
}

int main(void)
{
	test_blocks();
	test_reserved();
	test_parse();
	test_reverse();
	test_networks();
	test_kinds();
	return done_testing();
}
