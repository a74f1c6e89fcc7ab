/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/roster_tool.h"

#include "milter/ctl/tool/client.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/progress.h"
#include "milter/ctl/show.h"
#include "milter/ctl/tool/table.h"
#include "milter/base/json_read.h"
#include "policy/base/text.h"
#include "policy/limit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { ROWS_DEFAULT = 1000, ROWS_MOST = 100000, SILENCE_MS = 30000, ERROR_MAX = 600 };

static const char *const list_titles[] = { "ACCOUNT", "LEVEL", ">SCORE", "SINCE", "UNTIL", "WHY", NULL };
static const char *const check_titles[] = { "KEY", "WHAT", NULL };

struct reading {
	const struct call *call; /* borrowed */
	struct table *table;	 /* owned; NULL: lines of JSON */
	json_t *seen;		 /* owned: a name that comes twice is shown once; of at most `most` */
	int64_t most, rows, all_keys, looked_at;
	bool lists, ended, more;
	bool chosen;	       /* options name what is listed */
	char error[ERROR_MAX]; /* "" : none */
};

/* As account limit takes it: a date in UTC, one of midnight as the day alone. */
static const char *roster_tool_limit(const char *field, const json_t *value, char form[FORM_MAX])
{
	time_t seconds = (time_t)json_integer_value(value);
	struct tm utc;
	if (!limits_is_date(field) || !json_is_integer(value) || gmtime_r(&seconds, &utc) == NULL)
		return show_value(value, form);
	strftime(form, FORM_MAX, seconds % 86400 == 0 ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", &utc);
	return form;
}

/* "rcpts_per_hour=500 created=2026-01-31" */
static void roster_tool_add_limits(struct text *why, const json_t *limits)
{
	char form[FORM_MAX];
	const char *field;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)limits, field, value)
		text_addf(why, "%s%s=%s", why->length > 0 ? " " : "", field, roster_tool_limit(field, value, form));
}

static void roster_tool_add_account(struct table *table, const json_t *row)
{
	char form[FORM_MAX], words[1024];
	struct text why = text_over(words, sizeof words);
	int64_t now = time(NULL), ends = whole_of(row, "ends"), since = whole_of(row, "since");
	const char *block = text_of(row, "block"), *exempt = text_of(row, "exempt"), *level = text_of(row, "level");
	show_add_pair(table, text_of(row, "account"), level);
	show_add_score(table, json_object_get(row, "score"));
	table_add(table, since > 0 ? form_ago(form, since, now) : "-");
	if (ends > 0)
		table_addf(table, "in %s", form_span(form, ends > now ? ends - now : 0));
	else
		table_add(table, "-");
	if (*block != '\0')
		text_addf(&why, "blocked: %s", block);
	if (*exempt != '\0')
		text_addf(&why, "%sexempt: %s", why.length > 0 ? "; " : "", exempt);
	if (why.length == 0 && (strcmp(level, "suspect") == 0 || strcmp(level, "blocked") == 0))
		text_add(&why, "its score");
	if (why.length == 0)
		roster_tool_add_limits(&why, json_object_get(row, "limits"));
	table_add(table, words);
}

static bool roster_tool_is_new(struct reading *reading, const json_t *row)
{
	const char *name = text_of(row, reading->lists ? "account" : "key"), *what = text_of(row, "what");
	char key[2048];
	snprintf(key, sizeof key, "%s %s", name, what);
	return json_object_get(reading->seen, key) == NULL && json_object_set_new(reading->seen, key, json_null()) == 0;
}

static void roster_tool_print_json(const json_t *row)
{
	progress_wipe();
	json_dumpf(row, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
	putchar('\n');
	fflush(stdout);
}

static void roster_tool_take_row(struct reading *reading, const json_t *row)
{
	if (!roster_tool_is_new(reading, row))
		return;
	if (reading->rows == reading->most) {
		reading->more = true;
		return;
	}
	reading->rows++;
	if (reading->table == NULL) {
		roster_tool_print_json(row);
	} else if (reading->lists) {
		roster_tool_add_account(reading->table, row);
	} else {
		show_add_pair(reading->table, text_of(row, "key"), text_of(row, "what"));
	}
}

static void roster_tool_take_line(struct reading *reading, const char *line, size_t length)
{
	char why[300];
	json_t *json = json_read(JSON_OF_DAEMON, line, length, why, sizeof why);
	const char *type = text_of(json, "type"), *error = text_of(json, "error");
	if (json == NULL)
		snprintf(reading->error, sizeof reading->error,
			 "a line of the daemon's answer is no object of JSON: %s", why);
	else if (*error != '\0')
		text_copy(reading->error, sizeof reading->error, error);
	else if (strcmp(type, "begin") == 0)
		reading->all_keys = whole_of(json, "keys");
	else if (strcmp(type, "progress") == 0)
		reading->looked_at = whole_of(json, "looked_at");
	else if (strcmp(type, reading->lists ? "account" : "finding") == 0)
		roster_tool_take_row(reading, json);
	else
		reading->ended |= strcmp(type, "end") == 0;
	if (reading->ended && reading->table == NULL)
		roster_tool_print_json(json);
	json_decref(json);
}

static void roster_tool_read_stream(struct reading *reading, struct client_stream *stream)
{
	const char *line;
	size_t length;
	while (reading->error[0] == '\0' && !reading->ended && !reading->more && !ferror(stdout)) {
		struct progress progress = { .what = "",
					     .done = reading->looked_at,
					     .total = reading->all_keys,
					     .unit = "keys",
					     .listed = reading->rows };
		switch (client_next(stream, progress_show(&progress), &line, &length, reading->error,
				    sizeof reading->error)) {
		case CLIENT_LINE:
			roster_tool_take_line(reading, line, length);
			break;
		case CLIENT_WAITING:
			break;
		case CLIENT_END:
			text_copy(reading->error, sizeof reading->error,
				  "the daemon's answer broke off before its end");
			break;
		case CLIENT_FAILED:
			break;
		}
	}
}

static void roster_tool_print_table(const struct reading *reading)
{
	if (reading->rows > 0)
		table_print(reading->table, stdout, 0);
	else if (reading->error[0] == '\0')
		puts(!reading->lists   ? "Nothing is wrong: all that was written is read."
		     : reading->chosen ? "There is no such account."
				       : "No account is blocked, suspect or exempt.");
	if (reading->more)
		printf("There are more than %lld; -n shows more of them.\n", (long long)reading->most);
}

/* Takes over `request`. */
static int roster_tool_run(const struct call *call, json_t *request, bool lists, bool chosen)
{
	const char *given = call->option[OPTION_COUNT];
	struct reading reading = { .call = call, .lists = lists, .chosen = chosen, .most = ROWS_DEFAULT };
	char *socket = NULL;
	struct client_stream *stream = NULL;
	if (given != NULL && !text_to_int(given, 1, ROWS_MOST, &reading.most)) {
		json_decref(request);
		return complain(call, "--count \"%.100s\": expected a whole number from 1 to %d", given, ROWS_MOST);
	}
	socket = call_socket(call);
	if (socket == NULL) {
		json_decref(request);
		return EXIT_USAGE;
	}
	reading.seen = have_memory(json_object());
	if (call->option[OPTION_JSON] == NULL)
		reading.table = table_new(lists ? list_titles : check_titles);
	progress_begin();
	stream = client_open(socket, request, SILENCE_MS, reading.error, sizeof reading.error);
	if (stream != NULL)
		roster_tool_read_stream(&reading, stream);
	client_close(&stream);
	progress_wipe();
	if (reading.table != NULL)
		roster_tool_print_table(&reading);
	if (reading.error[0] != '\0')
		complain(call, "%s", reading.error);
	if (reading.table != NULL)
		table_free(&reading.table);
	json_decref(reading.seen);
	json_decref(request);
	free(socket);
	return reading.error[0] != '\0' ? EXIT_USAGE : !lists && reading.rows > 0 ? EXIT_NO : EXIT_FINE;
}

int roster_list_run(const struct call *call)
{
	static const struct {
		enum option_id option;
		const char *word;
	} words[] = {
		{ OPTION_BLOCKED, "blocked" },
		{ OPTION_EXEMPT, "exempt" },
		{ OPTION_LIMITS, "limits" },
	};
	json_t *what = have_memory(json_array());
	const char *level = call->option[OPTION_LEVEL];
	if (level != NULL && strcmp(level, "good") != 0 && strcmp(level, "new") != 0 && strcmp(level, "suspect") != 0 &&
	    strcmp(level, "blocked") != 0) {
		json_decref(what);
		return complain(call, "--level \"%.100s\": expected good, new, suspect or blocked", level);
	}
	if (level != NULL)
		json_array_append_new(what, json_string(level));
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (call->option[words[i].option] != NULL)
			json_array_append_new(what, json_string(words[i].word));
	bool chosen = json_array_size(what) > 0;
	if (!chosen) /* whoever is not as the others are */
		for (size_t i = 0; i < 3; i++)
			json_array_append_new(what, json_string((const char *[]){ "blocked", "suspect", "exempt" }[i]));
	return roster_tool_run(call, have_memory(json_pack("{s:s, s:o}", "do", "account.list", "what", what)), true,
			       chosen);
}

int roster_check_run(const struct call *call)
{
	return roster_tool_run(call, have_memory(json_pack("{s:s}", "do", "account.check")), false, false);
}
