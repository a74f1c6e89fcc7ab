/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Records of origin zones: those of prefixes, one a line, and those of names.
 */
#include "milter/dns/asn.h"

#include "policy/base/panic.h"

#include <string.h>

enum { RAW_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_origin(const struct asn *origin, const struct netaddr *address)
{
	struct netblock block;
	if (origin->as_number == 0) {
		MUST(origin->prefix[0] == '\0' && origin->country[0] == '\0');
		return;
	}
	MUST(memchr(origin->prefix, '\0', sizeof origin->prefix) != NULL);
	MUST(netblock_parse(origin->prefix, &block) && netblock_has(&block, address) && block.bits == origin->bits);
	MUST(strlen(origin->country) == 2 || origin->country[0] == '\0');
	for (const char *c = origin->country; *c != '\0'; c++)
		MUST(*c >= 'A' && *c <= 'Z');
}

static void check_prefixes(const char *text, size_t size, const struct netaddr *address)
{
	struct asn origin = { 0 };
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end == NULL ? size : (size_t)(end - text);
		int before = origin.as_number == 0 ? -1 : origin.bits;
		bool taken = asn_take(&origin, address, text, length);
		MUST(taken == (origin.as_number != 0 && origin.bits > before));
		check_origin(&origin, address);
		if (end == NULL)
			return;
		text += length + 1;
		size -= length + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t v4[4] = { 192, 0, 2, 1 }, v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	struct netaddr addresses[] = { netaddr_v4(v4), netaddr_v6(v6) };
	char text[RAW_MAX], name[ASN_NAME_MAX + 1];
	size_t length = size > sizeof text ? sizeof text : size;
	memcpy(text, data, length);
	for (int i = 0; i < 2; i++)
		check_prefixes(text, length, &addresses[i]);
	bool good = asn_name(64496, text, length, name);
	MUST(good == (name[0] != '\0') && strlen(name) <= ASN_NAME_MAX);
	for (const char *c = name; *c != '\0'; c++)
		MUST(*c >= ' ' && *c < 0x7f);
	return 0;
}
