/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstockctl: the admin's tool. Asks the daemon over its control socket, and fits Postfix to a configuration.
 *
 * Exit codes are those of call.h.
 */
#include "milter/config/config.h"
#include "milter/ctl/tool/call.h"
#include "milter/ctl/tool/help.h"
#include "milter/ctl/client_commands.h"
#include "milter/ctl/explain_show.h"
#include "milter/ctl/feedback_command.h"
#include "milter/ctl/held_commands.h"
#include "milter/ctl/listed_command.h"
#include "milter/ctl/logins_commands.h"
#include "milter/ctl/queue_commands.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/talk.h"
#include "milter/ctl/postfix/postfix_tool.h"
#include "milter/ctl/rbl/rbl_command.h"
#include "milter/ctl/replay/replay_command.h"
#include "milter/ctl/throttle/throttle_command.h"
#include "milter/ctl/trace/trace_command.h"
#include "milter/ctl/trace/usage_command.h"
#include "milter/ctl/roster_tool.h"
#include "milter/ctl/show.h"
#include "milter/ctl/show_shadow.h"
#include "milter/base/version.h"
#include "policy/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "policy/base/banned.h"

enum { REASON_BYTES_MAX = NOTE_MAX - 1, TOP_MAX = 1000, REPORT_MAX = 10000, LETTER_NONE = 256 };

#define TAKES(id) (UINT64_C(1) << OPTION_##id)
#define TAKES_ALWAYS (TAKES(CONFIG) | TAKES(SOCKET) | TAKES(JSON) | TAKES(HELP) | TAKES(VERSION))

/* clang-format off */
static const struct { const char *name, *value, *help; int letter; } options[] = {
#define OPTION_ROW(id, name, letter, value, help) { name, value, help, letter },
	OPTION_ROWS(OPTION_ROW)
#undef OPTION_ROW
};
/* clang-format on */

struct command {
	const char *words, *arguments; /* as the user types them, as the help shows them */
	int least, most;	       /* arguments; most below 0: any */
	uint64_t takes;		       /* options */
	int (*run)(const struct call *call);
	const char *request; /* the daemon's word; NULL: it is not asked */
	show_answer *show;   /* NULL: of account limit, which is shown with what was asked for */
	const char *help;
};

/* ---- asking the daemon ---- */

/* Asks, takes over `request`, and shows the answer. */
static int ctl_ask(const struct call *call, json_t *request)
{
	int code;
	json_t *answer = talk_ask(call, request, &code);
	if (answer != NULL && call->command->show != NULL)
		call->command->show(answer, call->option[OPTION_VERBOSE] != NULL, stdout);
	else if (answer != NULL)
		show_limited(answer, json_object_get(request, "set"), stdout);
	json_decref(request);
	json_decref(answer);
	return code;
}

static int run_plain(const struct call *call)
{
	return ctl_ask(call, have_memory(json_pack("{s:s}", "do", call->command->request)));
}

/* A request about the account of the first argument; NULL where that is none, with the complaint made. */
static json_t *ctl_account_request(const struct call *call)
{
	const char *account = call->arguments[0];
	json_t *name = *account == '\0' || strlen(account) > ACCOUNT_MAX ? NULL : json_string(account);
	if (name == NULL) {
		complain(call, "\"%.400s\" is not an account: expected 1 to %d bytes of UTF-8", account, ACCOUNT_MAX);
		return NULL;
	}
	return have_memory(json_pack("{s:s, s:o}", "do", call->command->request, "account", name));
}

static int run_account(const struct call *call)
{
	json_t *request = ctl_account_request(call);
	return request == NULL ? EXIT_USAGE : ctl_ask(call, request);
}

static int ctl_run_top(const struct call *call)
{
	const char *by = call->option[OPTION_BY] != NULL ? call->option[OPTION_BY] : "rcpts";
	const char *given = call->option[OPTION_COUNT];
	int64_t count = 20;
	if (strcmp(by, "rcpts") != 0 && strcmp(by, "score") != 0)
		return complain(call, "--by \"%.100s\": expected rcpts or score", by);
	if (given != NULL && !text_to_int(given, 1, TOP_MAX, &count))
		return complain(call, "--count \"%.100s\": expected a whole number from 1 to %d", given, TOP_MAX);
	return ctl_ask(call, have_memory(json_pack("{s:s, s:s, s:I}", "do", call->command->request, "by", by, "count",
						   (json_int_t)count)));
}

static int ctl_run_explain(const struct call *call)
{
	const char *what = call->arguments[0];
	json_t *text = *what == '\0' || strlen(what) > ACCOUNT_MAX ? NULL : json_string(what);
	if (text == NULL)
		return complain(call, "\"%.400s\": expected a reference, a queue id or an account", what);
	return ctl_ask(call, have_memory(json_pack("{s:s, s:o}", "do", call->command->request, "what", text)));
}

static int ctl_run_feedback(const struct call *call)
{
	int64_t count = 1;
	if (call->count > 2 && !text_to_int(call->arguments[2], 1, REPORT_MAX, &count))
		return complain(call, "\"%.100s\": expected a whole number from 1 to %d", call->arguments[2],
				REPORT_MAX);
	json_t *request = ctl_account_request(call), *kind = json_string(call->arguments[1]);
	if (request == NULL || kind == NULL) {
		json_decref(request);
		json_decref(kind);
		return EXIT_USAGE;
	}
	json_object_set_new(request, "kind", kind);
	json_object_set_new(request, "count", json_integer((json_int_t)count));
	return ctl_ask(call, request);
}

static int ctl_run_shadow(const struct call *call)
{
	const char *days_given = call->option[OPTION_DAYS], *rows_given = call->option[OPTION_LIMIT];
	int64_t days = 7, rows = 20;
	if (days_given != NULL && !text_to_int(days_given, 1, 30, &days))
		return complain(call, "--days \"%.100s\": expected a whole number from 1 to 30", days_given);
	if (rows_given != NULL && !text_to_int(rows_given, 1, TOP_MAX, &rows))
		return complain(call, "--limit \"%.100s\": expected a whole number from 1 to %d", rows_given, TOP_MAX);
	return ctl_ask(call, have_memory(json_pack("{s:s, s:I, s:I}", "do", call->command->request, "days",
						   (json_int_t)days, "count", (json_int_t)rows)));
}

static int ctl_run_events(const struct call *call)
{
	int64_t count = 20;
	if (call->count > 0 && !text_to_int(call->arguments[0], 1, TOP_MAX, &count))
		return complain(call, "\"%.100s\": expected a whole number from 1 to %d", call->arguments[0], TOP_MAX);
	return ctl_ask(call,
		       have_memory(json_pack("{s:s, s:I}", "do", call->command->request, "count", (json_int_t)count)));
}

/* block and exempt: an end, and the words of the arguments as the reason */
static int ctl_run_note(const struct call *call)
{
	char words[REASON_BYTES_MAX + 1];
	struct text reason = text_over(words, sizeof words);
	const char *given = call->option[OPTION_FOR];
	int64_t seconds = given == NULL ? 0 : call_seconds(given);
	if (seconds < 0)
		return complain(call,
				"--for \"%.100s\": expected seconds, or a number with s, m, h or d behind "
				"it, at most %d days",
				given, CALL_DAYS_MAX);
	if (call->count == 1)
		text_add(&reason, "by penstockctl");
	for (int i = 1; i < call->count; i++) {
		text_add(&reason, i > 1 ? " " : "");
		text_add(&reason, call->arguments[i]);
	}
	json_t *text = reason.cut ? NULL : json_string(words);
	if (text == NULL)
		return complain(call, "the reason: expected at most %d bytes of UTF-8", REASON_BYTES_MAX);
	json_t *request = ctl_account_request(call);
	if (request == NULL) {
		json_decref(text);
		return EXIT_USAGE;
	}
	json_object_set_new(request, "reason", text);
	if (seconds > 0)
		json_object_set_new(request, "seconds", json_integer((json_int_t)seconds));
	return ctl_ask(call, request);
}

/* field=value into `set`; false with the complaint made */
static bool ctl_set_field(const struct call *call, json_t *set, const char *argument)
{
	struct limits limits = limits_unset;
	char field[64];
	const char *equals = strchr(argument, '='), *expected = "";
	size_t length = equals == NULL ? 0 : (size_t)(equals - argument);
	snprintf(field, sizeof field, "%.*s", (int)(length < sizeof field ? length : 0), argument);
	if (!limits_have(field)) {
		const char *near = equals != NULL ? limits_near(field) : NULL;
		complain(call,
			 "\"%.200s\": expected FIELD=VALUE%s%s; penstockctl account limit --help names the fields",
			 argument, near != NULL ? ", perhaps with " : "", near != NULL ? near : "");
		return false;
	}
	if (equals[1] != '\0' && !limits_set(&limits, field, equals + 1, &expected)) {
		complain(call, "%s=\"%.200s\": expected %s, or nothing to remove it", field, equals + 1, expected);
		return false;
	}
	json_t *value = equals[1] == '\0' ? json_null() : json_string(equals + 1);
	if (value == NULL)
		complain(call, "%s: expected UTF-8", field);
	return value != NULL && json_object_set_new(set, field, value) == 0;
}

static int ctl_run_limit(const struct call *call)
{
	json_t *set = have_memory(json_object());
	for (int i = 1; i < call->count; i++)
		if (!ctl_set_field(call, set, call->arguments[i])) {
			json_decref(set);
			return EXIT_USAGE;
		}
	json_t *request = ctl_account_request(call);
	if (request == NULL) {
		json_decref(set);
		return EXIT_USAGE;
	}
	json_object_set_new(request, "set", set);
	return ctl_ask(call, request);
}

/* ---- the command line ---- */

/* clang-format off */
static const struct command commands[] = {
	{ "status", "", 0, 0, TAKES(VERBOSE), run_plain, "status", show_status,
	  "the state of the daemon and of what it needs" },
	{ "top", "", 0, 0, TAKES(BY) | TAKES(COUNT), ctl_run_top, "top", show_top,
	  "the accounts with most recipients, or the worst score" },
	{ "pool list", "", 0, 0, 0, run_plain, "pools", show_pools, "the pools, their transports and the state of these" },
	{ "receivers", "", 0, 0, 0, run_plain, "receivers", show_receivers,
	  "how each receiver takes what each transport sends, and which rest" },
	{ "monitor check", "", 0, 0, 0, run_plain, "monitor.check", show_monitor_check,
	  "look the transports' addresses up in the block lists now" },
	{ "events", "[COUNT]", 0, 1, 0, ctl_run_events, "events", show_events,
	  "the last events: levels, blocks, limits, listed addresses" },
	{ "account list", "", 0, 0, TAKES(LEVEL) | TAKES(BLOCKED) | TAKES(EXEMPT) | TAKES(LIMITS) | TAKES(COUNT), roster_list_run,
	  NULL, NULL, "who is blocked, suspect or exempt; or whom the options name" },
	{ "account check", "", 0, 0, TAKES(COUNT), roster_check_run, NULL, NULL,
	  "which limits, blocks, exemptions, plans and networks in Redis are not read, and why" },
	{ "account show", "ACCOUNT", 1, 1, TAKES(VERBOSE), run_account, "account.show", show_account,
	  "level, score, limits and what is used of them" },
	{ "account limit", "ACCOUNT FIELD=VALUE ...", 2, -1, 0, ctl_run_limit, "account.limit", NULL,
	  "set limits of the account itself; an empty VALUE removes one, and the plan's applies again" },
	{ "account block", "ACCOUNT [REASON ...]", 1, -1, TAKES(FOR), ctl_run_note, "account.block", show_blocked,
	  "refuse its mail, for the time of --for or until account unblock" },
	{ "account unblock", "ACCOUNT", 1, 1, 0, run_account, "account.unblock", show_unblocked,
	  "end an admin's block; of a block by its level, say how that ends" },
	{ "account exempt", "ACCOUNT [REASON ...]", 1, -1, TAKES(FOR), ctl_run_note, "account.exempt", show_exempted,
	  "let its mail pass whatever its limits and level are; an admin's block takes precedence" },
	{ "account unexempt", "ACCOUNT", 1, 1, 0, run_account, "account.unexempt", show_unexempted, "end an exemption" },
	{ "account reset", "ACCOUNT", 1, 1, 0, run_account, "account.reset", show_reset,
	  "forget its history; its limits, block and exemption stay" },
	{ "account feedback", "ACCOUNT dead|complaint|auth_failure|trap|refused [COUNT]", 2, 3, 0, ctl_run_feedback,
	  "account.feedback", show_feedback,
	  "report what became of its earlier mail" },
	{ "feedback", "", 0, 0, TAKES(VERBOSE), feedback_command_run, NULL, NULL,
	  "read a complaint or a bounce from standard input, for an alias or pipe(8)" },
	{ "explain", "REFERENCE|QUEUE-ID|ACCOUNT", 1, 1, TAKES(VERBOSE), ctl_run_explain, "explain", show_explain,
	  "why a message was treated as it was, term by term" },
	{ "client show", "ADDRESS|REFERENCE", 1, 1, TAKES(VERBOSE), client_show_run, NULL, NULL,
	  "how a host that connects stands, term by term, and what that does to it" },
	{ "client report", "ADDRESS EVENT | -", 1, 2, TAKES(SERVICE) | TAKES(NAME) | TAKES(COUNT) | TAKES(LOG), client_report_run,
	  NULL, NULL, "tell what a client did, as another service saw it; -: rows, or its log, from standard input" },
	{ "logins report", "", 0, 0, TAKES(COUNT), logins_report_run, NULL, NULL,
	  "who tries passwords of many accounts, and which account many clients try" },
	{ "sessions report", "", 0, 0, TAKES(DAYS), sessions_report_run, NULL, NULL,
	  "how sessions end, over time and of whom, and what of them is encrypted" },
	{ "held list", "", 0, 0, 0, run_plain, "held.list", show_held, "messages on hold, and their dates" },
	{ "held release", "[QUEUE-ID ...]", 0, -1, TAKES(DUE) | TAKES(POSTFIX), held_release_run, NULL, NULL,
	  "release mail that this host holds" },
	{ "held drop", "QUEUE-ID ...", 1, -1, TAKES(POSTFIX), held_drop_run, NULL, NULL,
	  "delete mail that this host holds" },
	{ "client list", "", 0, 0, TAKES(NFT) | TAKES(PLAIN), listed_command_run, NULL, NULL,
	  "the clients on our own block list" },
	{ "queue show", "ACCOUNT", 1, 1, 0, queue_show_run, NULL, NULL, "an account's mail in this host's queue" },
	{ "queue hold", "ACCOUNT", 1, 1, TAKES(POSTFIX), queue_hold_run, NULL, NULL,
	  "put it on hold, until it is released or deleted" },
	{ "queue release", "ACCOUNT", 1, 1, TAKES(POSTFIX), queue_release_run, NULL, NULL, "release it from hold" },
	{ "queue delete", "ACCOUNT", 1, 1, TAKES(POSTFIX), queue_delete_run, NULL, NULL, "delete it" },
	{ "rbl", "TARGET ...", 1, -1, TAKES(VERBOSE) | TAKES(TIMEOUT), rbl_command_run, NULL, NULL,
	  "what all block lists say of an address, a host name or a network (CIDR)" },
	{ "trace", "[WHAT ...]", 0, 7,
	  TAKES(ACCOUNT) | TAKES(SENDER) | TAKES(RCPT) | TAKES(QUEUE_ID) | TAKES(MESSAGE_ID) | TAKES(REF) | TAKES(SINCE) |
		  TAKES(UNTIL) | TAKES(COUNT) | TAKES(VERBOSE) | TAKES(CSV),
	  trace_command_run, NULL, NULL, "what became of messages, newest first; WHAT is any of what the options name" },
	{ "usage", "", 0, 0, TAKES(MONTH) | TAKES(BY) | TAKES(CSV), usage_command_run, NULL, NULL,
	  "what each account or customer sent in a month, and what became of it" },
	{ "replay", "FACTS ...", 1, -1, TAKES(AGAINST) | TAKES(LIMIT), replay_command_run, NULL, NULL,
	  "judge messages again, from facts.file, by the configuration of -c (-: standard input)" },
	{ "shadow report", "", 0, 0, TAKES(DAYS) | TAKES(LIMIT), ctl_run_shadow, "shadow.report", show_shadow,
	  "whom rules in shadow mode would have limited, moved or refused" },
	{ "throttle report", "", 0, 0, TAKES(DAYS) | TAKES(STATE), throttle_command_run, NULL, NULL,
	  "what making strangers wait stopped and cost, from clients.history_days of history" },
	{ "postfix print", "[main|master|milter-header-checks|header-checks|commands]", 0, 1,
	  TAKES(POSTFIX) | TAKES(DIR) | TAKES(QUEUE), postfix_print_run, NULL, NULL, "the settings that Postfix needs" },
	{ "postfix check", "", 0, 0, TAKES(POSTFIX) | TAKES(DIR) | TAKES(QUEUE) | TAKES(COMMANDS), postfix_check_run,
	  NULL, NULL, "how Postfix differs from that" },
	{ "postfix remove", "", 0, 0, TAKES(POSTFIX) | TAKES(DIR) | TAKES(QUEUE), postfix_remove_run, NULL, NULL,
	  "the commands that take it out of Postfix again, and nothing else" },
};
/* clang-format on */

enum { COMMANDS = sizeof commands / sizeof commands[0] };

enum { HELP_AT = 24 }; /* the column of what a command or an option is */

/* `takes`: which of them */
static void ctl_print_options(FILE *to, uint64_t takes)
{
	fputs("\noptions:\n", to);
	for (int i = 0; i < OPTION_COUNT_OF; i++) {
		char term[60];
		bool letter = options[i].letter != 0;
		if ((takes & UINT64_C(1) << i) == 0)
			continue;
		snprintf(term, sizeof term, "%c%c%s--%s%s%s", letter ? '-' : ' ', letter ? options[i].letter : ' ',
			 letter ? ", " : "  ", options[i].name, *options[i].value == '\0' ? "" : " ", options[i].value);
		help_row(to, term, HELP_AT, options[i].help);
	}
	fputc('\n', to);
	help_text(to, 0, 0,
		  "exit code: 0 fine; 1 the daemon refused, Postfix does not fit, something is listed, or account "
		  "check found something; 2 wrong usage, no connection, or nothing known");
}

/* "account show ACCOUNT", with `before` before it */
static const char *ctl_command_form(const struct command *command, const char *before, char form[150])
{
	snprintf(form, 150, "%s%s%s%s", before, command->words, *command->arguments != '\0' ? " " : "",
		 command->arguments);
	return form;
}

/* `first`: of this kind alone ("account"); "" : all */
static void ctl_print_help(FILE *to, const char *first)
{
	char form[150];
	fputs("usage: penstockctl [-c FILE] [-s PATH] [--json] COMMAND\n\ncommands:\n", to);
	for (int i = 0; i < COMMANDS; i++)
		if (strncmp(commands[i].words, first, strlen(first)) == 0)
			help_row(to, ctl_command_form(&commands[i], "", form), HELP_AT, commands[i].help);
	if (*first == '\0')
		ctl_print_options(to, UINT64_MAX);
	else
		fputs("\neach of them takes --help\n", to);
}

/* Fields whose values are of one kind stand together in the table: the kind is said once, above them. */
static void ctl_print_fields(void)
{
	const char *field, *expected, *next, *before = "";
	for (int i = 0; (field = limits_field(i, &expected)) != NULL; i++) {
		char what[200];
		bool more = limits_field(i + 1, &next) != NULL && strcmp(next, expected) == 0;
		bool alone = !more && strcmp(before, expected) != 0;
		if (strcmp(before, alone ? "" : expected) != 0) {
			before = alone ? "" : expected;
			fputc('\n', stdout);
			snprintf(what, sizeof what, "FIELDs whose VALUE is %s:", expected);
			help_text(stdout, 0, 0, alone ? "other FIELDs:" : what);
		}
		snprintf(what, sizeof what, "%s%s%s", limits_meaning(i), alone ? ": " : "", alone ? expected : "");
		help_row(stdout, field, HELP_AT, what);
	}
}

static void ctl_print_command_help(const struct command *command)
{
	char form[150];
	help_text(stdout, 0, 7, ctl_command_form(command, "usage: penstockctl [option ...] ", form));
	putchar('\n');
	help_text(stdout, 2, 2, command->help);
	if (command->run == ctl_run_limit)
		ctl_print_fields();
	ctl_print_options(stdout, command->takes | TAKES_ALWAYS);
}

/* False with the complaint of getopt made. */
static bool ctl_read_options(struct call *call, int argc, char **argv)
{
	struct option longs[OPTION_COUNT_OF + 1] = { 0 };
	char shorts[3 * OPTION_COUNT_OF + 1];
	struct text text = text_over(shorts, sizeof shorts);
	for (int i = 0; i < OPTION_COUNT_OF; i++) {
		bool value = *options[i].value != '\0';
		longs[i] = (struct option){ options[i].name, value ? required_argument : no_argument, NULL,
					    LETTER_NONE + i };
		if (options[i].letter != 0)
			text_addf(&text, "%c%s", options[i].letter, value ? ":" : "");
	}
	for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
		int id = got - LETTER_NONE;
		for (int i = 0; id < 0 && i < OPTION_COUNT_OF; i++)
			if (options[i].letter == got)
				id = i;
		if (id < 0)
			return false;
		call->option[id] = optarg != NULL ? optarg : "";
	}
	return true;
}

/* Finds the command, and takes its words off the arguments. */
static const struct command *ctl_find_command(struct call *call)
{
	for (int i = 0; i < COMMANDS; i++) {
		const char *words = commands[i].words, *space = strchr(words, ' ');
		size_t length = space == NULL ? strlen(words) : (size_t)(space - words);
		int used = space == NULL ? 1 : 2;
		if (call->count < used || strlen(call->arguments[0]) != length ||
		    strncmp(call->arguments[0], words, length) != 0 ||
		    (space != NULL && strcmp(call->arguments[1], space + 1) != 0))
			continue;
		call->arguments += used;
		call->count -= used;
		return &commands[i];
	}
	return NULL;
}

/* The first word of some commands? */
static bool ctl_is_kind(const char *word)
{
	size_t length = strlen(word);
	for (int i = 0; i < COMMANDS; i++)
		if (strncmp(commands[i].words, word, length) == 0 && commands[i].words[length] == ' ')
			return true;
	return false;
}

/* Of the command that is named with --help, of its kind, or of all. */
static int ctl_run_help(struct call *call)
{
	const struct command *command = ctl_find_command(call);
	if (command != NULL)
		ctl_print_command_help(command);
	else
		ctl_print_help(stdout, call->count > 0 && ctl_is_kind(call->arguments[0]) ? call->arguments[0] : "");
	return EXIT_FINE;
}

/* "perhaps account limit; ": the commands whose second word is `word`; "" where there is none */
static void ctl_add_commands_near(struct text *text, const char *word)
{
	const char *near[COMMANDS];
	int count = 0;
	for (int i = 0; i < COMMANDS; i++) {
		const char *space = strchr(commands[i].words, ' ');
		if (space != NULL && strcmp(space + 1, word) == 0)
			near[count++] = commands[i].words;
	}
	for (int i = 0; i < count; i++)
		text_addf(text, "%s%s", i == 0 ? "perhaps " : i + 1 < count ? ", " : " or ", near[i]);
	text_add(text, count > 0 ? "; " : "");
}

static int ctl_complain_command(const struct call *call)
{
	const char *first = call->arguments[0], *second = call->count > 1 ? call->arguments[1] : "";
	char near[300];
	struct text text = text_over(near, sizeof near);
	if (ctl_is_kind(first))
		return complain(call,
				"\"%s%s%.100s\" is not a %scommand; penstockctl %s --help lists those that begin so",
				first, *second != '\0' ? " " : "", second, *second == '\0' ? "whole " : "", first);
	ctl_add_commands_near(&text, first);
	return complain(call, "\"%.100s%s%.100s\" is not a command; %spenstockctl --help lists them", first,
			*second != '\0' ? " " : "", second, near);
}

static int ctl_run_call(struct call *call)
{
	const struct command *command = ctl_find_command(call);
	if (command == NULL)
		return ctl_complain_command(call);
	call->command = command;
	call->words = command->words;
	for (int i = 0; i < OPTION_COUNT_OF; i++)
		if (call->option[i] != NULL && ((command->takes | TAKES_ALWAYS) & UINT64_C(1) << i) == 0)
			return complain(call, "it does not take --%s", options[i].name);
	if (call->count < command->least || (command->most >= 0 && call->count > command->most))
		return complain(call, "expected %s", *command->arguments == '\0' ? "no arguments" : command->arguments);
	return command->run(call);
}

int main(int argc, char **argv)
{
	struct call call = { 0 };
	setlocale(LC_CTYPE, "");
	if (!ctl_read_options(&call, argc, argv))
		return EXIT_USAGE;
	call.count = argc - optind;
	call.arguments = argv + optind;
	if (call.option[OPTION_VERSION] != NULL) {
		puts("penstockctl " PENSTOCK_VERSION);
		return EXIT_FINE;
	}
	if (call.option[OPTION_HELP] == NULL && call.count == 0) {
		ctl_print_help(stderr, "");
		return EXIT_USAGE;
	}
	int code = call.option[OPTION_HELP] != NULL ? ctl_run_help(&call) : ctl_run_call(&call);
	if (code == EXIT_USAGE && call.command != NULL && call.command->run == feedback_command_run)
		code = EX_USAGE; /* what runs it is an MTA */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain(&call, "cannot write: %s", strerror(errno));
		return EXIT_USAGE;
	}
	return code;
}
