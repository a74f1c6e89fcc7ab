/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The subscriber map: the networks that are asked about for a client, and what an admin wrote there as its account. The
 * first 17 bytes are the client, the rest is what Redis answers (t/fuzz/world.h).
 */
#include "milter/daemon/daemon.h"
#include "milter/message/identify.h"
#include "redis-schema/networks.h"
#include "redis-schema/store/store.h"

#include "t/fuzz/fuzz.h"
#include "t/fuzz/world.h"

enum { CLIENT_BYTES = 17 };

static struct {
	int answers;
	char *account; /* owned; NULL: none */
} network;

/* From the longest to the shortest, each the client's. */
static void check_networks(const struct netaddr *client)
{
	struct networks networks;
	int last = 129;
	networks_of(client, &networks);
	MUST(networks.count > 0 && networks.count <= NETWORKS_MOST);
	for (int i = 0; i < networks.count; i++) {
		struct netblock block;
		const char *slash = strchr(networks.field[i], '/');
		MUST(slash != NULL && netblock_parse(networks.field[i], &block) && netblock_has(&block, client));
		int length = (int)strtol(slash + 1, NULL, 10);
		MUST(length < last && length > 0);
		last = length;
	}
}

static void on_network(void *arg, const char *account)
{
	(void)arg;
	network.answers++;
	network.account = account == NULL ? NULL : string_of(account, strlen(account));
}

static void check_account(const struct netaddr *client, const char *from)
{
	static struct config config = { .sources = { SOURCE_NETWORK }, .source_count = 1 };
	struct facts facts = { .source = SOURCE_CLIENT }, again = { .source = SOURCE_CLIENT };
	struct identity identity = { .client = *client, .from = from };
	MUST(!identify(&config, &identity, &facts));
	identity.network_asked = true;
	identity.network = network.account;
	MUST(identify(&config, &identity, &facts));
	must_be_account(facts.account);
	MUST((facts.source == SOURCE_NETWORK) == (network.account != NULL && network.account[0] != '\0'));
	MUST(facts.authenticated == (facts.client != CLIENT_STRANGER));
	MUST((facts.class == MAIL_CLASS_BOUNCE) == (from[0] == '\0'));
	MUST(identify(&config, &identity, &again) && strcmp(again.account, facts.account) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	if (!started)
		world_start();
	started = true;
	if (size < CLIENT_BYTES)
		return 0;
	struct netaddr client = (data[0] & 1) != 0 ? netaddr_v6(data + 1) : netaddr_v4(data + 1);
	check_networks(&client);
	char *text = string_of(data + CLIENT_BYTES, size - CLIENT_BYTES);
	world_begin(text, size - CLIENT_BYTES);
	network.answers = 0;
	network.account = NULL;
	store_network(the_daemon.store, &client, on_network, NULL);
	world_run();
	MUST(network.answers == 1 && world_word_count > 2 && strcmp(world_words[1], "penstock:networks") == 0);
	check_account(&client, "");
	check_account(&client, "alice@example.com");
	check_account(&client, "SRS0=x=y=example.com=bob@example.net");
	free(network.account);
	free(text);
	return 0;
}
