/* SPDX-License-Identifier: BSD-2-Clause
 *
 * date: a moment as panels and admins write it: Unix time in seconds, or a day or second of UTC in the forms of RFC
 * 3339, "2026-01-31" and "2026-01-31T12:30:00Z".
 */
#ifndef PENSTOCK_DATE_H
#define PENSTOCK_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_EXPECTED "Unix time in seconds, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ (UTC), from 1970 to 2199"

/* False where `text` is none of them, or no day of the calendar: then *unix_s_out is left alone. */
bool date_read(const char *text, int64_t *unix_s_out);

/* Days from 1970-01-01 to that one; -1: the calendar has no such day, or it is not of 1970 to 9999. */
int64_t date_days(int year, int month, int day);

#endif
