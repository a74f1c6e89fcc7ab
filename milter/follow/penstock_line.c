/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/penstock_line.h"

#include "milter/base/queue_id.h"
#include "milter/follow/token.h"

#include <string.h>

#include "policy/base/banned.h"

struct penstock_field {
	const char *key;
	size_t to; /* where in the event it goes; offsetof */
	bool number;
};

#define PENSTOCK_SPAN(key, member) \
	{ \
		key "=", offsetof(struct log_event, member), false \
	}
#define PENSTOCK_NUMBER(key, member) \
	{ \
		key "=", offsetof(struct log_event, member), true \
	}

static const struct penstock_field fields[] = {
	PENSTOCK_SPAN("action", action),     PENSTOCK_SPAN("level", level),   PENSTOCK_SPAN("account", account),
	PENSTOCK_SPAN("customer", customer), PENSTOCK_SPAN("client", client), PENSTOCK_SPAN("from", sender),
	PENSTOCK_NUMBER("rcpts", rcpts),     PENSTOCK_NUMBER("size", size),   PENSTOCK_SPAN("transport", transport),
	PENSTOCK_SPAN("ref", reference),
};

/* The first of its name counts. "-" is nothing. */
static bool penstock_keep(const struct penstock_field *field, struct span value, struct log_event *event)
{
	char *to = (char *)event + field->to;
	int64_t number;
	struct span span;
	if (field->number) {
		memcpy(&number, to, sizeof number);
		if (number >= 0)
			return true;
		if (!token_number(&value, &number) || value.length > 0)
			return false;
		memcpy(to, &number, sizeof number);
		return true;
	}
	memcpy(&span, to, sizeof span);
	if (span.at == NULL && !span_is(value, "-"))
		memcpy(to, &value, sizeof value);
	return true;
}

static bool penstock_read_field(struct span word, struct log_event *event)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (token_skip(&word, fields[i].key))
			return penstock_keep(&fields[i], word, event);
	return true;
}

static bool penstock_read_verdict(struct span rest, struct log_event *event)
{
	struct span stage = { NULL, 0 };
	bool waits = false;
	while (rest.length > 0) {
		struct span word = token_to(&rest, " ");
		if (!penstock_read_field(word, event))
			return false;
		if (stage.at == NULL && token_skip(&word, "stage="))
			stage = word;
		waits = waits || span_is(word, "wait=quit");
	}
	if (token_skip(&event->sender, "<"))
		token_cut_end(&event->sender, ">");
	event->kind = span_is(stage, "eom") ? LOG_VERDICT : LOG_IGNORED;
	event->waits = waits && span_is(event->action, "hold");
	return stage.at != NULL && event->action.length > 0 && event->account.length > 0;
}

/* Penstock writes "-" where the MTA has none yet. */
static bool penstock_is_id(struct span id)
{
	char text[QUEUE_ID_MOST + 1];
	return memchr(id.at, '\0', id.length) == NULL && span_copy(text, sizeof text, id) && queue_id_fine(text);
}

/* "warning: log: 12 lines are lost here: .." */
static void penstock_read_lost(struct span message, struct log_event *event)
{
	event->kind = LOG_IGNORED;
	if (token_skip(&message, "warning: log: ") && token_number(&message, &event->count) &&
	    token_skip(&message, " lines are lost here"))
		event->kind = LOG_LOST;
}

void penstock_line_read(struct span message, struct log_event *event)
{
	struct span rest = message, id;
	struct span verdict;
	if (!token_until(&rest, ": ", &id) || (verdict = rest, !token_skip(&verdict, "action="))) {
		penstock_read_lost(message, event);
		return;
	}
	if (penstock_is_id(id))
		event->queue_id = id;
	if (!penstock_read_verdict(rest, event))
		event->kind = LOG_UNKNOWN;
}
