/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as the lines of a mail log: what is read of a line lies inside of it, is the same each time and whatever
 * stands behind it, and in whatever pieces it came.
 */
#include "milter/follow/log_event.h"
#include "policy/account.h"
#include "t/fuzz/fuzz.h"
#include "t/unit/log_fixture.h"

enum { NOW = NEW_YEAR_2026 };

static void must_lie_in(struct span inner, struct span outer)
{
	MUST(inner.at != NULL || inner.length == 0);
	MUST(inner.at == NULL || (inner.at >= outer.at && inner.at + inner.length <= outer.at + outer.length));
}

static void check_rcpts(const struct log_event *event)
{
	struct span rest = event->rcpt, rcpt;
	size_t before = event->rcpt.length + 1;
	while (log_event_rcpt(event, &rest, &rcpt)) {
		must_lie_in(rcpt, event->rcpt);
		must_lie_in(rest, event->rcpt);
		MUST(rest.at == NULL || rest.length < before);
		before = rest.length;
	}
}

static void check_event(const struct log_event *event, struct span line)
{
	const struct span spans[] = { event->queue_id, event->orig_id,	  event->other_id,	event->rcpt,
				      event->orig_to,  event->sender,	  event->account,	event->login,
				      event->customer, event->transport,  event->reference,	event->message_id,
				      event->client,   event->relay_host, event->relay_address, event->dsn,
				      event->action,   event->level,	  event->text };
	char text[100], name[ACCOUNT_MAX + 1];
	for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
		must_lie_in(spans[i], line);
	MUST(event->kind < LOG_KINDS && event->status < LOG_STATUS_COUNT);
	MUST(event->size >= -1 && event->rcpts >= -1 && event->count >= -1);
	MUST(event->kind != LOG_DELIVERY || (event->rcpt.at != NULL && event->status != LOG_STATUS_NONE));
	MUST(event->kind != LOG_VERDICT || (event->account.length > 0 && event->action.length > 0));
	MUST(event->kind != LOG_REQUEUED || (event->queue_id.length > 0 && event->orig_id.length > 0));
	check_rcpts(event);
	log_event_text(event, text, sizeof text);
	MUST(strlen(text) < sizeof text);
	if (event->account.length > 0 && account_of_word(event->account.at, event->account.length, name))
		MUST(strlen(name) <= event->account.length);
}

static void show_line(struct span line, char shown[SHOWN_MAX])
{
	struct log_head head;
	struct log_event event;
	shown[0] = '\0';
	if (!line_head(line.at, line.length, NOW, &head))
		return;
	must_lie_in(head.program, line);
	must_lie_in(head.message, line);
	MUST(head.time_us >= 0 || line.at[0] != 'J');
	log_event_read(&head, &event);
	MUST(event.time_us == head.time_us);
	check_event(&event, line);
	show_event(&event, shown);
}

/* In memory of its own, and again with other bytes behind it. */
static void check_line(struct span line)
{
	static char first[SHOWN_MAX], second[SHOWN_MAX];
	static const char behind[] = ")>\"]: , 0123456789stage=eom status=sent (";
	char *alone = malloc(line.length + (line.length == 0)), *more = malloc(line.length + sizeof behind);
	MUST(alone != NULL && more != NULL);
	memcpy(alone, line.at, line.length);
	memcpy(more, line.at, line.length);
	memcpy(more + line.length, behind, sizeof behind);
	show_line((struct span){ alone, line.length }, first);
	show_line((struct span){ more, line.length }, second);
	MUST(strcmp(first, second) == 0);
	free(alone);
	free(more);
}

static uint64_t hash_lines(const uint8_t *data, size_t size, size_t piece, bool check)
{
	static struct line_split split;
	uint64_t hash = 0;
	memset(&split, 0, sizeof split);
	for (size_t at = 0; at < size; at += piece) {
		struct span chunk = { (const char *)data + at, size - at < piece ? size - at : piece }, line;
		while (line_split(&split, &chunk, &line)) {
			MUST(line.length <= LINE_MOST && memchr(line.at, '\n', line.length) == NULL);
			for (size_t i = 0; i < line.length; i++)
				hash = hash * 1099511628211U + (unsigned char)line.at[i];
			hash = hash * 1099511628211U + 256;
			if (check)
				check_line(line);
		}
		MUST(chunk.length == 0);
	}
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	setenv("TZ", "UTC", 1);
	uint64_t whole = hash_lines(data, size, size + 1, true);
	MUST(hash_lines(data, size, 1, false) == whole && hash_lines(data, size, 13, false) == whole);
	check_line((struct span){ (const char *)data, size });
	return 0;
}
