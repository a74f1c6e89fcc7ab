/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What may be typed in where something is to be looked up.
 */
#include "milter/lookup/check.h"

#include "t/unit/tap.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char error[300];

static const char *parsed(const char *text, bool public_only)
{
	static char shown[400];
	struct check_target target;
	char address[NETADDR_TEXT_MAX];
	error[0] = '\0';
	if (!check_parse(text, public_only, &target, error, sizeof error))
		return NULL;
	netaddr_text(&target.address, address);
	if (target.kind == CHECK_NAME)
		snprintf(shown, sizeof shown, "name %s", target.name);
	else if (target.kind == CHECK_NETWORK)
		snprintf(shown, sizeof shown, "network %s/%d", address, target.prefix);
	else
		snprintf(shown, sizeof shown, "address %s", address);
	return shown;
}

static void test_good(void)
{
	static const struct {
		const char *text, *target;
	} rows[] = {
		{ "192.0.2.1", "address 192.0.2.1" },
		{ " \t192.0.2.1\r\n", "address 192.0.2.1" },
		{ "[192.0.2.1]", "address 192.0.2.1" },
		{ "[IPv6:2001:DB8::1]", "address 2001:db8::1" },
		{ "2001:db8:0:0:0::1", "address 2001:db8::1" },
		{ "::ffff:192.0.2.1", "address 192.0.2.1" },
		{ "192.0.2.1/32", "address 192.0.2.1" },
		{ "2001:db8::1/128", "address 2001:db8::1" },
		{ "192.0.2.0/24", "network 192.0.2.0/24" },
		{ "192.0.2.77/28", "network 192.0.2.64/28" },
		{ "192.0.47.255/20", "network 192.0.32.0/20" },
		{ "192.0.2.1/31", "network 192.0.2.0/31" },
		{ "Mail.Example.COM", "name mail.example.com" },
		{ "mail.example.com.", "name mail.example.com" },
		{ "_dmarc.example.com", "name _dmarc.example.com" },
		{ "xn--bcher-kva.example", "name xn--bcher-kva.example" },
		{ "1.example", "name 1.example" },
		{ "4.3.2.1.in-addr.arpa", "name 4.3.2.1.in-addr.arpa" },
		{ "somebody@example.com", "name example.com" },
		{ "<somebody@example.com>", "name example.com" },
		{ "\"a@b\"@example.com", "name example.com" },
		{ "somebody@[192.0.2.1]", "address 192.0.2.1" },
		{ "http://www.example.com/a/b?c=d#e", "name www.example.com" },
		{ "https://user:word@www.example.com:8443/", "name www.example.com" },
		{ "https://www.example.com?a@b", "name www.example.com" },
		{ "http://[2001:db8::1]:80/", "address 2001:db8::1" },
		{ "http://192.0.2.0/24", "address 192.0.2.0" },
		{ "ftp://192.0.2.1", "address 192.0.2.1" },
		{ A63 ".example", "name " A63 ".example" },
		{ A63 "." A63 "." A63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "name " A63 "." A63 "." A63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!is_str(parsed(rows[i].text, false), rows[i].target, "%.80s", rows[i].text))
			printf("# %s\n", error);
}

static void test_bad(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "Nothing is asked for" },
		{ " \t\n", "Nothing is asked for" },
		{ "localhost", "with a dot in it" },
		{ ".", "empty" },
		{ "a..example", "empty label" },
		{ ".example.com", "empty label" },
		{ "example.com..", "empty label" },
		{ "-a.example", "hyphen" },
		{ "a-.example", "hyphen" },
		{ A63 "a.example", "more than 63 bytes" },
		{ A63 "." A63 "." A63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "more than 253 bytes" },
		{ A63 A63 A63 A63 A63, "longer than 300 bytes" },
		{ "b\303\274cher.example", "xn--" },
		{ "a b.example", "blank or a control" },
		{ "a\033[31m.example", "blank or a control" },
		{ "a!b.example", "letters, digits" },
		{ "example.com/24", "not a network" },
		{ "example.com/path", "not a network" },
		{ "127.1", "ends in a number" },
		{ "2130706433", "ends in a number" },
		{ "0x7f.0.0.0x1", "ends in a number" },
		{ "192.0.2.256", "ends in a number" },
		{ "192.0.2.1.1", "ends in a number" },
		{ "192.0.2.1:25", "not an IPv6 address" },
		{ "2001:db8::g", "not an IPv6 address" },
		{ "fe80::1%eth0", "not an IPv6 address" },
		{ "[192.0.2.1", "brackets" },
		{ "[]", "brackets" },
		{ "[mail.example.com]", "brackets" },
		{ "[192.0.2.1]x", "brackets" },
		{ "192.0.2.0/33", "0 to 32" },
		{ "192.0.2.0/", "0 to 32" },
		{ "192.0.2.0/-1", "0 to 32" },
		{ "192.0.2.0/24/24", "0 to 32" },
		{ "192.0.2.0/+24", "0 to 32" },
		{ "192.0.2.0/99999999999999999999", "0 to 32" },
		{ "192.0.0.0/19", "192.0.0.0/19 has 8192 addresses; a network may have 4096" },
		{ "10.1.2.3/8", "10.0.0.0/8 has 16777216 addresses" },
		{ "0.0.0.0/0", "4294967296 addresses" },
		{ "2001:db8::/64", "18 quintillion" },
		{ "2001:db8::/129", "0 to 128" },
		{ "http://", "empty" },
		{ "http:///etc/passwd", "empty" },
		{ "http://host:port.example/", "not an IPv6 address" },
		{ "somebody@", "empty" },
		{ "<>", "letters, digits" },
		{ "<script>alert(1)</script>", "not a network" },
		{ "<script>alert(1)", "letters, digits" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		is_str(parsed(rows[i].text, false), NULL, "refused: %.80s", rows[i].text);
		ok(strstr(error, rows[i].why) != NULL, "because: %s", error);
	}
	parsed("<\"evil\"\001\377\\" A63 A63, false);
	ok(strstr(error, "<?evil????aaaa") != NULL && strlen(error) < 200, "what is repeated is printable and cut: %s",
	   error);
}

static void test_public(void)
{
	static const struct {
		const char *text;
		bool fine;
	} rows[] = {
		{ "8.8.8.8", true },	      { "10.0.0.1", false },	    { "127.0.0.2", false },
		{ "192.0.2.1", false },	      { "224.0.0.1", false },	    { "::1", false },
		{ "fe80::1", false },	      { "2001:db8::1", false },	    { "::ffff:10.0.0.1", false },
		{ "2a00::1", true },	      { "10.0.0.0/24", false },	    { "8.8.8.0/24", true },
		{ "198.51.96.0/20", true },   { "mail.example.com", true }, { "http://127.0.0.1/", false },
		{ "x@[192.168.1.1]", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ok((parsed(rows[i].text, true) != NULL) == rows[i].fine, "public: %s: %s", rows[i].text, error);
		ok(rows[i].fine || strstr(error, "is not a public") != NULL, "with the reason");
	}
}

static void test_cost(void)
{
	static const struct {
		const char *text;
		int cost;
	} rows[] = { { "192.0.2.1", 1 },       { "2001:db8::1", 1 },  { "192.0.2.0/24", 256 },
		     { "192.0.0.0/20", 4096 }, { "192.0.2.0/31", 2 }, { "example.com", 8 } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct check_target target;
		check_parse(rows[i].text, false, &target, error, sizeof error);
		is_int(check_cost(&target), rows[i].cost, "cost of %s", rows[i].text);
	}
}

int main(void)
{
	test_good();
	test_bad();
	test_public();
	test_cost();
	return done_testing();
}
