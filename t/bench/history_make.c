/* SPDX-License-Identifier: BSD-2-Clause
 *
 * history_make: a history of throttling whose figures are known before it is written: a table of cohorts says how many
 * clients were refused, waited, gave up and got mail through how often, and how long the first refusal came before or
 * behind the first giving up. Nothing is drawn at random but when, and where in its file, a row stands.
 *
 *   history_make FOLDER full|small DAY    DAY: the first of 66, days since 1970
 *
 * "full" has the figures of a study of 28 million clients that was published, and further ones of the table's own;
 * "small" is about a thousandth of it. t/live/86_study.t has what must come out, worked out from the table by hand.
 */
#include "milter/clients/history_file.h"
#include "policy/base/panic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { DAYS = 66, PERIOD_S = DAYS * HISTORY_DAY_S, WAITING = 16384 };

static const struct cohort {
	uint32_t full, small; /* clients */
	int32_t refused, slowed, gave_up, taken;
	int32_t lead_s; /* from the first giving up to the first refusal; below 0: the other way round */
} cohorts[] = {
	/* always refused: 24,812,576 and 24,812 */
	{ 12000000, 12000, 1, 0, 0, 0, 0 },
	{ 6000000, 6000, 2, 0, 0, 0, 0 },
	{ 4000000, 4000, 4, 0, 0, 0, 0 },
	{ 2000000, 2000, 8, 0, 0, 0, 0 },
	{ 700000, 700, 20, 0, 0, 0, 0 },
	{ 100000, 100, 60, 0, 0, 0, 0 },
	{ 12000, 12, 200, 0, 0, 0, 0 },
	{ 576, 0, 2000, 0, 0, 0, 0 },
	/* gave up, never listed: 951,637 and 951 */
	{ 600000, 600, 0, 1, 1, 0, 0 },
	{ 200000, 200, 0, 2, 2, 0, 0 },
	{ 100000, 100, 0, 4, 3, 0, 0 },
	{ 40000, 40, 0, 9, 5, 0, 0 },
	{ 10000, 10, 0, 15, 15, 0, 0 },
	{ 1637, 1, 0, 2, 1, 1, 0 },
	/* gave up, listed before: 436,777 and 437 */
	{ 200000, 200, 1, 1, 1, 0, -3600 },
	{ 150000, 150, 3, 2, 1, 0, -72000 },
	{ 80000, 80, 5, 3, 2, 0, -864000 },
	{ 6777, 7, 1, 1, 1, 0, 0 }, /* in the same second */
	/* gave up, listed later: 559,562 and 559, both after 351,682 s on average, to the second */
	{ 40000, 40, 3, 2, 1, 0, 30 },
	{ 50000, 50, 3, 2, 1, 0, 300 },
	{ 60000, 60, 3, 2, 1, 0, 1800 },
	{ 80000, 80, 3, 2, 1, 0, 10000 },
	{ 90000, 90, 3, 2, 1, 0, 50000 },
	{ 60000, 60, 1, 2, 2, 0, 130000 },
	{ 50000, 50, 1, 2, 2, 0, 260000 },
	{ 50000, 50, 1, 2, 2, 0, 500000 },
	{ 40000, 40, 1, 2, 2, 0, 1000000 },
	{ 25000, 25, 1, 2, 2, 0, 2000000 },
	{ 14561, 0, 1, 1, 1, 0, 3815663 },
	{ 1, 0, 1, 1, 1, 0, 3814341 },
	{ 0, 13, 1, 1, 1, 0, 3950000 },
	{ 0, 1, 1, 1, 1, 0, 4016038 },
	/* the others: 1,444,141 and 1,445 */
	{ 700000, 700, 0, 1, 0, 1, 0 },
	{ 200000, 200, 0, 2, 0, 2, 0 },
	{ 150000, 150, 0, 4, 0, 2, 0 },
	{ 50000, 50, 0, 5, 0, 3, 0 },
	{ 40000, 40, 0, 9, 0, 9, 0 },
	{ 30000, 30, 0, 10, 0, 10, 0 },
	{ 20000, 20, 0, 40, 0, 1, 0 },
	{ 1000, 1, 0, 300, 0, 300, 0 },
	{ 100000, 100, 2, 3, 0, 1, 0 },
	{ 53141, 54, 1, 0, 0, 3, 0 },
	{ 100000, 100, 0, 0, 0, 2, 0 },
};

static struct day_file {
	FILE *to;
	size_t count;
	struct history_row rows[WAITING];
} files[DAYS];

static uint64_t state = 0x70656e73746f636b, rows_written, begin_s;

/* splitmix64; the same rows each time */
static uint64_t make_draw(uint64_t below)
{
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return (x >> 32) * below >> 32;
}

/* ---- the files */

static void make_fail(const char *what)
{
	perror(what);
	exit(1);
}

/* In no order: no two rows of a client stand side by side because they were made so. */
static void make_flush(struct day_file *file)
{
	unsigned char bytes[HISTORY_ROW];
	for (size_t i = file->count; i > 1; i--) {
		size_t j = (size_t)make_draw(i);
		struct history_row row = file->rows[i - 1];
		file->rows[i - 1] = file->rows[j];
		file->rows[j] = row;
	}
	for (size_t i = 0; i < file->count; i++) {
		history_row_write(&file->rows[i], bytes);
		if (fwrite(bytes, sizeof bytes, 1, file->to) != 1)
			make_fail("history_make: write");
	}
	rows_written += file->count;
	file->count = 0;
}

static void make_open(const char *folder, int64_t day)
{
	char name[HISTORY_NAME_MAX], path[1024];
	for (int i = 0; i < DAYS; i++) {
		history_day_write(day + i, name);
		snprintf(path, sizeof path, "%s/%s", folder, name);
		files[i].to = fopen(path, "w");
		if (files[i].to == NULL || fwrite(HISTORY_HEAD, HISTORY_ROW, 1, files[i].to) != 1)
			make_fail(path);
	}
}

static void make_close(void)
{
	for (int i = 0; i < DAYS; i++) {
		make_flush(&files[i]);
		if (fclose(files[i].to) != 0)
			make_fail("history_make: close");
	}
}

/* ---- the rows */

static void make_row(uint64_t client, enum history_kind kind, uint64_t at_s)
{
	MUST(at_s < PERIOD_S);
	struct day_file *file = &files[at_s / HISTORY_DAY_S];
	file->rows[file->count++] = (struct history_row){ client, (uint32_t)(begin_s + at_s), (uint32_t)kind };
	if (file->count == WAITING)
		make_flush(file);
}

/* `count` rows, the first of them at `first_s`, the others then or later. */
static void make_rows(uint64_t client, enum history_kind kind, int32_t count, uint64_t first_s)
{
	for (int32_t i = 0; i < count; i++)
		make_row(client, kind, i == 0 ? first_s : first_s + make_draw(PERIOD_S - first_s));
}

/* The `index`th client, from 1 on: no two are the same. One in 16 has an IPv6 address. */
static uint64_t make_address(uint64_t index)
{
	if (index % 16 == 0)
		return UINT64_C(0x20010db8) << 32 | index;
	return index * 2654435761 & 0xffffffff;
}

static void make_client(const struct cohort *cohort, uint64_t client, bool first, bool last)
{
	int64_t lead = cohort->lead_s, span = lead < 0 ? -lead : lead;
	uint64_t start = first ? 0 : last ? PERIOD_S - 1 : make_draw((uint64_t)(PERIOD_S - span));
	uint64_t gave_up = start + (uint64_t)(lead < 0 ? span : 0), refused = start + (uint64_t)(lead > 0 ? span : 0);
	make_rows(client, HISTORY_REFUSED, cohort->refused, refused);
	make_rows(client, HISTORY_SLOWED, cohort->slowed, gave_up);
	make_rows(client, HISTORY_GAVE_UP, cohort->gave_up, gave_up);
	make_rows(client, HISTORY_TAKEN, cohort->taken, start);
}

int main(int argc, char **argv)
{
	char *end = NULL;
	int64_t day = argc == 4 ? strtoll(argv[3], &end, 10) : 0;
	bool full = argc == 4 && strcmp(argv[2], "full") == 0;
	if (day <= 0 || *end != '\0' || (!full && strcmp(argv[2], "small") != 0)) {
		fputs("usage: history_make FOLDER full|small DAY\n", stderr);
		return 2;
	}
	uint64_t index = 0;
	begin_s = (uint64_t)day * HISTORY_DAY_S;
	make_open(argv[1], day);
	for (size_t i = 0; i < sizeof cohorts / sizeof cohorts[0]; i++)
		for (uint32_t n = 0; n < (full ? cohorts[i].full : cohorts[i].small); n++) {
			index++;
			make_client(&cohorts[i], make_address(index), index == 1, index == 2);
		}
	make_close();
	printf("%" PRIu64 " clients, %" PRIu64 " rows\n", index, rows_written);
	return 0;
}
