/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/date.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { YEAR_MOST = 2199 };
static const int64_t latest = INT64_C(7258118399); /* 2199-12-31T23:59:59Z */

/* `digits` of them at *at, which goes on behind them; -1: there are other characters */
static int date_take(const char **at, int digits)
{
	int number = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		number = number * 10 + (**at - '0');
	}
	return number;
}

static bool take_mark(const char **at, char mark)
{
	bool there = **at == mark;
	*at += there;
	return there;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days of the year before the first of `month`, of 1 to 13. */
static int date_days_before(int year, int month)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
	return before[month - 1] + (month > 2 && is_leap(year));
}

int64_t date_days(int year, int month, int day)
{
	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    date_days_before(year, month) + day > date_days_before(year, month + 1))
		return -1;
	int past = year - 1;
	return past * 365 + past / 4 - past / 100 + past / 400 - 719162 + date_days_before(year, month) + day - 1;
}

/* A leap second is the one after it: Unix time knows none. */
static int64_t date_seconds_of(const char *at)
{
	int hour = date_take(&at, 2);
	int minute = hour >= 0 && take_mark(&at, ':') ? date_take(&at, 2) : -1;
	int second = minute >= 0 && take_mark(&at, ':') ? date_take(&at, 2) : -1;
	if (second < 0 || hour > 23 || minute > 59 || second > 60 || !take_mark(&at, 'Z') || *at != '\0')
		return -1;
	return ((int64_t)hour * 60 + minute) * 60 + second;
}

bool date_read(const char *text, int64_t *unix_s_out)
{
	const char *at = text;
	if (strchr(text, '-') == NULL)
		return text_to_int(text, 0, latest, unix_s_out);
	int year = date_take(&at, 4);
	int month = year >= 0 && take_mark(&at, '-') ? date_take(&at, 2) : -1;
	int day = month >= 0 && take_mark(&at, '-') ? date_take(&at, 2) : -1;
	int64_t days = day >= 0 && year <= YEAR_MOST ? date_days(year, month, day) : -1;
	int64_t seconds = days >= 0 && *at != '\0' ? (take_mark(&at, 'T') ? date_seconds_of(at) : -1) : 0;
	if (days < 0 || seconds < 0)
		return false;
	*unix_s_out = days * 86400 + seconds;
	return true;
}
