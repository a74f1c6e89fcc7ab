/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of accounts and addresses of envelopes, as strangers write them.
 */
#include "policy/address.h"

#include "t/fuzz/fuzz.h"

enum { RAW_MAX = 4096 };

static void check_name(const char *raw, bool cut_tag)
{
	char name[ACCOUNT_MAX + 1], again[ACCOUNT_MAX + 1];
	bool any = account_name(raw, cut_tag, name);
	MUST(memchr(name, '\0', sizeof name) != NULL);
	MUST(any == (name[0] != '\0'));
	MUST(any == (raw[0] != '\0'));
	if (any)
		must_be_account(name);
	if (strchr(name, '%') == NULL && strlen(name) < ACCOUNT_MAX) { /* longer ones get a hash, once more each time */
		account_name(name, cut_tag, again);
		MUST(strcmp(name, again) == 0);
	}
}

/* What is taken can be typed again as it is shown, and is the same. */
static void check_typed(const char *raw, bool cut_tag)
{
	char name[ACCOUNT_MAX + 1], again[ACCOUNT_MAX + 1];
	const char *expected = account_typed(raw, cut_tag, name);
	MUST(memchr(name, '\0', sizeof name) != NULL);
	MUST(expected == NULL || expected[0] != '\0');
	if (expected != NULL || strchr(raw, '%') != NULL ||
	    strlen(name) == ACCOUNT_MAX) /* %2E and %2B are shown as they are meant */
		return;
	MUST(account_typed(name, cut_tag, again) == NULL);
	MUST(strcmp(name, again) == 0);
}

static void check_address(const char *raw)
{
	char address[ADDRESS_MAX + 1];
	bool whole = address_of(raw, address);
	MUST(memchr(address, '\0', sizeof address) != NULL);
	MUST(!whole || strstr(raw, address) != NULL);
	MUST(whole || strlen(address) == ADDRESS_MAX);
	const char *domain = address_domain(address);
	MUST(strchr(domain, '@') == NULL);
	MUST(domain[0] == '\0' || (domain > address && domain[-1] == '@'));
	check_name(address, true);
}

/* Each host that is taken off makes it shorter. */
static void check_normal(const char *raw)
{
	char normal[ADDRESS_MAX + 1];
	address_normal(raw, normal);
	size_t length = strlen(normal);
	MUST(length <= ADDRESS_MAX && length <= strlen(raw));
	while (address_routed(normal, normal)) {
		MUST(strlen(normal) < length && strchr(normal, '@') != NULL);
		length = strlen(normal);
	}
}

/* Its domain stays, and so does all of a local part but for what is cut out of it. */
static void check_untagged(const char *raw)
{
	char normal[ADDRESS_MAX + 1], untagged[ADDRESS_MAX + 1];
	address_normal(raw, normal);
	address_untagged(normal, untagged);
	MUST(strlen(untagged) <= strlen(normal));
	MUST(strcmp(address_domain(untagged), address_domain(normal)) == 0);
	size_t local = strlen(untagged) - strlen(address_domain(untagged));
	untagged[local > 0 ? local - 1 : 0] = '\0';
	MUST(strstr(normal, untagged) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char raw[RAW_MAX + 1];
	if (size > RAW_MAX)
		size = RAW_MAX;
	memcpy(raw, data, size);
	raw[size] = '\0';
	check_name(raw, false);
	check_name(raw, true);
	check_typed(raw, false);
	check_typed(raw, true);
	check_address(raw);
	check_normal(raw);
	check_untagged(raw);
	return 0;
}
