/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the MTA does, and the life of the daemon.
 */
#include "t/scenario/play.h"

#include "milter/server.h"
#include "policy/base/text.h"
#include "t/fake/fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

bool play_fail(struct play *play, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	vsnprintf(play->error, sizeof play->error, format, values);
	va_end(values);
	return false;
}

bool play_wait(bool (*is)(void *arg), void *arg)
{
	struct timespec start, now;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		if (is(arg))
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 > SETTLE_MS)
			return false;
		usleep(1000);
	}
}

/* ---- the daemon's life */

bool play_start(struct play *play)
{
	char error[CONFIG_ERROR_MAX] = "";
	if (play->server != NULL)
		return true;
	if (!conf_write(&play->conf, play->folder, play->conf_file, play->error, sizeof play->error))
		return false;
	struct config *config = config_load(play->conf_file, error);
	if (config == NULL)
		return play_fail(play, "the configuration: %s", error);
	play->server = server_open(config, play->conf_file, error, sizeof error);
	if (play->server == NULL || !server_start(play->server, error, sizeof error))
		return play_fail(play, "the daemon does not start: %s", error);
	return true;
}

static void close_session(struct play *play, SMFICTX **mta)
{
	if (*mta != NULL && mta_complaint(*mta)[0] != '\0') {
		printf("# %s:%d: libmilter complains: %s\n", play->file, play->line, mta_complaint(*mta));
		play->failures++;
	}
	mta_close(mta);
}

void play_stop(struct play *play)
{
	close_session(play, &play->mta);
	while (play->idle_count > 0)
		close_session(play, &play->idle[--play->idle_count]);
	if (play->server != NULL)
		server_stop(&play->server);
}

static bool do_config(struct play *play, const struct line *line)
{
	char file[300];
	const char *slash = strrchr(play->file, '/');
	snprintf(file, sizeof file, "%.*s%s", slash != NULL ? (int)(slash - play->file + 1) : 0, play->file,
		 line->words[1]);
	return conf_load(&play->conf, file, play->error, sizeof play->error);
}

/* One file beside the configuration, for options that name one. */
static bool do_file(struct play *play, const struct line *line)
{
	char path[120];
	snprintf(path, sizeof path, "%s/file", play->folder);
	FILE *to = fopen(path, "w");
	if (to == NULL)
		return false;
	bool written = fputs(line->words[1], to) != EOF;
	return fclose(to) == 0 && written;
}

static bool do_option(struct play *play, const struct line *line)
{
	const char *value = strchr(line->rest, '=');
	char copy[LINE_LONGEST];
	if (value == NULL || strcmp(line->words[2], "=") != 0)
		return play_fail(play, "expected: option NAME = VALUE");
	value += 1 + strspn(value + 1, " ");
	snprintf(copy, sizeof copy, "%.*s", (int)strcspn(value, "\r\n"), value);
	return conf_set(&play->conf, line->words[1], copy, play->error, sizeof play->error);
}

static bool do_start(struct play *play, const struct line *line)
{
	(void)line;
	return play_start(play);
}

static bool do_stop(struct play *play, const struct line *line)
{
	(void)line;
	play_stop(play);
	return true;
}

static bool reloaded(void *arg)
{
	return fake_log_count("reload: ") > *(int *)arg &&
	       fake_log_count("is in force") + fake_log_count("stays in force") > 0 &&
	       (fake_log_find("is in force") || fake_log_find("stays in force"));
}

static bool do_reload(struct play *play, const struct line *line)
{
	int before = fake_log_count("reload: ");
	(void)line;
	if (!play_start(play) ||
	    !conf_write(&play->conf, play->folder, play->conf_file, play->error, sizeof play->error))
		return false;
	fake_log_mark();
	server_reload(play->server);
	return play_wait(reloaded, &before) || play_fail(play, "the reload said nothing");
}

/* ---- the session */

static bool needs_session(struct play *play)
{
	if (!play_start(play))
		return false;
	if (play->mta == NULL)
		play->mta = mta_open(true);
	return play->mta != NULL;
}

static bool do_connect(struct play *play, const struct line *line)
{
	bool answers = line->count > 2 && strcmp(line->words[2], "answers") == 0;
	close_session(play, &play->mta);
	if (!play_start(play))
		return false;
	play->mta = mta_open(!answers);
	if (play->mta == NULL || !mta_connect(play->mta, line->words[1]))
		return play_fail(play, "\"%s\": expected an address, injected or none", line->words[1]);
	mta_helo(play->mta, "client.example.net");
	return true;
}

/* Sessions that only stay. */
static bool do_idle(struct play *play, const struct line *line)
{
	int64_t count;
	if (!play_start(play) || !text_to_int(line->words[1], 1, IDLE_MAX - play->idle_count, &count))
		return play_fail(play, "expected how many sessions");
	while (count-- > 0) {
		play->idle[play->idle_count] = mta_open(true);
		mta_connect(play->idle[play->idle_count++], "198.51.100.1");
	}
	return true;
}

static bool do_helo(struct play *play, const struct line *line)
{
	if (!needs_session(play))
		return false;
	mta_helo(play->mta, line->words[1]);
	return true;
}

static bool do_macro(struct play *play, const struct line *line)
{
	if (!needs_session(play))
		return false;
	mta_macro(play->mta, line->words[1], line->count > 2 ? line->words[2] : NULL);
	return true;
}

static bool do_login(struct play *play, const struct line *line)
{
	if (!needs_session(play))
		return false;
	mta_macro(play->mta, "{auth_authen}", line->words[1]);
	mta_macro(play->mta, "{auth_type}", "PLAIN");
	return true;
}

static bool do_certificate(struct play *play, const struct line *line)
{
	if (!needs_session(play))
		return false;
	mta_macro(play->mta, "{cert_subject}", line->words[1]);
	mta_macro(play->mta, "{verify}", line->count > 2 ? line->words[2] : NULL);
	return true;
}

static bool refusal(const struct mta_answer *answer)
{
	return answer->status == SMFIS_TEMPFAIL || answer->status == SMFIS_REJECT;
}

static bool do_mail(struct play *play, const struct line *line)
{
	if (!needs_session(play))
		return false;
	fake_log_mark();
	play->accepted = 0;
	play->messages++;
	play->answer = mta_mail(play->mta, line->words[1]);
	play->refused = refusal(&play->answer);
	return true;
}

/* A real MTA says no more of a message that was refused at MAIL. */
static bool goes_on(struct play *play)
{
	if (play->refused)
		return play_fail(play, "the message was refused at MAIL: %s %s %s", play->answer.code,
				 play->answer.enhanced, play->answer.text);
	return needs_session(play);
}

static void rcpt(struct play *play, const char *address, const char *mailer)
{
	char queue_id[16];
	play->answer = mta_rcpt(play->mta, address, strcmp(mailer, "-") == 0 ? NULL : mailer);
	if (refusal(&play->answer))
		return;
	if (play->accepted++ > 0)
		return;
	snprintf(queue_id, sizeof queue_id, "4dQUEUE%03d", play->messages % 1000);
	mta_macro(play->mta, "i", queue_id);
}

static bool do_rcpt(struct play *play, const struct line *line)
{
	if (!goes_on(play))
		return false;
	rcpt(play, line->words[1], line->count > 2 ? line->words[2] : "smtp");
	return true;
}

static void rcpts(struct play *play, int64_t count, const char *mailer)
{
	char address[60];
	for (int64_t i = 0; i < count; i++) {
		snprintf(address, sizeof address, "<user%lld@example.net>", (long long)i);
		rcpt(play, address, mailer);
	}
}

static bool do_rcpts(struct play *play, const struct line *line)
{
	int64_t count;
	if (!goes_on(play) || !text_to_int(line->words[1], 1, 1000000, &count))
		return play->error[0] == '\0' ? play_fail(play, "expected how many recipients") : false;
	rcpts(play, count, line->count > 2 ? line->words[2] : "smtp");
	return true;
}

/* `header Name: all the rest`, or `header "Name" "value"` for odd ones. */
static bool do_header(struct play *play, const struct line *line)
{
	char name[300], value[LINE_LONGEST];
	if (!goes_on(play))
		return false;
	if (*line->rest == '"') {
		mta_header(play->mta, line->words[1], line->count > 2 ? line->words[2] : "");
		return true;
	}
	const char *colon = strchr(line->rest, ':');
	if (colon == NULL)
		return play_fail(play, "expected: header NAME: VALUE");
	snprintf(name, sizeof name, "%.*s", (int)(colon - line->rest), line->rest);
	colon += 1 + strspn(colon + 1, " ");
	snprintf(value, sizeof value, "%.*s", (int)strcspn(colon, "\r\n"), colon);
	mta_header(play->mta, name, value);
	return true;
}

static bool do_headers(struct play *play, const struct line *line)
{
	int64_t count;
	if (!goes_on(play))
		return false;
	if (!text_to_int(line->words[1], 1, 1000000, &count))
		return play_fail(play, "expected: headers COUNT NAME VALUE");
	for (int i = 0; i < (int)count; i++) {
		char *name = numbered(line->words[2], i);
		mta_header(play->mta, name, line->words[3]);
		free(name);
	}
	return true;
}

static bool do_header_end(struct play *play, const struct line *line)
{
	(void)line;
	if (!goes_on(play))
		return false;
	mta_headers_end(play->mta);
	return true;
}

static bool do_body(struct play *play, const struct line *line)
{
	int64_t bytes;
	if (!goes_on(play))
		return false;
	if (!text_to_int(line->words[1], 0, 1 << 30, &bytes))
		return play_fail(play, "expected how many bytes");
	mta_body(play->mta, (size_t)bytes);
	return true;
}

static bool do_body_text(struct play *play, const struct line *line)
{
	if (!goes_on(play))
		return false;
	mta_body_text(play->mta, line->words[1]);
	return true;
}

static bool do_end(struct play *play, const struct line *line)
{
	(void)line;
	if (!goes_on(play))
		return false;
	play->answer = mta_end(play->mta);
	mta_macro(play->mta, "i", NULL);
	return true;
}

static bool do_reset(struct play *play, const struct line *line)
{
	(void)line;
	if (!needs_session(play))
		return false;
	mta_abort(play->mta);
	play->refused = false;
	mta_macro(play->mta, "i", NULL);
	return true;
}

static bool do_close(struct play *play, const struct line *line)
{
	(void)line;
	close_session(play, &play->mta);
	play->refused = false;
	return true;
}

/* ---- send ACCOUNT to RCPTS [times MESSAGES]: whole messages in a session of their own */

/* As a person's program writes it: nothing odd, and no two messages alike. */
static void send_header(struct play *play, const char *account)
{
	char value[LINE_LONGEST];
	mta_header(play->mta, "Date", "Mon, 5 Jan 2026 12:00:00 +0000");
	snprintf(value, sizeof value, "<%s>", account);
	mta_header(play->mta, "From", value);
	mta_header(play->mta, "To", "<user0@example.net>");
	snprintf(value, sizeof value, "<%d@client.example.net>", play->messages);
	mta_header(play->mta, "Message-ID", value);
	mta_header(play->mta, "Subject", "greetings");
}

static void send_one(struct play *play, const char *account, int64_t count)
{
	fake_log_mark();
	play->accepted = 0;
	play->messages++;
	play->answer = mta_mail(play->mta, account);
	play->refused = refusal(&play->answer);
	if (play->refused)
		return;
	rcpts(play, count, "smtp");
	if (play->accepted == 0)
		return;
	send_header(play, account);
	mta_body(play->mta, 100);
	play->answer = mta_end(play->mta);
	mta_macro(play->mta, "i", NULL);
}

static bool do_send(struct play *play, const struct line *line)
{
	int64_t count = 1, times = 1;
	bool counted = line->count == 6 && strcmp(line->words[4], "times") == 0;
	if (strcmp(line->words[2], "to") != 0 || !text_to_int(line->words[3], 1, 1000000, &count) ||
	    (counted && !text_to_int(line->words[5], 1, 1000000, &times)) || (line->count > 4 && !counted))
		return play_fail(play, "expected: send ACCOUNT to RECIPIENTS [times MESSAGES]");
	close_session(play, &play->mta);
	if (!needs_session(play))
		return false;
	mta_connect(play->mta, "192.0.2.10");
	mta_helo(play->mta, "client.example.net");
	mta_macro(play->mta, "{auth_authen}", line->words[1]);
	while (times-- > 0)
		send_one(play, line->words[1], count);
	play->refused = false;
	return true;
}

static const struct command commands[] = {
	{ "config", 2, do_config, "config FILE" },
	{ "file", 2, do_file, "file TEXT" },
	{ "option", 4, do_option, "option NAME = VALUE" },
	{ "start", 1, do_start, "start" },
	{ "stop", 1, do_stop, "stop" },
	{ "reload", 1, do_reload, "reload" },
	{ "connect", 2, do_connect, "connect ADDRESS|injected|none [answers]" },
	{ "idle", 2, do_idle, "idle SESSIONS" },
	{ "helo", 2, do_helo, "helo NAME" },
	{ "macro", 2, do_macro, "macro NAME [VALUE]" },
	{ "login", 2, do_login, "login NAME" },
	{ "certificate", 2, do_certificate, "certificate SUBJECT [VERIFY]" },
	{ "mail", 2, do_mail, "mail ADDRESS" },
	{ "rcpt", 2, do_rcpt, "rcpt ADDRESS [MAILER|-]" },
	{ "rcpts", 2, do_rcpts, "rcpts COUNT [MAILER|-]" },
	{ "header", 2, do_header, "header NAME: VALUE" },
	{ "headers", 4, do_headers, "headers COUNT NAME VALUE" },
	{ "headers-end", 1, do_header_end, "headers-end" },
	{ "body", 2, do_body, "body BYTES" },
	{ "body-text", 2, do_body_text, "body-text TEXT" },
	{ "end", 1, do_end, "end" },
	{ "reset", 1, do_reset, "reset" },
	{ "close", 1, do_close, "close" },
	{ "send", 4, do_send, "send ACCOUNT to RECIPIENTS [times MESSAGES]" },
	{ "crowd", 4, command_crowd, "crowd SESSIONS MESSAGES ACCOUNT..." },
	{ "expect", 2, command_expect, "expect ..." },
};

const struct command *command_find(const char *word)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i].word) == 0)
			return &commands[i];
	for (const struct command *command = world_commands; command->word != NULL; command++)
		if (strcmp(word, command->word) == 0)
			return command;
	return NULL;
}
