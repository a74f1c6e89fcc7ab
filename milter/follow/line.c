/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/line.h"

#include "milter/follow/token.h"
#include "policy/base/text.h"
#include "policy/date.h"

#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum {
	DAY_S = 24 * 60 * 60,
	SECOND_US = 1000 * 1000,
	MICRO_DIGITS = 6,
	YEARS_BACK = 8, /* there is a 29 February in each 8 years but around 1900 and 2100 */
};

bool span_is(struct span span, const char *word)
{
	size_t length = strlen(word);
	return span.at != NULL && span.length == length && memcmp(span.at, word, length) == 0;
}

bool span_copy(char *to, size_t size, struct span span)
{
	struct text text = text_over(to, size);
	if (span.length > 0)
		text_add_bytes(&text, span.at, span.length);
	return !text.cut;
}

/* -- lines -- */

static void line_keep(struct line_split *split, const char *bytes, size_t length)
{
	size_t room = sizeof split->bytes - split->length;
	split->count += length > room && !split->cut;
	split->cut = split->cut || length > room;
	memcpy(split->bytes + split->length, bytes, length < room ? length : room);
	split->length += length < room ? length : room;
}

bool line_split(struct line_split *split, struct span *chunk, struct span *line_out)
{
	if (chunk->length == 0)
		return false;
	const char *end = memchr(chunk->at, '\n', chunk->length);
	size_t length = end != NULL ? (size_t)(end - chunk->at) : chunk->length;
	bool whole = end != NULL && split->length == 0 && !split->cut && length <= LINE_MOST;
	*line_out = (struct span){ chunk->at, length };
	if (!whole)
		line_keep(split, chunk->at, length);
	chunk->at += length + (end != NULL);
	chunk->length -= length + (end != NULL);
	if (whole || end == NULL)
		return whole;
	*line_out = (struct span){ split->bytes, split->length };
	split->length = 0;
	split->cut = false;
	return true;
}

/* -- times -- */

/* `width` digits. */
static bool line_digits(struct span *rest, size_t width, int64_t *out)
{
	struct span digits = { rest->at, width };
	if (rest->length < width || !token_number(&digits, out) || digits.length > 0)
		return false;
	*rest = (struct span){ rest->at + width, rest->length - width };
	return true;
}

/* "17:10:43", in seconds. A leap second is taken for the one before it. */
static bool line_clock(struct span *rest, int64_t *seconds_out)
{
	int64_t hour, minute, second;
	if (!line_digits(rest, 2, &hour) || !token_skip(rest, ":") || !line_digits(rest, 2, &minute) ||
	    !token_skip(rest, ":") || !line_digits(rest, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	*seconds_out = hour * 3600 + minute * 60 + (second < 60 ? second : 59);
	return true;
}

/* ".676032", if it is there: as many digits as there are, of which six count. */
static bool line_fraction(struct span *rest, int64_t *micro_out)
{
	*micro_out = 0;
	if (!token_skip(rest, "."))
		return true;
	int digits = 0;
	for (; rest->length > 0 && *rest->at >= '0' && *rest->at <= '9'; digits++, rest->at++, rest->length--)
		if (digits < MICRO_DIGITS)
			*micro_out = *micro_out * 10 + (*rest->at - '0');
	for (int i = digits; i < MICRO_DIGITS; i++)
		*micro_out *= 10;
	return digits > 0;
}

/* "Z", "+02:00" or, as journalctl(1) has it, "+0200", in seconds east of Greenwich. */
static bool line_zone(struct span *rest, int64_t *east_out)
{
	int64_t hours, minutes;
	*east_out = 0;
	if (token_skip(rest, "Z"))
		return true;
	bool west = token_skip(rest, "-");
	if ((!west && !token_skip(rest, "+")) || !line_digits(rest, 2, &hours) ||
	    (!token_skip(rest, ":") && rest->length == 0) || !line_digits(rest, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*east_out = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

/* RFC 3339, section 5.6. */
static bool line_time_3339(struct span *rest, int64_t *time_us_out)
{
	int64_t year, month, day, seconds, micro, east;
	if (!line_digits(rest, 4, &year) || !token_skip(rest, "-") || !line_digits(rest, 2, &month) ||
	    !token_skip(rest, "-") || !line_digits(rest, 2, &day) || !token_skip(rest, "T") ||
	    !line_clock(rest, &seconds) || !line_fraction(rest, &micro) || !line_zone(rest, &east))
		return false;
	int64_t days = date_days((int)year, (int)month, (int)day);
	*time_us_out = (days * DAY_S + seconds - east) * SECOND_US + micro;
	return days >= 0;
}

static bool line_month(struct span *rest, int64_t *month_out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (size_t i = 0; rest->length >= 3 && i < 12; i++)
		if (memcmp(rest->at, months + 3 * i, 3) == 0) {
			*month_out = (int64_t)i + 1;
			*rest = (struct span){ rest->at + 3, rest->length - 3 };
			return true;
		}
	return false;
}

/* How far local time is before Greenwich's at that moment of local time, in seconds. */
static int64_t line_local_east(int64_t local_s)
{
	time_t guess = (time_t)local_s;
	struct tm there = { 0 };
	localtime_r(&guess, &there);
	guess = (time_t)(local_s - there.tm_gmtoff);
	localtime_r(&guess, &there);
	return there.tm_gmtoff;
}

/* The year is that of the last such moment before `until_s`. */
static bool line_guess_year(int64_t month, int64_t day, int64_t seconds, int64_t until_s, int64_t *time_s_out)
{
	int64_t latest = 1970 + until_s / (365 * DAY_S) + 1; /* never too early */
	latest = latest < 9999 ? latest : 9999;
	for (int64_t year = latest; year >= 1970 && year > latest - 3 - YEARS_BACK; year--) {
		int64_t days = date_days((int)year, (int)month, (int)day), local_s = days * DAY_S + seconds;
		if (days < 0 || local_s - DAY_S >= until_s)
			continue;
		*time_s_out = local_s - line_local_east(local_s);
		if (*time_s_out < until_s)
			return true;
	}
	return false;
}

/* RFC 3164, section 4.1.2: "Nov 28 17:10:43", "Nov  8 17:10:43". */
static bool line_time_3164(struct span *rest, int64_t now_s, int64_t *time_us_out)
{
	int64_t month, day, seconds, time_s;
	if (!line_month(rest, &month) || !token_skip(rest, " "))
		return false;
	size_t width = token_skip(rest, " ") ? 1 : 2;
	if (!line_digits(rest, width, &day) || day < 1 || day > 31 || !token_skip(rest, " ") ||
	    !line_clock(rest, &seconds) || !line_guess_year(month, day, seconds, now_s + DAY_S, &time_s))
		return false;
	*time_us_out = time_s * SECOND_US;
	return true;
}

/* -- the head -- */

/* "host program[pid]: message", "host program: message". */
static bool line_who(struct span rest, struct log_head *head)
{
	struct span host, tag;
	if (!token_until(&rest, " ", &host) || !token_until(&rest, ": ", &tag) || host.length == 0)
		return false;
	head->message = rest;
	head->program = token_to(&tag, "[");
	if (head->program.length == 0 || memchr(head->program.at, ' ', head->program.length) != NULL)
		return false;
	return tag.length == 0 || (token_number(&tag, &head->pid) && span_is(tag, "]"));
}

bool line_time(struct span *rest, int64_t now_s, int64_t *time_us_out)
{
	bool digit = rest->length > 0 && *rest->at >= '0' && *rest->at <= '9';
	return digit ? line_time_3339(rest, time_us_out) : line_time_3164(rest, now_s, time_us_out);
}

bool line_head(const char *line, size_t length, int64_t now_s, struct log_head *head_out)
{
	struct span rest = { line, length };
	struct log_head head = { 0 };
	*head_out = head;
	if (!line_time(&rest, now_s, &head.time_us) || !token_skip(&rest, " ") || !line_who(rest, &head))
		return false;
	*head_out = head;
	return true;
}
