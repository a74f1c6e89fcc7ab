/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/usage_table.h"

#include "milter/ctl/tool/memory.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

void usage_table_init(struct usage_table *table, bool by_customer, int64_t from_ms, int64_t to_ms)
{
	*table = (struct usage_table){ .by_customer = by_customer, .from_ms = from_ms, .to_ms = to_ms };
	table->row_of = have_memory(json_object());
	table->customer_of = have_memory(json_object());
}

void usage_table_free(struct usage_table *table)
{
	for (int i = 0; i < table->count; i++)
		free((char *)(uintptr_t)table->rows[i].name);
	free(table->rows);
	json_decref(table->row_of);
	json_decref(table->customer_of);
	*table = (struct usage_table){ 0 };
}

static struct usage *usage_table_row(struct usage_table *table, const char *name)
{
	const json_t *known = json_object_get(table->row_of, name);
	if (known != NULL)
		return &table->rows[json_integer_value(known)];
	if (table->count == table->room) {
		table->room = table->room * 2 + 64;
		table->rows = have_memory(reallocarray(table->rows, (size_t)table->room, sizeof *table->rows));
	}
	if (json_object_set_new(table->row_of, name, have_memory(json_integer(table->count))) != 0)
		return usage_table_row(table, ""); /* no UTF-8: the file is damaged */
	struct usage *row = &table->rows[table->count++];
	*row = (struct usage){ .name = have_memory(strdup(name)) };
	return row;
}

static void usage_table_note_customer(struct usage_table *table, const char *account, const char *customer)
{
	const json_t *before = json_object_get(table->customer_of, account);
	if (before == NULL || strcmp(json_string_value(before), customer) != 0)
		json_object_set_new(table->customer_of, account, json_string(customer));
}

/* Of a row of a trace: the account, or its customer. */
static struct usage *usage_table_whose(struct usage_table *table, const struct trace_row *row)
{
	const char *account = row->value[TRACE_ACCOUNT] != NULL ? row->value[TRACE_ACCOUNT] : "";
	const char *customer = row->value[TRACE_CUSTOMER] != NULL ? row->value[TRACE_CUSTOMER] : "";
	if (!table->by_customer)
		return usage_table_row(table, account);
	if (row->kind == TRACE_MESSAGE)
		return usage_table_row(table, customer);
	const char *before = json_string_value(json_object_get(table->customer_of, account));
	return usage_table_row(table, before != NULL ? before : "");
}

static int64_t usage_table_number(const char *value)
{
	int64_t number = 0;
	if (value != NULL)
		text_to_int(value, 0, INT64_C(1) << 40, &number);
	return number;
}

static void usage_table_add_message(struct usage *usage, const struct trace_row *row)
{
	const char *action = row->value[TRACE_ACTION];
	if (action != NULL && (strcmp(action, "reject") == 0 || strcmp(action, "defer") == 0)) {
		usage->refused++;
		return;
	}
	usage->messages++;
	usage->rcpts += usage_table_number(row->value[TRACE_RCPTS]);
	usage->kbytes += usage_table_number(row->value[TRACE_KBYTES]);
}

static void usage_table_add_delivery(struct usage *usage, const struct trace_row *row)
{
	const char *word = row->value[TRACE_OUTCOME], *status = row->value[TRACE_STATUS];
	int64_t rcpts = row->value[TRACE_RCPTS] != NULL ? usage_table_number(row->value[TRACE_RCPTS]) : 1;
	enum outcome outcome = word != NULL ? outcome_find(word) : OUTCOME_COUNT;
	if (outcome < OUTCOME_COUNT)
		usage->outcomes[outcome] += rcpts;
	if (status == NULL)
		return;
	if (strcmp(status, "sent") == 0)
		usage->delivered += rcpts;
	else if (strcmp(status, "deferred") == 0 || strcmp(status, "SOFTBOUNCE") == 0)
		usage->deferrals += rcpts;
	else if (strcmp(status, "bounced") == 0 || strcmp(status, "expired") == 0)
		usage->returned += rcpts;
}

void usage_table_add(struct usage_table *table, const struct trace_row *row)
{
	if (table->by_customer && row->kind == TRACE_MESSAGE)
		usage_table_note_customer(table, row->value[TRACE_ACCOUNT] != NULL ? row->value[TRACE_ACCOUNT] : "",
					  row->value[TRACE_CUSTOMER] != NULL ? row->value[TRACE_CUSTOMER] : "");
	if (row->kind == TRACE_REQUEUED || row->time_ms < table->from_ms || row->time_ms >= table->to_ms)
		return;
	if (row->kind == TRACE_MESSAGE)
		usage_table_add_message(usage_table_whose(table, row), row);
	else
		usage_table_add_delivery(usage_table_whose(table, row), row);
}

static int usage_table_compare(const void *left, const void *right)
{
	const struct usage *a = left, *b = right;
	return a->rcpts != b->rcpts ? (a->rcpts < b->rcpts) - (a->rcpts > b->rcpts) : strcmp(a->name, b->name);
}

void usage_table_sort(struct usage_table *table)
{
	if (table->count > 0)
		qsort(table->rows, (size_t)table->count, sizeof *table->rows, usage_table_compare);
	json_object_clear(table->row_of);
}

struct usage usage_table_total(const struct usage_table *table)
{
	struct usage total = { .name = "total" };
	for (int i = 0; i < table->count; i++) {
		const struct usage *row = &table->rows[i];
		total.messages += row->messages;
		total.rcpts += row->rcpts;
		total.kbytes += row->kbytes;
		total.refused += row->refused;
		total.delivered += row->delivered;
		total.returned += row->returned;
		total.deferrals += row->deferrals;
		for (int k = 0; k < OUTCOME_COUNT; k++)
			total.outcomes[k] += row->outcomes[k];
	}
	return total;
}
