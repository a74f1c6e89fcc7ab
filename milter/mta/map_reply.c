/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/socketmap_inside.h"

#include "milter/base/netstring.h"
#include "milter/daemon/daemon.h"
#include "milter/pools/pools.h"
#include "policy/base/text.h"
#include "policy/judge.h"
#include "redis-schema/store/store.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "policy/base/banned.h"

bool map_acts(const struct config *config)
{
	unsigned all = rules_find("all");
	return (config->policy.shadow & all) != all;
}

void map_reply(struct socketmap_client *client, const char *word, const char *data)
{
	char bytes[TRANSPORT_NAME_MAX + 16], framed[sizeof bytes + 8];
	struct text text = text_over(bytes, sizeof bytes);
	text_addf(&text, "%s %s", word, data);
	bufferevent_write(client->bev, framed, netstring_write(framed, sizeof framed, text.at, text.length));
}

void map_not_found(struct socketmap_client *client)
{
	map_reply(client, "NOTFOUND", "");
}

/* -- questions to the store -- */

/* False: nothing is known for sure of the account. */
static bool map_reply_stands(const struct socketmap_lookup *lookup, const struct config *config,
			     const struct account_state *state, struct verdict *verdict)
{
	if (state->known != KNOWLEDGE_FULL || !account_noted(state))
		return false;
	*verdict = pools_judge(config, lookup->account, state);
	return true;
}

static void map_reply_on_fetched(void *arg, const struct account_state *state, const struct known *known)
{
	(void)known;
	struct socketmap_lookup *lookup = arg;
	struct socketmap_client *client = lookup->client;
	if (client != NULL) {
		struct setup *setup = setup_hold();
		struct verdict verdict;
		client->lookup = NULL;
		lookup->answer(lookup, setup->config,
			       map_reply_stands(lookup, setup->config, state, &verdict) ? &verdict : NULL);
		setup_drop(&setup);
		bufferevent_enable(client->bev, EV_READ);
		client->answered(client);
	}
	free(lookup);
}

void map_ask_store(struct socketmap_client *client, const struct netaddr *address, const char *account,
		   socketmap_answer *answer)
{
	struct socketmap_lookup *lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL) {
		map_not_found(client);
		return;
	}
	*lookup = (struct socketmap_lookup){ .client = client, .answer = answer, .address = *address };
	text_copy(lookup->account, sizeof lookup->account, account);
	client->lookup = lookup;
	bufferevent_disable(client->bev, EV_READ);
	store_fetch(the_daemon.store, lookup->account, map_reply_on_fetched, lookup);
}
