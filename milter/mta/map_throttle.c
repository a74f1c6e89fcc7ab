/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/socketmap_inside.h"

#include "milter/base/clock.h"
#include "milter/base/idn.h"
#include "milter/clients/clients.h"
#include "milter/clients/clients_report.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum {
	/* After a wait the next recipient of its session comes within a round trip. With smtpd_delay_reject Postfix
	 * asks for each of them: the session has waited once, however often. */
	NEXT_RCPT_MS = 1000,
};

/* "sleep 5", where there is a place for one more that waits: it takes up a process of Postfix's. */
static void map_throttle_wait(struct socketmap_client *client, const struct config *config,
			      const struct netaddr *address)
{
	char data[40];
	struct text text = text_over(data, sizeof data);
	struct socketmap_wait *wait = &client->wait;
	int64_t seconds = config->set.socketmap_throttle_s, now_ms = clock_monotonic_ms();
	int64_t since_ms = now_ms - wait->end_ms; /* below 0 behind proxymap, which many processes share */
	bool again = netaddr_same(&wait->address, address) && since_ms >= 0 && since_ms <= NEXT_RCPT_MS;
	if (seconds <= 0 || !clients_slow(address, seconds, again)) {
		map_not_found(client);
		return;
	}
	*wait = (struct socketmap_wait){ .address = *address, .end_ms = now_ms + seconds * 1000 };
	text_addf(&text, "sleep %lld", (long long)seconds);
	map_reply(client, "OK", data);
}

static void map_throttle_answer(struct socketmap_lookup *lookup, const struct config *config,
				const struct verdict *verdict)
{
	if (verdict != NULL && verdict->throttle)
		map_throttle_wait(lookup->client, config, &lookup->address);
	else
		map_not_found(lookup->client);
}

static void map_throttle_ask(struct socketmap_client *client, const struct config *config,
			     const struct netaddr *address, const char *account)
{
	if (config->set.socketmap_throttle_s > 0)
		map_ask_store(client, address, account, map_throttle_answer);
	else
		map_not_found(client);
}

/* He has shown his password, so none but customers fill the table of recent accounts here. */
void map_account_throttle(struct socketmap_client *client, const struct config *config, const char *key)
{
	static const struct netaddr none = { .family = NETADDR_UNKNOWN };
	char account[ACCOUNT_MAX + 1], ascii[ADDRESS_MAX + 1];
	if (account_proven(idn_name(key, ascii), config->set.accounts_cut_tag, account))
		map_throttle_ask(client, config, &none, account);
	else
		map_not_found(client);
}

/* Does a client of its standing wait? Own networks and this host are nobody whose standing is asked. */
static bool map_throttle_stranger(const struct config *config, const struct netaddr *address)
{
	return config->set.socketmap_throttle_s > 0 && map_acts(config) && !clients_ours(address) &&
	       client_slows(clients_judge(address, false).standing);
}

void map_throttle(struct socketmap_client *client, const struct config *config, const char *key)
{
	struct netaddr address;
	char account[ACCOUNT_MAX + 1];
	if (!netaddr_parse(key, &address)) {
		/* a login, where check_sasl_access still asks here. No name of a host has an @ */
		if (strchr(key, '@') != NULL)
			map_account_throttle(client, config, key);
		else
			map_not_found(client);
		return;
	}
	if (map_throttle_stranger(config, &address)) {
		map_throttle_wait(client, config, &address);
		return;
	}
	account_client(&address, account);
	map_throttle_ask(client, config, &address, account);
}
