/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each row is what a real Postfix 3.7 made of it: {rcpt_addr}, without the quotes that it puts round a blank.
 */
#include "policy/address.h"

#include "t/unit/tap.h"

static void test_normal(void)
{
	/* clang-format off */
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "<trap@far.test>", "trap@far.test" },
		{ "<Trap@FAR.test>", "Trap@FAR.test" },
		{ "<\"trap\"@far.test>", "trap@far.test" },
		{ "<\"t\\rap\"@far.test>", "trap@far.test" },
		{ "<t\\rap@far.test>", "trap@far.test" },
		{ "<tr.\"ap\"@far.test>", "tr.ap@far.test" },
		{ "<trap(x)@far.test>", "trap@far.test" },
		{ "<tr(a(b)\\)c)ap@far.test>", "trap@far.test" },
		{ "<trap@far.test (hi)>", "trap@far.test" },
		{ "<trap @far.test>", "trap@far.test" },
		{ "<trap@far.test.>", "trap@far.test" },
		{ "<@our.test:trap@far.test>", "trap@far.test" },
		{ "<trap%far.test>", "trap@far.test" },
		{ "<far.test!trap>", "trap@far.test" },
		{ "<a!b!trap>", "b!trap@a" },
		{ "<trap%far.test%our.test>", "trap%far.test@our.test" },
		{ "<\"trap@far.test\">", "trap@far.test" },
		/* a domain is there: only the host that it is knows more */
		{ "<trap%far.test@other.test>", "trap%far.test@other.test" },
		{ "<far.test!trap@other.test>", "far.test!trap@other.test" },
		{ "<\"a b\"@far.test>", "a b@far.test" },
		{ "<\"a(b)\"@far.test>", "a(b)@far.test" },
		{ "<\"a@b\"@far.test>", "a@b@far.test" },
		{ "<\"a\\\"b\\\\\"@far.test>", "a\"b\\@far.test" },
		{ "<trap+tag@far.test>", "trap+tag@far.test" },
		{ "<trap@[192.0.2.1]>", "trap@[192.0.2.1]" },
		{ "<trap@far.test..>", "trap@far.test.." },
		{ "<\"\"@far.test>", "@far.test" },
		{ "<@far.test>", "@far.test" },
		{ "<trap.>", "trap." },
		{ "<postmaster>", "postmaster" },
		{ "<!trap>", "!trap" }, { "<trap!>", "trap!" }, { "<%trap>", "%trap" }, { "<trap%>", "trap%" },
		{ "<>", "" }, { "", "" }, { "<\">", "" }, { "<\\>", "\\" }, { "<(>", "" }, { "<@>", "@" }, { "<@.>",
		  "@." },
		{ "<a\x01\x80@far.test>", "a\x01\x80@far.test" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char normal[ADDRESS_MAX + 1];
		ok(address_normal(rows[i].raw, normal), "row %zu: nothing is cut", i);
		is_str(normal, rows[i].want, "%s", rows[i].raw);
	}
}

static void test_routed(void)
{
	static const struct {
		const char *normal, *want; /* NULL: nowhere */
	} rows[] = {
		{ "trap%far.test@our.test", "trap@far.test" },
		{ "far.test!trap@our.test", "trap@far.test" },
		{ "trap@far.test@our.test", "trap@far.test" },
		{ "trap%far.test%our.test@our.test", "trap%far.test@our.test" },
		{ "a!b!trap@our.test", "b!trap@a" },
		{ "trap@far.test", NULL },
		{ "@far.test", NULL },
		{ "%far.test@our.test", NULL },
		{ "trap%@our.test", NULL },
		{ "trap%far.test", NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char routed[ADDRESS_MAX + 1];
		bool any = address_routed(rows[i].normal, routed);
		is_int(any, rows[i].want != NULL, "%s %s sent on", rows[i].normal,
		       rows[i].want != NULL ? "is" : "is not");
		if (any)
			is_str(routed, rows[i].want, "... to");
	}
}

/* What senders of these kinds look like; the account of each is what stands at the right. */
static void test_untagged(void)
{
	/* clang-format off */
	static const struct {
		const char *normal, *want;	/* NULL: it stays */
	} rows[] = {
		/* BATV: draft-levine-smtp-batv, Barracuda's, SparkPost's */
		{ "prvs=1234abcdef=user@d.test", "user@d.test" },
		{ "PRVS=1234ABCDEF=User@d.test", "User@d.test" },
		{ "prvs=1234abcdef=list-return-7@d.test", "list-return@d.test" },
		{ "btv1==539b59a0f21==user@d.test", "user@d.test" },
		{ "msprvs1=19023Cb3tL8oW=bounces-1234@d.test", "bounces-1234@d.test" },
		{ "prvs=1234abcdef=@d.test", NULL },
		{ "prvs==user@d.test", NULL },
		{ "prvs=user@d.test", NULL },
		{ "prvs=not/a.tag=user@d.test", NULL },
		{ "xprvs=1234abcdef=user@d.test", NULL },
		/* the recipient in the sender: ezmlm and qmail, Mailman, SendGrid, Mailchimp, LISTSERV, HubSpot */
		{ "news-return-17-member=example.net@d.test", "news-return@d.test" },
		{ "news-return-17-first-last=example.net@d.test", "news-return@d.test" },
		{ "my-2nd-news-return-1234-a+b=mail.example.net@d.test", "my-2nd-news-return@d.test" },
		{ "news-return-17-@d.test", "news-return@d.test" },
		{ "news-return-17@d.test", "news-return@d.test" },
		{ "news-sc.1700000000.abcdefgh-member=example.net@d.test", "news@d.test" },
		{ "owner-news-member=example.net@d.test", "owner-news@d.test" },
		{ "list-bounces+user=example.net@d.test", "list-bounces@d.test" },
		{ "list-bounces@d.test", NULL },
		{ "bounces+123-abcd-user=example.org@d.test", "bounces@d.test" },
		{ "bounce-mc.us1_123.456-user=example.org@d.test", "bounce@d.test" },
		{ "bounce=user=example.org@d.test", "bounce@d.test" },
		{ "OWNER-NEWS*SMITH**EXAMPLE.NET@d.test", "OWNER-NEWS@d.test" },
		{ "owner-news@d.test", NULL },
		{ "1axbq7=user=example.org@d.test", "@d.test" },
		{ "user=example.org@d.test", "@d.test" },
		/* tags alone: SES, a hash, a UUID; and behind a name */
		{ "0100018f3c2b1a2d-1a2b3c4d-1a2b-3c4d-5e6f-0123456789ab-000000@d.test", "@d.test" },
		{ "0123456789abcdef0123456789abcdef@d.test", "@d.test" },
		{ "1A2B3C4D-1a2b-3c4d-5e6f-0123456789ab@d.test", "@d.test" },
		{ "bounce-md_3001.61e7.v1-0123456789abcdef0123456789abcdef@d.test", "bounce-md@d.test" },
		{ "x.0123456789abcdef0123456789abcdef@d.test", "x@d.test" },
		{ "491511234567890123456789012345@d.test", NULL },	/* a number is a name */
		{ "0123456789abcdef0123@d.test", NULL },
		{ "deadbeefdeadbeefdeadbeefdeadbeef@d.test", NULL },
		/* forwarders: as senders they stand for their domain */
		{ "SRS0=xY1z=7B=example.org=carol@d.test", "@d.test" },
		{ "srs1+abc@d.test", "@d.test" },
		{ "srs0ren@d.test", NULL },
		/* names */
		{ "alice@d.test", NULL }, { "alice+x@d.test", NULL }, { "first-last@d.test", NULL }, { "a=b@d.test", NULL },
		{ "server-2@d.test", NULL }, { "no-return-ever@d.test", NULL }, { "-return-5@d.test", NULL }, {
		  "x=y.@d.test", NULL },
		{ "return-5@d.test", NULL }, { "a=.b@d.test", NULL }, { "/c=de/o=x.y/@d.test", NULL }, {
		  "**x@d.test", NULL },
		{ "@d.test", NULL }, { "", NULL }, { "@", NULL }, { "news-return-17-member=example.net", NULL }, {
		  "a**b.c@", NULL },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char untagged[ADDRESS_MAX + 1];
		address_untagged(rows[i].normal, untagged);
		is_str(untagged, rows[i].want != NULL ? rows[i].want : rows[i].normal, "'%s' untagged", rows[i].normal);
	}
	ok(address_forwarded("SRS0=xY1z=7B=example.org=carol@d.test") &&
		   address_forwarded("carol+SRS=xY=7B=a.test=dan@d.test"),
	   "what a forwarder rewrote");
	ok(!address_forwarded("srs0ren@d.test") && !address_forwarded("SRS0=x") && !address_forwarded(""),
	   "what none did");
}

static void test_long(void)
{
	static char raw[5000];
	char normal[ADDRESS_MAX + 1];
	memset(raw, 'a', ADDRESS_MAX);
	raw[500] = '!';
	ok(address_normal(raw, normal), "the longest one fits");
	is_int((long long)strlen(normal), ADDRESS_MAX, "whole");
	ok(normal[ADDRESS_MAX - 501] == '@' && address_domain(normal)[499] == 'a', "turned round");
	memset(raw, 'a', sizeof raw - 1);
	ok(!address_normal(raw, normal), "a longer one is cut, and that is said");
	memset(raw, '(', sizeof raw - 1);
	ok(!address_normal(raw, normal) && *normal == '\0', "comments without end");
}

int main(void)
{
	test_normal();
	test_routed();
	test_untagged();
	test_long();
	return done_testing();
}
