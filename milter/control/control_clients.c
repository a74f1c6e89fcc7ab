/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_clients.h"

#include "milter/clients/clients_report.h"
#include "milter/clients/zone.h"
#include "milter/report/report.h"

#include "policy/base/banned.h"

enum { DAYS_DEFAULT = 7, DAYS_MOST = CLIENTS_HOURS_MOST / 24 };

bool control_client_show(struct control_request *request, char *error, size_t error_size)
{
	struct netaddr client;
	int64_t since_s = 0;
	const char *text = json_string_value(json_object_get(request->json, "client"));
	if (text == NULL || (!zone_reference_read(text, &client, &since_s) && !netaddr_parse(text, &client)))
		return control_fail_value(request, "client",
					  "an address, as 192.0.2.7 or 2001:db8::7, or a whole reference of the block "
					  "list, as C-RRSP81RWHG5JH",
					  error, error_size);
	json_t *report = report_client(&client);
	if (since_s != 0)
		json_object_set_new(report, "reference",
				    json_pack("{s:s, s:I}", "ref", text, "since", (json_int_t)since_s));
	control_ok(request, report);
	return true;
}

bool control_sessions_report(struct control_request *request, char *error, size_t error_size)
{
	const json_t *days = json_object_get(request->json, "days");
	json_int_t of = days == NULL ? DAYS_DEFAULT : json_integer_value(days);
	if (of < 1 || of > DAYS_MOST)
		return control_fail_value(request, "days", "a whole number from 1 to 400", error, error_size);
	control_ok(request, report_sessions((int)of));
	return true;
}
