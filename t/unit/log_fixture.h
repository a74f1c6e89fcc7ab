/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_fixture: what a line of a mail log was read as, in one string.
 */
#ifndef PENSTOCK_LOG_FIXTURE_H
#define PENSTOCK_LOG_FIXTURE_H

#include "milter/follow/log_event.h"
#include "policy/base/text.h"

#include <string.h>

enum { SHOWN_MAX = 4096, NEW_YEAR_2026 = 1767225600 };

__attribute__((unused)) static void show_span(struct text *text, const char *name, struct span span)
{
	if (span.at == NULL)
		return;
	text_addf(text, " %s=", name);
	text_add_bytes(text, span.at, span.length);
}

/* "delivery/bounced rcpt=.. size=.. remote", what is not there left out. */
__attribute__((unused)) static void show_event(const struct log_event *event, char shown[SHOWN_MAX])
{
	const struct {
		const char *name;
		struct span span;
	} spans[] = {
		{ "id", event->queue_id },     { "orig_id", event->orig_id },  { "other_id", event->other_id },
		{ "rcpt", event->rcpt },       { "orig_to", event->orig_to },  { "from", event->sender },
		{ "account", event->account }, { "login", event->login },      { "customer", event->customer },
		{ "via", event->transport },   { "ref", event->reference },    { "msgid", event->message_id },
		{ "client", event->client },   { "relay", event->relay_host }, { "at", event->relay_address },
		{ "dsn", event->dsn },	       { "action", event->action },    { "level", event->level },
		{ "text", event->text },
	};
	const struct {
		const char *name;
		int64_t number;
	} numbers[] = { { "size", event->size }, { "rcpts", event->rcpts }, { "count", event->count } };
	const struct {
		const char *name;
		bool is;
	} flags[] = { { "suspended", event->suspended }, { "remote", event->remote }, { "greeting", event->greeting },
		      { "dot", event->stage_dot },	 { "quit", event->quit },     { "timeout", event->timeout },
		      { "list", event->list },		 { "gone", event->gone },     { "auth", event->authenticated },
		      { "waits", event->waits } };
	struct text text = text_over(shown, SHOWN_MAX);
	text_add(&text, log_kind_word(event->kind));
	if (event->status != LOG_STATUS_NONE)
		text_addf(&text, "/%s", log_status_word(event->status));
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
		show_span(&text, spans[i].name, spans[i].span);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i].number >= 0)
			text_addf(&text, " %s=%lld", numbers[i].name, (long long)numbers[i].number);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].is)
			text_addf(&text, " +%s", flags[i].name);
}

/* A line as a program writes it, without date and host. */
__attribute__((unused)) static void read_event(const char *program, const char *message, size_t length,
					       struct log_event *event)
{
	struct log_head head = { .program = { program, strlen(program) }, .message = { message, length } };
	log_event_read(&head, event);
}

#endif
