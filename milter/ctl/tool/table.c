/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/table.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/terminal.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { COLUMNS_MAX = 16, BAR_WIDTH = 10 };

struct table {
	const char *const *titles; /* borrowed */
	size_t columns;
	char **cells; /* owned, each too; cleaned */
	size_t count, room;
};

struct table *table_new(const char *const *titles)
{
	struct table *table = have_memory(calloc(1, sizeof *table));
	table->titles = titles;
	while (table->columns < COLUMNS_MAX && titles[table->columns] != NULL)
		table->columns++;
	return table;
}

void table_add(struct table *table, const char *cell)
{
	if (table->count == table->room) {
		table->room = table->room == 0 ? 64 : table->room * 2;
		table->cells = have_memory(realloc(table->cells, table->room * sizeof *table->cells));
	}
	table->cells[table->count++] = clean_shown(cell);
}

void table_addf(struct table *table, const char *format, ...)
{
	char *cell = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&cell, format, arguments) < 0)
		cell = NULL;
	va_end(arguments);
	table_add(table, have_memory(cell));
	free(cell);
}

static const char *title(const struct table *table, size_t column)
{
	return table->titles[column] + (table->titles[column][0] == '>' ? 1 : 0);
}

static void spaces(FILE *to, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fputc(' ', to);
}

/* One line; spaces at its end are left away. */
static void table_line_print(const struct table *table, const char *const *cells, const size_t *widths, FILE *to)
{
	size_t behind = 0;
	for (size_t i = 0; i < table->columns; i++) {
		size_t pad = widths[i] - text_columns(cells[i]);
		bool right = table->titles[i][0] == '>';
		if (*cells[i] != '\0') {
			spaces(to, behind + (right ? pad : 0));
			fputs(cells[i], to);
			behind = right ? 2 : pad + 2;
		} else {
			behind += widths[i] + 2;
		}
	}
}

static void table_titles_print(const struct table *table, const size_t *widths, FILE *to, int indent)
{
	const char *titles[COLUMNS_MAX];
	bool any = false, bold = terminal_colours(to);
	for (size_t i = 0; i < table->columns; i++) {
		titles[i] = title(table, i);
		any |= *titles[i] != '\0';
	}
	if (!any)
		return;
	spaces(to, (size_t)indent);
	fputs(bold ? "\033[1m" : "", to);
	table_line_print(table, titles, widths, to);
	fputs(bold ? "\033[0m\n" : "\n", to);
}

void table_print(const struct table *table, FILE *to, int indent)
{
	size_t widths[COLUMNS_MAX] = { 0 };
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = text_columns(title(table, i));
	for (size_t i = 0; i < table->count; i++) {
		size_t width = text_columns(table->cells[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	table_titles_print(table, widths, to, indent);
	for (size_t row = 0; row + table->columns <= table->count; row += table->columns) {
		spaces(to, (size_t)indent);
		table_line_print(table, (const char *const *)&table->cells[row], widths, to);
		fputc('\n', to);
	}
}

void table_free(struct table **table)
{
	if (*table == NULL)
		return;
	for (size_t i = 0; i < (*table)->count; i++)
		free((*table)->cells[i]);
	free((*table)->cells);
	free(*table);
	*table = NULL;
}

const char *form_span(char form[FORM_MAX], int64_t seconds)
{
	static const struct {
		int64_t from, of;
		const char *unit;
	} units[] = {
		{ 172800, 86400, "d" },
		{ 7200, 3600, "h" },
		{ 120, 60, "min" },
		{ INT64_MIN, 1, "s" },
	};
	size_t i = 0;
	while (seconds < units[i].from)
		i++;
	snprintf(form, FORM_MAX, "%lld %s", (long long)(seconds / units[i].of), units[i].unit);
	return form;
}

const char *form_ago(char form[FORM_MAX], int64_t then, int64_t now)
{
	char span[FORM_MAX];
	if (then <= 0)
		return "never";
	if (then >= now)
		return "just now";
	snprintf(form, FORM_MAX, "%.50s ago", form_span(span, now - then));
	return form;
}

const char *form_number(char form[FORM_MAX], double number)
{
	bool whole = fabs(number - round(number)) < 0.05;
	snprintf(form, FORM_MAX, whole ? "%.0f" : "%.1f", whole ? round(number) + 0.0 : number);
	return form;
}

const char *form_bar(char form[FORM_MAX], double used, double limit)
{
	if (limit < 0)
		return "";
	double part = limit > 0 ? used / limit : 1;
	int filled = part >= 1 ? BAR_WIDTH : part > 0 ? (int)(part * BAR_WIDTH) : 0;
	form[0] = '[';
	memset(form + 1, '.', BAR_WIDTH);
	memset(form + 1, '#', (size_t)filled);
	memcpy(form + 1 + BAR_WIDTH, "]", 2);
	return form;
}
