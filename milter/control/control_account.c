/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket's commands about one account.
 */
#include "milter/control/control_account.h"

#include "milter/base/clock.h"
#include "milter/control/showing.h"
#include "milter/daemon/limits.h"
#include "milter/record/factlog.h"
#include "milter/base/idn.h"
#include "milter/base/log.h"
#include "milter/base/json.h"
#include "milter/pools/pools.h"
#include "milter/report/report.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum {
	REPORT_MAX = 10000,
	SECONDS_MAX = 315360000, /* ten years */
};

/* -- what the store says -- */

/* How the account stands now: it may be something else than what was asked for. */
static void control_account_on_stands(void *arg, const struct account_state *state, const struct known *known)
{
	struct control_request *request = arg;
	const struct policy *policy = &request->setup->config->policy;
	int64_t now_ms = clock_now_ms();
	json_t *json = json_pack("{s:o, s:b}", "account", json_text(request->account), "changed", request->changed);
	(void)known;
	if (state->known == KNOWLEDGE_FULL) {
		json_set_text(json, "block", state->block);
		json_set_text(json, "exempt", state->exempt);
	}
	if (state->known == KNOWLEDGE_FULL && !account_is_group(request->account)) {
		const struct verdict verdict = pools_judge(request->setup->config, request->account, state);
		json_set_text(json, "level", level_word(verdict.level));
		json_set_text(json, "action", action_word(verdict.action));
		json_set_real(json, "score", judge_score_now(policy, state, now_ms).sum);
		json_set_real(json, "blocked_leave", policy->levels.blocked_leave);
		json_set_int(json, "minimum_stay_s", policy->levels.minimum_stay_s);
	}
	control_ok(request, json);
}

static void change_done(struct control_request *request)
{
	log_line(SEVERITY_INFO, "control: %s %s", request->command->word, request->account);
	store_look(the_daemon.store, request->account, control_account_on_stands, request);
}

static bool is_number_above_nought(int count, const char *const *items)
{
	int64_t number;
	return count == 1 && items[0] != NULL && text_to_int(items[0], 1, INT64_MAX, &number);
}

static void control_account_on_changed(void *arg, const char *error, int count, const char *const *items)
{
	struct control_request *request = arg;
	if (strcmp(request->argv[0], "DEL") == 0) /* else it was written, whatever stood there */
		request->changed |= is_number_above_nought(count, items);
	else
		request->changed = true;
	if (error != NULL)
		control_store_error(request, error);
	else
		change_done(request);
}

static void ask_store(struct control_request *request, int argc, const char *const *argv, store_command_done *done)
{
	store_account_command(the_daemon.store, request->account, argc, argv, done, request);
}

/* Fields were set; now those that go. */
static void control_account_on_limits_set(void *arg, const char *error, int count, const char *const *items)
{
	struct control_request *request = arg;
	if (error == NULL && request->gone_count > 2)
		ask_store(request, request->gone_count, request->gone, control_account_on_changed);
	else
		control_account_on_changed(arg, error, count, items);
}

/* -- commands -- */

/* "account" in the form that keys use. */
static bool control_account_read(struct control_request *request, char *error, size_t error_size)
{
	const char *raw = json_string_value(json_object_get(request->json, "account"));
	bool cut_tag = request->setup->config->set.accounts_cut_tag;
	const char *expected = "an account's name, such as alice@example.com";
	if (raw != NULL)
		expected = idn_typed(raw, cut_tag, request->account);
	return expected == NULL || control_fail_value(request, "account", expected, error, error_size);
}

/* The same of what is to be written: a group that nobody looks at would seem to be blocked, and is not. */
static bool control_account_read_writable(struct control_request *request, char *error, size_t error_size)
{
	if (!control_account_read(request, error, error_size))
		return false;
	enum scope scope = account_scope(request->account);
	if ((scope != SCOPE_DOMAIN && scope != SCOPE_SERVER) || *group_plan(request->setup->config, scope) != '\0')
		return true;
	return control_fail(error, error_size,
			    "%s: %.100s would be read by nobody: limits.%s_plan is not set; expected the name of a "
			    "plan there, which may be one without limits.",
			    request->command->word, request->account, scope_word(scope));
}

bool control_account_show(struct control_request *request, char *error, size_t error_size)
{
	return control_account_read(request, error, error_size) &&
	       showing_start(request, json_string_value(json_object_get(request->json, "account")), error, error_size);
}

/* block and exempt: a reason, for a while or for ever. */
bool control_account_note(struct control_request *request, char *error, size_t error_size)
{
	if (!control_account_read_writable(request, error, error_size))
		return false;
	const char *reason = json_string_value(json_object_get(request->json, "reason"));
	if (reason == NULL || *reason == '\0' || strlen(reason) >= NOTE_MAX)
		return control_fail_value(request, "reason", "a text of 1 to 199 bytes", error, error_size);
	const json_t *seconds = json_object_get(request->json, "seconds");
	json_int_t number = json_integer_value(seconds);
	if (seconds != NULL && (!json_is_integer(seconds) || number < 0 || number > SECONDS_MAX))
		return control_fail_value(request, "seconds", "a whole number from 0 (no end) to 315360000", error,
					  error_size);
	const char *argv[] = { "SET", request->command->part, reason, "EX", request->seconds };
	snprintf(request->seconds, sizeof request->seconds, "%" JSON_INTEGER_FORMAT, number);
	memcpy(request->argv, argv, sizeof argv);
	ask_store(request, number > 0 ? 5 : 3, request->argv, control_account_on_changed);
	return true;
}

bool control_account_delete(struct control_request *request, char *error, size_t error_size)
{
	if (!control_account_read(request, error, error_size))
		return false;
	request->argv[0] = "DEL";
	request->argv[1] = request->command->part;
	ask_store(request, 2, request->argv, control_account_on_changed);
	return true;
}

bool control_account_reset(struct control_request *request, char *error, size_t error_size)
{
	if (!control_account_read(request, error, error_size))
		return false;
	request->argv[0] = "DEL";
	store_reset(the_daemon.store, request->account, control_account_on_changed, request);
	return true;
}

static bool plan_exists(const struct config *config, const char *name)
{
	struct limits limits;
	return config_plan(config, name) != NULL || store_plan(the_daemon.store, name, &limits);
}

/* The value of one field as text; a number may come as one. NULL: neither. */
static const char *control_account_field_text(struct control_request *request, const json_t *value, int row)
{
	if (!json_is_integer(value))
		return json_string_value(value);
	snprintf(request->numbers[row], sizeof request->numbers[row], "%" JSON_INTEGER_FORMAT,
		 json_integer_value(value));
	return request->numbers[row];
}

/* Dates as Unix time, the form that needs no reading by others; other values as they are. */
static const char *control_account_as_seconds(struct control_request *request, int row, const char *field,
					      const struct limits *limits, const char *text)
{
	const struct {
		const char *field;
		int64_t seconds;
	} dates[] = { { "until", limits->until_s },
		      { "created", limits->created_s },
		      { "password_changed", limits->password_changed_s } };
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
		if (strcmp(field, dates[i].field) != 0)
			continue;
		snprintf(request->numbers[row], sizeof request->numbers[row], "%lld", (long long)dates[i].seconds);
		return request->numbers[row];
	}
	return text;
}

static bool control_account_fail_field(const char *field, char *error, size_t error_size)
{
	const char *near = limits_near(field), *expected, *known;
	struct text text = text_over(error, error_size);
	text_addf(&text, "account.limit: there is no limit \"%.80s\"; ", field);
	if (near != NULL)
		text_addf(&text, "expected perhaps %s, or one of ", near);
	else
		text_add(&text, "expected one of ");
	for (int i = 0; (known = limits_field(i, &expected)) != NULL; i++)
		text_addf(&text, "%s%s", i > 0 ? ", " : "", known);
	text_add(&text, ".");
	return false;
}

/* One member of "set" becomes a part of HSET or of HDEL. */
static bool control_account_add_field(struct control_request *request, const char *field, const json_t *value,
				      char *error, size_t error_size)
{
	struct limits scratch = limits_unset;
	const char *expected = "text or a whole number";
	char shown[VALUE_SHOWN_MAX + 1];
	control_show_value(value, shown);
	if (!limits_have(field))
		return control_account_fail_field(field, error, error_size);
	if (json_is_null(value)) {
		request->gone[request->gone_count++] = field;
		return true;
	}
	int row = (request->argc - 2) / 2;
	const char *text = control_account_field_text(request, value, row);
	if (text == NULL || !limits_set(&scratch, field, text, &expected))
		return control_fail(error, error_size,
				    "account.limit: \"%s\" is %s; expected %s, or null for the plan's.", field, shown,
				    expected);
	if (account_is_group(request->account) && limits_of_accounts(&scratch) != NULL)
		return control_fail(error, error_size,
				    "account.limit: \"%s\" is of accounts alone; expected a limit that groups have, "
				    "such as \"rcpts_per_day\".",
				    field);
	if (strcmp(field, "plan") == 0 && !plan_exists(request->setup->config, text))
		return control_fail(error, error_size,
				    "account.limit: \"plan\" is %s; expected a plan of the configuration file or of "
				    "the hash \"plans\" in Redis.",
				    shown);
	request->argv[request->argc++] = field;
	request->argv[request->argc++] = control_account_as_seconds(request, row, field, &scratch, text);
	return true;
}

bool control_account_limit(struct control_request *request, char *error, size_t error_size)
{
	if (!control_account_read_writable(request, error, error_size))
		return false;
	json_t *set = json_object_get(request->json, "set");
	if (json_object_size(set) == 0)
		return control_fail_value(request, "set",
					  "limits and their values, such as {\"rcpts_per_hour\":\"500\"}", error,
					  error_size);
	request->argv[0] = "HSET";
	request->gone[0] = "HDEL";
	request->argv[1] = request->gone[1] = "limits";
	request->argc = request->gone_count = 2;
	const char *field;
	json_t *value;
	json_object_foreach(set, field, value) if (!control_account_add_field(request, field, value, error,
									      error_size)) return false;
	if (request->argc > 2)
		ask_store(request, request->argc, request->argv, control_account_on_limits_set);
	else
		ask_store(request, request->gone_count, request->gone, control_account_on_changed);
	return true;
}

/* What was learnt of an account's earlier mail by somebody who reads logs or complaints. */
bool control_account_feedback(struct control_request *request, char *error, size_t error_size)
{
	static const struct {
		const char *word;
		enum counter counter;
	} kinds[] = {
		{ "dead", COUNTER_DEAD },
		{ "complaint", COUNTER_COMPLAINTS },
		{ "auth_failure", COUNTER_AUTH_FAILURES },
		{ "trap", COUNTER_TRAPS },
		{ "refused", COUNTER_REFUSED },
	};
	const char *word = json_string_value(json_object_get(request->json, "kind"));
	const json_t *count = json_object_get(request->json, "count");
	json_int_t number = count == NULL ? 1 : json_integer_value(count); /* 0 where it is no integer */
	if (!control_account_read(request, error, error_size))
		return false;
	if (account_is_group(request->account))
		return control_fail_value(request, "account", "an account: a group has no score", error, error_size);
	if (number < 1 || number > REPORT_MAX)
		return control_fail_value(request, "count", "a whole number from 1 to 10000", error, error_size);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (word != NULL && strcmp(word, kinds[i].word) == 0) {
			store_feedback(the_daemon.store, request->account, kinds[i].counter, (double)number,
				       clock_now_ms());
			factlog_feedback(request->account, kinds[i].counter, (double)number, clock_now_ms());
			request->changed = true;
			change_done(request);
			return true;
		}
	return control_fail_value(request, "kind", "dead, complaint, auth_failure, trap or refused", error, error_size);
}
