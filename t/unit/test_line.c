/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/line.h"

#include "t/unit/tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { SUMMER_2026 = 1782043200 /* 21 June, 12:00 UTC */ };

static void test_heads(void)
{
	static const struct {
		const char *line;
		int64_t time_us, pid;
		const char *program, *message; /* NULL: it is no such line */
	} rows[] = {
		{ "2026-11-28T17:10:43.676032+00:00 out postfix/smtp[123]: x: y", 1795885843676032, 123, "postfix/smtp",
		  "x: y" },
		{ "2026-11-28T17:10:43+01:30 out postfix/smtp[123]: x", 1795880443000000, 123, "postfix/smtp", "x" },
		{ "2026-11-28T17:10:43.5-05:00 out penstock: x", 1795903843500000, 0, "penstock", "x" },
		{ "2026-11-28T17:10:43.1234567Z out a: ", 1795885843123456, 0, "a", "" },
		{ "2024-02-29T00:00:00Z out a: x", 1709164800000000, 0, "a", "x" },
		{ "1970-01-01T00:00:00Z out a: x", 0, 0, "a", "x" },
		{ "Nov 28 17:10:43 out postfix/submission/smtpd[1153]: x", 1764349843000000, 1153,
		  "postfix/submission/smtpd", "x" },
		{ "Jun  8 07:00:00 out sm-mta[7]: x", 1780902000000000, 7, "sm-mta", "x" },
		{ "2026-02-29T00:00:00Z out a: x", 0, 0, NULL, NULL },
		{ "2026-13-01T00:00:00Z out a: x", 0, 0, NULL, NULL },
		{ "2026-00-01T00:00:00Z out a: x", 0, 0, NULL, NULL },
		{ "2026-04-31T00:00:00Z out a: x", 0, 0, NULL, NULL },
		{ "2026-11-28T24:00:00Z out a: x", 0, 0, NULL, NULL },
		{ "2026-11-28T17:10:43 out a: x", 0, 0, NULL, NULL },
		{ "2026-11-28 17:10:43Z out a: x", 0, 0, NULL, NULL },
		{ "2026-11-28T17:10:43.Z out a: x", 0, 0, NULL, NULL },
		{ "Nov 31 17:10:43 out a: x", 0, 0, NULL, NULL },
		{ "Foo 28 17:10:43 out a: x", 0, 0, NULL, NULL },
		{ "Nov 28 17:10 out a: x", 0, 0, NULL, NULL },
		{ "Nov 28 17:10:43 out last message repeated 2 times: x", 0, 0, NULL, NULL },
		{ "Nov 28 17:10:43 out a[1", 0, 0, NULL, NULL },
		{ "Nov 28 17:10:43 out a[x]: y", 0, 0, NULL, NULL },
		{ "Nov 28 17:10:43 out a[1]b: y", 0, 0, NULL, NULL },
		{ "Nov 28 17:10:43 out a[1]:", 0, 0, NULL, NULL },
		{ "Nov 28 17:10:43 ", 0, 0, NULL, NULL },
		{ "Nov 2", 0, 0, NULL, NULL },
		{ "2", 0, 0, NULL, NULL },
		{ "", 0, 0, NULL, NULL },
		{ "\tat org.example.Mail", 0, 0, NULL, NULL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct log_head head;
		bool is = line_head(rows[i].line, strlen(rows[i].line), SUMMER_2026, &head);
		ok(is == (rows[i].program != NULL), "'%s': is %sa line", rows[i].line,
		   rows[i].program != NULL ? "" : "not ");
		is_int(head.time_us, rows[i].time_us, "row %zu: its time", i);
		is_int(head.pid, rows[i].pid, "row %zu: its process", i);
		ok(!is || (span_is(head.program, rows[i].program) && span_is(head.message, rows[i].message)),
		   "row %zu: program and message", i);
	}
}

/* What has no year is of the last such moment before tomorrow. */
static void test_years(void)
{
	static const struct {
		const char *zone, *now, *date, *want;
	} rows[] = {
		{ "UTC", "2026-06-21 12:00:00", "Jun 21 11:59:59", "2026-06-21 11:59:59" },
		{ "UTC", "2026-06-21 12:00:00", "Jun 22 11:59:59", "2026-06-22 11:59:59" },
		{ "UTC", "2026-06-21 12:00:00", "Jun 22 12:00:00", "2025-06-22 12:00:00" },
		{ "UTC", "2026-12-31 23:59:58", "Jan  1 00:00:01", "2027-01-01 00:00:01" },
		{ "UTC", "2026-12-31 23:59:58", "Dec 31 23:59:57", "2026-12-31 23:59:57" },
		{ "UTC", "2027-01-01 00:00:05", "Dec 31 23:59:57", "2026-12-31 23:59:57" },
		{ "UTC", "2027-01-01 00:00:05", "Jan  1 00:00:04", "2027-01-01 00:00:04" },
		{ "UTC", "2027-01-01 00:00:05", "Jan  3 00:00:04", "2026-01-03 00:00:04" },
		{ "UTC", "2026-06-21 12:00:00", "Feb 29 10:00:00", "2024-02-29 10:00:00" },
		{ "UTC", "2028-03-01 12:00:00", "Feb 29 10:00:00", "2028-02-29 10:00:00" },
		{ "UTC", "2100-06-21 12:00:00", "Feb 29 10:00:00", "2096-02-29 10:00:00" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-06-21 12:00:00", "Jun 21 12:00:00", "2026-06-21 10:00:00" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-06-21 12:00:00", "Jan  8 12:00:00", "2026-01-08 11:00:00" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", "2026-12-31 23:30:00", "Jan  1 00:30:00", "2026-12-31 23:30:00" },
		{ "PST8PDT,M3.2.0,M11.1.0", "2027-01-01 00:30:00", "Dec 31 16:30:00", "2027-01-01 00:30:00" },
		{ "PST8PDT,M3.2.0,M11.1.0", "2026-11-01 12:00:00", "Nov  1 00:30:00", "2026-11-01 07:30:00" },
		{ "PST8PDT,M3.2.0,M11.1.0", "2026-11-01 12:00:00", "Nov  1 03:30:00", "2026-11-01 11:30:00" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[80], got[40];
		struct tm now = { 0 }, then = { 0 };
		struct log_head head;
		setenv("TZ", rows[i].zone, 1);
		tzset();
		strptime(rows[i].now, "%Y-%m-%d %H:%M:%S", &now);
		snprintf(line, sizeof line, "%s out a: x", rows[i].date);
		ok(line_head(line, strlen(line), timegm(&now), &head), "'%s' at %s", rows[i].date, rows[i].now);
		time_t at = (time_t)(head.time_us / 1000000);
		gmtime_r(&at, &then);
		strftime(got, sizeof got, "%Y-%m-%d %H:%M:%S", &then);
		is_str(got, rows[i].want, "in %s is", rows[i].zone);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

static void test_every_day(void)
{
	int64_t wrong = 0;
	for (int64_t day = 0; day < 60000; day++) {
		char line[80];
		time_t at = (time_t)(day * 86400 + 3661);
		struct tm tm = { 0 };
		struct log_head head;
		strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ out a: x", gmtime_r(&at, &tm));
		wrong += !line_head(line, strlen(line), 0, &head) || head.time_us != at * 1000000LL;
		strftime(line, sizeof line, "%b %e %H:%M:%S out a: x", &tm);
		wrong += !line_head(line, strlen(line), at, &head) || head.time_us != at * 1000000LL;
	}
	is_int(wrong, 0, "each day until 2134 is the C library's, in both forms");
}

/* -- lines out of chunks -- */

static struct line_split split;

static int take_all(struct span chunk, char *out, size_t size)
{
	struct span line;
	int count = 0;
	while (line_split(&split, &chunk, &line)) {
		size_t length = strlen(out);
		snprintf(out + length, size - length, "[%.*s]", (int)line.length, line.at);
		count++;
	}
	is_int((long long)chunk.length, 0, "the chunk is used up");
	return count;
}

static void test_split(void)
{
	static const char input[] = "one\n\ntwo words\nthree\nfo";
	for (size_t piece = 1; piece <= sizeof input; piece++) {
		char out[200] = "";
		memset(&split, 0, sizeof split);
		for (size_t at = 0; at < sizeof input - 1; at += piece) {
			size_t left = sizeof input - 1 - at;
			struct span chunk = { input + at, left < piece ? left : piece }, line;
			while (line_split(&split, &chunk, &line)) {
				size_t length = strlen(out);
				snprintf(out + length, sizeof out - length, "[%.*s]", (int)line.length, line.at);
			}
		}
		is_str(out, "[one][][two words][three]", "in pieces of %zu bytes", piece);
		is_int((long long)split.length, 2, "and the half line is kept");
	}
	char out[200] = "";
	is_int(take_all((struct span){ "ur\n", 3 }, out, sizeof out), 1, "until its end comes");
	is_str(out, "[four]", "which makes it one");
}

static size_t longest_of(size_t length, size_t piece, uint64_t *cut_out)
{
	char *input = malloc(length + 3);
	size_t longest = 0;
	memset(input, 'x', length);
	memcpy(input + length, "\ny\n", 3);
	memset(&split, 0, sizeof split);
	for (size_t at = 0; at < length + 3; at += piece) {
		struct span chunk = { input + at, length + 3 - at < piece ? length + 3 - at : piece }, line;
		while (line_split(&split, &chunk, &line))
			longest = line.length > longest ? line.length : longest;
	}
	*cut_out = split.count;
	free(input);
	return longest;
}

static void test_long_lines(void)
{
	static const size_t pieces[] = { 1, 100, LINE_MOST - 1, LINE_MOST, LINE_MOST + 1, 2 << 20 };
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		uint64_t cut;
		is_int((long long)longest_of(LINE_MOST, pieces[i], &cut), LINE_MOST,
		       "the longest one, in pieces of %zu", pieces[i]);
		is_int((long long)cut, 0, "is whole");
		is_int((long long)longest_of(LINE_MOST + 1, pieces[i], &cut), LINE_MOST, "one more is cut");
		is_int((long long)cut, 1, "and that is counted");
		is_int((long long)longest_of(1 << 20, pieces[i], &cut), LINE_MOST, "so is one of a megabyte");
		is_int((long long)cut, 1, "once");
	}
}

static void test_spans(void)
{
	char to[4];
	ok(span_copy(to, sizeof to, (struct span){ "abc", 3 }) && strcmp(to, "abc") == 0, "a span that fits");
	ok(!span_copy(to, sizeof to, (struct span){ "abcd", 4 }) && strcmp(to, "abc") == 0, "one that is cut");
	ok(span_copy(to, sizeof to, (struct span){ NULL, 0 }) && to[0] == '\0', "none");
	ok(!span_is((struct span){ NULL, 0 }, ""), "none is not an empty one");
	ok(span_is((struct span){ "abc", 2 }, "ab") && !span_is((struct span){ "abc", 2 }, "abc"), "compared");
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	test_heads();
	test_years();
	test_every_day();
	test_split();
	test_long_lines();
	test_spans();
	return done_testing();
}
