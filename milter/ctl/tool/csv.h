/* SPDX-License-Identifier: BSD-2-Clause
 *
 * csv: rows for spreadsheets, RFC 4180. A text that a spreadsheet would take for a formula (it begins with = + - @, a
 * tab or a carriage return) gets an apostrophe in front: what strangers wrote runs nowhere.
 */
#ifndef PENSTOCK_CSV_H
#define PENSTOCK_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
	FILE *to;
	bool begun; /* the row has a field */
};

void csv_text(struct csv *csv, const char *text); /* NULL: an empty field */
void csv_number(struct csv *csv, int64_t number);
void csv_end(struct csv *csv); /* of the row */

#endif
