/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_export.h"

#include "milter/ctl/tool/csv.h"
#include "milter/ctl/tool/memory.h"
#include "policy/base/text.h"
#include "policy/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static bool is_number(enum trace_column column)
{
	return column == TRACE_KBYTES || column == TRACE_RCPTS;
}

/* ---- JSON */

static json_t *trace_export_value(enum trace_column column, const char *written)
{
	char plain[TRACE_VALUE_MAX];
	int64_t number;
	if (written == NULL)
		return json_null();
	text_copy(plain, sizeof plain, written);
	trace_value_plain(plain);
	if (is_number(column) && text_to_int(plain, 0, INT64_MAX, &number))
		return json_integer((json_int_t)number);
	json_t *text = json_string(plain);
	if (text == NULL) /* what is no UTF-8 keeps its escapes */
		text = json_string(written);
	for (char *at = plain; text == NULL && *at != '\0'; at++) /* the file is damaged */
		*at = (unsigned char)*at < 0x80 ? *at : '?';
	return text != NULL ? text : have_memory(json_string(plain));
}

static json_t *trace_export_row(const struct trace_row *row)
{
	char time[TRACE_TIME_MAX];
	json_t *object = have_memory(json_object());
	trace_time_write(row->time_ms, time);
	json_object_set_new(object, "time", json_string(time));
	for (const enum trace_column *column = trace_forms[row->kind].columns; *column != TRACE_COLUMNS; column++)
		json_object_set_new(object, trace_column_word(*column),
				    trace_export_value(*column, row->value[*column]));
	return object;
}

static json_t *trace_export_story(const struct trace_story *story)
{
	json_t *object = story->message != NULL ? trace_export_row(&story->message->row) : have_memory(json_object());
	json_t *deliveries = have_memory(json_array()), *ids = have_memory(json_array());
	for (int i = 0; i < story->count; i++) {
		const struct trace_row *row = &story->deliveries[i]->row;
		json_t *delivery = trace_export_row(row);
		const char *word = row->value[TRACE_OUTCOME];
		enum outcome outcome = word != NULL ? outcome_find(word) : OUTCOME_COUNT;
		if (outcome < OUTCOME_COUNT)
			json_object_set_new(delivery, "blame", json_string(outcome_blame_word(outcome_blame(outcome))));
		if (story->message != NULL)
			json_object_set_new(delivery, "seconds",
					    json_real((double)(row->time_ms - story->message->row.time_ms) / 1000));
		json_array_append_new(row->kind == TRACE_REQUEUED ? ids : deliveries, delivery);
	}
	json_object_set_new(object, "deliveries", deliveries);
	json_object_set_new(object, "requeued", ids);
	return object;
}

json_t *trace_export_json(const struct trace_found *found, json_t *missing)
{
	json_t *messages = have_memory(json_array());
	for (int i = 0; i < found->stories.count; i++)
		json_array_append_new(messages, trace_export_story(&found->stories.at[i]));
	return have_memory(json_pack("{s:o, s:O, s:b}", "messages", messages, "missing", missing, "more", found->more));
}

/* ---- CSV */

/* clang-format off */
static const enum trace_column message_columns[] = {
	TRACE_QUEUE_ID, TRACE_REFERENCE, TRACE_ACCOUNT, TRACE_CUSTOMER, TRACE_SENDER, TRACE_CLIENT, TRACE_ACTION, TRACE_LEVEL,
	TRACE_TRANSPORT, TRACE_KBYTES, TRACE_RCPTS, TRACE_MESSAGE_ID,
};
static const enum trace_column delivery_columns[] = {
	TRACE_RCPT, TRACE_OUTCOME, TRACE_STATUS, TRACE_DSN, TRACE_RECEIVER, TRACE_RELAY, TRACE_TEXT,
};
/* clang-format on */
enum {
	MESSAGE_COLUMNS = sizeof message_columns / sizeof message_columns[0],
	DELIVERY_COLUMNS = sizeof delivery_columns / sizeof delivery_columns[0],
};

/* NULL: empty fields */
static void trace_export_fields(struct csv *csv, const struct trace_row *row, const enum trace_column *columns,
				int count)
{
	char time[TRACE_TIME_MAX];
	if (row != NULL)
		trace_time_write(row->time_ms, time);
	csv_text(csv, row != NULL ? time : NULL);
	for (int i = 0; i < count; i++) {
		const char *value = row != NULL ? row->value[columns[i]] : NULL;
		int64_t number;
		if (value != NULL && is_number(columns[i]) && text_to_int(value, 0, INT64_MAX, &number))
			csv_number(csv, number);
		else
			csv_text(csv, value);
	}
}

static void trace_export_head(struct csv *csv)
{
	csv_text(csv, "time");
	for (int i = 0; i < MESSAGE_COLUMNS; i++)
		csv_text(csv, trace_column_word(message_columns[i]));
	csv_text(csv, "delivery_time");
	for (int i = 0; i < DELIVERY_COLUMNS; i++)
		csv_text(csv, trace_column_word(delivery_columns[i]));
	csv_end(csv);
}

void trace_export_csv(const struct trace_found *found, FILE *to)
{
	struct csv csv = { to, false };
	trace_export_head(&csv);
	for (int i = 0; i < found->stories.count; i++) {
		const struct trace_story *story = &found->stories.at[i];
		const struct trace_row *message = story->message != NULL ? &story->message->row : NULL;
		int rows = 0;
		for (int k = 0; k <= story->count; k++) {
			const struct trace_row *row = k < story->count ? &story->deliveries[k]->row : NULL;
			if (row != NULL ? row->kind != TRACE_DELIVERY : rows > 0)
				continue;
			trace_export_fields(&csv, message, message_columns, MESSAGE_COLUMNS);
			trace_export_fields(&csv, row, delivery_columns, DELIVERY_COLUMNS);
			csv_end(&csv);
			rows++;
		}
	}
}
