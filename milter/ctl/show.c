/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/show.h"

#include "milter/ctl/clean.h"
#include "milter/ctl/member.h"
#include "milter/ctl/table.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

static const char *const pairs[] = { "", "", NULL };	/* names and values, without titles */

static const char *or_dash(const char *text)
{
	return *text == '\0' ? "-" : text;
}

/* Any simple value as one word; "-" for null and for what has parts. */
static const char *value_text(const json_t *value, char form[FORM_MAX])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	return json_is_number(value) ? form_number(form, json_number_value(value)) : "-";
}

static void add_number(struct table *table, const json_t *object, const char *name)
{
	char form[FORM_MAX];
	table_add(table, value_text(json_object_get(object, name), form));
}

static void add_score(struct table *table, const json_t *value)
{
	if (json_is_number(value))
		table_addf(table, "%.2f", json_number_value(value));
	else
		table_add(table, "-");
}

/* "up=yes breaker_open=no pending=0": new members of the daemon show without a new tool. */
static void add_section(struct table *table, const char *name, const json_t *section)
{
	char line[4096] = "", form[FORM_MAX];
	size_t length = 0;
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)section, key, value) {
		if (json_is_array(value))
			continue;
		int wrote = snprintf(line + length, sizeof line - length, "%s%s=%s", length == 0 ? "" : " ", key,
				     value_text(value, form));
		if (wrote < 0 || (size_t)wrote >= sizeof line - length)
			break;
		length += (size_t)wrote;
	}
	table_add(table, name);
	table_add(table, line);
}

static void add_sessions(struct table *table, const json_t *answer)
{
	char bar[FORM_MAX];
	double sessions = number_of(answer, "sessions"), most = number_of(answer, "max_sessions");
	table_add(table, "sessions");
	table_addf(table, "%.0f of %.0f %s", sessions, most, form_bar(bar, sessions, most > 0 ? most : -1));
}

/* Questions of today, of those that it may be asked. */
static void add_asked(struct table *table, const json_t *row)
{
	if (json_is_integer(json_object_get(row, "budget")))
		table_addf(table, "%.0f/%.0f", number_of(row, "asked_today"), number_of(row, "budget"));
	else
		add_number(table, row, "asked_today");
}

static void show_lists(const json_t *lists, FILE *to)
{
	static const char *const titles[] = { "BLOCK LIST", "STATE", ">ANSWERS", ">FAILURES", ">MEDIAN MS", ">TODAY", ">RETRY IN",
					      "WHY", NULL };
	char form[FORM_MAX];
	size_t index;
	json_t *row;
	if (json_array_size(lists) == 0)
		return;
	struct table *table = table_new(titles);
	json_array_foreach(lists, index, row) {
		int64_t retry = whole_of(row, "retry_s");
		table_add(table, or_dash(text_of(row, "name")));
		table_add(table, or_dash(text_of(row, "state")));
		add_number(table, row, "answers");
		add_number(table, row, "failures");
		add_number(table, row, "median_ms");
		add_asked(table, row);
		table_add(table, json_is_number(json_object_get(row, "retry_s")) ? form_span(form, retry) : "-");
		table_add(table, text_of(row, "why"));
	}
	fputc('\n', to);
	table_print(table, to, 0);
	table_free(&table);
}

void show_status(const json_t *answer, FILE *to)
{
	static const char *const shown[] = { "status", "version", "uptime_s", "last_message_s", "sessions",
					     "max_sessions", "reasons" };
	char span[FORM_MAX];
	const char *key;
	json_t *value, *reasons = json_object_get(answer, "reasons");
	json_t *last = json_object_get(answer, "last_message_s");
	size_t index;
	struct table *table = table_new(pairs);
	table_add(table, "status");
	table_add(table, or_dash(text_of(answer, "status")));
	json_array_foreach(reasons, index, value) {
		table_add(table, index == 0 ? "because" : "");
		table_add(table, value_text(value, span));
	}
	table_add(table, "version");
	table_addf(table, "%s, up %s", or_dash(text_of(answer, "version")),
		   form_span(span, whole_of(answer, "uptime_s")));
	table_add(table, "last message");
	if (json_is_number(last))
		table_addf(table, "%s ago", form_span(span, whole_of(answer, "last_message_s")));
	else
		table_add(table, "none since the start");
	add_sessions(table, answer);
	json_object_foreach((json_t *)(uintptr_t)answer, key, value) {
		size_t i = 0;
		while (i < sizeof shown / sizeof shown[0] && strcmp(shown[i], key) != 0)
			i++;
		if (i < sizeof shown / sizeof shown[0] || strcmp(key, "ok") == 0)
			continue;
		if (json_is_object(value)) {
			add_section(table, key, value);
		} else {
			table_add(table, key);
			table_add(table, value_text(value, span));
		}
	}
	table_print(table, to, 0);
	table_free(&table);
	show_lists(json_object_get(json_object_get(answer, "dns"), "lists"), to);
}

void show_top(const json_t *answer, FILE *to)
{
	static const char *const titles[] = { "ACCOUNT", "LEVEL", ">SCORE", ">MSGS/HOUR", ">RCPTS/HOUR",
					      ">RCPTS/DAY", NULL };
	json_t *rows = json_object_get(answer, "accounts"), *row;
	size_t index;
	struct table *table = table_new(titles);
	json_array_foreach(rows, index, row) {
		table_add(table, or_dash(text_of(row, "account")));
		table_add(table, or_dash(text_of(row, "level")));
		add_score(table, json_object_get(row, "score"));
		add_number(table, row, "messages_hour");
		add_number(table, row, "rcpts_hour");
		add_number(table, row, "rcpts_day");
	}
	if (json_array_size(rows) == 0)
		fputs("No account has sent since this daemon's start.\n", to);
	else
		table_print(table, to, 0);
	table_free(&table);
}

static void levels_text(const json_t *levels, char *text, size_t size)
{
	size_t index, length = 0;
	json_t *level;
	*text = '\0';
	json_array_foreach(levels, index, level) {
		const char *word = json_string_value(level);
		int wrote = snprintf(text + length, size - length, "%s%s", index == 0 ? "" : ", ",
				     word == NULL ? "?" : word);
		if (wrote < 0 || (size_t)wrote >= size - length)
			return;
		length += (size_t)wrote;
	}
}

static void add_share(struct table *table, const json_t *share)
{
	if (json_is_number(share))
		table_addf(table, "%.0f %%", 100 * json_number_value(share));
	else
		table_add(table, "-");
}

static void add_pool(struct table *table, const json_t *pool)
{
	char levels[200];
	json_t *transport;
	size_t i;
	levels_text(json_object_get(pool, "levels"), levels, sizeof levels);
	json_array_foreach(json_object_get(pool, "transports"), i, transport) {
		table_add(table, i == 0 ? text_of(pool, "name") : "");
		table_add(table, i == 0 ? levels : "");
		table_add(table, or_dash(text_of(transport, "name")));
		const char *address6 = text_of(transport, "address6");
		table_addf(table, "%s%s%s", or_dash(text_of(transport, "address")), *address6 == '\0' ? "" : ", ", address6);
		table_add(table, or_dash(text_of(transport, "helo")));
		add_number(table, transport, "weight");
		add_number(table, transport, "messages");
		table_add(table, or_dash(text_of(transport, "state")));
		add_share(table, json_object_get(transport, "share"));
	}
}

/* How far a state has come: "listed, 3 h ago", "returning, 1 d ago, until in 2 d". */
static void add_state(struct table *table, const json_t *transport)
{
	char ago[FORM_MAX], span[FORM_MAX];
	int64_t now = time(NULL), since = whole_of(transport, "since"), ends = whole_of(transport, "ends");
	table_addf(table, "%s%s%s%s%s", or_dash(text_of(transport, "state")), since > 0 ? ", since " : "",
		   since > 0 ? form_ago(ago, since, now) : "", ends > 0 ? ", for " : "",
		   ends > 0 ? form_span(span, ends > now ? ends - now : 0) : "");
}

/* A line for each list that names the transport's address, or one that says why there is none. False: there is nothing
 * to tell of it. */
static bool add_standing(struct table *table, const json_t *transport)
{
	json_t *lists = json_object_get(transport, "lists"), *list;
	size_t i, count = json_array_size(lists);
	const char *why = text_of(transport, "why"), *state = text_of(transport, "state");
	if (*state == '\0' || (count == 0 && *why == '\0' && (strcmp(state, "clean") == 0 || strcmp(state, "unknown") == 0)))
		return false;
	table_add(table, or_dash(text_of(transport, "name")));
	const char *whose = text_of(transport, "standing_of");
	table_add(table, or_dash(*whose != '\0' ? whose : text_of(transport, "seen_as")));
	add_state(table, transport);
	if (count == 0) {
		table_add(table, "-");
		table_add(table, "-");
		table_add(table, why);
	}
	json_array_foreach(lists, i, list) {
		for (int cell = 0; i > 0 && cell < 3; cell++)
			table_add(table, "");
		table_add(table, or_dash(text_of(list, "name")));
		add_number(table, list, "weight");
		table_add(table, text_of(list, "removal"));
	}
	return true;
}

static void tell_warmup(const json_t *transport, FILE *to)
{
	const json_t *warmup = json_object_get(transport, "warmup");
	int64_t today = whole_of(warmup, "today"), most = whole_of(warmup, "today_most");
	if (json_is_object(warmup))
		fprintf(to, "\nTransport %s warms up: %lld of %lld messages today%s.\n", text_of(transport, "name"),
			(long long)today, (long long)most, today >= most ? "; others take the rest" : "");
}

void show_pools(const json_t *answer, FILE *to)
{
	static const char *const titles[] = { "POOL", "LEVELS", "TRANSPORT", "ADDRESS", "HELO", ">WEIGHT",
					      ">MESSAGES", "STATE", ">SHARE", NULL };
	static const char *const standing_titles[] = { "TRANSPORT", "SEEN AS", "STATE", "LISTED BY", ">WEIGHT", "REMOVAL", NULL };
	json_t *pools = json_object_get(answer, "pools"), *pool, *transport;
	bool told = false;
	size_t i, j;
	if (json_array_size(pools) == 0) {
		fputs("No pools are configured.\n", to);
		return;
	}
	struct table *table = table_new(titles), *standings = table_new(standing_titles);
	json_array_foreach(pools, i, pool) {
		add_pool(table, pool);
		json_array_foreach(json_object_get(pool, "transports"), j, transport)
			told |= add_standing(standings, transport);
	}
	table_print(table, to, 0);
	if (told) {
		fputc('\n', to);
		table_print(standings, to, 0);
	}
	json_array_foreach(pools, i, pool) {
		json_array_foreach(json_object_get(pool, "transports"), j, transport)
			tell_warmup(transport, to);
		if (json_is_true(json_object_get(pool, "all_listed")))
			fprintf(to, "\nAll transports of pool %s are listed.\n", text_of(pool, "name"));
	}
	table_free(&table);
	table_free(&standings);
}

void show_monitor_check(const json_t *answer, FILE *to)
{
	int64_t count = whole_of(answer, "addresses");
	fprintf(to, "%lld %s looked up now; pool list shows what comes of it.\n", (long long)count,
		count == 1 ? "address is" : "addresses are");
}

static void add_pair(struct table *table, const char *name, const char *value)
{
	table_add(table, name);
	table_add(table, or_dash(value));
}

/* What is blocked is refused, or held where reputation.blocked_action says so. */
static void add_way(struct table *table, const json_t *answer)
{
	bool admin = *text_of(answer, "block") != '\0', level = strcmp(text_of(answer, "level"), "blocked") == 0;
	const char *transport = text_of(answer, "transport");
	table_add(table, "leaves by");
	if (admin || level)
		table_addf(table, "nothing: blocked by %s; nothing leaves until it is released or unblocked",
			   admin ? "an admin" : "its level");
	else if (*transport == '\0')
		table_add(table, "the MTA's default transport");
	else
		table_addf(table, "%s of pool %s", transport, or_dash(text_of(answer, "pool")));
}

/* It has no level, and what else an account is by its history. */
static bool of_group(const json_t *answer)
{
	return json_object_get(answer, "level") == NULL;
}

static void show_account_head(const json_t *answer, FILE *to)
{
	static const struct { const char *known, *said; } knowledge[] = {
		{ "full", "Redis" }, { "local", "this daemon's table of recent accounts; Redis does not answer" },
		{ "none", "nobody: Redis does not answer" },
	};
	char form[FORM_MAX];
	int64_t now = time(NULL), since = whole_of(answer, "since"), first = whole_of(answer, "first");
	const char *known = text_of(answer, "known");
	struct table *table = table_new(pairs);
	add_pair(table, "account", text_of(answer, "account"));
	if (!of_group(answer)) {
		table_add(table, "level");
		table_addf(table, "%s%s%s", or_dash(text_of(answer, "level")), since > 0 ? ", since " : "",
			   since > 0 ? form_ago(form, since, now) : "");
		table_add(table, "score");
		add_score(table, json_object_get(answer, "score"));
		add_pair(table, "first message", form_ago(form, first, now));
	}
	table_add(table, "plan");
	table_addf(table, "%s; over a limit: %s", or_dash(text_of(answer, "plan")),
		   or_dash(text_of(answer, "over")));
	if (!of_group(answer))
		add_way(table, answer);
	if (*text_of(answer, "spf_unauthorised") != '\0') {
		table_add(table, "SPF");
		table_addf(table, "%s authorises none of our addresses: its mail fails SPF at its receivers",
			   text_of(answer, "spf_unauthorised"));
	}
	add_pair(table, "block", text_of(answer, "block"));
	add_pair(table, "exempt", text_of(answer, "exempt"));
	for (size_t i = 0; i < sizeof knowledge / sizeof knowledge[0]; i++)
		if (strcmp(known, knowledge[i].known) == 0)
			known = knowledge[i].said;
	add_pair(table, "known from", known);
	table_print(table, to, 0);
	table_free(&table);
}

static void show_windows(const json_t *answer, FILE *to)
{
	static const char *const titles[] = { "LIMIT", ">USED", ">LIMIT", "", "FREES IN", "FROM", NULL };
	char form[FORM_MAX];
	json_t *rows = json_object_get(answer, "windows"), *row;
	json_t *own = json_object_get(answer, "own_limits");
	size_t index;
	struct table *table = table_new(titles);
	json_array_foreach(rows, index, row) {
		const json_t *limit = json_object_get(row, "limit");
		const char *name = text_of(row, "name");
		int64_t frees = whole_of(row, "frees_in_s");
		table_add(table, or_dash(name));
		add_number(table, row, "used");
		add_number(table, row, "limit");
		table_add(table, form_bar(form, number_of(row, "used"),
					  json_is_number(limit) ? json_number_value(limit) : -1));
		table_add(table, frees > 0 ? form_span(form, frees) : "");
		table_add(table, json_object_get(own, name) != NULL ? "own" :
				 json_is_number(limit) ? "plan" : "");
	}
	if (!of_group(answer)) {
		table_add(table, "rcpts_per_message");
		table_add(table, "");
		add_number(table, answer, "rcpts_per_message");
		table_add(table, "");
		table_add(table, "");
		table_add(table, json_object_get(own, "rcpts_per_message") != NULL ? "own" :
				 json_is_number(json_object_get(answer, "rcpts_per_message")) ? "plan" : "");
	}
	fputc('\n', to);
	table_print(table, to, 0);
	table_free(&table);
}

static void show_reputation(const json_t *answer, FILE *to)
{
	static const char *const term_titles[] = { "TERM OF THE SCORE", ">VALUE", NULL };
	static const char *const counter_titles[] = { "COUNTER (DECAYED)", ">VALUE", NULL };
	json_t *row;
	size_t index;
	const char *key;
	struct table *terms = table_new(term_titles), *counters = table_new(counter_titles);
	json_array_foreach(json_object_get(answer, "terms"), index, row) {
		table_add(terms, or_dash(text_of(row, "name")));
		add_score(terms, json_object_get(row, "value"));
	}
	json_object_foreach(json_object_get(answer, "counters"), key, row) {
		table_add(counters, key);
		add_score(counters, row);
	}
	fputc('\n', to);
	table_print(terms, to, 0);
	fputc('\n', to);
	table_print(counters, to, 0);
	table_free(&terms);
	table_free(&counters);
}

void show_account(const json_t *answer, FILE *to)
{
	show_account_head(answer, to);
	show_windows(answer, to);
	if (!of_group(answer))
		show_reputation(answer, to);
}

/* Of the fields of a limit request those that were given a value, or those that were given none. */
static void show_fields(const json_t *set, bool removed, bool *any, FILE *to)
{
	const char *field, *before = "";
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)set, field, value) {
		if (json_is_null(value) != removed)
			continue;
		if (*before == '\0')
			fprintf(to, "%slimits %s: ", *any ? "; " : "", removed ? "removed" : "set");
		fprintf(to, "%s%s%s", before, field, removed ? "" : "=");
		clean_print(to, text_of(set, field));
		before = ", ";
		*any = true;
	}
}

void show_done(const char *account, const char *done, const json_t *set, FILE *to)
{
	bool any = false;
	clean_print(to, account);
	fprintf(to, ": %s", done);
	show_fields(set, false, &any, to);
	show_fields(set, true, &any, to);
	fputc('\n', to);
}
