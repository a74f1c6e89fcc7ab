/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/socketmap_inside.h"

#include "milter/base/clock.h"
#include "milter/base/idn.h"
#include "milter/pools/monitor.h"
#include "milter/pools/pools.h"
#include "milter/pools/sender.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* NULL: a reload took it away; its name would defer all mail that is sent to it. */
static const struct transport *map_transport_find(const struct config *config, const char *name,
						  const struct pool **pool_out)
{
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			if (strcmp(config->pools[i].transports[j].name, name) == 0) {
				*pool_out = &config->pools[i];
				return &config->pools[i].transports[j];
			}
	return NULL;
}

static const struct transport *pick(const struct config *config, const struct pool *pool, const char *account)
{
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	pools_now(config, states);
	return pool_pick(pool, account, states);
}

/* One that has warmed up enough for today keeps the messages that were counted for it. */
static bool is_out(const struct config *config, const struct transport *transport)
{
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	monitor_states(config, states);
	return states[transport->index].withheld == TRANSPORT_OUT;
}

/* The one that the sender's newest message was to leave by; where it has left its pool since, another of that pool. */
static const struct transport *map_transport_remembered(const struct config *config, const char *sender,
							const char *account)
{
	char name[TRANSPORT_NAME_MAX + 1];
	const struct pool *pool = NULL;
	if (!sender_find(sender, clock_monotonic_ms(), name))
		return NULL;
	const struct transport *transport = map_transport_find(config, name, &pool);
	return transport != NULL && is_out(config, transport) ? pick(config, pool, account) : transport;
}

/* "clean-1:" leaves the next hop to the MTA. */
static void map_transport_reply(struct socketmap_client *client, const char *transport)
{
	char data[TRANSPORT_NAME_MAX + 2];
	struct text text = text_over(data, sizeof data);
	text_addf(&text, "%s:", transport);
	map_reply(client, "OK", data);
}

static void map_transport_answer(struct socketmap_lookup *lookup, const struct config *config,
				 const struct verdict *verdict)
{
	(void)config;
	if (verdict != NULL && verdict->transport != NULL)
		map_transport_reply(lookup->client, verdict->transport->name);
	else
		map_not_found(lookup->client);
}

void map_transport(struct socketmap_client *client, const struct config *config, const char *key)
{
	static const struct netaddr none = { .family = NETADDR_UNKNOWN };
	char sender[ADDRESS_MAX + 1], account[ACCOUNT_MAX + 1];
	/* Postfix writes the null sender with its quotes */
	bool whole = strcmp(key, "\"<>\"") != 0 && idn_address(key, sender);
	bool named = whole && account_proven(sender, config->set.accounts_cut_tag, account);
	const struct transport *transport =
		whole ? map_transport_remembered(config, sender, named ? account : sender) : NULL;
	if (transport != NULL)
		map_transport_reply(client, transport->name);
	else if (named)
		map_ask_store(client, &none, account, map_transport_answer);
	else
		map_not_found(client);
}
