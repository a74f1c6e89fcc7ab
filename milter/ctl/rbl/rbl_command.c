/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/rbl/rbl_command.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/client.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/progress.h"
#include "milter/ctl/rbl/rbl_show.h"
#include "milter/ctl/rbl/rbl_text.h"
#include "milter/base/json_read.h"
#include "policy/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SILENCE_S = 60, SILENCE_S_MOST = 3600, ERROR_MAX = 1000 };

enum rbl_command_outcome { TARGET_CLEAN, TARGET_LISTED, TARGET_FAILED, OUTCOME_COUNT };

/* The check of one target. */
struct rbl_command_check {
	const struct call *call; /* borrowed */
	char *clean;		 /* owned: the target, fit to be printed */
	struct rbl_show *show;	 /* owned; NULL with --json */
	bool *printed;		 /* borrowed: something stands on standard output */
	bool apart;		 /* an empty line is due before the first that is printed of this target */
	bool network, ended;
	int64_t lists, subjects, begun, done; /* subjects 0: not known; of a name they are seen when they begin */
	int64_t answers, listed;	      /* listed: lists, of a network addresses */
	char error[ERROR_MAX];		      /* "": none */
};

/* ---- to the outside ---- */

static bool for_programs(const struct rbl_command_check *check)
{
	return check->call->option[OPTION_JSON] != NULL;
}

/* On standard output, with the progress line out of its way. */
static void rbl_command_put(const char *bytes, size_t length)
{
	if (length == 0)
		return;
	progress_wipe();
	fwrite(bytes, 1, length, stdout);
	fflush(stdout);
}

/* One line of JSON, as it came; but a terminal gets nothing outside ASCII. */
static void rbl_command_put_line(const json_t *json, const char *line, size_t length)
{
	char *plain = NULL;
	if (line == NULL || terminal_width(stdout) > 0)
		plain = have_memory(json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)));
	progress_wipe();
	if (plain != NULL)
		fputs(plain, stdout);
	else
		fwrite(line, 1, length, stdout);
	fputc('\n', stdout);
	fflush(stdout);
	free(plain);
}

static void rbl_command_show_line(struct rbl_command_check *check, const json_t *json)
{
	char *bytes = NULL;
	size_t length = 0;
	struct paper paper = { have_memory(open_memstream(&bytes, &length)), terminal_width(stdout),
			       terminal_colours(stdout) };
	if (json != NULL)
		rbl_show_line(check->show, json, &paper);
	else
		rbl_show_rest(check->show, &paper);
	fclose(paper.to);
	if (length > 0 && check->apart) {
		rbl_command_put("\n", 1);
		check->apart = false;
	}
	rbl_command_put(bytes, length);
	*check->printed |= length > 0;
	free(bytes);
}

static enum rbl_command_outcome rbl_command_fail(struct rbl_command_check *check)
{
	if (for_programs(check)) {
		json_t *json = have_memory(json_pack("{s:s, s:s, s:o}", "type", "error", "target", check->clean,
						     "error", json_string(check->error)));
		rbl_command_put_line(json, NULL, 0);
		json_decref(json);
	} else {
		rbl_command_show_line(check, NULL);
	}
	progress_wipe();
	if (strstr(check->error, check->clean) != NULL)
		complain(check->call, "%s", check->error); /* it names the target already */
	else
		complain(check->call, "%.300s: %s", check->clean, check->error);
	return TARGET_FAILED;
}

static int rbl_command_show_progress(const struct rbl_command_check *check)
{
	int64_t asked = check->lists * (check->begun > 1 ? check->begun : 1);
	struct progress progress = {
		.what = check->clean,
		.listed = check->listed,
		.done = check->network ? check->done : check->answers,
		.total = check->network ? check->subjects : asked,
		.unit = check->network ? "addresses" : "lists",
	};
	return progress_show(&progress);
}

/* ---- what the lines come to ---- */

static void on_begin(struct rbl_command_check *check, const json_t *line)
{
	check->network = strcmp(text_of(line, "kind"), "network") == 0;
	check->lists = whole_of(line, "lists");
	check->subjects = whole_of(line, "subjects");
}

static void on_target(struct rbl_command_check *check, const json_t *line)
{
	(void)line;
	check->begun++;
}

static void rbl_command_on_list(struct rbl_command_check *check, const json_t *line)
{
	bool listed = strcmp(text_of(line, "said"), "listed") == 0 && strcmp(text_of(line, "kind"), "allow") != 0 &&
		      !rbl_is_noted(line);
	check->answers++;
	check->listed += listed && !check->network ? 1 : 0;
}

static void on_subject(struct rbl_command_check *check, const json_t *line)
{
	check->done++;
	check->listed += check->network && whole_of(line, "listed") > 0 ? 1 : 0;
}

static void rbl_command_on_end(struct rbl_command_check *check, const json_t *line)
{
	const char *error = text_of(line, "error");
	check->ended = true;
	if (*error != '\0')
		text_copy(check->error, sizeof check->error, error);
	else if (whole_of(line, "listed") > 0)
		check->listed = check->listed > 0 ? check->listed : 1;
	else if (whole_of(line, "clean") == 0)
		text_copy(check->error, sizeof check->error,
			  whole_of(line, "unknown") > 0 ? "no list answered, so that nothing is known"
							: "no list was asked, so that nothing is known");
}

static void rbl_command_count_line(struct rbl_command_check *check, const json_t *line)
{
	static const struct {
		const char *type;
		void (*on)(struct rbl_command_check *check, const json_t *line);
	} rows[] = {
		{ "begin", on_begin },	   { "target", on_target },	  { "list", rbl_command_on_list },
		{ "subject", on_subject }, { "end", rbl_command_on_end },
	};
	const char *type = text_of(line, "type");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].type, type) == 0)
			rows[i].on(check, line);
}

/* False where no further line is wanted. */
static bool rbl_command_take_line(struct rbl_command_check *check, const char *line, size_t length)
{
	char why[300];
	json_t *json = json_read(JSON_OF_DAEMON, line, length, why, sizeof why);
	const char *refusal = text_of(json, "error");
	if (json == NULL) {
		snprintf(check->error, sizeof check->error, "a line of the daemon's answer is not a JSON object: %s",
			 why);
	} else if (*text_of(json, "type") == '\0') {
		text_copy(check->error, sizeof check->error,
			  *refusal != '\0' ? refusal : "a line of the daemon's answer does not say what it is");
	} else {
		rbl_command_count_line(check, json);
		if (for_programs(check))
			rbl_command_put_line(json, line, length);
		else
			rbl_command_show_line(check, json);
	}
	json_decref(json);
	return check->error[0] == '\0' && !check->ended && !ferror(stdout);
}

static void rbl_command_read_stream(struct rbl_command_check *check, struct client_stream *stream)
{
	const char *line;
	size_t length;
	for (;;) {
		switch (client_next(stream, rbl_command_show_progress(check), &line, &length, check->error,
				    sizeof check->error)) {
		case CLIENT_LINE:
			if (!rbl_command_take_line(check, line, length))
				return;
			break;
		case CLIENT_WAITING:
			break;
		case CLIENT_END:
			text_copy(check->error, sizeof check->error, "the daemon's answer broke off before its end");
			return;
		case CLIENT_FAILED:
			return;
		}
	}
}

/* ---- the command ---- */

static enum rbl_command_outcome rbl_command_check_target(const struct call *call, const char *socket, int silence_ms,
							 const char *target, bool *printed)
{
	struct rbl_command_check check = { .call = call, .printed = printed, .apart = *printed };
	check.clean = clean_text(target);
	json_t *request = json_pack("{s:s, s:s}", "do", "rbl", "target", target);
	struct client_stream *stream = NULL;
	if (!for_programs(&check))
		check.show = rbl_show_new(target, call->option[OPTION_VERBOSE] != NULL);
	progress_begin();
	if (request == NULL)
		text_copy(check.error, sizeof check.error,
			  "this is not an address, host name or network: expected UTF-8");
	else
		stream = client_open(socket, request, silence_ms, check.error, sizeof check.error);
	if (stream != NULL)
		rbl_command_read_stream(&check, stream);
	client_close(&stream);
	progress_wipe();
	enum rbl_command_outcome outcome = check.error[0] != '\0' ? rbl_command_fail(&check)
					   : check.listed > 0	  ? TARGET_LISTED
								  : TARGET_CLEAN;
	rbl_show_free(&check.show);
	json_decref(request);
	free(check.clean);
	return outcome;
}

int rbl_command_run(const struct call *call)
{
	const char *given = call->option[OPTION_TIMEOUT];
	int64_t silence_s = SILENCE_S, sums[OUTCOME_COUNT] = { 0 };
	if (given != NULL && !text_to_int(given, 1, SILENCE_S_MOST, &silence_s))
		return complain(call, "--timeout \"%.100s\": expected a whole number of seconds from 1 to %d", given,
				SILENCE_S_MOST);
	char *socket = call_socket(call);
	if (socket == NULL)
		return EXIT_USAGE;
	bool printed = false;
	for (int i = 0; i < call->count && !ferror(stdout); i++)
		sums[rbl_command_check_target(call, socket, (int)silence_s * 1000, call->arguments[i], &printed)]++;
	if (call->count > 1 && call->option[OPTION_JSON] == NULL)
		printf("%s%d targets: %lld listed, %lld clean, %lld not known\n", printed ? "\n" : "", call->count,
		       (long long)sums[TARGET_LISTED], (long long)sums[TARGET_CLEAN], (long long)sums[TARGET_FAILED]);
	free(socket);
	return sums[TARGET_FAILED] > 0 ? EXIT_USAGE : sums[TARGET_LISTED] > 0 ? EXIT_NO : EXIT_FINE;
}
