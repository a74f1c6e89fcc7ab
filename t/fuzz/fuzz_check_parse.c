/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What anybody types into a look-up.
 */
#include "milter/lookup/check.h"

#include "policy/base/panic.h"

#include <stdio.h>
#include <string.h>

enum { RAW_MAX = 1000, ERROR_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_target(const struct check_target *target, char text[CHECK_QUERY_MAX])
{
	char address[NETADDR_TEXT_MAX];
	netaddr_text(&target->address, address);
	if (target->kind == CHECK_NAME)
		snprintf(text, CHECK_QUERY_MAX, "%s", target->name);
	else if (target->kind == CHECK_NETWORK)
		snprintf(text, CHECK_QUERY_MAX, "%s/%d", address, target->prefix);
	else
		snprintf(text, CHECK_QUERY_MAX, "%s", address);
}

/* All of a name goes into questions, logs and JSON. */
static void check_name(const char *name)
{
	MUST(strlen(name) >= 3 && strlen(name) <= 253 && strchr(name, '.') != NULL);
	for (const char *label = name; *label != '\0'; label += strspn(label, ".")) {
		size_t length = strcspn(label, ".");
		MUST(length >= 1 && length <= 63 && strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length);
		label += length;
	}
}

static void check_target_is_sound(const struct check_target *target, bool public_only)
{
	if (target->kind == CHECK_NAME) {
		check_name(target->name);
		return;
	}
	struct netaddr network = netaddr_network(&target->address, target->prefix);
	MUST(target->address.family == NETADDR_V4 || (target->address.family == NETADDR_V6 && target->prefix == 128));
	MUST(netaddr_same(&network, &target->address));
	if (target->kind == CHECK_NETWORK)
		MUST(target->prefix >= CHECK_PREFIX_LEAST && target->prefix < 32);
	else if (public_only)
		MUST(netaddr_reserved(&target->address) == NULL);
}

static void check_again(const struct check_target *target, bool public_only)
{
	char text[CHECK_QUERY_MAX], error[ERROR_MAX];
	struct check_target again;
	write_target(target, text);
	MUST(check_parse(text, public_only, &again, error, sizeof error));
	MUST(again.kind == target->kind && again.prefix == target->prefix);
	MUST(netaddr_same(&again.address, &target->address) && strcmp(again.name, target->name) == 0);
	MUST(check_cost(target) >= 1 && check_cost(target) <= 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char raw[RAW_MAX + 1], error[ERROR_MAX] = "";
	struct check_target target;
	size_t length = size > RAW_MAX ? RAW_MAX : size;
	memcpy(raw, data, length);
	raw[length] = '\0';
	for (int public_only = 0; public_only < 2; public_only++) {
		if (check_parse(raw, public_only, &target, error, sizeof error)) {
			check_target_is_sound(&target, public_only);
			check_again(&target, public_only);
			continue;
		}
		MUST(error[0] != '\0' && error[strlen(error) - 1] == '.');
		for (const char *c = error; *c != '\0'; c++)
			MUST(*c >= ' ' && *c < 0x7f);
	}
	return 0;
}
