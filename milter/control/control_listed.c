/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_listed.h"

#include "milter/base/clock.h"
#include "milter/base/json.h"
#include "milter/clients/subscribers.h"
#include "milter/clients/zone.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

static json_t *control_listed_row(const struct zone_entry *entry, int64_t keep_s)
{
	char address[NETADDR_TEXT_MAX], reference[ZONE_REFERENCE_MAX + 1];
	netaddr_text(&entry->client, address);
	zone_reference(entry, reference);
	return json_pack("{s:s, s:i, s:s, s:I, s:I, s:s}", "client", address, "code", (int)entry->code, "why",
			 client_code_word(entry->code), "since", (json_int_t)entry->since_s, "until",
			 (json_int_t)(entry->seen_s + keep_s), "ref", reference);
}

bool control_listed(struct control_request *request, char *error, size_t error_size)
{
	const json_t *behind = json_object_get(request->json, "behind");
	struct netaddr at = { 0 };
	int64_t keep_s;
	if (behind != NULL && (!json_is_string(behind) || !netaddr_parse(json_string_value(behind), &at)))
		return control_fail_value(request, "behind", "an address", error, error_size);
	subscribers_want(clock_now_ms() / 1000);
	struct zone_entry *entries = calloc(CONTROL_LISTED_MAX, sizeof *entries);
	if (entries == NULL)
		return control_fail(error, error_size, "client.list: the daemon is out of memory.");
	size_t count = zone_walk(&at, entries, CONTROL_LISTED_MAX, &keep_s);
	json_t *listed = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(listed, control_listed_row(&entries[i], keep_s));
	free(entries);
	struct zone_stats stats = zone_stats();
	control_ok(request,
		   json_pack("{s:I, s:b, s:o, s:I, s:b, s:o}", "now", (json_int_t)(clock_now_ms() / 1000), "runs",
			     stats.runs, "subscribers",
			     stats.subscribers_known ? json_integer((json_int_t)stats.subscribers_s) : json_null(),
			     "left_out", (json_int_t)stats.left_out, "more", count == CONTROL_LISTED_MAX, "listed",
			     listed));
	return true;
}
