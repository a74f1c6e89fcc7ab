/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What origin zones say, and what they might.
 */
#include "milter/dns/asn.h"

#include "t/unit/tap.h"

static const char *taken(const char *address_text, const char *const *records)
{
	static char shown[120];
	struct asn origin = { 0 };
	struct netaddr address;
	netaddr_parse(address_text, &address);
	for (; *records != NULL; records++)
		asn_take(&origin, &address, *records, strlen(*records));
	if (origin.as_number == 0)
		return NULL;
	snprintf(shown, sizeof shown, "%lu %s %s", (unsigned long)origin.as_number, origin.prefix, origin.country);
	return shown;
}

static void test_origins(void)
{
	/* clang-format off */
	static const struct {
		const char *address, *records[4], *origin;
	} rows[] = {
		{ "192.0.2.1", { "64496 | 192.0.2.0/24 | DE | ripencc | 2001-01-01" }, "64496 192.0.2.0/24 DE" },
		{ "192.0.2.1", { "64496 64497 | 192.0.2.0/24 | DE | ripencc |" }, "64496 192.0.2.0/24 DE" },
		{ "192.0.2.1", { "64496|192.0.2.0/24|DE" }, "64496 192.0.2.0/24 DE" },
		{ "192.0.2.1", { "64496 | 192.0.2.0/24 |  | ripencc |" }, "64496 192.0.2.0/24 " },
		{ "192.0.2.1", { "64496 | 192.0.2.0/24 | de | ripencc |" }, "64496 192.0.2.0/24 " },
		{ "192.0.2.1", { "4294967295 | 192.0.2.0/24 | DE" }, "4294967295 192.0.2.0/24 DE" },
		{ "192.0.2.1", { "64496 | 192.0.0.0/16 | DE", "64497 | 192.0.2.0/24 | FR",
		  "64498 | 192.0.0.0/20 | US" },
		  "64497 192.0.2.0/24 FR" },
		{ "2001:db8::1", { "64496 | 2001:DB8::/32 | DE | ripencc |" }, "64496 2001:db8::/32 DE" },
		{ "192.0.2.1", { "64496 | 198.51.100.0/24 | DE" }, NULL },
		{ "192.0.2.1", { "64496 | 192.0.2.1/24 | DE" }, NULL },
		{ "192.0.2.1", { "64496 | 192.0.2.1 | DE" }, NULL },
		{ "192.0.2.1", { "64496 | 192.0.2.0/33 | DE" }, NULL },
		{ "192.0.2.1", { "64496 | 2001:db8::/32 | DE" }, NULL },
		{ "192.0.2.1", { "0 | 192.0.2.0/24 | DE" }, NULL },
		{ "192.0.2.1", { "4294967296 | 192.0.2.0/24 | DE" }, NULL },
		{ "192.0.2.1", { "99999999999999999999999 | 192.0.2.0/24 | DE" }, NULL },
		{ "192.0.2.1", { "NA | 192.0.2.0/24 | DE" }, NULL },
		{ "192.0.2.1", { "AS64496 | 192.0.2.0/24 | DE" }, NULL },
		{ "192.0.2.1", { "64496" }, NULL },
		{ "192.0.2.1", { "|||" }, NULL },
		{ "192.0.2.1", { "" }, NULL },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_str(taken(rows[i].address, rows[i].records), rows[i].origin, "%s", rows[i].records[0]);
	struct asn origin = { 0 };
	struct netaddr address;
	netaddr_parse("192.0.2.1", &address);
	char longest[ASN_TEXT_MAX + 2];
	memset(longest, ' ', sizeof longest);
	memcpy(longest, "64496 | 192.0.2.0/24 | DE |", 27);
	ok(!asn_take(&origin, &address, longest, ASN_TEXT_MAX + 1), "a record that is too long");
	ok(asn_take(&origin, &address, longest, ASN_TEXT_MAX), "one that just fits");
}

static void test_names(void)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "64496 | DE | ripencc | 2001-01-01 | EXAMPLE-NET - Example, DE", "EXAMPLE-NET - Example, DE" },
		{ "64496 | DE | ripencc |  | A | B ", "A | B" },
		{ "64496 | DE | ripencc | 2001-01-01 | caf\303\251\033[31m", "caf???[31m" },
		{ "64497 | DE | ripencc | 2001-01-01 | OTHER", "" },
		{ "64496 | DE | ripencc | 2001-01-01 |", "" },
		{ "64496 | DE", "" },
		{ "", "" },
	};
	char name[ASN_NAME_MAX + 1], text[ASN_TEXT_MAX] = "64496||||";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool good = asn_name(64496, rows[i].text, strlen(rows[i].text), name);
		is_str(name, rows[i].name, "%s", rows[i].text);
		is_int(good, rows[i].name[0] != '\0', "and says whether there is one");
	}
	memset(text + 9, 'x', sizeof text - 9);
	asn_name(64496, text, sizeof text, name);
	is_int((long long)strlen(name), ASN_NAME_MAX, "a long name is cut");
}

int main(void)
{
	test_origins();
	test_names();
	return done_testing();
}
