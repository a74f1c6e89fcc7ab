/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SPF records: which are wrong, and what of the others is left for libspf2. Marks are shown as <a24>: "#" and the
 * number of bits, "exists" for SPF_MARK_EXISTS; a part's end as " | ".
 */
#include "milter/spf/spf_record.h"

#include "t/unit/tap.h"

static const char *unknown_name(void *arg)
{
	(void)arg;
	return "mx.example.org";
}

static void show(const struct spf_terms *terms, char *out, size_t size)
{
	struct text text = text_over(out, size);
	for (int i = 0; i < terms->part_count; i++) {
		if (i > 0)
			text_add(&text, " | ");
		for (const char *c = terms->text + terms->parts[i].start; *c != '\0'; c++) {
			uint8_t mark = (uint8_t)c[1];
			if (*c != SPF_MARK) {
				text_add_bytes(&text, c, 1);
				continue;
			}
			if (mark == SPF_MARK_EXISTS)
				text_add(&text, "#exists");
			else if (mark >= 'a' && c[-1] == '=')
				text_addf(&text, "#%c ", mark);
			else
				text_addf(&text, "#%d", mark - SPF_MARK_BITS);
			c++;
		}
	}
}

#define NO NULL /* permerror */

static void test_records(void)
{
	/* clang-format off */
	static const struct { const char *record, *client, *want; } rows[] = {
		{ "v=spf1", "192.0.2.1", "v=spf1" },
		{ "v=spf1  -all ", "192.0.2.1", "v=spf1 -all" },
		{ "V=SPF1 ALL", "192.0.2.1", "v=spf1 +all" },
		{ "v=spf1 a mx ptr", "192.0.2.1", "v=spf1 +a:example.com#32 +mx:example.com#32 +ptr:example.com" },
		{ "v=spf1 a/24 -mx:b.test/0//64", "192.0.2.1", "v=spf1 +a:example.com#24 -mx:b.test#0" },
		{ "v=spf1 a/24 -mx:b.test/0//64", "2001:db8::1", "v=spf1 +a:example.com#128 -mx:b.test#64" },
		{ "v=spf1 ?exists:%{i}.b.test", "192.0.2.1", "v=spf1 ?exists:192.0.2.1.b.test#exists" },
		{ "v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.1", "v=spf1 +all" },
		{ "v=spf1 ~ip4:192.0.2.1 a", "192.0.2.1", "v=spf1 ~all" },
		{ "v=spf1 ip4:192.0.2.2 a -all", "192.0.2.1", "v=spf1 +a:example.com#32 -all" },
		{ "v=spf1 ip4:0.0.0.0/0", "2001:db8::1", "v=spf1" },
		{ "v=spf1 ip6:2001:db8::/33 -all", "2001:db8:8000::1", "v=spf1 -all" },
		{ "v=spf1 ip6:2001:db8::/33 -all", "2001:db8:7fff::1", "v=spf1 +all" },
		{ "v=spf1 redirect=r.test a", "192.0.2.1", "v=spf1 +a:example.com#32 redirect=r.test" },
		{ "v=spf1 redirect=r.test ?all", "192.0.2.1", "v=spf1 ?all" },
		{ "v=spf1 -all redirect=r.test", "192.0.2.1", "v=spf1 -all" },
		{ "v=spf1 exp=e.test x.y-z_1=%{c}%{r}%{t}:/ -all", "192.0.2.1", "v=spf1 -all" },
		{ "v=spf1 include:b.test. a:c.test.", "192.0.2.1", "v=spf1 +include:b.test +a:c.test#32" },
		{ "v=spf1 a:b..test include:.c.test", "192.0.2.1", "v=spf1 +a:..#32 +include:.." },
		{ "v=spf1 a a a a a a a a a a a a a -all", "192.0.2.1",
		  "v=spf1 +a:example.com#32 +a:example.com#32 +a:example.com#32 +a:example.com#32 +a:example.com#32 "
		  "+a:example.com#32 +a:example.com#32 +a:example.com#32 +a:example.com#32 +a:example.com#32 "
		  "+a:example.com#32" },
		{ "v=spf1 exists:0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.a.test "
		  "exists:0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.b.test "
		  "exists:0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.c.test -all",
		  "192.0.2.1",
		  "v=spf1 +exists:0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.a.test#exists +exists:0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.b.test#exists +exists:0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.0123456789.c.test#exists redirect=#b example.com | v=spf1 -all" },

		{ "v=spf1 moo", "192.0.2.1", NO },
		{ "v=spf1 all moo", "192.0.2.1", NO },
		{ "v=spf1 all:x.test", "192.0.2.1", NO },
		{ "v=spf1 all/8", "192.0.2.1", NO },
		{ "v=spf1 include", "192.0.2.1", NO },
		{ "v=spf1 include:", "192.0.2.1", NO },
		{ "v=spf1 include:b.test/24", "192.0.2.1", NO },
		{ "v=spf1 a:", "192.0.2.1", NO },
		{ "v=spf1 a:/24", "192.0.2.1", NO },
		{ "v=spf1 a/", "192.0.2.1", NO },
		{ "v=spf1 a/33", "192.0.2.1", NO },
		{ "v=spf1 a/024", "192.0.2.1", NO },
		{ "v=spf1 a/24/64", "192.0.2.1", NO },
		{ "v=spf1 a//129", "192.0.2.1", NO },
		{ "v=spf1 a/99999999999999999999", "192.0.2.1", NO },
		{ "v=spf1 a:museum", "192.0.2.1", NO },
		{ "v=spf1 a:b.123", "192.0.2.1", NO },
		{ "v=spf1 a:b.-test", "192.0.2.1", NO },
		{ "v=spf1 a:.", "192.0.2.1", NO },
		{ "v=spf1 ptr/24", "192.0.2.1", NO },
		{ "v=spf1 exists", "192.0.2.1", NO },
		{ "v=spf1 ip4", "192.0.2.1", NO },
		{ "v=spf1 ip4:", "192.0.2.1", NO },
		{ "v=spf1 ip4:192.0.2", "192.0.2.1", NO },
		{ "v=spf1 ip4:192.0.2.01", "192.0.2.1", NO },
		{ "v=spf1 ip4:192.0.2.1:25", "192.0.2.1", NO },
		{ "v=spf1 ip4:192.0.2.1//24", "192.0.2.1", NO },
		{ "v=spf1 ip4:192.0.2.1/", "192.0.2.1", NO },
		{ "v=spf1 ip6:::1::", "192.0.2.1", NO },
		{ "v=spf1 ip6:::1/129", "192.0.2.1", NO },
		{ "v=spf1 ++all", "192.0.2.1", NO },
		{ "v=spf1 -", "192.0.2.1", NO },
		{ "v=spf1 =all", "192.0.2.1", NO },
		{ "v=spf1 1up=x", "192.0.2.1", NO },
		{ "v=spf1 -exp=e.test", "192.0.2.1", NO },
		{ "v=spf1 redirect=", "192.0.2.1", NO },
		{ "v=spf1 redirect=a.test redirect=a.test", "192.0.2.1", NO },
		{ "v=spf1 exp=a.test exp=a.test", "192.0.2.1", NO },
		{ "v=spf1 redirect:a.test", "192.0.2.1", NO },
		{ "v=spf1 x=%", "192.0.2.1", NO },
		{ "v=spf1 x=%{", "192.0.2.1", NO },
		{ "v=spf1 x=%{d", "192.0.2.1", NO },
		{ "v=spf1 x=%{}", "192.0.2.1", NO },
		{ "v=spf1 x=%{z}", "192.0.2.1", NO },
		{ "v=spf1 x=%{d0}", "192.0.2.1", NO },
		{ "v=spf1 x=%{dr2}", "192.0.2.1", NO },
		{ "v=spf1 x=%{d;}", "192.0.2.1", NO },
		{ "v=spf1 a:%{c}.test", "192.0.2.1", NO },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static struct spf_terms terms;
		static char text[SPF_WRITTEN_MAX];
		struct netaddr client;
		netaddr_parse(rows[i].client, &client);
		struct spf_values values = { &client,	    "user@example.net", "helo.example.org",
					     "example.com", unknown_name,	NULL };
		bool right = spf_record_read(rows[i].record, strlen(rows[i].record), &values, &terms);
		if (right)
			show(&terms, text, sizeof text);
		is_str(right ? text : NULL, rows[i].want, "%s for %s", rows[i].record, rows[i].client);
	}
}

static void test_length(void)
{
	static struct spf_terms terms;
	static char record[SPF_RECORD_MAX + 2];
	struct netaddr client = netaddr_v4((uint8_t[]){ 192, 0, 2, 1 });
	struct spf_values values = {
		&client, "user@example.net", "helo.example.org", "example.com", unknown_name, NULL
	};
	memset(record, ' ', sizeof record);
	memcpy(record, "v=spf1", 6);
	ok(spf_record_read(record, SPF_RECORD_MAX, &values, &terms), "a record of the most bytes");
	ok(!spf_record_read(record, SPF_RECORD_MAX + 1, &values, &terms), "one of one more");
}

static void test_macros(void)
{
	/* clang-format off */
	static const struct { const char *macro, *client, *want; } rows[] = {
		/* RFC 7208 section 7.4 */
		{ "%{s}", "192.0.2.3", "strong-bad@email.example.com" },
		{ "%{o}", "192.0.2.3", "email.example.com" },
		{ "%{d}", "192.0.2.3", "email.example.com" },
		{ "%{d4}", "192.0.2.3", "email.example.com" },
		{ "%{d3}", "192.0.2.3", "email.example.com" },
		{ "%{d2}", "192.0.2.3", "example.com" },
		{ "%{d1}", "192.0.2.3", "com" },
		{ "%{dr}", "192.0.2.3", "com.example.email" },
		{ "%{d2r}", "192.0.2.3", "example.email" },
		{ "%{l}", "192.0.2.3", "strong-bad" },
		{ "%{l-}", "192.0.2.3", "strong.bad" },
		{ "%{lr}", "192.0.2.3", "strong-bad" },
		{ "%{lr-}", "192.0.2.3", "bad.strong" },
		{ "%{l1r-}", "192.0.2.3", "strong" },
		{ "%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "192.0.2.3", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net", "192.0.2.3", "example.com.trusted-domains.example.net" },
		{ "%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01",
		  "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com" },
		/* and beyond it */
		{ "%{i}", "2001:db8::cb01", "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1" },
		{ "%{h}", "192.0.2.3", "helo.test" },
		{ "%{p}", "192.0.2.3", "mx.example.org" },
		{ "%{D2R}", "192.0.2.3", "example.email" },
		{ "%{S}", "192.0.2.3", "strong-bad%40email.example.com" },
		{ "%{s99999999999999999}", "192.0.2.3", "strong-bad@email.example.com" },
		{ "%{s/,+-=_}", "192.0.2.3", "strong.bad@email.example.com" },
		{ "%%%_%-x", "192.0.2.3", "% %20x" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char bytes[400];
		struct netaddr client;
		struct text text = text_over(bytes, sizeof bytes);
		struct spf_piece piece;
		netaddr_parse(rows[i].client, &client);
		struct spf_values values = { &client,	   "strong-bad@email.example.com",
					     "helo.test",  "email.example.com",
					     unknown_name, NULL };
		const char *at = rows[i].macro;
		for (size_t left = strlen(at); left > 0; left -= piece.length, at += piece.length) {
			if (!spf_piece_read(at, left, SPF_NAME_MACROS, &piece))
				break;
			spf_piece_expand(&piece, &values, &text);
		}
		is_str(bytes, rows[i].want, "%s for %s", rows[i].macro, rows[i].client);
	}
}

int main(void)
{
	test_records();
	test_length();
	test_macros();
	return done_testing();
}
