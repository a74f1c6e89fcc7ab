/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What penstockctl client list hands to nft(8), which root runs: whatever a daemon says, addresses and times alone.
 */
#include "milter/ctl/listed_command.h"

#include "t/unit/tap.h"

#include <stdlib.h>

#define HEAD \
	"add table inet penstock\n" \
	"add set inet penstock clients4 { type ipv4_addr; flags timeout; }\n" \
	"add set inet penstock clients6 { type ipv6_addr; flags timeout; }\n" \
	"flush set inet penstock clients4\n" \
	"flush set inet penstock clients6\n"

static json_t *row(const char *client, json_int_t until)
{
	return json_pack("{s:s, s:I, s:s, s:s}", "client", client, "until", until, "why", "} ; flush ruleset", "ref",
			 "\n");
}

static void test_rows(json_t *rows, const char *nft, const char *plain, const char *name)
{
	char *shown = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&shown, &size);
	listed_command_nft(rows, 1000, to);
	fclose(to);
	is_str(shown, nft, "nft: %s", name);
	free(shown);
	to = open_memstream(&shown, &size);
	listed_command_plain(rows, to);
	fclose(to);
	is_str(shown, plain, "plain: %s", name);
	free(shown);
	json_decref(rows);
}

int main(void)
{
	test_rows(json_array(), HEAD, "", "an empty list empties the sets");
	test_rows(json_pack("[o, o, o, o]", row("192.0.2.7", 1060), row("2001:db8:1:2::", 4600),
			    row("192.0.2.8", 1000000000000), row("192.0.2.9", 1000)),
		  HEAD "add element inet penstock clients4 {\n"
		       "\t192.0.2.7 timeout 60s,\n"
		       "\t192.0.2.8 timeout 31622400s\n"
		       "}\n"
		       "add element inet penstock clients6 {\n"
		       "\t2001:db8:1:2:: timeout 3600s\n"
		       "}\n",
		  "192.0.2.7\n2001:db8:1:2::/64\n192.0.2.8\n192.0.2.9\n", "some clients");
	static const char *const none[] = { "",
					    "0.0.0.0",
					    "0.0.0.0/0",
					    "::/0",
					    "127.0.0.1",
					    "::1",
					    "192.0.2.7; flush ruleset",
					    "192.0.2.7\ninclude \"/etc/shadow\"",
					    "192.0.2.0/24",
					    "any",
					    "224.0.0.1",
					    "fe80::1" };
	json_t *rows = json_array();
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		json_array_append_new(rows, row(none[i], 2000));
	json_array_append_new(rows, json_integer(5));
	json_array_append_new(rows, json_pack("{s:i}", "client", 5));
	json_array_append_new(rows, json_pack("{s:s, s:s}", "client", "192.0.2.7", "until", "2000s }; flush ruleset"));
	test_rows(rows, HEAD, "192.0.2.7\n", "what is no client, or has no time");
	return done_testing();
}
