/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/trace/trace_row.h"

#include "policy/base/text.h"
#include "policy/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { DAY_MS = 86400000 };

static const int64_t last_ms = INT64_C(253402300799999); /* 9999-12-31T23:59:59.999Z */

/* clang-format off */
static const struct { const char *word; size_t most; } columns[] = {
#define TRACE_COLUMN_TEXT(id, word, most) { word, most },
	TRACE_COLUMN_ROWS(TRACE_COLUMN_TEXT)
#undef TRACE_COLUMN_TEXT
};

const struct trace_form trace_forms[TRACE_KINDS] = {
	[TRACE_MESSAGE] = { 'M', { TRACE_QUEUE_ID, TRACE_REFERENCE, TRACE_ACCOUNT, TRACE_CUSTOMER, TRACE_SENDER, TRACE_CLIENT,
		TRACE_ACTION, TRACE_LEVEL, TRACE_TRANSPORT, TRACE_KBYTES, TRACE_RCPTS, TRACE_MESSAGE_ID, TRACE_COLUMNS } },
	[TRACE_DELIVERY] = { 'D', { TRACE_QUEUE_ID, TRACE_ACCOUNT, TRACE_RCPT, TRACE_OUTCOME, TRACE_STATUS, TRACE_DSN,
		TRACE_RECEIVER, TRACE_RELAY, TRACE_TRANSPORT, TRACE_TEXT, TRACE_RCPTS, TRACE_COLUMNS } },
	[TRACE_REQUEUED] = { 'R', { TRACE_QUEUE_ID, TRACE_OLD_ID, TRACE_COLUMNS } },
};
/* clang-format on */

#define FITS(id, word, most) _Static_assert((most) < TRACE_VALUE_MAX, word " fits");
TRACE_COLUMN_ROWS(FITS)

const char *trace_column_word(enum trace_column column)
{
	return columns[column].word;
}

/* ---- values */

/* Bytes of the UTF-8 character at `at`, which may be shown as it is; 0: none. RFC 3629: no overlong ones, no
 * surrogates. */
static size_t trace_row_shown(const unsigned char *at)
{
	if (at[0] < 0x80)
		return at[0] >= 0x20 && at[0] != 0x7f && at[0] != '\\';
	size_t more = at[0] >= 0xc2 && at[0] <= 0xdf   ? 1
		      : (at[0] & 0xf0) == 0xe0	       ? 2
		      : at[0] >= 0xf0 && at[0] <= 0xf4 ? 3
						       : 0;
	if (more == 0 || (at[0] == 0xc2 && at[1] < 0xa0) || (at[0] == 0xe0 && at[1] < 0xa0) ||
	    (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return more + 1;
}

static const char cut_mark[] = "\\x..";

void trace_value(enum trace_column column, const char *value, char written[TRACE_VALUE_MAX])
{
	size_t room = columns[column].most + 1;
	struct text text = text_over(written, room);
	size_t before = 0; /* where the last character ends behind which the mark has room */
	if (value == NULL) {
		text_add(&text, "-");
		return;
	}
	if (strcmp(value, "-") == 0) {
		text_add(&text, "\\x2d");
		return;
	}
	for (const unsigned char *at = (const unsigned char *)value; *at != '\0' && !text.cut;) {
		size_t bytes = trace_row_shown(at);
		if (bytes > 0)
			text_add_bytes(&text, (const char *)at, bytes);
		else
			text_addf(&text, "\\x%02x", *at);
		at += bytes > 0 ? bytes : 1;
		if (!text.cut && text.length + strlen(cut_mark) < room)
			before = text.length;
	}
	if (text.cut)
		text_copy(written + before, room - before, cut_mark);
	else if (text.length == 0)
		text_add(&text, "\\x");
}

static int trace_row_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void trace_value_plain(char *written)
{
	char *to = written;
	if (strcmp(written, "\\x") == 0)
		*written = '\0';
	for (const char *at = written; *at != '\0';) {
		int high = at[0] == '\\' && at[1] == 'x' ? trace_row_digit(at[2]) : -1;
		int low = high >= 0 ? trace_row_digit(at[3]) : -1;
		if (low >= 0 && (high > 0 || low > 0)) {
			*to++ = (char)(high * 16 + low);
			at += 4;
		} else {
			*to++ = *at++;
		}
	}
	*to = '\0';
}

/* ---- times */

int64_t trace_day_of(int64_t time_ms)
{
	return (time_ms < 0 ? 0 : time_ms > last_ms ? last_ms : time_ms) / DAY_MS;
}

void trace_time_write(int64_t time_ms, char text[TRACE_TIME_MAX])
{
	time_ms = time_ms < 0 ? 0 : time_ms > last_ms ? last_ms : time_ms;
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm parts;
	if (gmtime_r(&seconds, &parts) == NULL || strftime(text, TRACE_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
		text_copy(text, TRACE_TIME_MAX, "1970-01-01T00:00:00");
	snprintf(text + 19, TRACE_TIME_MAX - 19, ".%03dZ", (int)(time_ms % 1000));
}

/* Digits stand where `form` has a 0. */
static bool trace_row_looks_like(const char *text, const char *form)
{
	for (; *form != '\0'; text++, form++)
		if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return *text == '\0';
}

static int trace_row_number(const char *text, int digits)
{
	int number = 0;
	while (digits-- > 0)
		number = number * 10 + (*text++ - '0');
	return number;
}

/* Days since 1970; below 0: no day of the calendar. */
static int64_t trace_row_day(const char *text)
{
	return date_days(trace_row_number(text, 4), trace_row_number(text + 5, 2), trace_row_number(text + 8, 2));
}

static bool trace_row_read_time(const char *text, int64_t *time_ms_out)
{
	if (!trace_row_looks_like(text, "0000-00-00T00:00:00.000Z"))
		return false;
	int64_t day = trace_row_day(text);
	int hours = trace_row_number(text + 11, 2), minutes = trace_row_number(text + 14, 2),
	    seconds = trace_row_number(text + 17, 2);
	if (day < 0 || hours > 23 || minutes > 59 || seconds > 59)
		return false;
	*time_ms_out =
		day * DAY_MS + (hours * 3600 + minutes * 60 + seconds) * INT64_C(1000) + trace_row_number(text + 20, 3);
	return true;
}

void trace_day_write(int64_t day, char name[TRACE_DAY_MAX])
{
	char text[TRACE_TIME_MAX];
	trace_time_write(day < 0 ? 0 : day > last_ms / DAY_MS ? last_ms : day * DAY_MS, text);
	text[TRACE_DAY_MAX - 1] = '\0';
	text_copy(name, TRACE_DAY_MAX, text);
}

bool trace_day_read(const char *name, int64_t *day_out)
{
	int64_t day = trace_row_looks_like(name, "0000-00-00") ? trace_row_day(name) : -1;
	if (day < 0)
		return false;
	*day_out = day;
	return true;
}

/* ---- rows */

size_t trace_row_write(const struct trace_row *row, char line[TRACE_LINE_MAX])
{
	char value[TRACE_VALUE_MAX];
	struct text text = text_over(line, TRACE_LINE_MAX);
	const struct trace_form *form = &trace_forms[row->kind];
	trace_time_write(row->time_ms, value);
	text_addf(&text, "%c\t%s", form->letter, value);
	for (const enum trace_column *column = form->columns; *column != TRACE_COLUMNS; column++) {
		trace_value(*column, row->value[*column], value);
		text_add_bytes(&text, "\t", 1);
		text_add(&text, value);
	}
	text_add_bytes(&text, "\n", 1);
	return text.length;
}

static bool trace_row_read_kind(char letter, enum trace_kind *kind_out)
{
	for (int kind = 0; kind < TRACE_KINDS; kind++)
		if (trace_forms[kind].letter == letter) {
			*kind_out = (enum trace_kind)kind;
			return true;
		}
	return false;
}

/* What is in front of the next tab, which is taken off; NULL: nothing is left. */
static char *trace_row_next(char **rest)
{
	char *piece = *rest, *tab = piece == NULL ? NULL : strchr(piece, '\t');
	*rest = tab == NULL ? NULL : tab + 1;
	if (tab != NULL)
		*tab = '\0';
	return piece;
}

bool trace_row_read(char *line, struct trace_row *row_out)
{
	char *rest = line;
	const char *letter = trace_row_next(&rest), *time = trace_row_next(&rest);
	*row_out = (struct trace_row){ 0 };
	if (time == NULL || letter[0] == '\0' || letter[1] != '\0' || !trace_row_read_kind(letter[0], &row_out->kind) ||
	    !trace_row_read_time(time, &row_out->time_ms))
		return false;
	for (const enum trace_column *column = trace_forms[row_out->kind].columns; *column != TRACE_COLUMNS; column++) {
		const char *value = trace_row_next(&rest);
		if (value == NULL || *value == '\0' || strlen(value) >= TRACE_VALUE_MAX)
			return false;
		if (strcmp(value, "-") != 0)
			row_out->value[*column] = value;
	}
	return true;
}
