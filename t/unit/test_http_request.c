/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/http_request.h"

#include "t/unit/tap.h"

enum { SIZE = 21 };

static void test_query(void)
{
	static const struct {
		const char *query, *want; /* NULL: refused */
	} rows[] = {
		{ "q=192.0.2.1", "192.0.2.1" },
		{ "q=", "" },
		{ "a=b&q=x&c", "x" },
		{ "&&q=x&", "x" },
		{ "q=a%2Fb%3dc", "a/b=c" },
		{ "q=a+b%20c", "a b c" },
		{ "q=%2531", "%31" },
		{ "q=100%", "100%" },
		{ "q=%zz", "%zz" },
		{ "q=%C3%A4", "\xc3\xa4" },
		{ "q=12345678901234567890", "12345678901234567890" },
		{ "q=123456789012345678901", NULL },
		{ "q=%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31%31", "11111111111111111111" },
		{ NULL, NULL },
		{ "", NULL },
		{ "q", NULL },
		{ "Q=x", NULL },
		{ "aq=x", NULL },
		{ "%71=x", NULL },
		{ "q=x&q=x", NULL },
		{ "q=&q=", NULL },
		{ "q=192.0.2.1%00.example", NULL },
		{ "q=a%0d%0aSet-Cookie:b", NULL },
		{ "q=a%7f", NULL },
		{ "q=%C3", NULL },
		{ "q=%ED%A0%80", NULL },
		{ "q=%C0%AF", NULL },
		{ "q=\xff", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char q[SIZE], error[200] = "";
		bool fine = http_request_query(rows[i].query, q, sizeof q, error, sizeof error);
		is_str(fine ? q : NULL, rows[i].want, "query %s", rows[i].query == NULL ? "NULL" : rows[i].query);
		is_int(error[0] != '\0' && error[strlen(error) - 1] == '.', !fine,
		       "... a sentence where it is refused");
	}
}

static void test_accept(void)
{
	static const struct {
		const char *accept;
		bool document;
	} rows[] = {
		{ NULL, false },
		{ "", false },
		{ "*/*", false },
		{ "application/json", true },
		{ "Application/JSON", true },
		{ "application/json, text/plain, */*", true },
		{ "*/*, application/json", false },
		{ "application/x-ndjson", false },
		{ "application/x-ndjson, application/json", false },
		{ "application/json, application/x-ndjson", true },
		{ "application/x-ndjson;q=0.5, application/json", true },
		{ "application/json;q=0.5, application/x-ndjson;q=0.8", false },
		{ "application/json;q=0.501,*/*;q=0.5", true },
		{ "application/json ; charset=utf-8 ; q=0.3, */* ; q=0.2", true },
		{ "application/json;q=0", false },
		{ "application/json;q=0.000", false },
		{ "application/json;q=", true },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false },
		{ "text/html", false },
		{ "application/jsonp", false },
		{ "application/*", false },
		{ ",,,application/json,,,", true },
		{ "application/json-with-a-very-long-name-that-nobody-has-ever-heard-of", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(http_request_wants_document(rows[i].accept), rows[i].document, "Accept: %s",
		       rows[i].accept == NULL ? "(none)" : rows[i].accept);
}

static void test_client(void)
{
	static const struct {
		const char *peer, *first, *second, *want; /* headers: NULL: none */
	} rows[] = {
		{ "203.0.113.5", NULL, NULL, "203.0.113.5" },
		{ "203.0.113.5", "198.51.100.1", NULL, "203.0.113.5" },
		{ "127.0.0.1", NULL, NULL, "127.0.0.1" },
		{ "127.0.0.1", "198.51.100.1", NULL, "198.51.100.1" },
		{ "127.0.0.1", "198.51.100.66, 198.51.100.1", NULL, "198.51.100.1" },
		{ "127.0.0.1", "198.51.100.66, 198.51.100.1, 10.1.2.3", NULL, "198.51.100.1" },
		{ "127.0.0.1", "198.51.100.1 ,10.1.2.3 ,\t10.1.2.4 ", NULL, "198.51.100.1" },
		{ "127.0.0.1", "198.51.100.66", "198.51.100.1", "198.51.100.1" },
		{ "127.0.0.1", "198.51.100.1", "10.1.2.3", "198.51.100.1" },
		{ "127.0.0.1", "10.9.9.9, 10.1.2.3", NULL, "10.9.9.9" },
		{ "127.0.0.1", "2001:db8::5", NULL, "2001:db8::5" },
		{ "::1", "2001:db8::5", NULL, "2001:db8::5" },
		{ "127.0.0.1", "198.51.100.1, unknown", NULL, "127.0.0.1" },
		{ "127.0.0.1", "198.51.100.1, unknown, 10.1.2.3", NULL, "10.1.2.3" },
		{ "127.0.0.1", "198.51.100.1:80", NULL, "127.0.0.1" },
		{ "127.0.0.1", "198.51.100.1,", NULL, "127.0.0.1" },
		{ "127.0.0.1", ",198.51.100.1", NULL, "198.51.100.1" },
		{ "127.0.0.1", "", NULL, "127.0.0.1" },
		{ "127.0.0.1", " , ,", "", "127.0.0.1" },
		{ "127.0.0.1", "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222", NULL, "127.0.0.1" },
	};
	struct netblock proxies[3];
	netblock_parse("127.0.0.0/8", &proxies[0]);
	netblock_parse("10.0.0.0/8", &proxies[1]);
	netblock_parse("::1", &proxies[2]);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *headers[] = { rows[i].first, rows[i].second };
		struct netaddr peer;
		char text[NETADDR_TEXT_MAX];
		netaddr_parse(rows[i].peer, &peer);
		struct netaddr client = http_request_client(&peer, proxies, 3, headers,
							    rows[i].first == NULL    ? 0
							    : rows[i].second == NULL ? 1
										     : 2);
		netaddr_text(&client, text);
		is_str(text, rows[i].want, "%s with \"%s\"", rows[i].peer, rows[i].first == NULL ? "" : rows[i].first);
	}
}

static void test_host(void)
{
	static const char *const names[] = { "lists.Example.com", "mx" };
	/* clang-format off */
	static const struct {
		const char *host;
		bool ours;
	} rows[] = {
		{ "127.0.0.1", true },
		{ "127.0.0.1:8494", true },
		{ "192.0.2.5:", true },
		{ "[::1]", true },
		{ "[2001:db8::5]:8494", true },
		{ "[fe80::1%eth0]:8494", true },
		{ "localhost", true },
		{ "LocalHost:8494", true },
		{ "localhost.", true },
		{ "lists.example.com", true },
		{ "LISTS.example.com.:443", true },
		{ "mx:1", true },
		{ "", false },
		{ ":8494", false },
		{ ".", false },
		{ "evil.example", false },
		{ "evil.example:8494", false },
		{ "mx.evil.example", false },
		{ "localhost.evil.example", false },
		{ "127.0.0.1.evil.example", false },
		{ "127.0.0.1:8494.evil.example", false },
		{ "127.0.0.1@evil.example", false },
		{ "evil.example:mx", false },
		{ "evil.example, mx", false },
		{ "mx evil.example", false },
		{ "localhost..", false },
		{ "[mx]", false },
		{ "[::1", false },
		{ "[::1]evil.example", false },
		{ "[::1]:80:80", false },
		{ "127.0.0.1%eth0", false },
		{ "[mx%eth0]", false },
		{ "[]", false },
		{ "[", false },
		{ "a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name", false },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(http_request_host_is_ours(rows[i].host, names, 2), rows[i].ours, "Host: %s", rows[i].host);
	ok(!http_request_host_is_ours("mx", NULL, 0), "without names");
}

int main(void)
{
	test_host();
	test_query();
	test_accept();
	test_client();
	return done_testing();
}
