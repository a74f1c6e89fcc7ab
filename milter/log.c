/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/log.h"

#include "policy/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { LINE_MAX_BYTES = 8192 };

static atomic_bool to_syslog;	/* until log_open: standard error */

static const struct {
	const char *word;
	int facility;
} facilities[] = {
	{ "mail", LOG_MAIL },	  { "daemon", LOG_DAEMON }, { "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

/* The word stands in the line too: a file of syslog's shows no priorities. */
static const struct {
	const char *word;
	int priority;
} severities[] = {
	[SEVERITY_INFO] = { "", LOG_INFO },
	[SEVERITY_WARNING] = { "warning: ", LOG_WARNING },
	[SEVERITY_ERROR] = { "error: ", LOG_ERR },
};

bool log_open(const char *target, const char *facility)
{
	if (strcmp(target, "stderr") == 0) {
		atomic_store(&to_syslog, false);
		return true;
	}
	if (strcmp(target, "syslog") != 0)
		return false;
	for (size_t i = 0; i < sizeof facilities / sizeof facilities[0]; i++) {
		if (strcmp(facility, facilities[i].word) != 0)
			continue;
		/* at once, before root's rights are dropped */
		openlog("penstock", LOG_PID | LOG_NDELAY, facilities[i].facility);
		atomic_store(&to_syslog, true);
		return true;
	}
	return false;
}

/* What a stranger sent must not begin a line of its own. */
static void make_one_line(struct text *line)
{
	for (size_t i = 0; i < line->length; i++) {
		unsigned char c = (unsigned char)line->at[i];
		if (c < 0x20 || c == 0x7f)
			line->at[i] = '?';
	}
}

/* One write a line, so that lines of several threads do not run into each other. */
static void write_line(struct text *line)
{
	line->at[line->length++] = '\n';
	const char *at = line->at;
	size_t left = line->length;
	while (left > 0) {
		ssize_t written = write(STDERR_FILENO, at, left);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;	/* a log that nobody takes must not stop mail */
		at += written;
		left -= (size_t)written;
	}
}

void log_line(enum severity severity, const char *format, ...)
{
	int saved = errno;
	char bytes[LINE_MAX_BYTES];
	struct text line = text_over(bytes, sizeof bytes - 1);	/* leaves room for the line's end */
	text_add(&line, severities[severity].word);
	va_list arguments;
	va_start(arguments, format);
	int wanted = vsnprintf(line.at + line.length, line.size - line.length, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		line.length += strlen(line.at + line.length);
	make_one_line(&line);
	if (atomic_load(&to_syslog))
		syslog(severities[severity].priority, "%s", line.at);
	else
		write_line(&line);
	errno = saved;
}
