/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/networks.h"

#include <stdio.h>

#include "policy/base/banned.h"

/* Lengths that are looked up; 0 ends. Those of IPv6 are what registries and providers give (RFC 6177, RIPE-690). */
static const int lengths4[NETWORKS_MOST + 1] = { 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
						 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9,  8 };
static const int lengths6[NETWORKS_MOST + 1] = { 128, 64, 60, 56, 52, 48, 44, 40, 36, 32, 29, 28, 24, 20 };

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
