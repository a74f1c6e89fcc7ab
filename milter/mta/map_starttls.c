/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/socketmap_inside.h"

#include "milter/clients/clients.h"
#include "milter/clients/clients_report.h"

#include "policy/base/banned.h"

static const enum client_standing from[] = {
	[HIDE_FROM_UNKNOWN] = CLIENT_UNKNOWN,
	[HIDE_FROM_NEUTRAL] = CLIENT_NEUTRAL,
	[HIDE_FROM_POOR] = CLIENT_POOR,
	[HIDE_FROM_BAD] = CLIENT_BAD,
};

/* `OK` takes the keyword out of the answer to EHLO. An answer that Postfix does not understand would end the session.
 */
void map_starttls(struct socketmap_client *client, const struct config *config, const char *key)
{
	struct netaddr address;
	if (netaddr_parse(key, &address) && map_acts(config) && !clients_ours(&address) &&
	    client_hides_starttls(clients_judge(&address, false).standing, from[config->set.clients_hide_starttls]))
		map_reply(client, "OK", "starttls");
	else
		map_not_found(client);
}
