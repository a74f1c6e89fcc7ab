/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstockctl client report. Rows wait for a second to be sent together; while the daemon does not answer they wait,
 * and the newest of too many are lost, which is said.
 */
#include "milter/ctl/logins_commands.h"

#include "milter/base/json_read.h"
#include "milter/ctl/tool/client.h"
#include "milter/ctl/tool/memory.h"
#include "milter/follow/service_log.h"
#include "policy/base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	COUNT_MOST = 10000,
	BATCH_ROWS = 20, /* some 20 rows of CLIENT_NOTE_ROW_MAX fit into a request */
	WAITING_MOST = 20000,
	GATHER_MS = 1000,
	RETRY_MS = 5000,
	PIECE = 65536,
};

struct client_report {
	const struct call *call;
	enum service_log log;		   /* SERVICE_LOGS: rows */
	char *path;			   /* of the control socket; owned */
	char (*rows)[CLIENT_NOTE_ROW_MAX]; /* owned: WAITING_MOST, of which these are used: */
	size_t first, count;
	int64_t retry_ms; /* not before then; 0: at once */
	uint64_t lines, told, unclear, bad, lost, refused;
	bool away, alone;
	struct line_split split;
};

static int64_t client_report_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- to the daemon */

static json_t *client_report_request(const struct client_report *report, size_t count)
{
	json_t *rows = have_memory(json_array());
	for (size_t i = 0; i < count; i++) {
		const char *row = report->rows[(report->first + i) % WAITING_MOST];
		json_array_append_new(rows, have_memory(json_stringn(row, strcspn(row, "\n"))));
	}
	return have_memory(json_pack("{s:s, s:o}", "do", "client.report", "rows", rows));
}

static void client_report_said(struct client_report *report, const json_t *answer)
{
	const json_t *refusal = json_object_get(answer, "error");
	bool alone = refusal == NULL && json_is_false(json_object_get(answer, "shared"));
	if (refusal != NULL) {
		report->refused++;
		complain(report->call, "%s", json_is_string(refusal) ? json_string_value(refusal) : "it was refused");
	}
	if (alone && !report->alone)
		complain(report->call, "Redis is not reachable: this daemon alone counts what is told");
	report->alone = alone;
}

/* False: the daemon does not answer, and they wait, or, at the last time, are lost. */
static bool client_report_send_some(struct client_report *report, bool last)
{
	char error[600];
	size_t count = report->count < BATCH_ROWS ? report->count : BATCH_ROWS;
	json_t *request = client_report_request(report, count);
	json_t *answer = client_ask(report->path, request, error, sizeof error);
	json_decref(request);
	if (answer == NULL) {
		if (!report->away)
			complain(report->call, "%s%s", error, last ? "" : " What is told waits until it answers.");
		report->away = true;
		report->retry_ms = client_report_now_ms() + RETRY_MS;
		return false;
	}
	if (report->away)
		complain(report->call, "the daemon answers again");
	report->away = false;
	client_report_said(report, answer);
	json_decref(answer);
	report->first = (report->first + count) % WAITING_MOST;
	report->count -= count;
	return true;
}

static void client_report_send(struct client_report *report, bool all)
{
	if (!all && report->away && client_report_now_ms() < report->retry_ms)
		return;
	while (report->count > 0 && client_report_send_some(report, all))
		continue;
}

static void client_report_add(struct client_report *report, const struct client_note *note)
{
	if (report->count == WAITING_MOST) {
		if (report->lost++ == 0)
			complain(report->call, "%d rows wait for the daemon, and no more: the newest are lost",
				 WAITING_MOST);
		return;
	}
	client_note_write(note, report->rows[(report->first + report->count++) % WAITING_MOST]);
	report->told++;
}

/* ---- lines */

static void client_report_row(struct client_report *report, struct span line)
{
	struct client_note note;
	char error[300];
	if (line.length == 0)
		return;
	if (client_note_read(line.at, line.length, &note, error, sizeof error)) {
		client_report_add(report, &note);
		return;
	}
	report->bad++;
	complain(report->call, "line %llu: %s", (unsigned long long)report->lines, error);
}

/* Asterisk's objects have the line in one of their members; what is none is a line. */
static json_t *client_report_object(struct span line, struct span *message_out)
{
	char why[300];
	json_t *object = line.length > 0 && *line.at == '{'
				 ? json_read(JSON_OF_SERVICE, line.at, line.length, why, sizeof why)
				 : NULL;
	const json_t *log = json_object_get(object, "logmsg"), *message = json_object_get(log, "message");
	const char *level = json_string_value(json_object_get(log, "level"));
	*message_out = line;
	if (message != NULL && level != NULL && strcmp(level, "SECURITY") == 0 && json_is_string(message))
		*message_out = (struct span){ json_string_value(message), json_string_length(message) };
	return object;
}

static void client_report_line(struct client_report *report, struct span line)
{
	struct service_login login;
	struct span message;
	report->lines++;
	if (report->log == SERVICE_LOGS) {
		client_report_row(report, line);
		return;
	}
	json_t *object = client_report_object(line, &message);
	enum service_said said = service_log_read(report->log, message, (int64_t)time(NULL), &login);
	json_decref(object);
	report->unclear += said == SERVICE_UNCLEAR;
	if (said != SERVICE_TOLD)
		return;
	client_report_add(report, &login.note);
	login.note.name[0] = '\0';
	for (int i = 0; i < login.more; i++)
		client_report_add(report, &login.note);
}

static void client_report_take(struct client_report *report, const char *bytes, size_t length)
{
	struct span chunk = { bytes, length }, line;
	while (line_split(&report->split, &chunk, &line))
		client_report_line(report, line);
}

/* What has no newline at the end is a line, too. */
static void client_report_take_rest(struct client_report *report)
{
	if (report->split.length > 0)
		client_report_take(report, "\n", 1);
}

/* ---- standard input */

/* Bytes; 0: it has ended; -1 with errno. 0 bytes within the time: EAGAIN. */
static ssize_t client_report_read(const struct client_report *report, char *piece)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	int ready = poll(&input, 1, report->count == 0 ? -1 : report->away ? RETRY_MS : GATHER_MS);
	if (ready == 0)
		errno = EAGAIN;
	return ready <= 0 ? -1 : read(STDIN_FILENO, piece, PIECE);
}

static int client_report_end(struct client_report *report)
{
	client_report_take_rest(report);
	client_report_send(report, true);
	if (report->count > 0 || report->lost > 0)
		complain(report->call, "%llu of what was told did not reach the daemon",
			 (unsigned long long)(report->count + report->lost));
	printf("%llu lines, of which %llu events were told", (unsigned long long)report->lines,
	       (unsigned long long)(report->told - report->count));
	if (report->unclear > 0)
		printf("; %llu lines could be about two clients, and were left out",
		       (unsigned long long)report->unclear);
	putchar('\n');
	if (report->count > 0 || report->lost > 0)
		return EXIT_USAGE;
	return report->bad > 0 || report->refused > 0 ? EXIT_NO : EXIT_FINE;
}

static int client_report_follow(struct client_report *report)
{
	static char piece[PIECE];
	for (;;) {
		ssize_t got = client_report_read(report, piece);
		if (got == 0)
			return client_report_end(report);
		if (got > 0)
			client_report_take(report, piece, (size_t)got);
		else if (errno != EINTR && errno != EAGAIN)
			return complain(report->call, "cannot read standard input: %s", strerror(errno));
		if (got < 0 || report->count >= BATCH_ROWS)
			client_report_send(report, false);
	}
}

static int client_report_stream(const struct call *call, enum service_log log)
{
	static struct client_report report;
	report.call = call;
	report.log = log;
	report.path = call_socket(call);
	if (report.path == NULL)
		return EXIT_USAGE;
	report.rows = calloc(WAITING_MOST, sizeof *report.rows);
	int code = report.rows == NULL ? complain(call, "there is no memory") : client_report_follow(&report);
	free(report.rows);
	free(report.path);
	return code;
}

/* ---- one event */

static int client_report_one(const struct call *call, struct client_note *note)
{
	const char *count_given = call->option[OPTION_COUNT], *name = call->option[OPTION_NAME];
	int64_t count = 1;
	static struct client_report report;
	if (count_given != NULL && !text_to_int(count_given, 1, COUNT_MOST, &count))
		return complain(call, "--count \"%.100s\": expected a whole number from 1 to %d", count_given,
				COUNT_MOST);
	if (name != NULL)
		client_note_name(note, name, strlen(name));
	note->time_s = (int64_t)time(NULL);
	report.call = call;
	report.path = call_socket(call);
	report.rows = calloc(WAITING_MOST, sizeof *report.rows);
	if (report.path == NULL || report.rows == NULL)
		return EXIT_USAGE;
	for (int64_t i = 0; i < count; i++)
		client_report_add(&report, note);
	client_report_send(&report, true);
	int code = report.count > 0 ? EXIT_USAGE : report.refused > 0 ? EXIT_NO : EXIT_FINE;
	free(report.rows);
	free(report.path);
	return code;
}

static int client_report_event(const struct call *call)
{
	struct client_note note = { .stage = CLIENT_STAGE_NONE, .service = CLIENT_SERVICE_OTHER };
	const char *service = call->option[OPTION_SERVICE];
	if (call->count != 2 || call->option[OPTION_LOG] != NULL)
		return complain(call, "expected ADDRESS EVENT, or - for rows or a log from standard input");
	if (!netaddr_parse(call->arguments[0], &note.client))
		return complain(call, "\"%.100s\": expected an IPv4 or IPv6 address", call->arguments[0]);
	note.event = client_event_find(call->arguments[1]);
	if (note.event == CLIENT_EVENT_COUNT)
		return complain(call, "\"%.100s\": expected an event, such as auth_failure, login, no_quit or listed",
				call->arguments[1]);
	if (service != NULL)
		note.service = client_service_find(service);
	if (note.service == CLIENT_SERVICE_COUNT)
		return complain(
			call,
			"--service \"%.100s\": expected smtp, submission, imap, pop3, sip, sip_proven, web, ssh or "
			"other",
			service);
	return client_report_one(call, &note);
}

int client_report_run(const struct call *call)
{
	const char *word = call->option[OPTION_LOG];
	if (strcmp(call->arguments[0], "-") != 0)
		return client_report_event(call);
	if (call->count != 1 || call->option[OPTION_SERVICE] != NULL || call->option[OPTION_NAME] != NULL ||
	    call->option[OPTION_COUNT] != NULL)
		return complain(call, "of - expected nothing more, or --log");
	enum service_log log = word == NULL ? SERVICE_LOGS : service_log_find(word);
	if (word != NULL && log == SERVICE_LOGS)
		return complain(call, "--log \"%.100s\": expected dovecot or asterisk", word);
	return client_report_stream(call, log);
}
