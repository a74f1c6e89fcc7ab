/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control.h"

#include "milter/control/control_account.h"
#include "milter/control/control_clients.h"
#include "milter/control/control_request.h"
#include "milter/control/control_explain.h"
#include "milter/control/control_feedback.h"
#include "milter/control/control_held.h"
#include "milter/control/control_listed.h"
#include "milter/control/control_logins.h"
#include "milter/control/control_lookup.h"
#include "milter/control/control_receivers.h"
#include "milter/control/roster.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/base/exchange.h"
#include "milter/base/json_read.h"
#include "milter/base/log.h"
#include "milter/pools/monitor.h"
#include "milter/report/report.h"
#include "milter/record/shadow.h"
#include "milter/base/sockets.h"
#include "milter/tell/feed.h"
#include "milter/base/json.h"
#include "policy/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { DEADLINE_S = 10, TOP_DEFAULT = 20, TOP_MAX = 1000 };

struct control {
	struct exchange *exchange; /* owned */
};

/* -- commands -- */

static bool control_do_status(struct control_request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	enum health health;
	control_ok(request, report_status(&health));
	return true;
}

/* For penstock -t, which has to know whose the ports are that are taken. */
static bool control_do_sockets(struct control_request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	json_t *sockets = json_object();
	for (int i = 0; i < SOCKET_COUNT; i++) {
		char where[160];
		const struct endpoint *endpoint = sockets_endpoint((enum socket_of)i);
		if (endpoint == NULL)
			continue;
		endpoint_text(endpoint, where, sizeof where);
		json_object_set_new(sockets, sockets_option((enum socket_of)i), json_string(where));
	}
	control_ok(request, sockets);
	return true;
}

static bool control_do_pools(struct control_request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	control_ok(request, report_pools());
	return true;
}

static bool control_do_monitor_check(struct control_request *request, char *error, size_t error_size)
{
	(void)error;
	(void)error_size;
	control_ok(request, json_pack("{s:i}", "addresses", monitor_check_now()));
	return true;
}

static bool control_do_top(struct control_request *request, char *error, size_t error_size)
{
	const json_t *by = json_object_get(request->json, "by"), *count = json_object_get(request->json, "count");
	const char *word = by == NULL ? "rcpts" : json_string_value(by);
	if (word == NULL || (strcmp(word, "rcpts") != 0 && strcmp(word, "score") != 0))
		return control_fail_value(request, "by", "\"rcpts\" or \"score\"", error, error_size);
	json_int_t rows = count == NULL ? TOP_DEFAULT : json_integer_value(count); /* 0 where it is no integer */
	if (rows < 1 || rows > TOP_MAX)
		return control_fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	control_ok(request, report_top(*word == 's' ? STORE_TOP_SCORE : STORE_TOP_RCPTS, (size_t)rows));
	return true;
}

static void control_on_events(void *arg, const char *error, int count, const char *const *items)
{
	char sentence[300];
	if (error == NULL) {
		control_ok(arg, feed_list(count, items));
		return;
	}
	control_read_error(sentence, sizeof sentence, "events", "they", error);
	control_error(arg, sentence);
}

static bool control_do_events(struct control_request *request, char *error, size_t error_size)
{
	const json_t *count = json_object_get(request->json, "count");
	json_int_t rows = count == NULL ? TOP_DEFAULT : json_integer_value(count);
	if (rows < 1 || rows > TOP_MAX)
		return control_fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	const char *argv[] = { "XREVRANGE", "events", "+", "-", "COUNT", request->seconds };
	snprintf(request->seconds, sizeof request->seconds, "%" JSON_INTEGER_FORMAT, rows);
	store_key_command(the_daemon.store, (int)(sizeof argv / sizeof argv[0]), argv, control_on_events, request);
	return true;
}

static void control_on_shadow(void *arg, json_t *json, const char *error)
{
	char sentence[300];
	if (json != NULL) {
		control_ok(arg, json);
		return;
	}
	control_read_error(sentence, sizeof sentence, "shadow.report", "the counts", error);
	control_error(arg, sentence);
}

static bool control_do_shadow(struct control_request *request, char *error, size_t error_size)
{
	const json_t *days = json_object_get(request->json, "days"), *count = json_object_get(request->json, "count");
	json_int_t of = days == NULL ? 7 : json_integer_value(days),
		   rows = count == NULL ? TOP_DEFAULT : json_integer_value(count);
	if (of < 1 || of > SHADOW_DAYS)
		return control_fail_value(request, "days", "a whole number from 1 to 30", error, error_size);
	if (rows < 1 || rows > TOP_MAX)
		return control_fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	shadow_report((int)of, (size_t)rows, control_on_shadow, request);
	return true;
}

/* The answer comes in lines, as they become known. */
static bool control_do_rbl(struct control_request *request, char *error, size_t error_size)
{
	const char *target = json_string_value(json_object_get(request->json, "target"));
	if (target == NULL)
		return control_fail_value(request, "target", "an address, a host name or a network", error, error_size);
	if (!control_lookup_start(request->call, target, error, error_size))
		return false;
	control_end(request);
	return true;
}

static bool control_do_explain(struct control_request *request, char *error, size_t error_size)
{
	const char *what = json_string_value(json_object_get(request->json, "what"));
	if (what == NULL || *what == '\0' || strlen(what) > ACCOUNT_MAX)
		return control_fail_value(request, "what", "a reference, a queue id or an account", error, error_size);
	if (!control_explain_start(request->call, what, error, error_size))
		return false;
	control_end(request);
	return true;
}

static bool control_do_held(struct control_request *request, char *error, size_t error_size)
{
	bool lists = strcmp(request->command->word, "held.list") == 0;
	if (!(lists ? control_held_list : control_held_remove)(request->call, request->json, error, error_size))
		return false;
	control_end(request);
	return true;
}

/* The answer comes in lines. */
static bool control_do_roster(struct control_request *request, char *error, size_t error_size)
{
	bool lists = strcmp(request->command->word, "account.list") == 0;
	if (!(lists ? roster_list : roster_check)(request->call, request->json, error, error_size))
		return false;
	control_end(request);
	return true;
}

static const struct control_command commands[] = {
	{ "status", control_do_status, "", NULL },
	{ "sockets", control_do_sockets, "", NULL },
	{ "pools", control_do_pools, "", NULL },
	{ "receivers", control_receivers, "", NULL },
	{ "monitor.check", control_do_monitor_check, "", NULL },
	{ "top", control_do_top, "by count", NULL },
	{ "events", control_do_events, "count", NULL },
	{ "rbl", control_do_rbl, "target", NULL },
	{ "feedback", control_feedback, "form type token rcpt source nested status", NULL },
	{ "explain", control_do_explain, "what", NULL },
	{ "client.show", control_client_show, "client", NULL },
	{ "sessions.report", control_sessions_report, "days", NULL },
	{ "held.list", control_do_held, "due skip", NULL },
	{ "held.remove", control_do_held, "members", NULL },
	{ "client.report", control_client_report, "rows", NULL },
	{ "logins.report", control_logins_report, "count", NULL },
	{ "client.list", control_listed, "behind", NULL },
	{ "shadow.report", control_do_shadow, "days count", NULL },
	{ "account.list", control_do_roster, "what", NULL },
	{ "account.check", control_do_roster, "", NULL },
	{ "account.show", control_account_show, "account", NULL },
	{ "account.feedback", control_account_feedback, "account kind count", NULL },
	{ "account.limit", control_account_limit, "account set", NULL },
	{ "account.block", control_account_note, "account reason seconds", "block" },
	{ "account.unblock", control_account_delete, "account", "block" },
	{ "account.exempt", control_account_note, "account reason seconds", "exempt" },
	{ "account.unexempt", control_account_delete, "account", "exempt" },
	{ "account.reset", control_account_reset, "account", "" },
};

/* -- the line -- */

static const struct control_command *control_command_find(const char *word)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (word != NULL && strcmp(word, commands[i].word) == 0)
			return &commands[i];
	return NULL;
}

static bool control_word_in(const char *words, const char *word)
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
static bool control_members_known(const struct control_request *request, char *error, size_t error_size)
{
	const char *member;
	json_t *value;
	json_object_foreach(request->json, member, value) if (
		strcmp(member, "do") != 0 &&
		!control_word_in(
			request->command->members,
			member)) return control_fail(error, error_size,
						     "%s: \"%.80s\" is not part of it; beside \"do\" expected %s.",
						     request->command->word, member,
						     *request->command->members == '\0' ? "nothing"
											: request->command->members);
	return true;
}

static bool control_fail_command(const json_t *word, char *error, size_t error_size)
{
	enum { COMMANDS = sizeof commands / sizeof commands[0] };
	char shown[VALUE_SHOWN_MAX + 1];
	struct text text = text_over(error, error_size);
	control_show_value(word, shown);
	text_addf(&text, "\"do\" is %s; expected ", shown);
	for (size_t i = 0; i < COMMANDS; i++)
		text_addf(&text, "%s%s", i == 0 ? "" : i + 1 < COMMANDS ? ", " : " or ", commands[i].word);
	text_add(&text, ".");
	return false;
}

static bool control_run(struct control_request *request, const char *line, size_t length, char *error,
			size_t error_size)
{
	char why[300];
	if (line == NULL)
		return control_fail(error, error_size, "The request is longer than %d bytes.", CONTROL_REQUEST_MAX);
	request->json = json_read(JSON_OF_CLIENT, line, length, why, sizeof why);
	if (request->json == NULL)
		return control_fail(error, error_size, "The request is not a JSON object in one line: %s.", why);
	const json_t *word = json_object_get(request->json, "do");
	request->command = control_command_find(json_string_value(word));
	if (request->command == NULL)
		return control_fail_command(word, error, error_size);
	return control_members_known(request, error, error_size) &&
	       request->command->function(request, error, error_size);
}

void control_serve(struct exchange_call *call, const char *line, size_t length)
{
	char error[1024];
	struct control_request *request = calloc(1, sizeof *request);
	if (request == NULL) {
		exchange_answer(call, NULL);
		return;
	}
	request->call = call;
	request->setup = setup_hold();
	if (!control_run(request, line, length, error, sizeof error))
		control_error(request, error);
}

static size_t line_end(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);
	return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

static void count_closed(void)
{
	stats_closed(STATS_CLOSED_CONTROL);
}

static const struct exchange_kind kind = {
	.connections_max = CONTROL_CONNECTIONS_MAX,
	.closed = count_closed,
	.request_max = CONTROL_REQUEST_MAX,
	.deadline_s = DEADLINE_S,
	.close_ends = true,
	.end = line_end,
	.serve = control_serve,
};

struct control *control_start(struct event_base *base, const char *path, char *error, size_t error_size)
{
	char address[256];
	struct socket_form form = { .mode = 0600, .group = "" };
	struct text text = text_over(address, sizeof address);
	text_addf(&text, "unix:%s", path);
	if (!endpoint_parse(address, &form.endpoint, error, error_size))
		return NULL;
	int fd = sockets_listen(&form, error, error_size);
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
	sockets_watch(SOCKET_CONTROL, &form, fd, exchange_listener(exchange));
	return control;
}

void control_stop(struct control **control)
{
	if (*control != NULL)
		exchange_stop(&(*control)->exchange);
	free(*control);
	*control = NULL;
}
