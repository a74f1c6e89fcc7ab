/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/feedback_command.h"

#include "milter/ctl/tool/client.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/feedback/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "policy/base/banned.h"

#define HEADER_OPTION "feedback.header"
#define HEADER_DEFAULT "CFBL-Feedback-ID"

enum { PIECE = 65536 };

/* False with the complaint made. What is behind REPORT_BYTES_MAX is read, so that the MTA's pipe does not break. */
static bool feedback_command_read(const struct call *call, struct report_reader *reader)
{
	static char piece[PIECE];
	for (;;) {
		ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
		if (got > 0)
			report_add(reader, piece, (size_t)got);
		else if (got == 0)
			return true;
		else if (errno != EINTR) {
			complain(call, "cannot read the message from standard input: %s", strerror(errno));
			return false;
		}
	}
}

/* A stranger's bytes need not be UTF-8: those that are not are left out. */
static void feedback_command_set(json_t *request, const char *name, const char *value)
{
	json_t *text = json_string(value);
	char ascii[ADDRESS_MAX + 1];
	size_t length = 0;
	for (; text == NULL && *value != '\0' && length < ADDRESS_MAX; value++)
		ascii[length++] = (unsigned char)*value < 0x80 ? *value : '?';
	ascii[length] = '\0';
	json_object_set_new(request, name, text != NULL ? text : have_memory(json_string(ascii)));
}

static json_t *feedback_command_request(const struct feedback_report *report)
{
	static const char *const forms[] = {
		[REPORT_JUNK] = "junk",		  [REPORT_COMPLAINT] = "complaint", [REPORT_BOUNCE] = "bounce",
		[REPORT_FORWARDED] = "forwarded", [REPORT_AUTOMATIC] = "automatic",
	};
	json_t *statuses = have_memory(json_array());
	json_t *request = have_memory(
		json_pack("{s:s, s:s, s:b}", "do", "feedback", "form", forms[report->form], "nested", report->nested));
	for (int i = 0; i < report->status_count; i++)
		if (json_array_append_new(statuses, json_string(report->status[i])) != 0)
			break; /* no UTF-8 */
	json_object_set_new(request, "status", statuses);
	feedback_command_set(request, "type", report->type);
	feedback_command_set(request, "token", report->token);
	feedback_command_set(request, "rcpt", report->rcpt);
	feedback_command_set(request, "source", report->source);
	return request;
}

/* What is printed reaches whoever sent the report, who may ask for a notice of success: no account, but by -v. */
static void feedback_command_say(const json_t *answer, bool named)
{
	static const struct {
		const char *result, *said;
	} rows[] = {
		{ "counted", "it is counted" },
		{ "nothing", "it is worth nothing" },
		{ "repeated", "its message was reported as often as one message may be" },
		{ "forged", "its token is not of this installation" },
		{ "expired", "its message is too old" },
		{ "no_token", "it bears no token" },
		{ "nested", "it is about a report" },
		{ "junk", "it is no report" },
	};
	const char *result = text_of(answer, "result"), *account = named ? text_of(answer, "account") : "";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(result, rows[i].result) == 0)
			printf("%s%s%s: %s\n", text_of(answer, "type"), *account != '\0' ? " about " : "", account,
			       rows[i].said);
}

int feedback_command_run(const struct call *call)
{
	static struct report_reader reader;
	char error[600];
	char *header = config_string(call_config_file(call), HEADER_OPTION, HEADER_DEFAULT);
	report_begin(&reader, header != NULL && *header != '\0' ? header : HEADER_DEFAULT);
	bool read = feedback_command_read(call, &reader);
	json_t *request = feedback_command_request(report_end(&reader));
	free(header);
	char *path = read ? call_socket(call) : NULL;
	json_t *answer = path == NULL ? NULL : client_ask(path, request, error, sizeof error);
	if (path != NULL && answer == NULL)
		complain(call, "%s", error);
	else if (json_object_get(answer, "error") != NULL)
		complain(call, "%s", text_of(answer, "error"));
	else if (answer != NULL && call->option[OPTION_JSON] != NULL)
		call_print_json(answer, stdout);
	else if (answer != NULL)
		feedback_command_say(answer, call->option[OPTION_VERBOSE] != NULL);
	int code = answer == NULL || json_object_get(answer, "error") != NULL ? EX_TEMPFAIL : EX_OK;
	free(path);
	json_decref(request);
	json_decref(answer);
	return code;
}
