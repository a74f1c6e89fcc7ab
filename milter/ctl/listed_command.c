/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/listed_command.h"

#include "milter/ctl/tool/client.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/table.h"
#include "policy/client_listing.h"
#include "policy/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { TIMEOUT_MOST_S = 366 * 86400, ROWS_MOST = 2 << 20 };

/* ---- for programs */

/* The client of a row; false: no address, or one that must not be shut out whoever says so. */
static bool listed_command_client(const json_t *row, struct netaddr *client_out)
{
	return netaddr_parse(text_of(row, "client"), client_out) && client_listable(client_out);
}

void listed_command_plain(const json_t *rows, FILE *to)
{
	size_t index;
	json_t *row;
	json_array_foreach(rows, index, row)
	{
		struct netaddr client;
		char text[NETADDR_TEXT_MAX];
		if (!listed_command_client(row, &client))
			continue;
		netaddr_text(&client, text);
		fprintf(to, "%s%s\n", text, client.family == NETADDR_V6 ? "/64" : "");
	}
}

/* IPv6 clients are /64s: their first address stands for each, and rules compare the first 64 bits. */
static void listed_command_elements(const json_t *rows, int64_t now_s, enum netaddr_family family, FILE *to)
{
	const char *set = family == NETADDR_V4 ? "clients4" : "clients6", *between = "";
	size_t index;
	json_t *row;
	json_array_foreach(rows, index, row)
	{
		struct netaddr client;
		char text[NETADDR_TEXT_MAX];
		int64_t left_s = whole_of(row, "until") - now_s;
		if (!listed_command_client(row, &client) || client.family != family || left_s <= 0)
			continue;
		if (family == NETADDR_V6)
			client = netaddr_network(&client, 64);
		netaddr_text(&client, text);
		if (*between == '\0')
			fprintf(to, "add element inet penstock %s {", set);
		fprintf(to, "%s\n\t%s timeout %" PRId64 "s", between, text,
			left_s < TIMEOUT_MOST_S ? left_s : TIMEOUT_MOST_S);
		between = ",";
	}
	if (*between != '\0')
		fputs("\n}\n", to);
}

void listed_command_nft(const json_t *rows, int64_t now_s, FILE *to)
{
	fputs("add table inet penstock\n"
	      "add set inet penstock clients4 { type ipv4_addr; flags timeout; }\n"
	      "add set inet penstock clients6 { type ipv6_addr; flags timeout; }\n"
	      "flush set inet penstock clients4\n"
	      "flush set inet penstock clients6\n",
	      to);
	listed_command_elements(rows, now_s, NETADDR_V4, to);
	listed_command_elements(rows, now_s, NETADDR_V6, to);
}

/* ---- for people */

static void listed_command_show(const json_t *answer, const json_t *rows, FILE *to)
{
	char form[FORM_MAX];
	size_t index;
	json_t *row;
	int64_t now_s = whole_of(answer, "now");
	struct table *table =
		table_new((const char *[]){ "CLIENT", "WHY", ">LISTED", ">LEAVES IN", "REFERENCE", NULL });
	json_array_foreach(rows, index, row)
	{
		struct netaddr client = { 0 };
		netaddr_parse(text_of(row, "client"), &client);
		table_addf(table, "%s%s", text_of(row, "client"), client.family == NETADDR_V6 ? "/64" : "");
		table_add(table, text_of(row, "why"));
		table_add(table, form_ago(form, whole_of(row, "since"), now_s));
		table_add(table, form_span(form, whole_of(row, "until") - now_s));
		table_add(table, text_of(row, "ref"));
	}
	table_print(table, to, 0);
	table_free(&table);
	if (json_array_size(rows) == 0)
		fputs("No client is on the block list.\n", to);
	if (!json_is_true(json_object_get(answer, "runs")))
		fputs("The daemon has just started and has not looked at its clients yet.\n", to);
	if (json_is_null(json_object_get(answer, "subscribers")))
		fputs("Accounts of addresses (ip:ADDRESS) are not in it yet: Redis has not named them since the "
		      "start.\n",
		      to);
	if (whole_of(answer, "left_out") > 0)
		fprintf(to, "The list is full: %" PRId64 " more clients are bad.\n", whole_of(answer, "left_out"));
}

/* ---- asking */

/* NULL with the complaint made. */
static json_t *listed_command_ask(const struct call *call, const char *path, const char *behind)
{
	char error[600];
	json_t *request = have_memory(json_pack("{s:s, s:s*}", "do", "client.list", "behind", behind));
	json_t *answer = client_ask(path, request, error, sizeof error);
	json_decref(request);
	if (answer == NULL) {
		complain(call, "%s", error);
		return NULL;
	}
	const json_t *refusal = json_object_get(answer, "error");
	if (refusal == NULL && json_is_array(json_object_get(answer, "listed")))
		return answer;
	complain(call, "%s",
		 json_is_string(refusal) ? json_string_value(refusal) : "the daemon does not know client.list");
	json_decref(answer);
	return NULL;
}

/* All of it: rows are added to `rows`, and the newest answer is a new reference. NULL with the complaint made. */
static json_t *listed_command_ask_all(const struct call *call, const char *path, json_t *rows)
{
	char behind[NETADDR_TEXT_MAX] = "";
	json_t *answer = NULL;
	for (bool more = true; more;) {
		json_decref(answer);
		answer = listed_command_ask(call, path, behind[0] != '\0' ? behind : NULL);
		if (answer == NULL)
			return NULL;
		json_t *piece = json_object_get(answer, "listed");
		size_t count = json_array_size(piece);
		json_array_extend(rows, piece);
		more = json_is_true(json_object_get(answer, "more")) && count > 0 && json_array_size(rows) < ROWS_MOST;
		if (more)
			text_copy(behind, sizeof behind, text_of(json_array_get(piece, count - 1), "client"));
	}
	return answer;
}

int listed_command_run(const struct call *call)
{
	bool nft = call->option[OPTION_NFT] != NULL, plain = call->option[OPTION_PLAIN] != NULL;
	if (nft + plain + (call->option[OPTION_JSON] != NULL) > 1)
		return complain(call, "expected one of --nft, --plain and --json");
	char *path = call_socket(call);
	json_t *rows = have_memory(json_array());
	json_t *answer = path == NULL ? NULL : listed_command_ask_all(call, path, rows);
	free(path);
	if (answer != NULL && call->option[OPTION_JSON] != NULL) {
		json_object_set(answer, "listed", rows);
		json_object_del(answer, "more");
		call_print_json(answer, stdout);
	} else if (answer != NULL && nft) {
		listed_command_nft(rows, whole_of(answer, "now"), stdout);
	} else if (answer != NULL && plain) {
		listed_command_plain(rows, stdout);
	} else if (answer != NULL) {
		listed_command_show(answer, rows, stdout);
	}
	int code = answer == NULL ? EXIT_USAGE : EXIT_FINE;
	json_decref(answer);
	json_decref(rows);
	return code;
}
