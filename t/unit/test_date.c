/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/date.h"

#include "t/unit/tap.h"

#include <time.h>

/* Against the C library's calendar; a day that it makes another one of is none. */
static void test_days(void)
{
	int wrong = 0, none = 0;
	for (int year = 1969; year <= 2410; year++)
		for (int month = 0; month <= 13; month++)
			for (int day = 0; day <= 32; day++) {
				struct tm parts = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
				int64_t days = timegm(&parts) / 86400;
				if (year < 1970 || parts.tm_mon != month - 1 || parts.tm_mday != day)
					days = -1;
				wrong += date_days(year, month, day) != days;
				none += days < 0;
			}
	is_int(wrong, 0, "each day of four centuries, and what is none");
	ok(none > 0, "some are none");
	is_int(date_days(9999, 12, 31), INT64_C(253402214400) / 86400, "the last day");
	is_int(date_days(10000, 1, 1), -1, "the day behind it");
}

static void test_read(void)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: it is refused */
	} rows[] = {
		{ "1764340000", 1764340000 },
		{ "1970-01-01", 0 },
		{ "2028-02-29", 1835395200 },
		{ "2027-02-29", -1 },
		{ "2026-01-31T12:30:00Z", 1769862600 },
		{ "2026-01-31T24:00:00Z", -1 },
		{ "2026-01-31T12:30:00", -1 },
		{ "2199-12-31T23:59:59Z", 7258118399 },
		{ "2200-01-01", -1 },
		{ "1969-12-31", -1 },
		{ "2026-1-31", -1 },
		{ "2026-01-31 ", -1 },
		{ "", -1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t unix_s = -1;
		ok(date_read(rows[i].text, &unix_s) == (rows[i].want >= 0), "\"%s\"", rows[i].text);
		is_int(unix_s, rows[i].want, "... which moment it is");
	}
}

int main(void)
{
	test_days();
	test_read();
	return done_testing();
}
