/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/trace_inside.h"

#include "milter/follow/log_event.h"
#include "milter/follow/queue_map.h"
#include "milter/follow/replies.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "policy/outcome.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

/* A row is made of strings; the log has spans. NULL where it is not there. */
static const char *trace_note_string(struct span span, char *memory, size_t size)
{
	if (span.at == NULL)
		return NULL;
	span_copy(memory, size, span);
	return memory;
}

#define STRING(span) trace_note_string(span, (char[TRACE_VALUE_MAX]){ 0 }, TRACE_VALUE_MAX)

static const char *unless_empty(const char *string)
{
	return string != NULL && *string != '\0' ? string : NULL;
}

static struct trace_row trace_note_row(enum trace_kind kind, const struct log_event *event)
{
	return (struct trace_row){ .kind = kind, .time_ms = event->time_us / 1000 };
}

/* ---- Message-IDs */

static struct trace_id *trace_note_place(struct trace *trace, struct span queue_id)
{
	return &trace->ids[hash_bytes(queue_id.at, queue_id.length, 0) % TRACE_IDS];
}

/* Without angle brackets, as other addresses. */
static struct span trace_note_bare(struct span id)
{
	if (id.length >= 2 && id.at[0] == '<' && id.at[id.length - 1] == '>')
		return (struct span){ id.at + 1, id.length - 2 };
	return id;
}

void trace_message_id(struct trace *trace, const struct log_event *event)
{
	struct span id = trace_note_bare(event->message_id);
	if (trace == NULL || event->queue_id.at == NULL || id.length == 0)
		return;
	struct trace_id *place = trace_note_place(trace, event->queue_id);
	span_copy(place->queue_id, sizeof place->queue_id, event->queue_id);
	span_copy(place->message_id, sizeof place->message_id, id);
}

static const char *trace_note_message_id(struct trace *trace, const struct log_event *verdict)
{
	if (verdict->message_id.length > 0)
		return NULL;
	const struct trace_id *place = trace_note_place(trace, verdict->queue_id);
	return span_is(verdict->queue_id, place->queue_id) ? unless_empty(place->message_id) : NULL;
}

/* ---- rows */

/* Penstock's line writes "-" for what there is not. */
static const char *unless_dash(const char *word)
{
	return word != NULL && strcmp(word, "-") != 0 ? unless_empty(word) : NULL;
}

static const char *trace_note_number(int64_t number, char memory[24])
{
	snprintf(memory, 24, "%lld", (long long)number);
	return number >= 0 ? memory : NULL;
}

void trace_message(struct trace *trace, const struct log_event *verdict, const struct queued *queued)
{
	char kbytes[24], rcpts[24];
	if (trace == NULL)
		return;
	struct trace_row row = trace_note_row(TRACE_MESSAGE, verdict);
	row.value[TRACE_QUEUE_ID] = unless_dash(STRING(verdict->queue_id));
	row.value[TRACE_REFERENCE] = unless_dash(STRING(verdict->reference));
	row.value[TRACE_ACCOUNT] = queued != NULL ? queued->account : STRING(verdict->account);
	row.value[TRACE_CUSTOMER] = unless_dash(STRING(verdict->customer));
	row.value[TRACE_SENDER] =
		verdict->sender.at != NULL && verdict->sender.length == 0 ? "<>" : STRING(verdict->sender);
	row.value[TRACE_CLIENT] = STRING(verdict->client);
	row.value[TRACE_ACTION] = STRING(verdict->action);
	row.value[TRACE_LEVEL] = STRING(verdict->level);
	row.value[TRACE_TRANSPORT] = unless_dash(STRING(verdict->transport));
	row.value[TRACE_KBYTES] =
		trace_note_number(verdict->size < 0 ? -1 : verdict->size / 1024 + (verdict->size % 1024 > 0), kbytes);
	row.value[TRACE_RCPTS] = trace_note_number(verdict->rcpts, rcpts);
	row.value[TRACE_MESSAGE_ID] = trace_note_message_id(trace, verdict);
	trace_write(trace, &row);
}

void trace_delivery(struct trace *trace, const struct queued *queued, const struct span *rcpt,
		    const struct log_event *delivery, const struct reply_class *class, const char *receiver)
{
	if (trace == NULL)
		return;
	char text[TRACE_VALUE_MAX], rcpts[24];
	struct trace_row row = trace_note_row(TRACE_DELIVERY, delivery);
	row.value[TRACE_QUEUE_ID] = queued->queue_id;
	row.value[TRACE_ACCOUNT] = unless_empty(queued->account);
	row.value[TRACE_RCPT] = rcpt != NULL ? STRING(*rcpt) : NULL;
	row.value[TRACE_OUTCOME] = outcome_word(class->outcome);
	row.value[TRACE_STATUS] = delivery->status != LOG_STATUS_NONE ? log_status_word(delivery->status) : NULL;
	row.value[TRACE_DSN] = STRING(delivery->dsn);
	row.value[TRACE_RECEIVER] = unless_empty(receiver);
	row.value[TRACE_RELAY] =
		STRING(delivery->relay_address.at != NULL ? delivery->relay_address : delivery->relay_host);
	row.value[TRACE_TRANSPORT] =
		delivery->transport.at != NULL ? STRING(delivery->transport) : unless_empty(queued->transport);
	if (delivery->text.at != NULL) {
		log_event_text(delivery, text, sizeof text);
		row.value[TRACE_TEXT] = text;
	}
	if (rcpt == NULL)
		row.value[TRACE_RCPTS] = trace_note_number(queued_left(queued), rcpts);
	trace_write(trace, &row);
}

void trace_requeued(struct trace *trace, const struct log_event *requeued)
{
	if (trace == NULL)
		return;
	struct trace_row row = trace_note_row(TRACE_REQUEUED, requeued);
	row.value[TRACE_QUEUE_ID] = STRING(requeued->queue_id);
	row.value[TRACE_OLD_ID] = STRING(requeued->orig_id);
	trace_write(trace, &row);
}
