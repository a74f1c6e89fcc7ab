/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a stranger's HTTP request says: the query, Accept and X-Forwarded-For.
 */
#include "milter/web/request.h"

#include "policy/base/panic.h"

#include <string.h>

enum { RAW_MAX = 2000, QUERY_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(const char *raw)
{
	char q[QUERY_MAX + 1], error[200] = "";
	if (!request_query(raw, q, sizeof q, error, sizeof error)) {
		MUST(error[0] != '\0' && strlen(error) < sizeof error - 1);
		return;
	}
	MUST(strlen(q) <= QUERY_MAX && strlen(q) <= strlen(raw));
	for (const char *at = q; *at != '\0'; at++)
		MUST((unsigned char)*at >= 0x20 && *at != 0x7f);
}

/* Whoever is found is the peer, or stands behind proxies of ours only. */
static void check_client(const char *raw)
{
	struct netblock proxies[2];
	struct netaddr peer, stranger, client, again;
	MUST(netblock_parse("127.0.0.0/8", &proxies[0]) && netblock_parse("10.0.0.0/8", &proxies[1]));
	MUST(netaddr_parse("127.0.0.1", &peer) && netaddr_parse("192.0.2.1", &stranger));
	client = request_client(&stranger, proxies, 2, &raw, 1);
	MUST(netaddr_same(&client, &stranger));
	client = request_client(&peer, proxies, 2, &raw, 1);
	MUST(client.family != NETADDR_UNKNOWN);
	const char *both[] = { "192.0.2.66", raw, "10.0.0.1" };
	again = request_client(&peer, proxies, 2, both, 3);
	if (!netblock_has(&proxies[0], &client) && !netblock_has(&proxies[1], &client))
		MUST(netaddr_same(&client, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char raw[RAW_MAX + 1];
	if (size > RAW_MAX)
		size = RAW_MAX;
	memcpy(raw, data, size);
	raw[size] = '\0';
	check_query(raw);
	request_wants_document(raw);
	check_client(raw);
	return 0;
}
