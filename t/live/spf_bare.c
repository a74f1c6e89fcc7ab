/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What libspf2 says when nothing is between it and a domain's records: its own DNS layer of given records, its own
 * entry. Each check in a process of its own, as some end it.
 */
#include "t/live/spf_bare.h"

#include "milter/dns/answer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <spf2/spf.h>
#include <spf2/spf_dns_zone.h>

#include "policy/base/banned.h"

enum { ROWS_MAX = 200 };

static struct {
	char *name, *value;
	int type;
	SPF_dns_stat_t status;
} rows[ROWS_MAX];
static int row_count;

void spf_bare_clear(void)
{
	for (; row_count > 0; row_count--) {
		free(rows[row_count - 1].name);
		free(rows[row_count - 1].value);
	}
}

/* libspf2 takes an MX without its preference. */
void spf_bare_add(const char *name, int type, const char *value, bool silent)
{
	static const int types[] = { DNS_A, DNS_AAAA, DNS_MX, DNS_TXT, DNS_PTR };
	const char *host = type == DNS_MX && strchr(value, ' ') != NULL ? strchr(value, ' ') + 1 : value;
	for (size_t i = 0; i < sizeof types / sizeof types[0] && row_count < ROWS_MAX; i++) {
		if (type != types[i] && type != 0)
			continue;
		rows[row_count].name = strdup(name);
		rows[row_count].value = strdup(host);
		rows[row_count].type = types[i];
		rows[row_count++].status = silent ? TRY_AGAIN : NETDB_SUCCESS;
	}
}

static const char *run(const char *client, const char *helo, const char *sender)
{
	SPF_dns_server_t *zone = SPF_dns_zone_new(NULL, "zone", 0);
	SPF_server_t *server = SPF_server_new_dns(zone, 0);
	SPF_request_t *request = SPF_request_new(server);
	SPF_response_t *response = NULL;
	for (int i = 0; i < row_count; i++)
		SPF_dns_zone_add_str(zone, rows[i].name, (ns_type)rows[i].type, rows[i].status, rows[i].value);
	if (SPF_request_set_ipv4_str(request, client) != SPF_E_SUCCESS)
		SPF_request_set_ipv6_str(request, client);
	SPF_request_set_helo_dom(request, helo);
	SPF_request_set_env_from(request, sender);
	SPF_request_query_mailfrom(request, &response);
	return SPF_strresult(SPF_response_result(response));
}

void spf_bare_check(const char *client, const char *helo, const char *sender)
{
	int status = 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		puts(run(client, helo, sender));
		fflush(stdout);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		puts("crash");
}
