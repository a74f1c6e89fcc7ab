/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a stranger's HTTP request says: its head as bytes, the query, Accept, Host and X-Forwarded-For.
 */
#include "milter/web/http_request.h"

#include "milter/web/head.h"
#include "policy/base/panic.h"

#include <string.h>
#include <strings.h>

enum { RAW_MAX = 2000, QUERY_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_query(const char *raw)
{
	char q[QUERY_MAX + 1], error[200] = "";
	if (!http_request_query(raw, q, sizeof q, error, sizeof error)) {
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
	client = http_request_client(&stranger, proxies, 2, &raw, 1);
	MUST(netaddr_same(&client, &stranger));
	client = http_request_client(&peer, proxies, 2, &raw, 1);
	MUST(client.family != NETADDR_UNKNOWN);
	const char *both[] = { "192.0.2.66", raw, "10.0.0.1" };
	again = http_request_client(&peer, proxies, 2, both, 3);
	if (!netblock_has(&proxies[0], &client) && !netblock_has(&proxies[1], &client))
		MUST(netaddr_same(&client, &again));
}

/* In pieces it is the same; and what is fine has no line that evhttp and others could read in two ways. */
static void check_head(const uint8_t *data, size_t size)
{
	struct head whole = { .wrong = NULL }, pieces = { .wrong = NULL };
	head_read(&whole, (const char *)data, size);
	head_read(&pieces, (const char *)data, size / 2);
	head_read(&pieces, (const char *)data + size / 2, size - size / 2);
	MUST(whole.wrong == pieces.wrong);
	for (size_t i = 0; whole.wrong == NULL && i + 1 < size; i++) {
		MUST((data[i] == '\r') == (data[i + 1] == '\n') && data[i] != '\0');
		MUST(data[i] != '\n' || (data[i + 1] != ' ' && data[i + 1] != '\t' && data[i + 1] != ':'));
	}
}

/* A name that no browser can have been led here by is one without letters, or ours. */
static void check_host(const char *raw)
{
	static const char *const names[] = { "mx.example" };
	if (http_request_host_is_ours(raw, names, 1) && *raw != '[' &&
	    strspn(raw, "[]0123456789abcdefABCDEF:.IPVipv") != strlen(raw))
		MUST(strncasecmp(raw, "localhost", 9) == 0 || strncasecmp(raw, "mx.example", 10) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char raw[RAW_MAX + 1];
	if (size > RAW_MAX)
		size = RAW_MAX;
	memcpy(raw, data, size);
	raw[size] = '\0';
	check_head(data, size);
	check_host(raw);
	check_query(raw);
	http_request_wants_document(raw);
	check_client(raw);
	return 0;
}
