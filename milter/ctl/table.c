/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/table.h"

#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { COLUMNS_MAX = 16, BAR_WIDTH = 10 };

struct table {
	const char *const *titles;	/* borrowed */
	size_t columns;
	char **cells;			/* owned, each too; cleaned */
	size_t count, room;
};

void *have_memory(void *memory)
{
	if (memory == NULL) {
		fputs("penstockctl: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

/* Length of the UTF-8 character at `text` (RFC 3629), its number in *code_out; 0 where it is none. */
static size_t utf8_length(const unsigned char *text, uint32_t *code_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80 ? 1 : (text[0] & 0xe0) == 0xc0 ? 2 :
			(text[0] & 0xf0) == 0xe0 ? 3 : (text[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (length == 0)
		return 0;
	uint32_t code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fu);
	}
	*code_out = code;
	return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : length;
}

/* Characters that move the cursor, hide, or turn what follows around: C0, DEL, C1, line separators, zero
 * widths, directions (Unicode TR 36 section 2.4). */
static bool code_is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xad ||
	       code == 0x061c || code == 0xfeff || (code >= 0xe0000 && code <= 0xe0fff);
}

char *clean_text(const char *text)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	char *clean = have_memory(malloc(strlen(text) + 1)), *end = clean;
	while (*text != '\0') {
		uint32_t code = 0;
		size_t length = utf8_length((const unsigned char *)text, &code);
		if (length == 0 || code_is_unsafe(code) || (length > 1 && !utf8)) {
			*end++ = '?';
			text += length == 0 ? 1 : length;
		} else {
			memcpy(end, text, length);
			end += length;
			text += length;
		}
	}
	*end = '\0';
	return clean;
}

void clean_print(FILE *to, const char *text)
{
	char *clean = clean_text(text);
	fputs(clean, to);
	free(clean);
}

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
	table->cells[table->count++] = clean_text(cell);
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

/* Columns on the screen: characters, since cleaned text has none without width but for combining marks. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text != '\0'; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void spaces(FILE *to, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fputc(' ', to);
}

/* One line; spaces at its end are left away. */
static void line_print(const struct table *table, const char *const *cells, const size_t *widths, FILE *to)
{
	size_t behind = 0;
	for (size_t i = 0; i < table->columns; i++) {
		size_t pad = widths[i] - width_of(cells[i]);
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

static void titles_print(const struct table *table, const size_t *widths, FILE *to, int indent)
{
	const char *titles[COLUMNS_MAX];
	bool any = false, bold = isatty(fileno(to)) && getenv("NO_COLOR") == NULL;
	for (size_t i = 0; i < table->columns; i++) {
		titles[i] = title(table, i);
		any |= *titles[i] != '\0';
	}
	if (!any)
		return;
	spaces(to, (size_t)indent);
	fputs(bold ? "\033[1m" : "", to);
	line_print(table, titles, widths, to);
	fputs(bold ? "\033[0m\n" : "\n", to);
}

void table_print(const struct table *table, FILE *to, int indent)
{
	size_t widths[COLUMNS_MAX] = { 0 };
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(title(table, i));
	for (size_t i = 0; i < table->count; i++) {
		size_t width = width_of(table->cells[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	titles_print(table, widths, to, indent);
	for (size_t row = 0; row + table->columns <= table->count; row += table->columns) {
		spaces(to, (size_t)indent);
		line_print(table, (const char *const *)&table->cells[row], widths, to);
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
	static const struct { int64_t from, of; const char *unit; } units[] = {
		{ 172800, 86400, "d" }, { 7200, 3600, "h" }, { 120, 60, "min" }, { INT64_MIN, 1, "s" },
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
