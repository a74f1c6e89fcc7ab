/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/client_commands.h"

#include "milter/ctl/tool/help.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/table.h"
#include "milter/ctl/tool/talk.h"
#include "policy/base/text.h"
#include "policy/client.h"

#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { ASKED_MAX = 100, DAYS_DEFAULT = 7, DAYS_MOST = 400, OF_MAX = 400, HELP_AT = 17 };

/* What its standing does to it: member of `does`, sentence. */
static const struct {
	const char *member, *said;
} consequences[] = {
	{ "slowed", "it waits, where Postfix asks the map throttle" },
	{ "starttls_hidden", "STARTTLS is hidden from it, where Postfix asks the map starttls" },
	{ "waits_for_quit", "its mail is held until its session ended with QUIT" },
	{ "listed", "it is put on the block list, unless an admin exempts it" },
};

static void client_add_known(struct table *table, const json_t *answer)
{
	char first[FORM_MAX], last[FORM_MAX];
	int64_t now = time(NULL);
	if (!json_is_true(json_object_get(answer, "known")))
		return;
	table_add(table, "known");
	table_addf(table, "first heard of %s, last %s", form_ago(first, whole_of(answer, "first"), now),
		   form_ago(last, whole_of(answer, "last"), now));
}

static void client_add_consequences(struct table *table, const json_t *answer)
{
	const json_t *does = json_object_get(answer, "does");
	bool any = false;
	for (size_t i = 0; i < sizeof consequences / sizeof consequences[0]; i++) {
		if (!json_is_true(json_object_get(does, consequences[i].member)))
			continue;
		table_add(table, any ? "" : "so");
		table_add(table, consequences[i].said);
		any = true;
	}
	if (!json_is_true(json_object_get(does, "shadow")))
		return;
	table_add(table, any ? "" : "so");
	table_add(table, "it neither waits nor is held: all rules are in shadow mode");
}

static void client_add_time(struct table *table, const char *name, const char *before, int64_t unix_s)
{
	char when[32];
	time_t seconds = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	if (strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &utc) == 0)
		when[0] = '\0';
	table_add(table, name);
	table_addf(table, "%s%s", before, when);
}

static void client_add_listed(struct table *table, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "list"), *reference = json_object_get(answer, "reference");
	if (json_is_object(reference)) {
		show_add_pair(table, "reference", text_of(reference, "ref"));
		client_add_time(table, "", "of a listing that began at ", whole_of(reference, "since"));
	}
	if (!json_is_object(list))
		return;
	client_add_time(table, "block list", "listed since ", whole_of(list, "since"));
	client_add_time(table, "", "until ", whole_of(list, "until"));
	table_add(table, "");
	table_addf(table, "as %s: %s", show_or_dash(text_of(list, "why")), show_or_dash(text_of(list, "meaning")));
	table_add(table, "");
	table_addf(table, "reference %s", show_or_dash(text_of(list, "ref")));
}

static void client_show_head(const json_t *answer, FILE *to)
{
	struct table *table = table_new(show_pairs);
	show_add_pair(table, "client", text_of(answer, "client"));
	table_add(table, "standing");
	if (json_is_true(json_object_get(answer, "ours")))
		table_addf(table, "%s: it is one of our own, nothing is held against it",
			   show_or_dash(text_of(answer, "standing")));
	else
		table_addf(table, "%s, by a sum of %.2f", show_or_dash(text_of(answer, "standing")),
			   number_of(answer, "sum"));
	table_add(table, "network");
	if (json_is_integer(json_object_get(answer, "as")))
		table_addf(table, "%s, AS %lld", show_or_dash(text_of(answer, "network")),
			   (long long)whole_of(answer, "as"));
	else
		table_addf(table, "%s, AS not known", show_or_dash(text_of(answer, "network")));
	client_add_known(table, answer);
	client_add_consequences(table, answer);
	client_add_listed(table, answer);
	table_print(table, to, 0);
	table_free(&table);
}

/* Is it more than 0 in a table's last digit? */
static bool client_says(double value, double least)
{
	return value >= least || value <= -least;
}

/* "12.3 no_quit, 0.5 quit": of what counts a term comes. */
static void client_of_text(const json_t *term, struct text *text)
{
	char form[FORM_MAX];
	const char *key, *between = "";
	json_t *count;
	json_object_foreach(json_object_get(term, "of"), key, count)
	{
		if (!client_says(json_number_value(count), 0.05))
			continue;
		text_addf(text, "%s%s %s", between, form_number(form, json_number_value(count)), key);
		between = ", ";
	}
	if (client_says(number_of(term, "names"), 0.5))
		text_addf(text, "%sof %s names", between, form_number(form, number_of(term, "names")));
	if (client_says(number_of(term, "days"), 0.05))
		text_addf(text, "%son %s days", between, form_number(form, number_of(term, "days")));
}

static void client_show_terms(const json_t *answer, bool all, FILE *to)
{
	static const char *const titles[] = { "TERM OF THE SUM", ">VALUE", "OF (DECAYED COUNTS)", NULL };
	struct table *table = table_new(titles);
	json_t *term;
	size_t index;
	json_array_foreach(json_object_get(answer, "terms"), index, term)
	{
		char of[OF_MAX] = "";
		struct text text = text_over(of, sizeof of);
		if (!all && !client_says(number_of(term, "value"), 0.005))
			continue;
		client_of_text(term, &text);
		table_add(table, show_or_dash(text_of(term, "name")));
		show_add_score(table, json_object_get(term, "value"));
		table_add(table, of);
	}
	table_add(table, "sum");
	show_add_score(table, json_object_get(answer, "sum"));
	table_add(table, "");
	fputc('\n', to);
	table_print(table, to, 0);
	table_free(&table);
}

/* The network's and the AS's without its own part. */
static void client_show_counts(const json_t *answer, bool all, FILE *to)
{
	static const char *const titles[] = { "COUNT (DECAYED)", ">CLIENT", ">NETWORK", ">AS", NULL };
	const json_t *counts = json_object_get(answer, "counts"), *network = json_object_get(counts, "network"),
		     *as = json_object_get(counts, "as");
	struct table *table = table_new(titles);
	const char *key;
	json_t *own;
	json_object_foreach(json_object_get(counts, "client"), key, own)
	{
		bool says = client_says(json_number_value(own), 0.05) || client_says(number_of(network, key), 0.05) ||
			    client_says(number_of(as, key), 0.05);
		if (!all && !says)
			continue;
		char form[FORM_MAX];
		table_add(table, key);
		table_add(table, form_number(form, json_number_value(own)));
		table_add(table, form_number(form, number_of(network, key)));
		table_add(table, form_number(form, number_of(as, key)));
	}
	fputc('\n', to);
	table_print(table, to, 0);
	table_free(&table);
	if (!all)
		return;
	fputc('\n', to);
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		help_row(to, client_event_word((enum client_event)i), HELP_AT, client_event_help((enum client_event)i));
}

static void client_show(const json_t *answer, bool all, FILE *to)
{
	bool known = json_is_true(json_object_get(answer, "known"));
	client_show_head(answer, to);
	if (!known)
		fputs("\nNothing is known of it: no mail log has named it lately.\n", to);
	if (!known && !all && number_of(answer, "sum") == 0)
		return;
	client_show_terms(answer, all, to);
	client_show_counts(answer, all, to);
}

int client_show_run(const struct call *call)
{
	const char *asked = call->arguments[0];
	json_t *text = *asked == '\0' || strlen(asked) > ASKED_MAX ? NULL : json_string(asked);
	if (text == NULL)
		return complain(call, "\"%.100s\": expected an address, or a reference of the block list", asked);
	return talk_show(call, have_memory(json_pack("{s:s, s:o}", "do", "client.show", "client", text)), client_show);
}

int sessions_report_run(const struct call *call)
{
	const char *given = call->option[OPTION_DAYS];
	int64_t days = DAYS_DEFAULT;
	if (given != NULL && !text_to_int(given, 1, DAYS_MOST, &days))
		return complain(call, "--days \"%.100s\": expected a whole number from 1 to %d", given, DAYS_MOST);
	return talk_show(call, have_memory(json_pack("{s:s, s:I}", "do", "sessions.report", "days", (json_int_t)days)),
			 show_sessions);
}
