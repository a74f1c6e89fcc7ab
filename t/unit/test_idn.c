/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/idn.h"

#include "t/unit/tap.h"

#include <stdlib.h>

static void test_domain(void)
{
	/* clang-format off */
	static const struct {
		const char *domain, *want;	/* NULL: it stays */
	} rows[] = {
		{ "ex\xc3\xa4mple.org", "xn--exmple-cua.org" },
		{ "EX\xc3\x84MPLE.ORG", "xn--exmple-cua.org" },
		{ "exa\xcc\x88mple.org", "xn--exmple-cua.org" },	/* decomposed */
		{ "ex\xc3\xa4mple\xe3\x80\x82org\xe3\x80\x82", "xn--exmple-cua.org" },	/* ideographic full stops */
		{ "\xc3\xa4_b.example", "xn--_b-uia.example" },
		{ "stra\xc3\x9f" "e.example", "xn--strae-oqa.example" },	/* transitional: strasse */
		{ "\xef\xbd\x85xample.org", "example.org" },	/* full width: no other domain for DNS */
		{ "\xd0\xbf\xd1\x80.xn--p1ai", "xn--o1ac.xn--p1ai" },
		{ "example.org", NULL }, { "XN--EXMPLE-CUA.org", NULL }, { "", NULL }, { "[192.0.2.1]", NULL },
		{ "ex\xffmple.org", NULL }, { "ex\xc3", NULL }, { "\xed\xa0\x80.org", NULL },
		/* what mapping makes of these is no domain, or another's */
		{ "\xc3\xa4\xef\xbc\xa0victim.example", NULL }, { "\xc3\xa4\xef\xbc\x8fx.example", NULL }, {
		  "\xe3\x80\x82", NULL },
		{ "\xc3\xa4 b.example", NULL }, { "\xc3\xa4{b}.example", NULL }, { "\xcc\x88.org", NULL }, {
		  "\xc3\xa4..org", NULL },
		{ "\xc2\xad", NULL },	/* a soft hyphen maps to nothing */
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char ascii[IDN_DOMAIN_MAX + 1] = "";
		bool changed = idn_domain(rows[i].domain, ascii);
		is_int(changed, rows[i].want != NULL, "row %zu: '%s' %s", i, rows[i].domain,
		       rows[i].want != NULL ? "changes" : "stays");
		if (changed && rows[i].want != NULL)
			is_str(ascii, rows[i].want, "row %zu: its A-labels", i);
	}
}

static void test_address(void)
{
	/* clang-format off */
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "<alice@ex\xc3\xa4mple.org>", "alice@xn--exmple-cua.org" },
		{ "<\"alice\"@ex\xc3\xa4mple.org.>", "alice@xn--exmple-cua.org" },
		{ "<alice%ex\xc3\xa4mple.org>", "alice@xn--exmple-cua.org" },
		{ "<j\xc3\xb6rg@ex\xc3\xa4mple.org>", "j\xc3\xb6rg@xn--exmple-cua.org" },	/* the local part keeps its bytes */
		{ "<\xc3\xa4lice>", "\xc3\xa4lice" },
		{ "<Alice@Example.org>", "Alice@Example.org" },
		{ "<>", "" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char address[ADDRESS_MAX + 1];
		ok(idn_address(rows[i].raw, address), "%s is whole", rows[i].raw);
		is_str(address, rows[i].want, "%s", rows[i].raw);
	}
	char raw[2000], address[ADDRESS_MAX + 1];
	memset(raw, 'a', sizeof raw);
	memcpy(raw + ADDRESS_MAX - 7, "@\xc3\xa4.org", sizeof "@\xc3\xa4.org");
	ok(idn_address(raw, address), "an address whose A-labels do not fit");
	is_str(address, raw, "stays");
}

static void test_typed(void)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "alice@ex\xc3\xa4mple.org", "alice@xn--exmple-cua.org" },
		{ "sender:alice+x@ex\xc3\xa4mple.org", "sender:alice@xn--exmple-cua.org" },
		{ "sender:ex\xc3\xa4mple.org", "sender:xn--exmple-cua.org" },
		{ "domain:ex\xc3\xa4mple.org", "domain:xn--exmple-cua.org" },
		{ "bounce:sender:a@ex\xc3\xa4mple.org", "bounce:sender:a@xn--exmple-cua.org" },
		{ "m\xc3\xbcller", "m\xc3\xbcller" },
		{ "alice@example.org", "alice@example.org" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[ACCOUNT_MAX + 1];
		is_str(idn_typed(rows[i].raw, true, name), NULL, "%s is a name", rows[i].raw);
		is_str(name, rows[i].want, "%s", rows[i].raw);
	}
}

static void test_shown(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "alice@xn--exmple-cua.org", "alice@ex\xc3\xa4mple.org" },
		{ "limits of domain:XN--exmple-cua.org.", "limits of domain:ex\xc3\xa4mple.org." },
		{ "<a@mail.xn--exmple-cua.org>, xn--o1ac.xn--p1ai",
		  "<a@mail.ex\xc3\xa4mple.org>, \xd0\xbf\xd1\x80.\xd1\x80\xd1\x84" },
		{ "alice@example.org", "alice@example.org" },
		{ "", "" }, { "...", "..." }, { "a ... b", "a ... b" }, { "\xff\xfe xn--", "\xff\xfe xn--" },
		/* A-labels that another spelling leads to */
		{ "xn--a", "xn--a" }, { "xn--eb-oaa0z", "xn--eb-oaa0z" }, { "xn--exmple-xna.org",
		  "xn--exmple-xna.org" },
		{ "xn--example-.org", "xn--example-.org" },
		/* one that ends as an A-label looks is whole, and stays as it is */
		{ "xn--dxn--om-dom-dom", "d\xd5\xb2xn--om-dom" }, { "d\xd5\xb2xn--om-dom", "d\xd5\xb2xn--om-dom" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *shown = idn_shown(rows[i].text);
		is_str(shown, rows[i].want, "%s", rows[i].text);
		free(shown);
	}
}

int main(void)
{
	test_domain();
	test_address();
	test_typed();
	test_shown();
	return done_testing();
}
