/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/history_file.h"

#include "policy/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

#define HISTORY_PREFIX "history-"

static void history_file_put(unsigned char *bytes, uint64_t number, int length)
{
	for (int i = 0; i < length; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t history_file_get(const unsigned char *bytes, int length)
{
	uint64_t number = 0;
	for (int i = 0; i < length; i++)
		number |= (uint64_t)bytes[i] << (8 * i);
	return number;
}

void history_row_write(const struct history_row *row, unsigned char bytes[HISTORY_ROW])
{
	history_file_put(bytes, row->client, 8);
	history_file_put(bytes + 8, row->time_s, 4);
	history_file_put(bytes + 12, row->kind, 4);
}

bool history_row_read(const unsigned char bytes[HISTORY_ROW], struct history_row *row_out)
{
	row_out->client = history_file_get(bytes, 8);
	row_out->time_s = (uint32_t)history_file_get(bytes + 8, 4);
	row_out->kind = (uint32_t)history_file_get(bytes + 12, 4);
	return row_out->client != 0 && row_out->time_s != 0 && row_out->kind >= HISTORY_REFUSED &&
	       row_out->kind <= HISTORY_TAKEN;
}

void history_day_write(int64_t day, char name[HISTORY_NAME_MAX])
{
	time_t at = (time_t)(day * HISTORY_DAY_S);
	struct tm date = { 0 };
	gmtime_r(&at, &date);
	snprintf(name, HISTORY_NAME_MAX, HISTORY_PREFIX "%04u-%02u-%02u", (unsigned)(date.tm_year + 1900) % 10000,
		 (unsigned)(date.tm_mon + 1) % 100, (unsigned)date.tm_mday % 100);
}

bool history_day_read(const char *name, int64_t *day_out)
{
	char again[HISTORY_NAME_MAX];
	int64_t moment;
	size_t prefix = strlen(HISTORY_PREFIX);
	if (strncmp(name, HISTORY_PREFIX, prefix) != 0 || !date_read(name + prefix, &moment))
		return false;
	*day_out = moment / HISTORY_DAY_S;
	history_day_write(*day_out, again);
	return strcmp(name, again) == 0;
}
