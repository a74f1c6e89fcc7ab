/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/config/outgoing.h"

#include "policy/base/banned.h"

static short outgoing_place_of(struct outgoing *outgoing, const struct netaddr *address)
{
	int i = 0;
	while (i < outgoing->count && !netaddr_same(&outgoing->addresses[i], address))
		i++;
	if (i == outgoing->count)
		outgoing->addresses[outgoing->count++] = *address;
	return (short)i;
}

void outgoing_of(const struct pool *pools, int pool_count, struct outgoing *outgoing_out)
{
	outgoing_out->count = 0;
	for (int i = 0; i < pool_count; i++)
		for (int j = 0; j < pools[i].transport_count; j++) {
			const struct transport *transport = &pools[i].transports[j];
			for (int k = 0; k < TRANSPORT_ADDRESSES; k++) {
				struct netaddr address;
				const char *text = transport_seen_as(transport, (enum transport_address)k);
				bool seen = netaddr_parse(text, &address) && netaddr_reserved(&address) == NULL;
				outgoing_out->of[transport->index][k] =
					seen ? outgoing_place_of(outgoing_out, &address) : -1;
			}
		}
}
