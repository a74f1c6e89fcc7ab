/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/usage_command.h"

#include "milter/ctl/tool/csv.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/progress.h"
#include "milter/ctl/tool/table.h"
#include "milter/ctl/trace/trace_command.h"
#include "milter/ctl/trace/trace_scan.h"
#include "milter/ctl/trace/usage_table.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { DAY_MS = 86400000, BLOCKS_BETWEEN = 256, DAYS_QUEUED = 6 };

/* What a table, a CSV file and JSON have of each row: member, word, title */
#define USAGE_ROWS(ROW) \
	ROW(messages, "messages", ">MESSAGES") \
	ROW(rcpts, "rcpts", ">RECIPIENTS") \
	ROW(kbytes, "kbytes", ">KIB") \
	ROW(refused, "refused", ">NOT ACCEPTED") \
	ROW(delivered, "delivered", ">DELIVERED") \
	ROW(returned, "returned", ">RETURNED") \
	ROW(deferrals, "deferrals", ">DEFERRALS")

/* ---- reading */

/* "2026-10": its first day, and the first of the next month. */
static bool usage_command_month(const char *text, int64_t *first_out, int64_t *next_out)
{
	char name[TRACE_DAY_MAX];
	if (strlen(text) != 7)
		return false;
	snprintf(name, sizeof name, "%s-01", text);
	if (!trace_day_read(name, first_out))
		return false;
	for (*next_out = *first_out + 28; *next_out < *first_out + 31; (*next_out)++) {
		trace_day_write(*next_out, name);
		if (strncmp(name, text, 7) != 0)
			break;
	}
	return true;
}

static void usage_command_read_day(const struct trace_days *days, int64_t day, struct usage_table *table,
				   struct progress *progress)
{
	struct trace_scan *scan = trace_scan_open(days, day);
	struct trace_row row;
	int64_t at;
	for (int64_t block = 0; scan != NULL && block < scan->blocks; block++) {
		if (block % BLOCKS_BETWEEN == 0)
			progress_show(progress);
		for (bool more = trace_scan_block(scan, block); more && trace_scan_row(scan, &row, &at);)
			usage_table_add(table, &row);
	}
	trace_scan_close(&scan);
	progress->done++;
}

/* What is written late stands in the file of the day behind. Whose the first deliveries of a month are, messages of the
 * month before say. */
static void usage_command_read(const struct trace_days *days, int64_t first, int64_t next, struct usage_table *table)
{
	first -= table->by_customer ? DAYS_QUEUED : 0;
	struct progress progress = { .what = "usage", .total = next - first + 1, .unit = "days" };
	progress_begin();
	for (int i = 0; i < days->count; i++)
		if (days->days[i] >= first && days->days[i] <= next)
			usage_command_read_day(days, days->days[i], table, &progress);
	progress_wipe();
	usage_table_sort(table);
}

/* ---- showing */

static void usage_command_cells(struct table *table, const struct usage *usage, bool by_customer)
{
	table_add(table, *usage->name != '\0' ? usage->name : by_customer ? "(no customer)" : "(no account)");
#define USAGE_CELL(member, word, title) table_addf(table, "%lld", (long long)usage->member);
	USAGE_ROWS(USAGE_CELL)
#undef USAGE_CELL
}

static void usage_command_show(const struct usage_table *table, FILE *to)
{
#define USAGE_TITLE(member, word, title) title,
	static const char *const by_account[] = { "ACCOUNT", USAGE_ROWS(USAGE_TITLE) NULL };
	static const char *const by_customer[] = { "CUSTOMER", USAGE_ROWS(USAGE_TITLE) NULL };
#undef USAGE_TITLE
	struct table *shown = table_new(table->by_customer ? by_customer : by_account);
	struct usage total = usage_table_total(table);
	for (int i = 0; i < table->count; i++)
		usage_command_cells(shown, &table->rows[i], table->by_customer);
	usage_command_cells(shown, &total, table->by_customer);
	table_print(shown, to, 0);
	table_free(&shown);
}

static void usage_command_csv(const struct usage_table *table, FILE *to)
{
	struct csv csv = { to, false };
	csv_text(&csv, table->by_customer ? "customer" : "account");
#define USAGE_WORD(member, word, title) csv_text(&csv, word);
	USAGE_ROWS(USAGE_WORD)
#undef USAGE_WORD
	for (int k = 0; k < OUTCOME_COUNT; k++)
		csv_text(&csv, outcome_word((enum outcome)k));
	csv_end(&csv);
	for (int i = 0; i < table->count; i++) {
		const struct usage *usage = &table->rows[i];
		csv_text(&csv, usage->name);
#define USAGE_FIELD(member, word, title) csv_number(&csv, usage->member);
		USAGE_ROWS(USAGE_FIELD)
#undef USAGE_FIELD
		for (int k = 0; k < OUTCOME_COUNT; k++)
			csv_number(&csv, usage->outcomes[k]);
		csv_end(&csv);
	}
}

static json_t *usage_command_object(const struct usage *usage, const char *what)
{
	json_t *object = have_memory(json_object()), *outcomes = have_memory(json_object());
	if (what != NULL)
		json_object_set_new(object, what, *usage->name != '\0' ? json_string(usage->name) : json_null());
#define USAGE_MEMBER(member, word, title) json_object_set_new(object, word, json_integer((json_int_t)usage->member));
	USAGE_ROWS(USAGE_MEMBER)
#undef USAGE_MEMBER
	for (int k = 0; k < OUTCOME_COUNT; k++)
		json_object_set_new(outcomes, outcome_word((enum outcome)k),
				    json_integer((json_int_t)usage->outcomes[k]));
	json_object_set_new(object, "outcomes", outcomes);
	return object;
}

static void usage_command_json(const struct usage_table *table, const char *month, json_t *missing, FILE *to)
{
	const char *what = table->by_customer ? "customer" : "account";
	json_t *rows = have_memory(json_array());
	struct usage total = usage_table_total(table);
	for (int i = 0; i < table->count; i++)
		json_array_append_new(rows, usage_command_object(&table->rows[i], what));
	json_t *json = have_memory(json_pack("{s:s, s:s, s:O, s:o, s:o}", "month", month, "by", what, "missing",
					     missing, "usage", rows, "total", usage_command_object(&total, NULL)));
	call_print_json(json, to);
	json_decref(json);
}

static void usage_command_print(const struct call *call, const struct usage_table *table, json_t *missing)
{
	if (call->option[OPTION_JSON] != NULL) {
		usage_command_json(table, call->option[OPTION_MONTH], missing, stdout);
		return;
	}
	trace_days_warn(missing);
	if (call->option[OPTION_CSV] != NULL)
		usage_command_csv(table, stdout);
	else
		usage_command_show(table, stdout);
}

int usage_command_run(const struct call *call)
{
	const char *month = call->option[OPTION_MONTH], *by = call->option[OPTION_BY];
	struct config *config = NULL;
	struct trace_days days;
	struct usage_table table;
	int64_t first, next, tomorrow = (int64_t)time(NULL) / 86400 + 1;
	if (month == NULL || !usage_command_month(month, &first, &next))
		return complain(call, "--month \"%.100s\": expected a month (UTC) as 2026-10",
				month != NULL ? month : "");
	if (by != NULL && strcmp(by, "account") != 0 && strcmp(by, "customer") != 0)
		return complain(call, "--by \"%.100s\": expected account or customer", by);
	bool there = trace_command_open(call, &config, &days);
	if (there) {
		json_t *missing = trace_days_missing(&days, first, (next < tomorrow ? next : tomorrow) - 1);
		usage_table_init(&table, by != NULL && strcmp(by, "customer") == 0, first * DAY_MS, next * DAY_MS);
		usage_command_read(&days, first, next, &table);
		usage_command_print(call, &table, missing);
		usage_table_free(&table);
		json_decref(missing);
	}
	trace_days_close(&days);
	if (config != NULL)
		config_drop(&config);
	return there ? EXIT_FINE : EXIT_USAGE;
}
