/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/control.h"

#include "milter/clock.h"
#include "milter/ctl/explaining.h"
#include "milter/ctl/holding.h"
#include "milter/ctl/lookup.h"
#include "milter/daemon.h"
#include "milter/endpoint.h"
#include "milter/exchange.h"
#include "milter/factlog.h"
#include "milter/log.h"
#include "milter/monitor.h"
#include "milter/report.h"
#include "milter/shadow.h"
#include "milter/tell/feed.h"
#include "policy/base/text.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	DEADLINE_S = 10,
	TOP_DEFAULT = 20,
	TOP_MAX = 1000,
	REPORT_MAX = 10000,
	FIELDS_MAX = WINDOW_COUNT + 9,	/* windows, rcpts_per_message, over, plan, ramp, customer, dates */
	SECONDS_MAX = 315360000,	/* ten years */
	VALUE_SHOWN_MAX = 80,
};

struct control {
	struct exchange *exchange;	/* owned */
};

/* One request, from its line to its answer. */
struct request {
	struct exchange_call *call;	/* owes exchange_answer */
	json_t *json;			/* owned; the strings in argv are its */
	const struct command *command;
	struct setup *setup;		/* held */
	char account[ACCOUNT_MAX + 1];
	const char *argv[2 + 2 * FIELDS_MAX];
	int argc;
	const char *gone[2 + FIELDS_MAX];	/* fields that account.limit deletes, as HDEL's argv */
	int gone_count;
	char numbers[FIELDS_MAX][24];	/* values of account.limit that came as numbers */
	char seconds[24];
};

/* Answers at once or asks the store, or hands the call to somebody who does. False: `error` holds one sentence, and nothing was asked or answered. */
typedef bool command_function(struct request *request, char *error, size_t error_size);

struct command {
	const char *word;
	command_function *function;
	const char *members;	/* that it reads beside "do" */
	const char *part;	/* of the account's key that it writes */
};

static void request_free(struct request *request)
{
	json_decref(request->json);
	setup_drop(&request->setup);
	free(request);
}

/* Takes `json`. The request is gone afterwards. */
static void answer(struct request *request, json_t *json)
{
	struct evbuffer *line = evbuffer_new();
	if (line != NULL)
		report_write(line, json);
	else
		json_decref(json);
	exchange_answer(request->call, line);
	if (line != NULL)
		evbuffer_free(line);
	request_free(request);
}

static void answer_ok(struct request *request, json_t *json)
{
	if (json != NULL)
		json_object_set_new(json, "ok", json_true());
	answer(request, json);
}

static void answer_error(struct request *request, const char *error)
{
	answer(request, json_pack("{s:o}", "error", report_text(error)));
}

static bool fail(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fail(char *error, size_t error_size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, error_size, format, arguments);
	va_end(arguments);
	return false;
}

/* A value as it stood in the request, cut, for an error. */
static void show(const json_t *value, char shown[VALUE_SHOWN_MAX + 1])
{
	char *text = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	text_copy(shown, VALUE_SHOWN_MAX + 1, text == NULL ? "missing" : text);
	free(text);
}

static bool fail_value(const struct request *request, const char *member, const char *expected, char *error,
		       size_t error_size)
{
	char shown[VALUE_SHOWN_MAX + 1];
	show(json_object_get(request->json, member), shown);
	return fail(error, error_size, "%s: \"%s\" is %s; expected %s.", request->command->word, member, shown,
		    expected);
}

/* -- what the store says -- */

/* Where Redis could not be asked, or refused. */
static void answer_store_error(struct request *request, const char *what)
{
	char error[512];
	snprintf(error, sizeof error, "%s %s: Redis did not confirm it: %s; look with account show whether it holds.",
		 request->command->word, request->account, what);
	answer_error(request, error);
}

static void change_done(struct request *request)
{
	log_line(SEVERITY_INFO, "control: %s %s", request->command->word, request->account);
	answer_ok(request, json_pack("{s:o}", "account", report_text(request->account)));
}

static void on_changed(void *arg, const char *error, int count, const char *const *items)
{
	(void)count;
	(void)items;
	if (error != NULL)
		answer_store_error(arg, error);
	else
		change_done(arg);
}

static void on_reset(void *arg, const char *error, int count, const char *const *items)
{
	struct request *request = arg;
	if (error == NULL)
		store_forget(the_daemon.store, request->account);
	on_changed(arg, error, count, items);
}

static void ask_store(struct request *request, int argc, const char *const *argv, store_command_done *done)
{
	store_account_command(the_daemon.store, request->account, argc, argv, done, request);
}

/* Fields were set; now those that go. */
static void on_limits_set(void *arg, const char *error, int count, const char *const *items)
{
	struct request *request = arg;
	if (error == NULL && request->gone_count > 2)
		ask_store(request, request->gone_count, request->gone, on_changed);
	else
		on_changed(arg, error, count, items);
}

static void on_fetched(void *arg, const struct account_state *state, const unsigned char *map)
{
	(void)map;
	struct request *request = arg;
	answer_ok(request, report_account(request->account, state));
}

/* -- commands -- */

static bool do_status(struct request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	enum health health;
	answer_ok(request, report_status(&health));
	return true;
}

static bool do_pools(struct request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	answer_ok(request, report_pools());
	return true;
}

static bool do_monitor_check(struct request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	answer_ok(request, json_pack("{s:i}", "addresses", monitor_check_now()));
	return true;
}

static bool do_top(struct request *request, char *error, size_t error_size)
{
	const json_t *by = json_object_get(request->json, "by"), *count = json_object_get(request->json, "count");
	const char *word = by == NULL ? "rcpts" : json_string_value(by);
	if (word == NULL || (strcmp(word, "rcpts") != 0 && strcmp(word, "score") != 0))
		return fail_value(request, "by", "\"rcpts\" or \"score\"", error, error_size);
	json_int_t rows = count == NULL ? TOP_DEFAULT : json_integer_value(count);	/* 0 where it is no integer */
	if (rows < 1 || rows > TOP_MAX)
		return fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	answer_ok(request, report_top(*word == 's' ? STORE_TOP_SCORE : STORE_TOP_RCPTS, (size_t)rows));
	return true;
}

static void on_events(void *arg, const char *error, int count, const char *const *items)
{
	if (error != NULL)
		answer_store_error(arg, error);
	else
		answer_ok(arg, feed_list(count, items));
}

static bool do_events(struct request *request, char *error, size_t error_size)
{
	const json_t *count = json_object_get(request->json, "count");
	json_int_t rows = count == NULL ? TOP_DEFAULT : json_integer_value(count);
	if (rows < 1 || rows > TOP_MAX)
		return fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	const char *argv[] = { "XREVRANGE", "events", "+", "-", "COUNT", request->seconds };
	snprintf(request->seconds, sizeof request->seconds, "%" JSON_INTEGER_FORMAT, rows);
	store_key_command(the_daemon.store, (int)(sizeof argv / sizeof argv[0]), argv, on_events, request);
	return true;
}

/* "account" in the form that keys use. */
static bool read_account(struct request *request, char *error, size_t error_size)
{
	const char *raw = json_string_value(json_object_get(request->json, "account"));
	if (raw != NULL && account_name(raw, request->setup->config->set.accounts_cut_tag, request->account))
		return true;
	return fail_value(request, "account", "an account's name, such as \"alice@example.com\"", error, error_size);
}

static bool do_show(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	store_fetch(the_daemon.store, request->account, on_fetched, request);
	return true;
}

/* block and exempt: a reason, for a while or for ever. */
static bool do_note(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	const char *reason = json_string_value(json_object_get(request->json, "reason"));
	if (reason == NULL || *reason == '\0' || strlen(reason) >= NOTE_MAX)
		return fail_value(request, "reason", "a text of 1 to 199 bytes", error, error_size);
	const json_t *seconds = json_object_get(request->json, "seconds");
	json_int_t number = json_integer_value(seconds);
	if (seconds != NULL && (!json_is_integer(seconds) || number < 0 || number > SECONDS_MAX))
		return fail_value(request, "seconds", "a whole number from 0 (no end) to 315360000", error, error_size);
	const char *argv[] = { "SET", request->command->part, reason, "EX", request->seconds };
	snprintf(request->seconds, sizeof request->seconds, "%" JSON_INTEGER_FORMAT, number);
	memcpy(request->argv, argv, sizeof argv);
	ask_store(request, number > 0 ? 5 : 3, request->argv, on_changed);
	return true;
}

static bool do_delete(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	request->argv[0] = "DEL";
	request->argv[1] = request->command->part;
	ask_store(request, 2, request->argv, strcmp(request->command->part, "state") == 0 ? on_reset : on_changed);
	return true;
}

static bool plan_exists(const struct config *config, const char *name)
{
	struct limits limits;
	return config_plan(config, name) != NULL || store_plan(the_daemon.store, name, &limits);
}

/* The value of one field as text; a number may come as one. NULL: neither. */
static const char *field_text(struct request *request, const json_t *value, int row)
{
	if (!json_is_integer(value))
		return json_string_value(value);
	snprintf(request->numbers[row], sizeof request->numbers[row], "%" JSON_INTEGER_FORMAT,
		 json_integer_value(value));
	return request->numbers[row];
}

/* Dates as Unix time, which the scripts in Redis read, too; other values as they are. */
static const char *as_seconds(struct request *request, int row, const char *field, const struct limits *limits,
			      const char *text)
{
	const struct {
		const char *field;
		int64_t seconds;
	} dates[] = { { "until", limits->until_s }, { "created", limits->created_s },
		      { "password_changed", limits->password_changed_s } };
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
		if (strcmp(field, dates[i].field) != 0)
			continue;
		snprintf(request->numbers[row], sizeof request->numbers[row], "%lld", (long long)dates[i].seconds);
		return request->numbers[row];
	}
	return text;
}

/* One member of "set" becomes a part of HSET or of HDEL. */
static bool add_field(struct request *request, const char *field, const json_t *value, char *error, size_t error_size)
{
	struct limits scratch = limits_unset;
	const char *expected = "text or a whole number";
	char shown[VALUE_SHOWN_MAX + 1];
	show(value, shown);
	if (!limits_have(field))
		return fail(error, error_size, "account.limit: there is no limit \"%.80s\"; expected one such as "
			    "\"rcpts_per_hour\", \"msgs_per_day\", \"rcpts_per_message\", \"plan\", \"customer\" or \"over\".", field);
	if (json_is_null(value)) {
		request->gone[request->gone_count++] = field;
		return true;
	}
	int row = (request->argc - 2) / 2;
	const char *text = field_text(request, value, row);
	if (text == NULL || !limits_set(&scratch, field, text, &expected))
		return fail(error, error_size, "account.limit: \"%s\" is %s; expected %s, or null for the plan's.", field,
			    shown, expected);
	if (strcmp(field, "plan") == 0 && !plan_exists(request->setup->config, text))
		return fail(error, error_size, "account.limit: \"plan\" is %s; expected a plan of the configuration "
			    "file or of the hash \"plans\" in Redis.", shown);
	request->argv[request->argc++] = field;
	request->argv[request->argc++] = as_seconds(request, row, field, &scratch, text);
	return true;
}

static bool do_limit(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	json_t *set = json_object_get(request->json, "set");
	if (json_object_size(set) == 0)
		return fail_value(request, "set", "limits and their values, such as {\"rcpts_per_hour\":\"500\"}", error,
				  error_size);
	request->argv[0] = "HSET";
	request->gone[0] = "HDEL";
	request->argv[1] = request->gone[1] = "limits";
	request->argc = request->gone_count = 2;
	const char *field;
	json_t *value;
	json_object_foreach(set, field, value)
		if (!add_field(request, field, value, error, error_size))
			return false;
	if (request->argc > 2)
		ask_store(request, request->argc, request->argv, on_limits_set);
	else
		ask_store(request, request->gone_count, request->gone, on_changed);
	return true;
}

static void on_shadow(void *arg, json_t *json, const char *error)
{
	if (json != NULL)
		answer_ok(arg, json);
	else
		answer_error(arg, error);
}

static bool do_shadow(struct request *request, char *error, size_t error_size)
{
	const json_t *days = json_object_get(request->json, "days"), *count = json_object_get(request->json, "count");
	json_int_t of = days == NULL ? 7 : json_integer_value(days), rows = count == NULL ? TOP_DEFAULT : json_integer_value(count);
	if (of < 1 || of > SHADOW_DAYS)
		return fail_value(request, "days", "a whole number from 1 to 30", error, error_size);
	if (rows < 1 || rows > TOP_MAX)
		return fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	shadow_report((int)of, (size_t)rows, on_shadow, request);
	return true;
}

/* The answer comes in lines, as they become known. */
static bool do_rbl(struct request *request, char *error, size_t error_size)
{
	const char *target = json_string_value(json_object_get(request->json, "target"));
	if (target == NULL)
		return fail_value(request, "target", "an address, a host name or a network", error, error_size);
	if (!lookup_start(request->call, target, error, error_size))
		return false;
	request_free(request);
	return true;
}

static bool do_explain(struct request *request, char *error, size_t error_size)
{
	const char *what = json_string_value(json_object_get(request->json, "what"));
	if (what == NULL || *what == '\0' || strlen(what) > ACCOUNT_MAX)
		return fail_value(request, "what", "a reference, a queue id or an account", error, error_size);
	if (!explaining_start(request->call, what, error, error_size))
		return false;
	request_free(request);
	return true;
}

static bool do_held(struct request *request, char *error, size_t error_size)
{
	bool lists = strcmp(request->command->word, "held.list") == 0;
	if (!(lists ? holding_list : holding_remove)(request->call, request->json, error, error_size))
		return false;
	request_free(request);
	return true;
}

/* What was learnt of an account's earlier mail by somebody who reads logs or complaints. */
static bool do_report(struct request *request, char *error, size_t error_size)
{
	static const struct {
		const char *word;
		enum counter counter;
	} kinds[] = {
		{ "dead", COUNTER_DEAD }, { "complaint", COUNTER_COMPLAINTS },
		{ "auth_failure", COUNTER_AUTH_FAILURES }, { "trap", COUNTER_TRAPS },
	};
	const char *word = json_string_value(json_object_get(request->json, "kind"));
	const json_t *count = json_object_get(request->json, "count");
	json_int_t number = count == NULL ? 1 : json_integer_value(count);	/* 0 where it is no integer */
	if (!read_account(request, error, error_size))
		return false;
	if (number < 1 || number > REPORT_MAX)
		return fail_value(request, "count", "a whole number from 1 to 10000", error, error_size);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (word != NULL && strcmp(word, kinds[i].word) == 0) {
			store_report(the_daemon.store, request->account, kinds[i].counter, (double)number, clock_now_ms());
			factlog_report(request->account, kinds[i].counter, (double)number, clock_now_ms());
			change_done(request);
			return true;
		}
	return fail_value(request, "kind", "dead, complaint, auth_failure or trap", error, error_size);
}

static const struct command commands[] = {
	{ "status", do_status, "", NULL },
	{ "pools", do_pools, "", NULL },
	{ "monitor.check", do_monitor_check, "", NULL },
	{ "top", do_top, "by count", NULL },
	{ "events", do_events, "count", NULL },
	{ "rbl", do_rbl, "target", NULL },
	{ "explain", do_explain, "what", NULL },
	{ "held.list", do_held, "due skip", NULL },
	{ "held.remove", do_held, "members", NULL },
	{ "shadow.report", do_shadow, "days count", NULL },
	{ "account.show", do_show, "account", NULL },
	{ "account.report", do_report, "account kind count", NULL },
	{ "account.limit", do_limit, "account set", NULL },
	{ "account.block", do_note, "account reason seconds", "block" },
	{ "account.unblock", do_delete, "account", "block" },
	{ "account.exempt", do_note, "account reason seconds", "exempt" },
	{ "account.unexempt", do_delete, "account", "exempt" },
	{ "account.reset", do_delete, "account", "state" },
};

/* -- the line -- */

static const struct command *command_find(const char *word)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (word != NULL && strcmp(word, commands[i].word) == 0)
			return &commands[i];
	return NULL;
}

static bool word_in(const char *words, const char *word)
{
	size_t length = strlen(word);
	if (length == 0 || strchr(word, ' ') != NULL)
		return false;
	for (const char *at = words; (at = strstr(at, word)) != NULL; at += length)
		if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

/* A misspelt "seconds" must not become a block without end. */
static bool members_known(const struct request *request, char *error, size_t error_size)
{
	const char *member;
	json_t *value;
	json_object_foreach(request->json, member, value)
		if (strcmp(member, "do") != 0 && !word_in(request->command->members, member))
			return fail(error, error_size, "%s: \"%.80s\" is no part of it; beside \"do\" expected %s.",
				    request->command->word, member,
				    *request->command->members == '\0' ? "nothing" : request->command->members);
	return true;
}

static bool run(struct request *request, const char *line, size_t length, char *error, size_t error_size)
{
	json_error_t parse_error;
	char shown[VALUE_SHOWN_MAX + 1];
	if (line == NULL)
		return fail(error, error_size, "The request is longer than %d bytes.", CONTROL_REQUEST_MAX);
	request->json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &parse_error);
	if (!json_is_object(request->json))
		return fail(error, error_size, "The request is no JSON object in one line: %.200s.",
			    request->json == NULL ? parse_error.text : "it is another kind of value");
	const json_t *word = json_object_get(request->json, "do");
	request->command = command_find(json_string_value(word));
	if (request->command == NULL) {
		show(word, shown);
		return fail(error, error_size, "\"do\" is %s; expected status, pools, monitor.check, top, rbl, explain, "
			    "events, held.list, held.remove, shadow.report, or account.show, report, limit, block, unblock, exempt, "
			    "unexempt or reset.", shown);
	}
	return members_known(request, error, error_size) && request->command->function(request, error, error_size);
}

static void control_serve(struct exchange_call *call, const char *line, size_t length)
{
	char error[512];
	struct request *request = calloc(1, sizeof *request);
	if (request == NULL) {
		exchange_answer(call, NULL);
		return;
	}
	request->call = call;
	request->setup = setup_hold();
	if (!run(request, line, length, error, sizeof error))
		answer_error(request, error);
}

static size_t line_end(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);
	return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

static const struct exchange_kind kind = {
	.connections_max = CONTROL_CONNECTIONS_MAX,
	.request_max = CONTROL_REQUEST_MAX,
	.deadline_s = DEADLINE_S,
	.close_ends = true,
	.end = line_end,
	.serve = control_serve,
};

struct control *control_start(struct event_base *base, const char *path, char *error, size_t error_size)
{
	char address[256];
	struct endpoint endpoint;
	struct text text = text_over(address, sizeof address);
	text_addf(&text, "unix:%s", path);
	if (!endpoint_parse(address, &endpoint, error, error_size))
		return NULL;
	int fd = endpoint_listen(&endpoint, 0600, "", error, error_size);
	if (fd < 0)
		return NULL;
	struct control *control = calloc(1, sizeof *control);
	struct exchange *exchange = exchange_start(base, fd, &kind);
	if (control == NULL || exchange == NULL) {
		snprintf(error, error_size, "%s: out of memory", path);
		exchange_stop(&exchange);
		free(control);
		return NULL;
	}
	control->exchange = exchange;
	return control;
}

void control_stop(struct control **control)
{
	if (*control != NULL)
		exchange_stop(&(*control)->exchange);
	free(*control);
	*control = NULL;
}
