/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Domains as strangers spell them, and text with A-labels for the eyes.
 */
#include "milter/base/idn.h"
#include "policy/address.h"

#include "t/fuzz/fuzz.h"

static void check_domain(const char *domain)
{
	char ascii[IDN_DOMAIN_MAX + 1], again[IDN_DOMAIN_MAX + 1];
	if (!idn_domain(domain, ascii))
		return;
	MUST(ascii[0] != '\0' && strlen(ascii) <= IDN_DOMAIN_MAX && !idn_domain(ascii, again));
	for (const char *at = ascii; *at != '\0'; at++)
		MUST(strchr("-._0123456789abcdefghijklmnopqrstuvwxyz", *at) != NULL);
}

/* The part before the '@' is as it was, whatever the domain became. */
static void check_address(const char *raw)
{
	char normal[ADDRESS_MAX + 1], address[ADDRESS_MAX + 1], name[ACCOUNT_MAX + 1], again[ADDRESS_MAX + 1];
	idn_address(raw, address);
	address_normal(raw, normal);
	size_t local = (size_t)(address_domain(normal) - normal);
	MUST(strlen(address) <= ADDRESS_MAX);
	if (*address_domain(normal) == '\0')
		MUST(strcmp(address, normal) == 0);
	else
		MUST(strncmp(address, normal, local) == 0 && strchr(address + local, '@') == NULL);
	MUST(idn_name(address, again) == address);
	if (idn_typed(raw, true, name) == NULL)
		must_be_account(name);
}

static void check_shown(const char *text)
{
	char *shown = idn_shown(text), *again = shown != NULL ? idn_shown(shown) : NULL;
	MUST(again != NULL && strcmp(again, shown) == 0);
	MUST(strstr(text, "xn--") != NULL || strcasestr(text, "xn--") != NULL || strcmp(text, shown) == 0);
	free(shown);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = string_of(data, size);
	check_domain(text);
	check_address(text);
	check_shown(text);
	free(text);
	return 0;
}
