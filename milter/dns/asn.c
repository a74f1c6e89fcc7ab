/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/asn.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* A part of a record without the blanks around it. */
struct asn_field {
	const char *at;
	size_t length;
};

/* What stands before the next '|'; moves *text behind it. `last`: all that is left. */
static struct asn_field asn_next_field(const char **text, const char *end, bool last)
{
	const char *bar = last || *text == end ? NULL : memchr(*text, '|', (size_t)(end - *text));
	const char *from = *text, *to = bar == NULL ? end : bar;
	*text = bar == NULL ? end : bar + 1;
	while (from < to && *from == ' ')
		from++;
	while (from < to && to[-1] == ' ')
		to--;
	return (struct asn_field){ from, (size_t)(to - from) };
}

/* Decimal numbers of 32 bits with blanks between; the first of them. */
static bool asn_read_number(struct asn_field field, uint32_t *number_out)
{
	uint64_t number = 0, first = 0;
	bool digits = false, have_first = false;
	for (size_t i = 0; i <= field.length; i++) {
		char c = ' ';
		if (i < field.length)
			c = field.at[i];
		if (c >= '0' && c <= '9') {
			number = number * 10 + (uint64_t)(c - '0');
			digits = true;
			if (number > UINT32_MAX)
				return false;
			continue;
		}
		if (c != ' ')
			return false;
		if (digits && !have_first) {
			first = number;
			have_first = true;
		}
		number = 0;
		digits = false;
	}
	*number_out = (uint32_t)first;
	return first > 0;
}

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

bool asn_take(struct asn *origin, const struct netaddr *address, const char *text, size_t length)
{
	const char *end = text + length;
	struct asn found = { 0 };
	struct netblock block;
	if (length > ASN_TEXT_MAX)
		return false;
	struct asn_field number = asn_next_field(&text, end, false), prefix = asn_next_field(&text, end, false);
	struct asn_field country = asn_next_field(&text, end, false);
	if (!asn_read_number(number, &found.as_number) || prefix.length == 0 || prefix.length >= sizeof found.prefix ||
	    memchr(prefix.at, '\0', prefix.length) != NULL || memchr(prefix.at, '/', prefix.length) == NULL)
		return false;
	memcpy(found.prefix, prefix.at, prefix.length);
	if (!netblock_parse(found.prefix, &block) || !netblock_has(&block, address))
		return false;
	found.bits = block.bits;
	if (country.length == 2 && is_capital(country.at[0]) && is_capital(country.at[1]))
		memcpy(found.country, country.at, 2);
	if (origin->as_number != 0 && origin->bits >= found.bits)
		return false;
	char canonical[NETADDR_TEXT_MAX];
	netaddr_text(&block.address, canonical);
	struct text shown = text_over(found.prefix, sizeof found.prefix);
	text_addf(&shown, "%s/%d", canonical, block.bits);
	*origin = found;
	return true;
}

bool asn_name(uint32_t as_number, const char *text, size_t length, char name[ASN_NAME_MAX + 1])
{
	enum { FIELDS_BEFORE = 3 }; /* country, registry, date */
	const char *end = text + length;
	uint32_t number;
	name[0] = '\0';
	if (length > ASN_TEXT_MAX || !asn_read_number(asn_next_field(&text, end, false), &number) ||
	    number != as_number)
		return false;
	for (int i = 0; i < FIELDS_BEFORE; i++)
		asn_next_field(&text, end, false);
	struct asn_field field = asn_next_field(&text, end, true);
	size_t kept = field.length < ASN_NAME_MAX ? field.length : ASN_NAME_MAX;
	for (size_t i = 0; i < kept; i++) {
		bool printable = field.at[i] >= ' ' && field.at[i] < 0x7f;
		name[i] = field.at[i];
		if (!printable)
			name[i] = '?';
	}
	name[kept] = '\0';
	return kept > 0;
}
