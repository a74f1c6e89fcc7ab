/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Each row is what a real Postfix 3.7 made of it: {rcpt_addr}, without the quotes that it puts round a blank.
 */
#include "policy/address.h"

#include "t/unit/tap.h"

static void test_normal(void)
{
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
		{ "<>", "" }, { "", "" }, { "<\">", "" }, { "<\\>", "\\" }, { "<(>", "" }, { "<@>", "@" }, { "<@.>", "@." },
		{ "<a\x01\x80@far.test>", "a\x01\x80@far.test" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char normal[ADDRESS_MAX + 1];
		ok(address_normal(rows[i].raw, normal), "row %zu: nothing is cut", i);
		is_str(normal, rows[i].want, "%s", rows[i].raw);
	}
}

static void test_routed(void)
{
	static const struct {
		const char *normal, *want;	/* NULL: nowhere */
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
		is_int(any, rows[i].want != NULL, "%s %s sent on", rows[i].normal, rows[i].want != NULL ? "is" : "is not");
		if (any)
			is_str(routed, rows[i].want, "... to");
	}
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
	test_long();
	return done_testing();
}
