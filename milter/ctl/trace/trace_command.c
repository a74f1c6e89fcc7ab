/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_command.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/trace/trace_export.h"
#include "milter/ctl/trace/trace_search.h"
#include "milter/ctl/trace/trace_show.h"
#include "milter/trace/trace_secret.h"
#include "policy/base/text.h"
#include "policy/date.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { MESSAGES = 20, MESSAGES_MOST = 100000, DAY_MS = 86400000 };

static void trace_command_folder(const struct config *config, char folder[300])
{
	struct text text = text_over(folder, 300);
	text_addf(&text, "%s/trace", config->set.follow_state);
}

bool trace_command_open(const struct call *call, struct config **config_out, struct trace_days *days)
{
	char folder[300], error[600];
	*days = (struct trace_days){ .folder = -1 };
	*config_out = call_config(call);
	if (*config_out == NULL)
		return false;
	trace_command_folder(*config_out, folder);
	bool off = (*config_out)->set.follow_trace_days == 0,
	     there = trace_days_open(days, folder, error, sizeof error);
	if (there && days->count > 0)
		return true;
	if (off)
		complain(call, "follow.trace_days is 0, so none is kept; set it, and restart penstock-follow");
	else if (!there)
		complain(call,
			 "%s; penstock-follow makes it: is it running (systemctl status penstock-follow), and are you "
			 "root or in its group?",
			 error);
	else
		complain(call, "%s has no day yet; penstock-follow writes one as soon as Penstock answers a message",
			 folder);
	return false;
}

/* --since or --until: a date, or how long ago. */
static bool trace_command_moment(const struct call *call, enum option_id option, const char *name, int64_t *ms_out)
{
	const char *given = call->option[option];
	int64_t seconds;
	if (given == NULL)
		return true;
	/* "90" is a span, as --for has it; Unix time is not that small */
	int64_t span = call_seconds(given);
	if (span >= 0 && span < 100000000)
		seconds = (int64_t)time(NULL) - span;
	else if (!date_read(given, &seconds)) {
		complain(call,
			 "--%s \"%.100s\": expected " DATE_EXPECTED ", or how long ago: 90 (seconds), 30m, 2h, 1d",
			 name, given);
		return false;
	}
	*ms_out = seconds * 1000;
	return true;
}

static bool trace_command_term(const struct call *call, struct trace_query *query, enum trace_what what,
			       const char *value)
{
	if (value == NULL || trace_query_add(query, what, value))
		return true;
	complain(call, "\"%.100s\": expected something to look for, and at most %d such", value, TRACE_TERMS_MAX);
	return false;
}

static bool trace_command_terms(const struct call *call, struct trace_query *query)
{
	static const struct {
		enum option_id option;
		enum trace_what what;
	} rows[] = {
		{ OPTION_ACCOUNT, TRACE_WHAT_ACCOUNT }, { OPTION_SENDER, TRACE_WHAT_SENDER },
		{ OPTION_RCPT, TRACE_WHAT_RCPT },	{ OPTION_QUEUE_ID, TRACE_WHAT_QUEUE_ID },
		{ OPTION_REF, TRACE_WHAT_REFERENCE },	{ OPTION_MESSAGE_ID, TRACE_WHAT_MESSAGE_ID },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!trace_command_term(call, query, rows[i].what, call->option[rows[i].option]))
			return false;
	for (int i = 0; i < call->count; i++)
		if (!trace_command_term(call, query, TRACE_WHAT_ANY, call->arguments[i]))
			return false;
	return true;
}

static bool trace_command_query(const struct call *call, const struct config *config, struct trace_query *query)
{
	char folder[300], error[600];
	const char *count = call->option[OPTION_COUNT];
	*query = (struct trace_query){ .until_ms = INT64_MAX,
				       .most = MESSAGES,
				       .cut_tag = config->set.accounts_cut_tag };
	if (count != NULL && !text_to_int(count, 1, MESSAGES_MOST, &query->most)) {
		complain(call, "--count \"%.100s\": expected a whole number from 1 to %d", count, MESSAGES_MOST);
		return false;
	}
	trace_command_folder(config, folder);
	/* days from before the setting was changed are searched, too */
	query->have_key = trace_secret(folder, config->set.facts_salt, false, query->key, error, sizeof error);
	return trace_command_moment(call, OPTION_SINCE, "since", &query->since_ms) &&
	       trace_command_moment(call, OPTION_UNTIL, "until", &query->until_ms) && trace_command_terms(call, query);
}

/* The days between the first and the last that were asked for, or are there. */
static json_t *trace_command_missing(const struct trace_days *days, const struct trace_query *query)
{
	int64_t first = days->days[0], last = days->days[days->count - 1];
	int64_t today = (int64_t)time(NULL) / 86400;
	if (query->since_ms > 0)
		first = trace_day_of(query->since_ms);
	if (query->until_ms != INT64_MAX)
		last = trace_day_of(query->until_ms - 1);
	return trace_days_missing(days, first, last < today ? last : today);
}

static void trace_command_print(const struct call *call, const struct trace_found *found, json_t *missing)
{
	if (call->option[OPTION_JSON] != NULL) {
		json_t *json = trace_export_json(found, missing);
		call_print_json(json, stdout);
		json_decref(json);
		return;
	}
	trace_days_warn(missing);
	if (call->option[OPTION_CSV] != NULL)
		trace_export_csv(found, stdout);
	else
		trace_show(found, call->option[OPTION_VERBOSE] != NULL, stdout);
}

int trace_command_run(const struct call *call)
{
	struct config *config;
	struct trace_days days;
	struct trace_query *query = have_memory(calloc(1, sizeof *query));
	struct trace_found found = { { 0 }, false };
	int code = EXIT_USAGE;
	if (trace_command_open(call, &config, &days) && trace_command_query(call, config, query)) {
		json_t *missing = trace_command_missing(&days, query);
		trace_search(&days, query, &found);
		trace_command_print(call, &found, missing);
		code = found.stories.count > 0 ? EXIT_FINE : EXIT_NO;
		trace_stories_free(&found.stories);
		json_decref(missing);
	}
	free(query);
	trace_days_close(&days);
	if (config != NULL)
		config_drop(&config);
	return code;
}
