/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts that the links of a text name, as a browser and a program of mail read them; in pieces of any length.
 */
#include "milter/message/links.h"

#include "policy/hash.h"

#include "t/unit/tap.h"

#include <stdlib.h>

static const uint64_t key[2] = { 11, 12 };

/* clang-format off */
static const struct {
	const char *text;
	const char *hosts; /* in their order, a blank between them */
} plain_rows[] = {
	{ "", "" },
	{ "no link. at all, it is 12:30 and/or 5 km/h; see a: b, c:/d, a//b", "" },
	{ "see http://shop.example/way?a=b#c", "shop.example" },
	{ "see HTTPS://Shop.EXAMPLE", "shop.example" },
	{ "http://shop.example.", "shop.example" },
	{ "(http://shop.example), [https://other.example]; <ftp://third.example>", "shop.example other.example third.example" },
	{ "https://shop.example:8443/a", "shop.example" },
	{ "https://shop.example\r\nDear", "shop.example" },
	{ "https://one.example https://two.example https://ONE.example", "one.example two.example" },
	{ "www.shop.example", "www.shop.example" },
	{ "at WWW.shop.example, today", "www.shop.example" },
	{ "wow. www", "" },
	{ "http://www.shop.example/", "www.shop.example" },
	{ "http://shop.example@evil.example/", "evil.example" },
	{ "http://shop.example:80@evil.example/", "evil.example" },
	{ "http://a@shop.example@evil.example/", "evil.example" },
	{ "http://shop.example%2f@evil.example/", "evil.example" },
	{ "http://%65vil.ex%41mple/", "evil.example" },
	{ "http://evil%2Eexample/", "evil.example" },
	{ "http://evil%zz.example/", "evil%zz.example" },
	{ "http://shop.example%40evil.example/", "shop.example@evil.example" },
	{ "http:\\\\evil.example\\a", "evil.example" },
	{ "http:/evil.example/a", "evil.example" },
	{ "https:evil.example/a", "evil.example" },
	{ "http:////evil.example/a", "evil.example" },
	{ "http://shop.example?@evil.example", "shop.example" },
	{ "http://shop.example\\@evil.example", "shop.example" },
	{ "http://shop.example!.evil.example/", "shop.example shop.example!.evil.example" },
	{ "https://r.example/?to=https://evil.example/", "r.example evil.example" },
	{ "http://[2001:DB8::1]:80/ http://[::1]", "[2001:db8::1] [::1]" },
	{ "http://2130706433/ http://0x7f.1/", "2130706433 0x7f.1" },
	{ "http://b\xc3\xbc" "cher.example/", "b\xc3\xbc" "cher.example" },
	{ "scheme.of-ours://evil.example/", "evil.example" },
	{ "//evil.example/", "" },
	{ "\"//evil.example/\"", "" },
	{ "http:// http://\r\n http:///", "" },
	{ "mailto:bob@evil.example", "evil.example" },
	{ "mailto:bob%40evil.example", "evil.example" },
	{ "mailto:a@one.example,b@two.example?cc=c@three.example&subject=d@", "one.example two.example three.example" },
	{ "mailto:a/b@evil.example mailto:none", "evil.example" },
	{ "write to bob@home.example", "" },
	{ "http&#58;//evil.example", "" },
	{ "http://shop.example\tx", "shop.example" },
}, html_rows[] = {
	{ "<a href=\"https://shop.example/a\">https://shop.example</a>", "shop.example" },
	{ "<a href='//evil.example/a'>", "evil.example" },
	{ "<a href=//evil.example/a>", "evil.example" },
	{ "<img src=\"/\\evil.example/a\">", "evil.example" },
	{ "<a href=\" \n //evil.example\">", "evil.example" },
	{ "<a href=\"/\n/evil.example\">", "evil.example" },
	{ "<a href=\"&#47;&sol;evil.example\">", "evil.example" },
	{ "<a href=\"/way//two\"> a//b </a><br/><td>x</td>", "" },
	{ "<p style=\"background: url(//evil.example/x)\">", "evil.example" },
	{ "<a href=\"h\tt\nt\r\np:/\n/ev\til.ex\nample\">", "evil.example" },
	{ "<a href=\"https://shop.example\n.evil.example/\">", "shop.example.evil.example" },
	{ "<a href=\"               \n  https://shop.example\n.evil.example/\">", "shop.example.evil.example" },
	{ "<p>https://shop.example\nDear Bob", "shop.example" },
	{ "<a href=\"http://shop.example @evil.example/\">", "evil.example" },
	{ "<a href=\"http://shop.example'@evil.example/\">", "evil.example" },
	{ "<a href=\"http://shop.example&quot;@evil.example/\">", "evil.example" },
	{ "<a href=\"http://shop.example<@evil.example/\">", "evil.example" },
	{ "<a href=\"http://shop.example\"> x@home.example", "shop.example" },
	{ "<a href=\"http:&quot;@evil.example/\">", "evil.example" },
	{ "<a href=\"http://shop.example&commat;evil.example\">", "evil.example" },
	{ "<a href=\"&#104;ttp:evil.example\">", "evil.example" },
	{ "<a href=\"&#x68;&#0000116tp&colon;//evil&period;example&sol;a\">", "evil.example" },
	{ "<a href=\"http://evil&#46;example\">", "evil.example" },
	{ "<a href=\"http://evil&#x2e;example\">", "evil.example" },
	{ "<a href=\"http://evil&#X00000000000002E;example\">", "evil.example" },
	{ "<a href=\"http://evil&#46example\">", "evil.example" },
	{ "<a href=\"http://b&#252;cher.example\">", "b\xc3\xbc" "cher.example" },
	{ "<a href=\"http://b&uuml;cher.example\">", "b b&uuml;cher.example" },
	{ "http://evil.example&nbsp;and", "evil.example" },
	{ "<a href=\"https://shop.example/?a=b&amp;c=//d\">", "shop.example d" },
	{ "<a href=\"mailto:bob@evil.example?subject=a%20b\">", "evil.example" },
	{ "<a href=\"mailto:bob&#64;evil.example\">", "evil.example" },
	{ "<a href=\"mailto:bob bob@evil.example\">", "evil.example" },
	{ "<a href=\"mailto:bob@ev\nil.example\">", "evil.example" },
	{ "&quot;http://shop.example&quot; he said", "shop.example" },
	{ "<a href=\"/www.shop.example\nDear\">", "www.shop.example" },
	{ "ww&#119;.evil.example", "www.evil.example" },
	{ "a &amp; b & c &; &#; &#x; &#xg; &verylongindeed; &#99999999999;", "" },
	{ "<a href=\"http://shop.example&", "shop.example" },
	{ "<base href=\"https://shop.example/\"><img srcset=\"a.png, //evil.example/b.png\">", "shop.example evil.example" },
};
/* clang-format on */

static struct facts hosts_of(bool html, const char *text, size_t length, size_t piece)
{
	static struct links links;
	struct facts facts = { 0 };
	memset(&links, 0xa5, sizeof links);
	links_begin(&links, key);
	links_part(&links, html);
	for (size_t at = 0; at < length; at += piece) {
		size_t left = length - at < piece ? length - at : piece;
		char *copy = malloc(left); /* so that a sanitizer sees a look beyond it */
		memcpy(copy, text + at, left);
		links_add(&links, copy, left);
		free(copy);
	}
	links_end(&links, &facts);
	return facts;
}

static bool same_hosts(const struct facts *facts, const char *hosts)
{
	int count = 0;
	for (const char *at = hosts; *at != '\0'; count++) {
		size_t length = strcspn(at, " ");
		if (count >= facts->host_count || facts->hosts[count] != hash_keyed(key, at, length))
			return false;
		at += length + (at[length] == ' ');
	}
	return facts->host_count == count;
}

static void test_row(bool html, const char *text, const char *hosts)
{
	size_t wrong = 0;
	for (size_t piece = strlen(text) + 1; piece > 0; piece--) {
		struct facts facts = hosts_of(html, text, strlen(text), piece);
		if (!same_hosts(&facts, hosts))
			wrong = piece;
	}
	is_int((long long)wrong, 0, "%s: %s (%s)", html ? "HTML" : "text", text, hosts);
}

static void test_count(void)
{
	char text[1000] = "";
	for (int i = 0; i < FACT_HOSTS_MAX; i++) {
		size_t length = strlen(text);
		snprintf(text + length, sizeof text - length, "http://h%d.example/ http://h0.example/ ", i);
	}
	struct facts facts = hosts_of(false, text, strlen(text), 1000);
	is_int(facts.host_count, FACT_HOSTS_MAX, "as many as there is room for");
	memcpy(text + strlen(text), "http://last.example", sizeof "http://last.example");
	facts = hosts_of(false, text, strlen(text), 1000);
	is_int(facts.host_count, FACT_HOSTS_MAX + 1, "one more");
	ok(facts.hosts[0] == hash_keyed(key, "h0.example", 10), "the first ones are kept");
}

static void test_long(void)
{
	char one[3000] = "http://";
	size_t length = 2000;
	memset(one + 7, 'a', length);
	one[1999] = 'b';
	struct facts first = hosts_of(false, one, length, 100);
	one[10] = 'b';
	struct facts second = hosts_of(false, one, length, 100);
	ok(first.host_count == 1 && second.host_count == 1 && first.hosts[0] != second.hosts[0],
	   "a host without end is one, each byte of it");
	memcpy(one + 1990, "@evil.a/", 8);
	first = hosts_of(false, one, length, 100);
	ok(same_hosts(&first, "evil.a"), "so is a user's name in front of one");
}

static void test_wide_bytes(void)
{
	static const char wide[] = "h\0t\0t\0p\0:\0/\0/\0e\0v\0i\0l\0.\0x\0y\0/\0";
	struct facts facts = hosts_of(false, wide, sizeof wide - 1, 3);
	ok(same_hosts(&facts, "evil.xy"), "a text of two bytes a letter hides none");
}

static void test_parts(void)
{
	struct links links;
	struct facts facts = { 0 };
	const uint64_t other[2] = { 11, 13 };
	links_begin(&links, key);
	links_part(&links, true);
	links_add(&links, "http://one.example", 18);
	links_part(&links, false);
	links_add(&links, ".two.example http:", 18);
	links_part(&links, false);
	links_add(&links, "//three.example", 15);
	links_add_host(&links, "Four.example.");
	links_end(&links, &facts);
	ok(same_hosts(&facts, "one.example four.example"), "a link ends with its part");
	links_begin(&links, other);
	links_add_host(&links, "one.example");
	links_end(&links, &facts);
	ok(facts.host_count == 1 && facts.hosts[0] != hash_keyed(key, "one.example", 11), "the hashes are keyed");
}

/* Bytes that links are made of, anyhow. */
static void test_pieces(void)
{
	static const char *const some[] = { "http", "https", ":", "/",	   "//",    "\\",	 "www",	    ".",  "w",
					    "a.b",  "@",     "&", "&#46;", "&sol;", ";",	 "#",	    "\"", "'",
					    "=",    " ",     "<", ">",	   "%",	    "%40",	 "mailto:", "\n", "\t",
					    "?",    ",",     "[", "]",	   "x",	    "word and ", "&#x" };
	uint64_t state = 5;
	int same = 0, hosts = 0;
	for (int i = 0; i < 20000; i++) {
		char text[200] = "";
		for (int words = 0; words < 20; words++) {
			state = state * 6364136223846793005U + 1442695040888963407U;
			const char *word = some[(state >> 33) % (sizeof some / sizeof some[0])];
			strncat(text, word, sizeof text - strlen(text) - 1);
		}
		struct facts whole = hosts_of(i % 2, text, strlen(text), sizeof text);
		struct facts bytes = hosts_of(i % 2, text, strlen(text), 1 + (size_t)i % 7);
		same += whole.host_count == bytes.host_count &&
			memcmp(whole.hosts, bytes.hosts, sizeof whole.hosts) == 0;
		hosts += whole.host_count > 0;
	}
	is_int(same, 20000, "in pieces any text has the same");
	ok(hosts > 2000, "many of them have any: %d", hosts);
}

int main(void)
{
	for (size_t i = 0; i < sizeof plain_rows / sizeof plain_rows[0]; i++)
		test_row(false, plain_rows[i].text, plain_rows[i].hosts);
	for (size_t i = 0; i < sizeof html_rows / sizeof html_rows[0]; i++)
		test_row(true, html_rows[i].text, html_rows[i].hosts);
	test_count();
	test_long();
	test_wide_bytes();
	test_parts();
	test_pieces();
	return done_testing();
}
