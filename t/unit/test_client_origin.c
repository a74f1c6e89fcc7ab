/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which clients share an address, a network and a wide network.
 */
#include "milter/message/client_origin.h"

#include "t/unit/tap.h"

static struct facts origin_of(const char *address, uint64_t second)
{
	const uint64_t key[2] = { 7, second };
	struct facts facts = { 0 };
	struct netaddr client;
	if (netaddr_parse(address, &client))
		client_origin_fill(&client, key, &facts);
	return facts;
}

/* clang-format off */
static const struct {
	const char *one, *other;
	bool address, network, wide; /* is the same */
} rows[] = {
	{ "192.0.2.1", "192.0.2.1", true, true, true },
	{ "192.0.2.1", "192.0.2.2", false, true, true },
	{ "192.0.2.1", "192.0.3.1", false, false, true },
	{ "192.0.2.1", "192.0.255.255", false, false, true },
	{ "192.0.2.1", "192.1.2.1", false, false, false },
	{ "2001:db8:1:2::1", "2001:db8:1:2:3::1", true, true, true },
	{ "2001:db8:1:2::1", "2001:db8:1:3::1", false, true, true },
	{ "2001:db8:1:2::1", "2001:db8:2:2::1", false, false, true },
	{ "2001:db8:1:2::1", "2001:db9:1:2::1", false, false, false },
};
/* clang-format on */

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts one = origin_of(rows[i].one, 1), other = origin_of(rows[i].other, 1);
		ok((one.client_address == other.client_address) == rows[i].address &&
			   (one.client_network == other.client_network) == rows[i].network &&
			   (one.client_wide == other.client_wide) == rows[i].wide,
		   "%s and %s", rows[i].one, rows[i].other);
	}
	struct facts zero = origin_of("10.0.0.0", 1), other = origin_of("10.0.0.0", 2),
		     here = origin_of("127.0.0.1", 1);
	ok(zero.client_wide != zero.client_network && zero.client_wide != zero.client_address,
	   "of the same bytes a wide network is another thing");
	ok(zero.client_wide != 0 && zero.client_wide != other.client_wide, "it is keyed");
	ok(here.client_wide == 0 && here.client_network == 0, "mail from this host comes from nowhere");
	return done_testing();
}
