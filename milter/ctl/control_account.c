/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket's commands about one account.
 */
#include "milter/clock.h"
#include "milter/ctl/control_inside.h"
#include "milter/factlog.h"
#include "milter/idn.h"
#include "milter/log.h"

#include <string.h>

#include "policy/base/banned.h"

enum {
	REPORT_MAX = 10000,
	SECONDS_MAX = 315360000,	/* ten years */
};

/* -- what the store says -- */

static void change_done(struct request *request)
{
	log_line(SEVERITY_INFO, "control: %s %s", request->command->word, request->account);
	control_ok(request, json_pack("{s:o}", "account", report_text(request->account)));
}

static void on_changed(void *arg, const char *error, int count, const char *const *items)
{
	(void)count;
	(void)items;
	if (error != NULL)
		control_store_error(arg, error);
	else
		change_done(arg);
}

static void ask_store(struct request *request, int argc, const char *const *argv, store_command_done *done)
{
	store_account_command(the_daemon.store, request->account, argc, argv, done, request);
}

/* The state is gone; now the recipients that it had no room for, or they would come back with the next such list. */
static void on_reset(void *arg, const char *error, int count, const char *const *items)
{
	struct request *request = arg;
	if (error != NULL) {
		on_changed(arg, error, count, items);
		return;
	}
	store_forget(the_daemon.store, request->account);
	request->argv[1] = "known";
	ask_store(request, 2, request->argv, on_changed);
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

static void on_fetched(void *arg, const struct account_state *state, const struct known *known)
{
	(void)known;
	struct request *request = arg;
	control_ok(request, report_account(request->account, state));
}

/* -- commands -- */

/* "account" in the form that keys use. */
static bool read_account(struct request *request, char *error, size_t error_size)
{
	const char *raw = json_string_value(json_object_get(request->json, "account"));
	if (raw != NULL && idn_typed(raw, request->setup->config->set.accounts_cut_tag, request->account))
		return true;
	return control_fail_value(request, "account", "an account's name, such as \"alice@example.com\"", error, error_size);
}

bool control_account_show(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	store_fetch(the_daemon.store, request->account, on_fetched, request);
	return true;
}

/* block and exempt: a reason, for a while or for ever. */
bool control_account_note(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	const char *reason = json_string_value(json_object_get(request->json, "reason"));
	if (reason == NULL || *reason == '\0' || strlen(reason) >= NOTE_MAX)
		return control_fail_value(request, "reason", "a text of 1 to 199 bytes", error, error_size);
	const json_t *seconds = json_object_get(request->json, "seconds");
	json_int_t number = json_integer_value(seconds);
	if (seconds != NULL && (!json_is_integer(seconds) || number < 0 || number > SECONDS_MAX))
		return control_fail_value(request, "seconds", "a whole number from 0 (no end) to 315360000", error, error_size);
	const char *argv[] = { "SET", request->command->part, reason, "EX", request->seconds };
	snprintf(request->seconds, sizeof request->seconds, "%" JSON_INTEGER_FORMAT, number);
	memcpy(request->argv, argv, sizeof argv);
	ask_store(request, number > 0 ? 5 : 3, request->argv, on_changed);
	return true;
}

bool control_account_delete(struct request *request, char *error, size_t error_size)
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
	control_show_value(value, shown);
	if (!limits_have(field))
		return control_fail(error, error_size, "account.limit: there is no limit \"%.80s\"; expected one such as "
			    "\"rcpts_per_hour\", \"msgs_per_day\", \"rcpts_per_message\", \"plan\", \"customer\" or \"over\".", field);
	if (json_is_null(value)) {
		request->gone[request->gone_count++] = field;
		return true;
	}
	int row = (request->argc - 2) / 2;
	const char *text = field_text(request, value, row);
	if (text == NULL || !limits_set(&scratch, field, text, &expected))
		return control_fail(error, error_size, "account.limit: \"%s\" is %s; expected %s, or null for the plan's.", field,
			    shown, expected);
	if (account_is_group(request->account) && limits_not_of_groups(&scratch) != NULL)
		return control_fail(error, error_size, "account.limit: \"%s\" is of accounts alone; expected a limit that "
				    "groups have, such as \"rcpts_per_day\".", field);
	if (strcmp(field, "plan") == 0 && !plan_exists(request->setup->config, text))
		return control_fail(error, error_size, "account.limit: \"plan\" is %s; expected a plan of the configuration "
			    "file or of the hash \"plans\" in Redis.", shown);
	request->argv[request->argc++] = field;
	request->argv[request->argc++] = as_seconds(request, row, field, &scratch, text);
	return true;
}

bool control_account_limit(struct request *request, char *error, size_t error_size)
{
	if (!read_account(request, error, error_size))
		return false;
	json_t *set = json_object_get(request->json, "set");
	if (json_object_size(set) == 0)
		return control_fail_value(request, "set", "limits and their values, such as {\"rcpts_per_hour\":\"500\"}", error,
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

/* What was learnt of an account's earlier mail by somebody who reads logs or complaints. */
bool control_account_report(struct request *request, char *error, size_t error_size)
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
		return control_fail_value(request, "count", "a whole number from 1 to 10000", error, error_size);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (word != NULL && strcmp(word, kinds[i].word) == 0) {
			store_report(the_daemon.store, request->account, kinds[i].counter, (double)number, clock_now_ms());
			factlog_report(request->account, kinds[i].counter, (double)number, clock_now_ms());
			change_done(request);
			return true;
		}
	return control_fail_value(request, "kind", "dead, complaint, auth_failure or trap", error, error_size);
}
