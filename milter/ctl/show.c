/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

const char *const show_pairs[] = { "", "", NULL };

const char *show_or_dash(const char *text)
{
	return *text == '\0' ? "-" : text;
}

/* Any simple value as one word; "-" for null and for what has parts. */
const char *show_value(const json_t *value, char *form)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	return json_is_number(value) ? form_number(form, json_number_value(value)) : "-";
}

void show_add_number(struct table *table, const json_t *object, const char *name)
{
	char form[FORM_MAX];
	table_add(table, show_value(json_object_get(object, name), form));
}

void show_add_score(struct table *table, const json_t *value)
{
	if (json_is_number(value))
		table_addf(table, "%.2f", json_number_value(value));
	else
		table_add(table, "-");
}

void show_add_pair(struct table *table, const char *name, const char *value)
{
	table_add(table, name);
	table_add(table, show_or_dash(value));
}

void show_top(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	static const char *const titles[] = { "ACCOUNT",     "LEVEL",	   ">SCORE", ">MSGS/HOUR",
					      ">RCPTS/HOUR", ">RCPTS/DAY", NULL };
	json_t *rows = json_object_get(answer, "accounts"), *row;
	size_t index;
	struct table *table = table_new(titles);
	json_array_foreach(rows, index, row)
	{
		table_add(table, show_or_dash(text_of(row, "account")));
		table_add(table, show_or_dash(text_of(row, "level")));
		show_add_score(table, json_object_get(row, "score"));
		show_add_number(table, row, "messages_hour");
		show_add_number(table, row, "rcpts_hour");
		show_add_number(table, row, "rcpts_day");
	}
	if (json_array_size(rows) == 0)
		fputs("No account has sent since this daemon's start.\n", to);
	else
		table_print(table, to, 0);
	table_free(&table);
}

static void show_levels_text(const json_t *levels, char *text, size_t size)
{
	size_t index, length = 0;
	json_t *level;
	*text = '\0';
	json_array_foreach(levels, index, level)
	{
		const char *word = json_string_value(level);
		int wrote = snprintf(text + length, size - length, "%s%s", index == 0 ? "" : ", ",
				     word == NULL ? "?" : word);
		if (wrote < 0 || (size_t)wrote >= size - length)
			return;
		length += (size_t)wrote;
	}
}

static void show_add_share(struct table *table, const json_t *share)
{
	if (json_is_number(share))
		table_addf(table, "%.0f %%", 100 * json_number_value(share));
	else
		table_add(table, "-");
}

static void show_add_pool(struct table *table, const json_t *pool)
{
	char levels[200];
	json_t *transport;
	size_t i;
	show_levels_text(json_object_get(pool, "levels"), levels, sizeof levels);
	json_array_foreach(json_object_get(pool, "transports"), i, transport)
	{
		table_add(table, i == 0 ? text_of(pool, "name") : "");
		table_add(table, i == 0 ? levels : "");
		table_add(table, show_or_dash(text_of(transport, "name")));
		const char *address6 = text_of(transport, "address6");
		table_addf(table, "%s%s%s", show_or_dash(text_of(transport, "address")), *address6 == '\0' ? "" : ", ",
			   address6);
		table_add(table, show_or_dash(text_of(transport, "helo")));
		show_add_number(table, transport, "weight");
		show_add_number(table, transport, "messages");
		table_add(table, show_or_dash(text_of(transport, "state")));
		show_add_share(table, json_object_get(transport, "share"));
	}
}

/* How far a state has come: "listed, 3 h ago", "returning, 1 d ago, until in 2 d". */
static void show_add_state(struct table *table, const json_t *transport)
{
	char ago[FORM_MAX], span[FORM_MAX];
	int64_t now = time(NULL), since = whole_of(transport, "since"), ends = whole_of(transport, "ends");
	table_addf(table, "%s%s%s%s%s", show_or_dash(text_of(transport, "state")), since > 0 ? ", since " : "",
		   since > 0 ? form_ago(ago, since, now) : "", ends > 0 ? ", for " : "",
		   ends > 0 ? form_span(span, ends > now ? ends - now : 0) : "");
}

/* A line for each list that names the transport's address, or one that says why there is none. False: there is nothing
 * to tell of it. */
static bool show_add_standing(struct table *table, const json_t *transport)
{
	json_t *lists = json_object_get(transport, "lists"), *list;
	size_t i, count = json_array_size(lists);
	const char *why = text_of(transport, "why"), *state = text_of(transport, "state");
	if (*state == '\0' ||
	    (count == 0 && *why == '\0' && (strcmp(state, "clean") == 0 || strcmp(state, "unknown") == 0)))
		return false;
	table_add(table, show_or_dash(text_of(transport, "name")));
	const char *whose = text_of(transport, "standing_of");
	table_add(table, show_or_dash(*whose != '\0' ? whose : text_of(transport, "seen_as")));
	show_add_state(table, transport);
	if (count == 0) {
		table_add(table, "-");
		table_add(table, "-");
		table_add(table, why);
	}
	json_array_foreach(lists, i, list)
	{
		for (int cell = 0; i > 0 && cell < 3; cell++)
			table_add(table, "");
		table_add(table, show_or_dash(text_of(list, "name")));
		show_add_number(table, list, "weight");
		table_add(table, text_of(list, "removal"));
	}
	return true;
}

static void show_tell_warmup(const json_t *transport, FILE *to)
{
	const json_t *warmup = json_object_get(transport, "warmup");
	int64_t today = whole_of(warmup, "today"), most = whole_of(warmup, "today_most");
	if (json_is_object(warmup))
		fprintf(to, "\nTransport %s warms up: %lld of %lld %s today%s.\n", text_of(transport, "name"),
			(long long)today, (long long)most, text_noun(most, "message", "messages"),
			today >= most ? "; others take the rest" : "");
}

static void show_tell_rests(const json_t *transport, FILE *to)
{
	char form[FORM_MAX];
	int64_t now = time(NULL);
	json_t *rest;
	size_t i;
	json_array_foreach(json_object_get(transport, "rests"), i, rest)
	{
		int64_t until = whole_of(rest, "until");
		bool rests = strcmp(text_of(rest, "state"), "rests") == 0;
		if (rests)
			fprintf(to, "\nTransport %s rests for receiver %s, for %s.\n", text_of(transport, "name"),
				text_of(rest, "receiver"), form_span(form, until > now ? until - now : 0));
		else
			fprintf(to, "\nTransport %s tries receiver %s again with a few messages.\n",
				text_of(transport, "name"), text_of(rest, "receiver"));
	}
}

void show_pools(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	static const char *const titles[] = { "POOL",	 "LEVELS",    "TRANSPORT", "ADDRESS", "HELO",
					      ">WEIGHT", ">MESSAGES", "STATE",	   ">SHARE",  NULL };
	static const char *const standing_titles[] = { "TRANSPORT", "SEEN AS", "STATE", "LISTED BY",
						       ">WEIGHT",   "REMOVAL", NULL };
	json_t *pools = json_object_get(answer, "pools"), *pool, *transport;
	bool told = false;
	size_t i, j;
	if (json_array_size(pools) == 0) {
		fputs("No pools are configured.\n", to);
		return;
	}
	struct table *table = table_new(titles), *standings = table_new(standing_titles);
	json_array_foreach(pools, i, pool)
	{
		show_add_pool(table, pool);
		json_array_foreach(json_object_get(pool, "transports"), j, transport) told |=
			show_add_standing(standings, transport);
	}
	table_print(table, to, 0);
	if (told) {
		fputc('\n', to);
		table_print(standings, to, 0);
	}
	json_array_foreach(pools, i, pool)
	{
		json_array_foreach(json_object_get(pool, "transports"), j, transport)
		{
			show_tell_warmup(transport, to);
			show_tell_rests(transport, to);
		}
		if (json_is_true(json_object_get(pool, "all_listed")))
			fprintf(to, "\nAll transports of pool %s are listed.\n", text_of(pool, "name"));
	}
	table_free(&table);
	table_free(&standings);
}

void show_monitor_check(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	int64_t count = whole_of(answer, "addresses");
	fprintf(to, "%lld %s looked up now; pool list shows what comes of it.\n", (long long)count,
		count == 1 ? "address is" : "addresses are");
}
