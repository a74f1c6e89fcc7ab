/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/logins_commands.h"

#include "milter/ctl/show.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/table.h"
#include "milter/ctl/tool/talk.h"
#include "policy/base/text.h"

#include <time.h>

#include "policy/base/banned.h"

enum { ROWS_DEFAULT = 20, ROWS_MOST = 1000, SERVICES_BYTES = 100 };

static const char *logins_services(const json_t *row, char words[SERVICES_BYTES])
{
	const json_t *list = json_object_get(row, "services");
	struct text text = text_over(words, SERVICES_BYTES);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		text_addf(&text, "%s%s", i > 0 ? " " : "", word != NULL ? word : "?");
	}
	return show_or_dash(words);
}

static void logins_add_row(struct table *table, const json_t *row, const char *who, const char *count, int64_t now)
{
	char form[FORM_MAX], words[SERVICES_BYTES];
	table_add(table, show_or_dash(who));
	table_add(table, form_number(form, number_of(row, count)));
	table_add(table, form_number(form, number_of(row, "failures")));
	table_add(table, form_ago(form, whole_of(row, "last_s"), now));
	table_add(table, logins_services(row, words));
}

static void logins_show_clients(const json_t *rows, int64_t now, FILE *to)
{
	static const char *const titles[] = { "CLIENT", ">NAMES", ">FAILED", "LAST", "SERVICES", "", NULL };
	struct table *table = table_new(titles);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *got_in = text_of(row, "got_in");
		logins_add_row(table, row, text_of(row, "client"), "names", now);
		if (*got_in != '\0')
			table_addf(table, "it logged in as %s", got_in);
		else if (json_is_true(json_object_get(row, "ours")))
			table_add(table, "ours");
		else
			table_add(table, json_is_true(json_object_get(row, "guesses")) ? "guesses" : "");
	}
	table_print(table, to, 0);
	table_free(&table);
}

static void logins_show_names(const json_t *rows, int64_t now, FILE *to)
{
	static const char *const titles[] = { "LOGIN AS TYPED", ">CLIENTS", ">FAILED", "LAST", "SERVICES", "", NULL };
	struct table *table = table_new(titles);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		logins_add_row(table, row, text_of(row, "name"), "clients", now);
		table_add(table, json_is_true(json_object_get(row, "attacked")) ? "attacked" : "");
	}
	table_print(table, to, 0);
	table_free(&table);
}

static void logins_show(const json_t *answer, bool all, FILE *to)
{
	const json_t *totals = json_object_get(answer, "totals"), *clients = json_object_get(answer, "clients"),
		     *names = json_object_get(answer, "names");
	int64_t now = (int64_t)time(NULL);
	(void)all;
	fprintf(to,
		"Since the start: %.0f failed logins, %.0f logins that worked; in %.0f of these a client got in that "
		"had guessed.\n",
		number_of(totals, "failures"), number_of(totals, "logins"), number_of(totals, "got_in"));
	if (number_of(totals, "unproven") > 0)
		fprintf(to, "Of %.0f the client may be forged: their names are not counted.\n",
			number_of(totals, "unproven"));
	if (number_of(totals, "events_kept_back") > 0)
		fprintf(to, "%.0f events were kept back, since too many came in an hour.\n",
			number_of(totals, "events_kept_back"));
	if (json_array_size(clients) == 0) {
		fputs("No client failed to log in.\n", to);
		return;
	}
	fputs("\nNames that a client tried within a day:\n", to);
	logins_show_clients(clients, now, to);
	if (json_array_size(names) == 0)
		return;
	fputs("\nClients that tried a name within a day:\n", to);
	logins_show_names(names, now, to);
}

int logins_report_run(const struct call *call)
{
	const char *given = call->option[OPTION_COUNT];
	int64_t count = ROWS_DEFAULT;
	if (given != NULL && !text_to_int(given, 1, ROWS_MOST, &count))
		return complain(call, "--count \"%.100s\": expected a whole number from 1 to %d", given, ROWS_MOST);
	return talk_show(call, have_memory(json_pack("{s:s, s:I}", "do", "logins.report", "count", (json_int_t)count)),
			 logins_show);
}
