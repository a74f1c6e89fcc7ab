/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Client addresses, held against the C library's own reader.
 */
#include "policy/netaddr.h"

#include "policy/base/panic.h"

#include <arpa/inet.h>
#include <string.h>

enum { RAW_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the C library reads, we read, and as the same bytes. */
static void check_known(const char *raw, bool good, const struct netaddr *address)
{
	uint8_t bytes[16];
	struct netaddr known = { .family = NETADDR_UNKNOWN };
	if (inet_pton(AF_INET, raw, bytes) == 1)
		known = netaddr_v4(bytes);
	else if (inet_pton(AF_INET6, raw, bytes) == 1)
		known = netaddr_v6(bytes);
	else if (good && strncmp(raw, "IPv6:", 5) != 0)
		/* only leading zeros of a dotted form are ours alone */
		MUST(strchr(raw, '.') != NULL && strchr(raw, '0') != NULL);
	MUST(known.family == NETADDR_UNKNOWN || (good && netaddr_same(&known, address)));
}

static void check_texts(const struct netaddr *address)
{
	char text[NETADDR_TEXT_MAX], reverse[NETADDR_REVERSE_MAX];
	struct netaddr again;
	netaddr_text(address, text);
	MUST(netaddr_parse(text, &again));
	MUST(netaddr_same(address, &again));
	netaddr_reverse(address, reverse);
	MUST(strlen(reverse) == 63 || address->family == NETADDR_V4);
	if (address->family == NETADDR_V4) {
		struct netaddr turned;
		char back[NETADDR_REVERSE_MAX];
		MUST(netaddr_parse(reverse, &turned));
		netaddr_reverse(&turned, back);
		MUST(strcmp(back, text) == 0);
	}
}

static void check_networks(const struct netaddr *address)
{
	int longest = address->family == NETADDR_V4 ? 32 : 128;
	struct netaddr last = *address;
	for (int length = longest; length >= 0; length--) {
		struct netaddr network = netaddr_network(address, length), same = netaddr_network(&last, length);
		MUST(netaddr_same(&network, &same));
		last = network;
	}
	for (int i = 0; i < 16; i++)
		MUST(last.bytes[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char raw[RAW_MAX + 1];
	if (size > RAW_MAX)
		size = RAW_MAX;
	memcpy(raw, data, size);
	raw[size] = '\0';
	struct netaddr address = { .family = NETADDR_UNKNOWN };
	bool good = netaddr_parse(raw, &address);
	check_known(raw, good, &address);
	if (good) {
		MUST(address.family == NETADDR_V4 || address.family == NETADDR_V6);
		check_texts(&address);
		check_networks(&address);
	}
	if (size >= 16) {
		struct netaddr any = netaddr_v6(data);
		check_texts(&any);
		check_networks(&any);
	}
	return 0;
}
