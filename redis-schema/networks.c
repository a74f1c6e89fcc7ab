/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/networks.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

/* Lengths that are looked up; 0 ends. Those of IPv6 are what registries and providers give (RFC 6177, RIPE-690). */
static const int lengths4[NETWORKS_MOST + 1] = { 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
						 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9,  8 };
static const int lengths6[NETWORKS_MOST + 1] = { 128, 64, 60, 56, 52, 48, 44, 40, 36, 32, 29, 28, 24, 20 };

static bool networks_is_looked_up(const struct netblock *block)
{
	const int *lengths = block->address.family == NETADDR_V4 ? lengths4 : lengths6;
	while (*lengths != 0 && *lengths != block->bits)
		lengths++;
	return *lengths != 0;
}

const char *networks_wrong(const char *field, const char *account)
{
	struct netblock block;
	char base[NETADDR_TEXT_MAX], text[NETWORK_TEXT_MAX];
	if (!netblock_parse(field, &block))
		return "expected a network's first address, a slash and the length, such as 192.0.2.0/24";
	if (!networks_is_looked_up(&block))
		return "networks of this length are not looked up: expected 8 to 32, or of IPv6 20, 24, 28, 29, 32, "
		       "36, 40, 44, 48, 52, 56, 60, 64 or 128";
	netaddr_text(&block.address, base);
	snprintf(text, sizeof text, "%s/%d", base, block.bits);
	if (strcmp(field, text) != 0)
		return "expected the network's first address in its shortest form (RFC 5952), a slash and the length";
	return *account == '\0' ? "its account is empty; expected a name" : NULL;
}

void networks_of(const struct netaddr *address, struct networks *networks_out)
{
	const int *lengths = address->family == NETADDR_V4 ? lengths4 : lengths6;
	networks_out->count = 0;
	if (address->family == NETADDR_UNKNOWN)
		return;
	for (; *lengths != 0; lengths++) {
		char base[NETADDR_TEXT_MAX];
		struct netaddr network = netaddr_network(address, *lengths);
		netaddr_text(&network, base);
		snprintf(networks_out->field[networks_out->count++], NETWORK_TEXT_MAX, "%s/%d", base, *lengths);
	}
}
