/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SPF checks on a DNS of the test's own: a row for each fence, and for each bad thing that a sender's DNS can do.
 */
#include "t/unit/spf_fixture.h"

/* ---- what a domain says, and what comes of it */

#define US "192.0.2.1", S, "h.test"
#define N10(text) text text text text text text text text text text

struct record {
	const char *name;
	int type;
	const char *value;
};

/* clang-format off */
static const struct row {
	const char *what;
	const char *client, *sender, *helo;
	enum spf_answer want;
	int questions;	/* that were asked; -1: any number */
	struct record records[7];
} rows[] = {
	{ "a plain pass", US, SPF_ANSWER_PASS, 1, { { E, TXT, "v=spf1 ip4:192.0.2.0/24 -all" } } },
	{ "a plain fail", "203.0.113.1", S, "h.test", SPF_ANSWER_FAIL, 1, { { E, TXT, "v=spf1 ip4:192.0.2.0/24 -all" } } },
	{ "no record", US, SPF_ANSWER_NONE, 1, { { E, TXT, "hello" } } },
	{ "no such domain", US, SPF_ANSWER_NONE, 1, { { NULL, 0, NULL } } },
	{ "two records", US, SPF_ANSWER_PERMERROR, 1,
	  { { E, TXT, "v=spf1 +all" }, { E, TXT, "V=SPF1 -all" } } },
	{ "two records behind an include", US, SPF_ANSWER_PERMERROR, 2,
	  { { E, TXT, "v=spf1 include:i.test -all" }, { "i.test", TXT, "v=spf1 +all" }, { "i.test", TXT,
	    "v=spf1 -all" } } },
	{ "a loopback client passes no sooner than others", "127.0.0.1", S, "h.test", SPF_ANSWER_FAIL, 1,
	  { { E, TXT, "v=spf1 -all" } } },
	{ "a mapped client is IPv4", "::ffff:192.0.2.1", S, "h.test", SPF_ANSWER_PASS, 1,
	  { { E, TXT, "v=spf1 ip4:192.0.2.1 -all" } } },
	{ "and no ip6 matches it", "::ffff:192.0.2.1", S, "h.test", SPF_ANSWER_FAIL, 1,
	  { { E, TXT, "v=spf1 ip6:::/0 ip6:::ffff:192.0.2.1 -all" } } },
	{ "IPv6", "2001:db8::1", S, "h.test", SPF_ANSWER_PASS, 1, { { E, TXT, "v=spf1 ip6:2001:db8::/32 -all" } } },

	{ "exp= is never looked up", US, SPF_ANSWER_FAIL, 1,
	  { { E, TXT, "v=spf1 exp=bomb.test -all" }, { "bomb.test", TXT, N10(N10("%{s}x")) N10(N10("%{d}x")) } } },
	{ "an explanation longer than libspf2's stack has room for", US, SPF_ANSWER_FAIL, 2,
	  { { E, TXT, "v=spf1 redirect=r.test" }, { "r.test", TXT, "v=spf1 -all exp=bomb.test" },
	    { "bomb.test", TXT, N10("0123456789012345678901234567890123456789012345678901") "0123" } } },
	{ "an exp-text of libspf2's own making", US, SPF_ANSWER_FAIL, 1,
	  { { E, TXT, "v=spf1 -all exp-text=%{s}%{s}%{s}" } } },
	{ "thirty macros", US, SPF_ANSWER_FAIL, 1,
	  { { E, TXT, "v=spf1 x=" N10("%{d}%{d}%{d}") " -all" } } },
	{ "one more", US, SPF_ANSWER_PERMERROR, 1,
	  { { E, TXT, "v=spf1 x=" N10("%{d}%{d}%{d}") " y=%{d} -all" } } },
	{ "a control character", US, SPF_ANSWER_PERMERROR, 1, { { E, TXT, "v=spf1 ip4:192.0.2.1\t-all" } } },
	{ "eight bits", US, SPF_ANSWER_PERMERROR, 1, { { E, TXT, "v=spf1 a:\xc3\xa4.test -all" } } },
	{ "an error behind the match", US, SPF_ANSWER_PERMERROR, 1,
	  { { E, TXT, "v=spf1 ip4:192.0.2.1 ip4:1.2.3 -all" } } },

	{ "an include of itself", US, SPF_ANSWER_PERMERROR, 1, { { E, TXT, "v=spf1 include:example.com" } } },
	{ "a redirect to itself in other letters", US, SPF_ANSWER_PERMERROR, 1,
	  { { E, TXT, "v=spf1 redirect=EXAMPLE.com" } } },
	{ "a loop of redirects", US, SPF_ANSWER_PERMERROR, 3,
	  { { E, TXT, "v=spf1 redirect=a.test" }, { "a.test", TXT, "v=spf1 redirect=b.test" },
	    { "b.test", TXT, "v=spf1 redirect=a.test" } } },
	{ "a name that doubles", US, SPF_ANSWER_PERMERROR, -1,
	  { { E, TXT, "v=spf1 include:" N10("%{d}.") N10("%{d}.") "%{d}.%{d}.%{d}.%{d}.%{d}.%{d} -all" } } },
	{ "a name of more than 253 bytes is cut from the left", US, SPF_ANSWER_PASS, 2,
	  { { E, TXT, "v=spf1 a:xx.yy." N10("%{d}.") "%{d}.%{d}." N10("%{d}.") "%{d} -all" },
	    { N10("example.com.") N10("example.com.") E, A, "192.0.2.1" } } },

	{ "ten terms, those of an include among them", US, SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 a include:i.test ip4:192.0.2.1 a -all" }, { "i.test", TXT, "v=spf1 a a a a a a a a" },
	    { E, A, "203.0.113.1" }, { "i.test", A, "203.0.113.1" } } },
	{ "one more term", US, SPF_ANSWER_PERMERROR, -1,
	  { { E, TXT, "v=spf1 a include:i.test a ip4:192.0.2.1 -all" }, { "i.test", TXT, "v=spf1 a a a a a a a a" },
	    { E, A, "203.0.113.1" }, { "i.test", A, "203.0.113.1" } } },
	{ "a void answer too many", US, SPF_ANSWER_PERMERROR, -1,
	  { { E, TXT, "v=spf1 a:a.test a:b.test a:c.test ip4:192.0.2.1" } } },
	{ "two are fine", US, SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 a:a.test a:b.test ip4:192.0.2.1" } } },
	{ "hosts without IPv6 are not void", "2001:db8::1", S, "h.test", SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 mx ip6:2001:db8::1" }, { E, DNS_MX, "10 a.test" }, { E, DNS_MX, "10 b.test" },
	    { E, DNS_MX, "10 c.test" }, { "a.test", A, "192.0.2.3" }, { "b.test", A, "192.0.2.4" },
	    { "c.test", A, "192.0.2.5" } } },
	{ "hosts that do not exist are", US, SPF_ANSWER_PERMERROR, -1,
	  { { E, TXT, "v=spf1 mx ip4:192.0.2.1" }, { E, DNS_MX, "10 a.test" }, { E, DNS_MX, "10 b.test" },
	    { E, DNS_MX, "10 c.test" } } },
	{ "an mx that names the root", US, SPF_ANSWER_NEUTRAL, -1,
	  { { E, TXT, "v=spf1 mx" }, { E, DNS_MX, "0 " } } },

	{ "an mx with /0", US, SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 mx/0 -all" }, { E, DNS_MX, "10 a.test" }, { "a.test", A, "203.0.113.9" } } },
	{ "an a with a prefix for each family", "2001:db8:0:1::9", S, "h.test", SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 a/24//48 -all" }, { E, DNS_AAAA, "2001:db8:0:ff::1" }, { E, A, "192.0.2.1" } } },
	{ "exists asks for A also for IPv6", "2001:db8::1", S, "h.test", SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 exists:%{ir}.%{v}.x.test -all" },
	    { "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.x.test", A, "127.0.0.2" } } },
	{ "a ptr", US, SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 ptr -all" }, { "1.2.0.192.in-addr.arpa", DNS_PTR, "mail.example.com" },
	    { "mail.example.com", A, "192.0.2.1" } } },
	{ "a ptr name that does not confirm", US, SPF_ANSWER_FAIL, -1,
	  { { E, TXT, "v=spf1 ptr -all" }, { "1.2.0.192.in-addr.arpa", DNS_PTR, "mail.example.com" },
	    { "mail.example.com", A, "192.0.2.2" } } },
	{ "the client's name in a name", US, SPF_ANSWER_PASS, 4,
	  { { E, TXT, "v=spf1 exists:%{p}.x.test -all" }, { "1.2.0.192.in-addr.arpa", DNS_PTR, "mail.example.com" },
	    { "mail.example.com", A, "192.0.2.1" }, { "mail.example.com.x.test", A, "127.0.0.2" } } },
	{ "a client without one", US, SPF_ANSWER_PASS, 3,
	  { { E, TXT, "v=spf1 exists:%{p}.x.test -all" }, { "unknown.x.test", A, "127.0.0.2" } } },
	{ "a name that c-ares would read "
	  "otherwise", US, SPF_ANSWER_FAIL, 1, { { E, TXT, "v=spf1 a:a\\.b.test -all" } } },
	{ "an alias", US, SPF_ANSWER_PASS, 1,
	  { { E, ZONE_CNAME, "real.test" }, { "real.test", TXT, "v=spf1 ip4:192.0.2.1 -all" } } },
	{ "a loop of aliases", US, SPF_ANSWER_TEMPERROR, 1,
	  { { E, ZONE_CNAME, "a.test" }, { "a.test", ZONE_CNAME, E } } },
	{ "redirect before the mechanisms", US, SPF_ANSWER_PASS, 1,
	  { { E, TXT, "v=spf1 redirect=fail.test ip4:192.0.2.1" }, { "fail.test", TXT, "v=spf1 -all" } } },

	{ "the postmaster of the HELO name", "192.0.2.1", "", E, SPF_ANSWER_PASS, 1,
	  { { E, TXT, "v=spf1 ip4:192.0.2.1 -all" } } },
	{ "no local part", "192.0.2.1", "@example.com", "h.test", SPF_ANSWER_PASS, -1,
	  { { E, TXT, "v=spf1 exists:%{l}.x.test -all" }, { "postmaster.x.test", A, "127.0.0.2" } } },
	{ "two @", "192.0.2.1", "\"a@b\"@example.com", "h.test", SPF_ANSWER_PASS, 1, { { E, TXT, "v=spf1 +all" } } },
	{ "a local part and a HELO name of eight bits and controls", "192.0.2.1", "\xff\n@example.com", "\x01h",
	  SPF_ANSWER_PASS, 2, { { E, TXT, "v=spf1 exists:%{l}.%{h}.test -all" }, { "??.?h.test", A, "127.0.0.2" } } },
	{ "no HELO name", "192.0.2.1", S, "", SPF_ANSWER_PASS, 2,
	  { { E, TXT, "v=spf1 exists:%{h}.x.test -all" }, { "unknown.x.test", A, "127.0.0.2" } } },
	{ "no domain", "192.0.2.1", "root", "h.test", SPF_ANSWER_NONE, 0, { { NULL, 0, NULL } } },
	{ "neither sender nor HELO", "192.0.2.1", "", "", SPF_ANSWER_NONE, 0, { { NULL, 0, NULL } } },
	{ "an address for a "
	  "domain", "192.0.2.1", "u@[192.0.2.1]", "h.test", SPF_ANSWER_NONE, 0, { { NULL, 0, NULL } } },
	{ "a number for a domain", "192.0.2.1", "u@192.0.2.1", "h.test", SPF_ANSWER_NONE, 0, { { NULL, 0, NULL } } },
	{ "one label", "192.0.2.1", "u@localhost", "h.test", SPF_ANSWER_NONE, 0, { { NULL, 0, NULL } } },
	{ "an empty label", "192.0.2.1", "u@a..example.com", "h.test", SPF_ANSWER_NONE, 0, { { NULL, 0, NULL } } },
	{ "eight bits in the domain", "192.0.2.1", "u@\xc3\xa4.example.com", "h.test", SPF_ANSWER_NONE, 0,
	  { { NULL, 0, NULL } } },
	{ "a dot behind the domain", "192.0.2.1", "u@EXAMPLE.com.", "h.test", SPF_ANSWER_PASS, 1,
	  { { E, TXT, "v=spf1 +all" } } },
};
/* clang-format on */

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		open_engine(TIMEOUT_MS);
		for (size_t r = 0; r < sizeof row->records / sizeof row->records[0] && row->records[r].name != NULL;
		     r++)
			add(row->records[r].name, row->records[r].type, row->records[r].value);
		is_str(spf_answer_word(check(row->client, row->sender, row->helo)), spf_answer_word(row->want), "%s",
		       row->what);
		int asked = zone_questions();
		ok(row->questions < 0 ? asked <= SPF_QUESTIONS_MAX : asked == row->questions, "%s: %d questions",
		   row->what, asked);
		close_engine();
	}
}

/* ---- DNS that does not answer */

static void test_trouble(void)
{
	static const struct {
		const char *what, *name;
		int type;
		enum spf_answer silent;
	} cases[] = {
		{ "the record", E, TXT, SPF_ANSWER_TEMPERROR },
		{ "an include", "i.test", TXT, SPF_ANSWER_TEMPERROR },
		{ "an a", "a.test", A, SPF_ANSWER_TEMPERROR },
		{ "an mx", "m.test", DNS_MX, SPF_ANSWER_TEMPERROR },
		{ "an mx's host", "host.test", A, SPF_ANSWER_TEMPERROR },
		{ "an exists", "x.test", A, SPF_ANSWER_TEMPERROR },
		{ "the client's PTR", "1.2.0.192.in-addr.arpa", DNS_PTR, SPF_ANSWER_FAIL }, /* RFC 7208 section 5.5 */
		{ "a name that it has", "ptr.test", A, SPF_ANSWER_FAIL },
	};
	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		bool silent = i % 2 == 0;
		open_engine(TIMEOUT_MS);
		zone_trouble(cases[i / 2].name, cases[i / 2].type, silent ? ZONE_SILENT : ZONE_SERVFAIL);
		add(E, TXT, "v=spf1 include:i.test a:a.test mx:m.test exists:x.test ptr:ptr.test -all");
		add("i.test", TXT, "v=spf1 -all");
		add("a.test", A, "203.0.113.1");
		add("m.test", DNS_MX, "10 host.test");
		add("host.test", A, "203.0.113.1");
		add("x.test", DNS_AAAA, "2001:db8::1");
		add("1.2.0.192.in-addr.arpa", DNS_PTR, "ptr.test");
		add("ptr.test", A, "203.0.113.1");
		is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), spf_answer_word(cases[i / 2].silent), "%s: %s",
		       cases[i / 2].what, silent ? "silence" : "SERVFAIL");
		close_engine();
	}
}

/* What a record leads to is asked at once, not one after the other; what is behind a match is not. */
static void test_asked_together(void)
{
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 include:silent.test include:i.test a:a.test ip4:192.0.2.2 mx:m.test -all");
	zone_trouble("silent.test", TXT, ZONE_SILENT);
	check("192.0.2.2", S, "h.test");
	is_int(zone_asked("i.test", TXT) + zone_asked("a.test", A), 2,
	       "what follows a silent include was asked beside it");
	is_int(zone_asked("m.test", 0), 0, "what follows the match was not");
	close_engine();
}

/* ---- large things */

static void test_large_records(void)
{
	static char text[65536];
	/* clang-format off */
	static const struct { const char *what; size_t length; enum spf_answer want; } cases[] = {
		{ "a record of 2048 bytes", 2048, SPF_ANSWER_FAIL },
		{ "a record of 2049 bytes", 2049, SPF_ANSWER_PERMERROR },
		{ "a record of 65 KB", 65200, SPF_ANSWER_PERMERROR },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		open_engine(TIMEOUT_MS);
		memset(text, ' ', sizeof text);
		memcpy(text, "v=spf1", 6);
		memcpy(text + cases[i].length - 4, "-all", 4);
		ok(zone_add(E, TXT, text, cases[i].length), "a TXT record of %zu bytes", cases[i].length);
		is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), spf_answer_word(cases[i].want), "%s",
		       cases[i].what);
		close_engine();
	}
	open_engine(TIMEOUT_MS);
	zone_add(E, TXT, "v=spf1 a:x.test\0 +all", 21);
	is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), "permerror", "a record with a NUL");
	zone_add("nul.test", TXT, "v=spf1\0+all", 11);
	is_str(spf_answer_word(check("192.0.2.1", "u@nul.test", "h.test")), "none",
	       "a NUL behind the version: no SPF record");
	close_engine();
}

#define LONG_NAME "0123456789.0123456789.0123456789.0123456789.0123456789.test"

/* libspf2 drops silently what is behind its first 511 bytes of mechanisms. */
static void test_long_lists(void)
{
	char text[SPF_RECORD_MAX + 1] = "v=spf1";
	size_t length = strlen(text);
	for (int i = 1; i <= 130; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, " ip4:10.%d.7.9", i);
	open_engine(TIMEOUT_MS);
	add("list.test", TXT, text);
	add(E, TXT, "v=spf1 include:list.test -all");
	is_str(spf_answer_word(check("10.130.7.9", S, "h.test")), "pass", "the last of 130 networks");
	is_str(spf_answer_word(check("10.131.7.9", S, "h.test")), "fail",
	       "one that is not among them, and the -all behind them");
	close_engine();
	open_engine(TIMEOUT_MS);
	snprintf(text, sizeof text, "v=spf1%s -all", N10(" exists:" LONG_NAME));
	add(E, TXT, text);
	add(LONG_NAME, DNS_AAAA, "::1");
	is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), "fail", "more than libspf2 can hold at once");
	close_engine();
}

static void add_hosts(const char *owner, int type, const char *stem, int count, const char *address)
{
	char name[100], value[110];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s%d.test", stem, i);
		snprintf(value, sizeof value, "%s%s", type == DNS_MX ? "10 " : "", name);
		add(owner, type, value);
		add(name, A, address);
	}
}

static void add_address(const char *name, int last)
{
	char address[20];
	snprintf(address, sizeof address, "192.0.2.%d", last);
	add(name, A, address);
}

static void test_floods(void)
{
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 mx -all");
	add_hosts(E, DNS_MX, "m", 10, "203.0.113.1");
	is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), "fail", "ten MX hosts");
	add("more.test", TXT, "v=spf1 mx ip4:192.0.2.1 -all");
	add_hosts("more.test", DNS_MX, "n", 11, "203.0.113.1");
	is_str(spf_answer_word(check("192.0.2.1", "u@more.test", "h.test")), "permerror", "eleven");
	add("ptr.test", TXT, "v=spf1 ptr:x.test -all");
	add_hosts("7.2.0.192.in-addr.arpa", DNS_PTR, "p", 60, "203.0.113.1");
	int before = zone_questions();
	is_str(spf_answer_word(check("192.0.2.7", "u@ptr.test", "h.test")), "fail", "sixty PTR names");
	is_int(zone_questions() - before, 12, "ten of them are looked up");
	close_engine();
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 mx:a.test mx:b.test mx:c.test mx:d.test mx:e.test ip4:192.0.2.1");
	for (const char *name = "abcde"; *name != '\0'; name++)
		add_hosts((char[]){ *name, '.', 't', 'e', 's', 't', '\0' }, DNS_MX, (char[]){ *name, '\0' }, 10,
			  "203.0.113.1");
	is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), "permerror", "fifty hosts of five mx");
	ok(zone_questions() <= SPF_QUESTIONS_MAX, "%d questions", zone_questions());
	struct netaddr both[2] = { netaddr_v4((uint8_t[]){ 192, 0, 2, 1 }), netaddr_v6((uint8_t[16]){ 0x20, 1 }) };
	enum spf_answer answers[2];
	struct spf_check *asked = ask("v@example.com", "h.test", both, 2);
	spf_collect(asked, clock_monotonic_ms() + DONE_MS, answers);
	is_str(spf_answer_word(answers[0]), "permerror", "beside a client of the other family it may not ask more");
	spf_release(&asked);
	close_engine();
	open_engine(TIMEOUT_MS);
	add(E, TXT, "v=spf1 a ~all");
	for (int i = 1; i <= 70; i++)
		add_address(E, i);
	is_str(spf_answer_word(check("192.0.2.9", S, "h.test")), "pass", "seventy addresses, the ninth");
	is_str(spf_answer_word(check("192.0.2.99", S, "h.test")), "permerror",
	       "one that may be among those that were cut off");
	close_engine();
}

/* Each record includes ten more, ten deep. */
static void test_include_tree(void)
{
	static const char digits[] = "0123456789";
	char name[64], text[SPF_RECORD_MAX + 1];
	open_engine(TIMEOUT_MS);
	for (int level = 0; level < 4; level++)
		for (int i = 0; i < (level == 0 ? 1 : 10); i++) {
			size_t length = (size_t)snprintf(text, sizeof text, "v=spf1");
			for (const char *digit = digits; *digit != '\0'; digit++)
				length += (size_t)snprintf(text + length, sizeof text - length, " include:t%d-%c.test",
							   level + 1, *digit);
			snprintf(text + length, sizeof text - length, " ?all");
			snprintf(name, sizeof name, level == 0 ? E : "t%d-%d.test", level, i);
			add(name, TXT, text);
		}
	is_str(spf_answer_word(check("192.0.2.1", S, "h.test")), "permerror", "a tree of includes");
	ok(zone_questions() <= SPF_QUESTIONS_MAX, "%d questions", zone_questions());
	close_engine();
}

static void test_long_names(void)
{
	char sender[500] = "u@", name[260];
	for (size_t i = 0; i < 254; i++)
		name[i] = i % 64 == 63 ? '.' : 'a';
	name[253] = '\0';
	open_engine(TIMEOUT_MS);
	add(name, TXT, "v=spf1 include:%{d} exists:%{d}.%{d}.%{d} -all");
	memcpy(sender + 2, name, 254);
	is_str(spf_answer_word(check("192.0.2.1", sender, name)), "permerror", "a sender's domain of 253 bytes");
	memcpy(sender + 255, "a", 2);
	is_str(spf_answer_word(check("192.0.2.1", sender, name)), "none", "one of 254");
	memset(sender, 'l', 450);
	snprintf(sender + 450, sizeof sender - 450, "@local.test");
	add("local.test", TXT, "v=spf1 exists:%{o}.x.test -all");
	add("local.test.x.test", A, "127.0.0.2");
	is_str(spf_answer_word(check("192.0.2.1", sender, name)), "pass", "a local part of 450 bytes is cut");
	memset(name, 'a', 64);
	name[64] = '\0';
	snprintf(sender, sizeof sender, "u@%s.example.com", name);
	is_str(spf_answer_word(check("192.0.2.1", sender, "h.test")), "none", "a label of 64");
	close_engine();
}

int main(void)
{
	test_rows();
	test_trouble();
	test_asked_together();
	test_large_records();
	test_long_lists();
	test_floods();
	test_include_tree();
	test_long_names();
	return done_testing();
}
