/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the daemon is.
 */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"

#include <stdbool.h>
#include <string.h>

#include "policy/base/banned.h"

/* Nought says nothing, but of what has to be up. */
static bool says_something(const char *key, const json_t *value)
{
	if (json_is_boolean(value))
		return json_is_true(value) || strcmp(key, "up") == 0;
	return !json_is_null(value) && (!json_is_number(value) || json_number_value(value) != 0);
}

/* "up=yes breaker_open=no pending=0": new members of the daemon show without a new tool. */
static void show_status_add_section(struct table *table, const char *name, const json_t *section, bool all)
{
	char line[4096] = "", form[FORM_MAX];
	size_t length = 0;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)section, key, value)
	{
		if (json_is_array(value) || (!all && !says_something(key, value)))
			continue;
		int wrote = snprintf(line + length, sizeof line - length, "%s%s=%s", length == 0 ? "" : " ", key,
				     show_value(value, form));
		if (wrote < 0 || (size_t)wrote >= sizeof line - length)
			break;
		length += (size_t)wrote;
	}
	if (length > 0 || all)
		show_add_pair(table, name, line);
}

static void show_status_add_sessions(struct table *table, const json_t *answer)
{
	char bar[FORM_MAX];
	double sessions = number_of(answer, "sessions"), most = number_of(answer, "max_sessions");
	table_add(table, "sessions");
	table_addf(table, "%.0f of %.0f %s", sessions, most, form_bar(bar, sessions, most > 0 ? most : -1));
}

/* Questions of today, of those that it may be asked. */
static void show_status_add_asked(struct table *table, const json_t *row)
{
	if (json_is_integer(json_object_get(row, "budget")))
		table_addf(table, "%.0f/%.0f", number_of(row, "asked_today"), number_of(row, "budget"));
	else
		show_add_number(table, row, "asked_today");
}

static bool is_fine(const json_t *list)
{
	return strcmp(text_of(list, "state"), "ok") == 0 && whole_of(list, "failures") == 0;
}

static void show_lists(const json_t *lists, bool all, FILE *to)
{
	static const char *const titles[] = { "BLOCK LIST", "STATE",	 ">ANSWERS", ">FAILURES", ">MEDIAN MS",
					      ">TODAY",	    ">RETRY IN", "WHY",	     NULL };
	char form[FORM_MAX];
	size_t index, fine = 0;
	json_t *row;
	if (json_array_size(lists) == 0)
		return;
	struct table *table = table_new(titles);
	json_array_foreach(lists, index, row)
	{
		int64_t retry = whole_of(row, "retry_s");
		fine += is_fine(row);
		if (is_fine(row) && !all)
			continue;
		table_add(table, show_or_dash(text_of(row, "name")));
		table_add(table, show_or_dash(text_of(row, "state")));
		show_add_number(table, row, "answers");
		show_add_number(table, row, "failures");
		show_add_number(table, row, "median_ms");
		show_status_add_asked(table, row);
		table_add(table, json_is_number(json_object_get(row, "retry_s")) ? form_span(form, retry) : "-");
		table_add(table, text_of(row, "why"));
	}
	fputc('\n', to);
	if (all || fine < json_array_size(lists))
		table_print(table, to, 0);
	if (!all && fine > 0)
		fprintf(to, "%zu block lists answer without a failure; -v names them.\n", fine);
	table_free(&table);
}

/* Numbers of the daemon as a whole, but for those that have a line of their own. */
static json_t *show_status_rest_of(const json_t *answer)
{
	static const char *const shown[] = { "status",	 "version",	 "uptime_s", "last_message_s",
					     "sessions", "max_sessions", "reasons",  "ok" };
	json_t *rest = json_copy((json_t *)(uintptr_t)answer), *value;
	const char *key;
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		json_object_del(rest, shown[i]);
	json_object_foreach((json_t *)(uintptr_t)answer, key, value) if (json_is_object(value))
		json_object_del(rest, key);
	return rest;
}

static void show_status_add_head(struct table *table, const json_t *answer)
{
	char span[FORM_MAX];
	json_t *reasons = json_object_get(answer, "reasons"), *last = json_object_get(answer, "last_message_s"), *value;
	size_t index;
	show_add_pair(table, "status", text_of(answer, "status"));
	json_array_foreach(reasons, index, value)
		show_add_pair(table, index == 0 ? "because" : "", show_value(value, span));
	table_add(table, "version");
	table_addf(table, "%s, up %s", show_or_dash(text_of(answer, "version")),
		   form_span(span, whole_of(answer, "uptime_s")));
	table_add(table, "last message");
	if (json_is_number(last))
		table_addf(table, "%s ago", form_span(span, whole_of(answer, "last_message_s")));
	else
		table_add(table, "none since the start");
	show_status_add_sessions(table, answer);
}

void show_status(const json_t *answer, bool all, FILE *to)
{
	const char *key;
	json_t *value, *rest = show_status_rest_of(answer);
	struct table *table = table_new(show_pairs);
	show_status_add_head(table, answer);
	show_status_add_section(table, "mail", rest, all);
	json_object_foreach((json_t *)(uintptr_t)answer, key, value) if (json_is_object(value))
		show_status_add_section(table, key, value, all);
	table_print(table, to, 0);
	table_free(&table);
	json_decref(rest);
	show_lists(json_object_get(json_object_get(answer, "dns"), "lists"), all, to);
}
