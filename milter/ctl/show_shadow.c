/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/show_shadow.h"

#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

static long long number_of(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

/* One row for each account and thing that would have been done. */
static void show_shadow_add_account(struct table *table, const json_t *row)
{
	const char *account = json_string_value(json_object_get(row, "account")), *what;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)row, what,
			    value) if (strcmp(what, "messages") != 0 && json_is_integer(value))
	{
		table_add(table, account != NULL ? account : "?");
		table_add(table, what);
		table_addf(table, "%lld", (long long)json_integer_value(value));
	}
}

void show_shadow(const json_t *answer, bool verbose, FILE *to)
{
	(void)verbose;
	static const char *const whats[] = { "would have been", ">messages", ">of all mail", NULL };
	static const char *const accounts[] = { "account", "would have been", ">messages", NULL };
	long long all = number_of(answer, "all");
	const char *what;
	json_t *value;
	size_t i;
	long long days = number_of(answer, "days"), named = number_of(answer, "accounts");
	fprintf(to, "%lld %s in %lld %s, with today (UTC)\n", all, text_noun(all, "message", "messages"), days,
		text_noun(days, "day", "days"));
	if (named == 0) {
		fputs("no rule in shadow mode would have changed anything\n", to);
		return;
	}
	struct table *causes = table_new(whats), *table = table_new(accounts);
	json_object_foreach(json_object_get(answer, "what"), what, value)
	{
		double count = (double)json_integer_value(value);
		table_add(causes, what);
		table_addf(causes, "%.0f", count);
		table_addf(causes, "%.3f %%", all > 0 ? 100 * count / (double)all : 0);
	}
	json_array_foreach(json_object_get(answer, "most"), i, value) show_shadow_add_account(table, value);
	table_print(causes, to, 2);
	fputs("\n", to);
	table_print(table, to, 2);
	fprintf(to, "%lld %s\n", named, text_noun(named, "account", "accounts"));
	table_free(&causes);
	table_free(&table);
}
