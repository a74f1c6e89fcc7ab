/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of a trace: whatever a stranger writes stays one column of one line, and is read again as it was; and recipients
 * that nobody is to know.
 */
#include "milter/trace/trace_row.h"
#include "milter/trace/trace_secret.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static void test_values(void)
{
	/* clang-format off */
	static const struct {
		const char *value, *written;
	} rows[] = {
		{ "alice@example.com", "alice@example.com" },
		{ NULL, "-" },
		{ "-", "\\x2d" },
		{ "--", "--" },
		{ "", "\\x" },
		{ "a\tb\nc\rd", "a\\x09b\\x0ac\\x0dd" },
		{ "back\\slash \\x41", "back\\x5cslash \\x5cx41" },
		{ "\x1b[2J\x7f", "\\x1b[2J\\x7f" },
		{ "exämple", "exämple" },
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },		/* CSI in one character */
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc0\x80", "\\xc0\\x80" },			/* overlong */
		{ "\xe0\x80\x80", "\\xe0\\x80\\x80" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* a surrogate */
		{ "\xf0\x9f\x93\xac", "\xf0\x9f\x93\xac" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },	/* above U+10FFFF */
		{ "\xe2\x82", "\\xe2\\x82" },			/* broken off */
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char written[TRACE_VALUE_MAX];
		trace_value(TRACE_SENDER, rows[i].value, written);
		is_str(written, rows[i].written, "row %zu is written", i);
		if (rows[i].value == NULL)
			continue;
		trace_value_plain(written);
		is_str(written, rows[i].value, "... and read");
	}
	char damaged[] = "\\x \\xg1 \\x4 \\x00 \\x4A \\";
	trace_value_plain(damaged);
	is_str(damaged, "\\x \\xg1 \\x4 \\x00 \\x4A \\", "what is no escape stays");
}

static void test_cut(void)
{
	char value[400], written[TRACE_VALUE_MAX];
	memset(value, 'x', sizeof value);
	value[120] = '\0';
	trace_value(TRACE_TEXT, value, written);
	is_str(written, value, "120 bytes of text fit");
	value[120] = 'x';
	value[121] = '\0';
	trace_value(TRACE_TEXT, value, written);
	is_int((long long)strlen(written), 120, "121 are cut");
	is_str(written + 116, "\\x..", "... which is said");
	memcpy(value + 115, "\xc3\xa4", 2);
	trace_value(TRACE_TEXT, value, written);
	is_str(written + 114, "x\\x..", "... not within a character");
	value[115] = '\n';
	value[116] = '\n';
	trace_value(TRACE_TEXT, value, written);
	is_str(written + 114, "x\\x..", "... nor within an escape");
}

static void test_rows(void)
{
	static const struct trace_row message = {
		.kind = TRACE_MESSAGE,
		.time_ms = 1795970297005,
		.value = { [TRACE_QUEUE_ID] = "4jcG2b1Tz2z4wQ",
			   [TRACE_REFERENCE] = "1T4Q9M-2K0B7F",
			   [TRACE_ACCOUNT] = "alice@example.com",
			   [TRACE_SENDER] = "<>",
			   [TRACE_CLIENT] = "198.51.100.7",
			   [TRACE_ACTION] = "pass",
			   [TRACE_LEVEL] = "good",
			   [TRACE_TRANSPORT] = "clean-1",
			   [TRACE_KBYTES] = "3",
			   [TRACE_RCPTS] = "2",
			   [TRACE_MESSAGE_ID] = "a\tb@example.com" },
	};
	char line[TRACE_LINE_MAX];
	struct trace_row read;
	size_t length = trace_row_write(&message, line);
	is_str(line,
	       "M\t2026-11-29T16:38:17.005Z\t4jcG2b1Tz2z4wQ\t1T4Q9M-2K0B7F\talice@example.com\t-\t<>\t198.51.100."
	       "7\tpass\t"
	       "good\tclean-1\t3\t2\ta\\x09b@example.com\n",
	       "a message");
	line[length - 1] = '\0';
	ok(trace_row_read(line, &read), "... is read");
	is_int(read.kind, TRACE_MESSAGE, "... as one");
	is_int(read.time_ms, message.time_ms, "... of the same time");
	is_str(read.value[TRACE_ACCOUNT], "alice@example.com", "... and account");
	is_str(read.value[TRACE_CUSTOMER], NULL, "... of no customer");
	is_str(read.value[TRACE_MESSAGE_ID], "a\\x09b@example.com", "... Message-ID as written");
}

/* All columns of a kind as long as they get: the line has its end. */
static void test_longest(void)
{
	char value[400], line[TRACE_LINE_MAX];
	memset(value, 1, sizeof value - 1);
	value[sizeof value - 1] = '\0';
	for (int kind = 0; kind < TRACE_KINDS; kind++) {
		struct trace_row row = { .kind = (enum trace_kind)kind, .time_ms = INT64_MAX }, read;
		for (int i = 0; i < TRACE_COLUMNS; i++)
			row.value[i] = value;
		size_t length = trace_row_write(&row, line);
		ok(length > 100 && line[length - 1] == '\n', "kind %d: the longest row has %zu bytes", kind, length);
		line[length - 1] = '\0';
		ok(trace_row_read(line, &read), "... and is read");
	}
}

static void test_damaged(void)
{
	/* clang-format off */
	static const struct {
		const char *line;
		bool fine;
	} rows[] = {
		{ "R\t2026-11-28T16:38:17.123Z\tB2\tA1", true },
		{ "R\t2026-11-28T16:38:17.123Z\tB2\tA1\ta column of a later version", true },
		{ "R\t2026-11-28T16:38:17.123Z\tB2", false },
		{ "R\t2026-11-28T16:38:17.123Z\tB2\t", false },
		{ "R\t2026-11-28T16:38:17.123Z", false },
		{ "R\t2026-11-28 16:38:17.123Z\tB2\tA1", false },
		{ "R\t2026-02-30T16:38:17.123Z\tB2\tA1", false },
		{ "R\t2026-11-28T24:38:17.123Z\tB2\tA1", false },
		{ "RR\t2026-11-28T16:38:17.123Z\tB2\tA1", false },
		{ "X\t2026-11-28T16:38:17.123Z\tB2\tA1", false },
		{ "#R\ttime\tqueue_id\told_id", false },
		{ "\t\t\t\t", false },
		{ "", false },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[TRACE_LINE_MAX];
		struct trace_row row;
		snprintf(line, sizeof line, "%s", rows[i].line);
		is_int(trace_row_read(line, &row), rows[i].fine, "\"%s\"", rows[i].line);
	}
}

static void test_days(void)
{
	/* clang-format off */
	static const struct {
		const char *name;
		long long day; /* -1: none */
	} rows[] = {
		{ "1970-01-01", 0 }, { "2026-11-28", 20785 }, { "2024-02-29", 19782 }, { "2026-02-29", -1 },
		{ "2026-11-28.index", -1 }, { "2026-11-2", -1 }, { "key", -1 }, { "..", -1 }, { "1969-12-31", -1 },
		{ "2026-13-01", -1 }, { "2026-00-10", -1 },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t day = -1;
		char name[TRACE_DAY_MAX];
		trace_day_read(rows[i].name, &day);
		is_int(day, rows[i].day, "%s", rows[i].name);
		if (day < 0)
			continue;
		trace_day_write(day, name);
		is_str(name, rows[i].name, "... and back");
	}
}

static void test_secret(void)
{
	uint64_t key[2], other[2];
	char hashed[TRACE_VALUE_MAX], again[TRACE_VALUE_MAX], error[200] = "";
	ok(trace_secret("/nowhere", "sixteen bytes of salt", false, key, error, sizeof error), "a key of the salt");
	trace_secret_rcpt(key, "Bob@Example.NET", hashed);
	trace_secret_rcpt(key, "bob@example.net", again);
	is_str(hashed, again, "a recipient in any case");
	is_int((long long)strlen(hashed), 2 + 16 + 12, "... has 16 digits");
	is_str(strchr(hashed, '@'), "@example.net", "... and its domain");
	trace_secret_rcpt(key, "bob@example.org", again);
	ok(strncmp(hashed, again, 18) != 0, "the same name elsewhere is another");
	ok(!trace_secret("/nowhere", "", false, other, error, sizeof error), "no key");
	is_str(error, "/nowhere/key: No such file or directory", "... which is said");
	char folder[] = "/tmp/test_trace.XXXXXX", path[sizeof folder + 4];
	ok(mkdtemp(folder) != NULL, "a folder");
	snprintf(path, sizeof path, "%s/key", folder);
	ok(trace_secret(folder, "", true, key, error, sizeof error), "a key is made");
	ok(trace_secret(folder, "", true, other, error, sizeof error), "... and is there");
	ok(key[0] == other[0] && key[1] == other[1] && key[0] != key[1], "... the same");
	FILE *file = fopen(path, "w");
	fputs("0123456789abcdef0123456789abcde\n", file);
	fclose(file);
	ok(!trace_secret(folder, "", true, other, error, sizeof error), "a damaged one is not taken, nor made anew");
	unlink(path);
	rmdir(folder);
}

static void test_secret_text(void)
{
	/* clang-format off */
	static const struct {
		const char *rcpt, *text, *hidden;
	} rows[] = {
		{ "bob@example.net", "550 5.1.1 <bob@example.net>: Recipient address rejected", "550 5.1.1 <?@example.net>: Recipient address rejected" },
		{ "bob@example.net", "550 user BOB unknown; bobby is another", "550 user ? unknown; bobby is another" },
		{ "bob@example.net", "forwarded to bob.x=y@other.example and @home", "forwarded to ?@other.example and @home" },
		{ "\"b b\"@example.net", "no \"b b\" here", "no ? here" },
		{ "bob+x@example.net", "452 mailbox bob is full, not bobby's", "452 mailbox ? is full, not bobby's" },
		{ "+x@example.net", "no +x", "no ?" },
		{ "", "250 ok", "250 ok" },
		{ "@", "@@", "@@" },
		{ "a", "a a@a a", "? ?@? ?" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[200];
		snprintf(text, sizeof text, "%s", rows[i].text);
		trace_secret_text(rows[i].rcpt, text);
		is_str(text, rows[i].hidden, "%s", rows[i].text);
	}
}

int main(void)
{
	test_values();
	test_cut();
	test_rows();
	test_longest();
	test_damaged();
	test_days();
	test_secret();
	test_secret_text();
	return done_testing();
}
