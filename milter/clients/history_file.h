/* SPDX-License-Identifier: BSD-2-Clause
 *
 * history_file: a day of the history of throttling, as who writes and who reads it know it: "history-2026-11-28" (UTC)
 * is a head of 16 bytes and rows of 16, in no order. Numbers are little-endian.
 */
#ifndef PENSTOCK_CLIENT_HISTORY_FILE_H
#define PENSTOCK_CLIENT_HISTORY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In files they go by their number: refused since a block list has it; made to wait; hung up meanwhile; a message of
 * it was taken. */
enum history_kind { HISTORY_REFUSED = 1, HISTORY_SLOWED = 2, HISTORY_GAVE_UP = 3, HISTORY_TAKEN = 4 };

struct history_row {
	uint64_t client; /* IPv4: its 32 bits; IPv6: its first 64 bits */
	uint32_t time_s; /* Unix time */
	uint32_t kind;
};

enum {
	HISTORY_ROW = 16,      /* bytes */
	HISTORY_NAME_MAX = 24, /* of a file, with its NUL */
	HISTORY_DAY_S = 86400,
};

/* What a file begins with, HISTORY_ROW bytes. */
#define HISTORY_HEAD "penstock-hist 1\n"

void history_row_write(const struct history_row *row, unsigned char bytes[HISTORY_ROW]);
/* False: it is damaged. */
bool history_row_read(const unsigned char bytes[HISTORY_ROW], struct history_row *row_out);

/* The file of a day since 1970, to 9999; and the way back, which takes whole names only. */
void history_day_write(int64_t day, char name[HISTORY_NAME_MAX]);
bool history_day_read(const char *name, int64_t *day_out);

#endif
