/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/account.h"

#include "policy/base/text.h"
#include "t/unit/tap.h"

static void test_names(void)
{
	/* clang-format off */
	static const struct {
		const char *raw;
		bool cut_tag;
		const char *want;	/* NULL: no name */
	} rows[] = {
		{ "alice@example.com", false, "alice@example.com" },
		{ "Alice@Example.COM", false, "alice@example.com" },
		{ "alice", false, "alice" },
		{ "", false, NULL },
		{ "", true, NULL },
		{ "alice+news@example.com", true, "alice@example.com" },
		{ "alice+news@example.com", false, "alice+news@example.com" },
		{ "alice+a+b@example.com", true, "alice@example.com" },
		{ "alice+@example.com", true, "alice@example.com" },
		{ "+alice@example.com", true, "+alice@example.com" },
		{ "+alice+news@example.com", true, "+alice@example.com" },
		{ "alice+news", true, "alice+news" },
		{ "alice@a+b.example", true, "alice@a+b.example" },
		{ "@", true, "@" },
		{ "@example.com", true, "@example.com" },
		{ "alice bob", false, "alice%20bob" },
		{ "\"alice bob\"@example.com", false, "%22alice%20bob%22@example.com" },
		{ "a\\b@example.com", false, "a%5Cb@example.com" },
		{ "a{b}c", false, "a%7Bb%7Dc" },
		{ "}:limits", false, "%7D:limits" },
		{ "a\r\nb\tc\x01" "d\x7f", false, "a%0D%0Ab%09c%01d%7F" },
		{ "%s%n%99999d", false, "%25s%25n%2599999d" },
		{ "\xc3\xa4@example.com", false, "\xc3\xa4@example.com" },
		{ "\xff\xfe", false, "\xff\xfe" },
		{ "<>", false, "<>" },
		{ "*?[a]", false, "*?[a]" },
		{ "192.0.2.1", false, "192.0.2.1" },
		{ "2001:db8::1", false, "2001:db8::1" },
		{ "/C=DE/O=Example/CN=Mail Out", false, "/c=de/o=example/cn=mail%20out" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[ACCOUNT_MAX + 1];
		bool any = account_name(rows[i].raw, rows[i].cut_tag, name);
		ok(any == (rows[i].want != NULL), "row %zu: %s", i, rows[i].want != NULL ? "a name" : "no name");
		is_str(name, rows[i].want != NULL ? rows[i].want : "", "row %zu: the name%s", i,
		       rows[i].cut_tag ? " without a tag" : "");
	}
}

/* Each single byte: what comes out is one word that stays inside {}, and no two bytes become the same. */
static void test_bytes(void)
{
	static char names[256][ACCOUNT_MAX + 1];
	bool safe = true, two = true;
	for (int c = 1; c < 256; c++) {
		char raw[2] = { (char)c, '\0' };
		account_name(raw, true, names[c]);
		for (const char *at = names[c]; *at != '\0'; at++)
			safe = safe && (unsigned char)*at > 0x20 && *at != 0x7f && strchr("{}\"\\", *at) == NULL;
	}
	ok(safe, "no byte leaves the hash tag of a key or the word of a log line");
	for (int a = 1; a < 256; a++)
		for (int b = a + 1; b < 256; b++)
			if (strcmp(names[a], names[b]) == 0)
				two = two && b - a == 'a' - 'A' && a >= 'A' && a <= 'Z';
	ok(two, "only upper and lower case become one");
}

static void filled(char *raw, size_t length, const char *end)
{
	memset(raw, 'a', length);
	memcpy(raw + length - strlen(end), end, strlen(end) + 1);
}

static void test_long_names(void)
{
	static char raw[70000];
	char one[ACCOUNT_MAX + 1], two[ACCOUNT_MAX + 1];
	filled(raw, ACCOUNT_MAX - 1, "@example.com");
	account_name(raw, true, one);
	is_str(one, raw, "a name of less than the greatest length is kept");
	filled(raw, ACCOUNT_MAX + 1, "@example.com");
	account_name(raw, true, one);
	account_name(one, true, two);
	ok(strcmp(one, two) != 0, "nobody has the name that a longer one gets");
	is_int((long long)strlen(one), ACCOUNT_MAX, "one byte more is brought down to it");
	ok(strncmp(one, raw, 300) == 0 && one[ACCOUNT_MAX - 17] == '#', "by a hash for a tail");
	account_name(raw, true, two);
	is_str(two, one, "always the same hash");
	filled(raw, ACCOUNT_MAX + 1, "@example.con");
	account_name(raw, true, two);
	ok(strcmp(one, two) != 0, "two long names stay two");
	filled(raw, ACCOUNT_MAX + 1, "@Example.COM");
	account_name(raw, true, two);
	is_str(two, one, "of any case");

	filled(raw, 400, "@example.com");
	account_name(raw, true, one);
	raw[350] = 'b';
	account_name(raw, true, two);
	ok(strcmp(one, two) != 0, "also where they differ before their ends");

	filled(raw, 60000, "");
	memcpy(raw + 100, "+", 1);
	memcpy(raw + 59000, "@", 1);
	account_name(raw, true, one);
	raw[200] = 'b';
	account_name(raw, true, two);
	is_str(two, one, "a long tag is no part of the name");
	raw[59999] = 'b';
	account_name(raw, true, two);
	ok(strcmp(one, two) != 0, "the end of a long domain is");

	memset(raw, ' ', 400);
	raw[400] = '\0';
	account_name(raw, false, one);
	is_int((long long)strlen(one), ACCOUNT_MAX, "escapes count with their own length");
	memcpy(raw, "a+", 2);
	memset(raw + 2, 't', 5000);
	memcpy(raw + 5002, "@b", 3);
	account_name(raw, true, one);
	is_str(one, "a@b", "a tag that is too long is cut like any other");
}

/* What a log line shows can be typed again. */
static void test_typed(void)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "Alice+news@Example.com", "alice@example.com" },
		{ "ip%3A192.0.2.1", "ip%3A192.0.2.1" },
		{ "bounce:ip%3A192.0.2.1", "bounce:ip%3A192.0.2.1" },
		{ "two%20words", "two%20words" },
		{ "two words", "two%20words" },
		{ "%2541%7Bx%7D", "%2541%7Bx%7D" },
		{ "100%", "100%25" },
		{ "a%41%3a%zz%0", "a%2541%253a%25zz%250" },
		{ "relay%2B1@example.com", "relay+1@example.com" },
		{ "relay%2B1+tag@example.com", "relay+1@example.com" },
		{ "ip:2001:db8:1:2:3::4", "ip:2001:db8:1:2::/64" },
		{ "IP:2001:DB8:1:2::/64", "ip:2001:db8:1:2::/64" },
		{ "bounce:ip:2001:db8:1:2:3::4", "bounce:ip:2001:db8:1:2::/64" },
		{ "client:2001:db8:1:2:3::4", "client:2001:db8:1:2::/64" },
		{ "ip:192.0.2.7", "ip:192.0.2.7" },
		{ "domain:EXAMPLE.com.", "domain:example.com" },
		{ "domain:example.com..", "domain:example.com" },
		{ "Customer:42+7@x", "customer:42+7@x" },
		{ "Server:ALL", "server:all" },
		{ "uid:33", "uid:33" },
		{ "sender:Shop@Example.org", "sender:shop@example.org" },
		{ "192%2E0.2.7", "192.0.2.7" },
		{ "forward:lists@example.com", "forward:lists@example.com" },
		{ "customer-42", "customer-42" },
		{ "a%2Cb%C3%A4@example.com", "a,b\xc3\xa4@example.com" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[ACCOUNT_MAX + 1];
		is_str(account_typed(rows[i].raw, true, name), NULL, "'%s' is a name", rows[i].raw);
		is_str(name, rows[i].want, "it is '%s'", rows[i].want);
	}
}

/* What nobody is called: a block of it would hold nobody. */
static void test_typed_wrong(void)
{
	/* clang-format off */
	static const struct {
		const char *raw, *part;
	} rows[] = {
		{ "", "alice@example.com" }, { "192.0.2.7", "ip:192.0.2.7" }, { "2001:db8::1", "ip:" }, {
		  "192.0.2.0/24", "ip:" },
		{ "ip:", "ip:192.0.2.7" }, { "ip:foo", "ip:192.0.2.7" }, { "ip:192.0.2.0/24", "ip:192.0.2.7" },
		{ "ip:2001:db8::/48", "ip:2001:db8:1:2::/64" }, { "client:foo", "client:192.0.2.7" }, { "uid:root",
		  "uid:33" },
		{ "domain:", "domain:example.com" }, { "domain:a@example.com", "domain:example.com" },
		{ "domain:192.0.2.7", "domain:example.com" }, { "server:x", "server:all" }, { "server:", "server:all" },
		{ "customer:", "customer:42" }, { "bounce:", "bounce:alice@example.com" },
		{ "bounce:domain:example.com", "bounce:alice@example.com" }, { "bounce:ip:foo",
		  "bounce:alice@example.com" },
		{ "forward:192.0.2.7", "forward:alice@example.com" }, { "forward:bounce:a",
		  "forward:alice@example.com" },
		{ "account:alice@example.com", "the account's name alone" }, { "sender:", "sender:shop@example.org" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[ACCOUNT_MAX + 1];
		const char *expected = account_typed(rows[i].raw, true, name);
		ok(expected != NULL && strstr(expected, rows[i].part) != NULL, "'%s': expected %s", rows[i].raw,
		   expected != NULL ? expected : "nothing else");
	}
}

static void test_addresses(void)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "<alice@example.com>", "alice@example.com" },
		{ "alice@example.com", "alice@example.com" },
		{ "<Alice@Example.com>", "Alice@Example.com" },
		{ "<>", "" },
		{ "", "" },
		{ "<", "" },
		{ "<@relay.example:alice@example.com>", "alice@example.com" },
		{ "<@a.example,@b.example:alice@example.com>", "alice@example.com" },
		{ "@a.example:alice@example.com", "alice@example.com" },
		{ "<@example.com>", "@example.com" },
		{ "<@a.example:>", "" },
		{ "<\"a:b\"@example.com>", "\"a:b\"@example.com" },
		{ "<\"@a:b\"@example.com>", "\"@a:b\"@example.com" },
		{ "<\"a>b\"@example.com>", "\"a>b\"@example.com" },
		{ "<alice@example.com", "alice@example.com" },
		{ "<alice>", "alice" },
		{ "<%s%n@example.com>", "%s%n@example.com" },
		{ "<a\x01\x80@example.com>", "a\x01\x80@example.com" },
		{ "< >", " " },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char address[ADDRESS_MAX + 1];
		ok(address_of(rows[i].raw, address), "row %zu: nothing is cut", i);
		is_str(address, rows[i].want, "row %zu: the address", i);
	}
}

static void test_long_addresses(void)
{
	static char raw[5000];
	char address[ADDRESS_MAX + 1];
	raw[0] = '<';
	memset(raw + 1, 'a', ADDRESS_MAX);
	memcpy(raw + 1 + ADDRESS_MAX, ">", 2);
	ok(address_of(raw, address), "the longest address fits");
	is_int((long long)strlen(address), ADDRESS_MAX, "whole");
	memset(raw, 'a', sizeof raw - 1);
	ok(!address_of(raw, address), "a longer one is cut, and that is said");
	is_int((long long)strlen(address), ADDRESS_MAX, "to the greatest length");
	raw[0] = '@';
	raw[4000] = ':';
	ok(address_of(raw, address), "a long source route is not the address");
}

static void test_words(void)
{
	static const struct {
		const char *name, *word;
	} rows[] = {
		{ "alice@example.com", "alice@example.com" },
		{ "a,b@example.com", "a%2Cb@example.com" },
		{ "a;b_c?@example.com", "a;b_c?@example.com" },
		{ "j\xc3\xb6rg@example.com", "j%C3%B6rg@example.com" },
		{ "two%20words%2520", "two%20words%2520" },
		{ "50%252C", "50%252C" },
		{ "sender:shop@example.org", "sender:shop@example.org" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char memory[3 * ACCOUNT_MAX + 1], name[ACCOUNT_MAX + 1];
		struct text word = text_over(memory, sizeof memory);
		account_add_word(&word, rows[i].name);
		is_str(memory, rows[i].word, "row %zu: as a word of a line", i);
		ok(account_of_word(memory, word.length, name), "row %zu: which is a name's", i);
		is_str(name, rows[i].name, "row %zu: and the same one's", i);
	}
}

static void test_words_of_nobody(void)
{
	char name[ACCOUNT_MAX + 1], word[ACCOUNT_MAX + 2];
	memset(word, 'a', sizeof word);
	ok(account_of_word(word, ACCOUNT_MAX, name), "a word of the greatest length is a name's");
	ok(!account_of_word(word, ACCOUNT_MAX + 1, name), "a longer one is not");
	ok(!account_of_word("", 0, name), "nor is none");
	ok(!account_of_word("a\0b", 3, name), "nor one with a NUL");
	ok(account_of_word("a%2C", 3, name) && strcmp(name, "a%2") == 0, "what stands behind a word is not read");
}

static void test_domains(void)
{
	static const struct {
		const char *address, *want;
	} rows[] = {
		{ "alice@example.com", "example.com" },	  { "alice", "" }, { "", "" },	     { "alice@", "" },
		{ "\"a@b\"@example.com", "example.com" }, { "@", "" },	   { "a@b@c", "c" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_str(address_domain(rows[i].address), rows[i].want, "domain of '%s'", rows[i].address);
}

static void test_sources(void)
{
	static const char *const words[] = { "auth", "certificate", "network", "uid", "sender" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		is_str(source_word(source_find(words[i])), words[i], "source %s", words[i]);
	is_int(source_find("none"), SOURCE_NONE, "'none' is no source");
	is_int(source_find("Auth"), SOURCE_NONE, "the words are lower case");
	is_int(source_find(""), SOURCE_NONE, "nor is the empty word one");
	for (int i = 0; i < SOURCE_COUNT; i++)
		ok(source_word((enum source)i) != NULL, "source %d has a word", i);
}

int main(void)
{
	test_names();
	test_typed();
	test_typed_wrong();
	test_bytes();
	test_long_names();
	test_addresses();
	test_long_addresses();
	test_words();
	test_words_of_nobody();
	test_domains();
	test_sources();
	return done_testing();
}
