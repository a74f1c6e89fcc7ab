/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/log_event.h"

#include "milter/follow/penstock_line.h"
#include "milter/follow/postfix_line.h"
#include "milter/follow/sendmail_line.h"
#include "milter/follow/token.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

const char *log_kind_word(enum log_kind kind)
{
#define LOG_KIND_WORD(id, word) [id] = word,
	static const char *const words[] = { LOG_KIND_ROWS(LOG_KIND_WORD) };
	return words[kind];
}

const char *log_status_word(enum log_status status)
{
#define LOG_STATUS_WORD(id, word) [LOG_STATUS_##id] = word,
	static const char *const words[] = { LOG_STATUS_ROWS(LOG_STATUS_WORD) };
	return words[status];
}

/* systemd 252 and 257: "Suppressed 700 messages from postfix.service" */
static void log_event_of_journald(struct span message, struct log_event *event)
{
	event->kind = LOG_IGNORED;
	if (!token_skip(&message, "Suppressed ") || !token_number(&message, &event->count) ||
	    !token_skip(&message, " messages from "))
		return;
	event->kind = LOG_LOST;
	event->text = message;
}

/* "imjournal: 1200 messages lost due to rate-limiting (20000 allowed within 600 seconds)", and so says imuxsock */
static void log_event_of_rsyslog(struct span message, struct log_event *event)
{
	struct span before, number;
	event->kind = LOG_IGNORED;
	if (!token_until(&message, " messages lost due to rate-limiting", &before) ||
	    !token_behind_last(before, " ", &number) || !token_number(&number, &event->count))
		return;
	event->kind = LOG_LOST;
	event->text = token_to(&before, ":");
}

struct log_program {
	const char *name;
	void (*read)(struct span message, struct log_event *event);
};

static const struct log_program programs[] = {
	{ "penstock", penstock_line_read },	{ "sendmail", sendmail_line_read },
	{ "sm-mta", sendmail_line_read },	{ "sm-msp", sendmail_line_read },
	{ "sm-msp-queue", sendmail_line_read }, { "systemd-journald", log_event_of_journald },
	{ "rsyslogd", log_event_of_rsyslog },
};

static void log_event_begin(const struct log_head *head, struct log_event *event)
{
	*event = (struct log_event){ .time_us = head->time_us, .size = -1, .rcpts = -1, .count = -1 };
}

void log_event_read(const struct log_head *head, struct log_event *event_out)
{
	log_event_begin(head, event_out);
	event_out->kind = LOG_IGNORED; /* some other program */
	if (head->program.length > 0 && memchr(head->program.at, '/', head->program.length) != NULL)
		postfix_line_read(head->program, head->message, event_out);
	else
		for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
			if (span_is(head->program, programs[i].name))
				programs[i].read(head->message, event_out);
	if (event_out->kind == LOG_UNKNOWN || event_out->kind == LOG_IGNORED) {
		enum log_kind kind = event_out->kind;
		log_event_begin(head, event_out); /* what was read of it before that showed */
		event_out->kind = kind;
	}
}

bool log_event_rcpt(const struct log_event *event, struct span *rest, struct span *rcpt_out)
{
	if (rest->at == NULL)
		return false;
	*rcpt_out = *rest;
	bool more = event->list && token_sendmail_rcpt(rest, rcpt_out) && token_skip(rest, ",");
	if (!more)
		*rest = (struct span){ NULL, 0 };
	if (event->list)
		sendmail_line_cut_suffix(rcpt_out);
	return true;
}

static bool log_event_is_code(struct span text)
{
	struct span digits = { text.at, 3 };
	int64_t code;
	return text.length > 3 && token_number(&digits, &code) && digits.length == 0;
}

/* Skips "5.1.1 " and the like. */
static void log_event_skip_enhanced(struct span *text)
{
	struct span rest = *text;
	int64_t number;
	if (token_number(&rest, &number) && token_skip(&rest, ".") && token_number(&rest, &number) &&
	    token_skip(&rest, ".") && token_number(&rest, &number) && token_skip(&rest, " "))
		*text = rest;
}

bool log_event_text(const struct log_event *event, char *to, size_t size)
{
	struct text text = text_over(to, size);
	struct span rest = event->text, piece;
	char code[4];
	bool more = event->remote && log_event_is_code(rest) && rest.at[3] == '-'; /* lines, RFC 5321 4.2.1 */
	span_copy(code, sizeof code, (struct span){ rest.at, more ? 3 : 0 });
	if (more) {
		text_addf(&text, "%s ", code);
		rest = (struct span){ rest.at + 4, rest.length - 4 };
	}
	while (more && token_until(&rest, " ", &piece)) {
		text_add_bytes(&text, piece.at, piece.length);
		text_add(&text, " ");
		struct span line = rest;
		if (!token_skip(&line, code) || (!token_skip(&line, "-") && !token_skip(&line, " ")))
			continue;
		more = line.at[-1] == '-';
		log_event_skip_enhanced(&line);
		rest = line;
	}
	if (rest.length > 0)
		text_add_bytes(&text, rest.at, rest.length);
	return !text.cut;
}
