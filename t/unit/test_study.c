/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The study of throttling: who counts as what, which came first, times in any order, damaged and foreign files; and
 * many passes over the files come to what one pass comes to.
 */
#include "milter/clients/study.h"

#include "milter/clients/history_file.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TODAY = 20454, DAYS_MOST = 8 };

static char folder[] = "/tmp/penstock-study-XXXXXX";

static const char *path_of(int64_t day)
{
	static char path[200];
	char name[HISTORY_NAME_MAX];
	history_day_write(day, name);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void clear(void)
{
	for (int day = 0; day <= DAYS_MOST; day++)
		unlink(path_of(TODAY - day));
}

static void put_bytes(int64_t day, const void *bytes, size_t length)
{
	FILE *to = fopen(path_of(day), "a");
	if (to == NULL || fwrite(bytes, 1, length, to) != length || fclose(to) != 0)
		ok(false, "%s cannot be written", path_of(day));
}

/* A row of `client`, `ago_s` before the last second of today. */
static void put(uint64_t client, enum history_kind kind, int64_t ago_s)
{
	unsigned char bytes[HISTORY_ROW];
	int64_t time_s = (int64_t)(TODAY + 1) * HISTORY_DAY_S - 1 - ago_s, day = time_s / HISTORY_DAY_S;
	struct stat about;
	if (stat(path_of(day), &about) != 0)
		put_bytes(day, HISTORY_HEAD, HISTORY_ROW);
	history_row_write(&(struct history_row){ client, (uint32_t)time_s, (uint32_t)kind }, bytes);
	put_bytes(day, bytes, sizeof bytes);
}

static struct study read_all(int64_t days, size_t slots)
{
	struct study_asked asked = {
		.folder = folder, .now_s = (int64_t)(TODAY + 1) * HISTORY_DAY_S - 1, .days = days, .slots_most = slots
	};
	struct study study;
	char error[400] = "";
	ok(study_read(&asked, &study, error, sizeof error), "read: %s", error);
	return study;
}

#define IS(member, want) is_int((long long)study.member, want, #member)

static void test_kinds(void)
{
	/* in no order of time */
	put(1, HISTORY_REFUSED, 10);
	put(1, HISTORY_REFUSED, 100000);
	put(2, HISTORY_GAVE_UP, 500000); /* its wait stands in no file */
	put(3, HISTORY_REFUSED, 1000);
	put(3, HISTORY_GAVE_UP, 200);
	put(3, HISTORY_GAVE_UP, 4601);
	put(3, HISTORY_SLOWED, 4605);
	put(3, HISTORY_REFUSED, 900);
	put(4, HISTORY_GAVE_UP, 50);
	put(4, HISTORY_REFUSED, 60);
	put(4, HISTORY_TAKEN, 70);
	put(5, HISTORY_REFUSED, 77);
	put(5, HISTORY_GAVE_UP, 77); /* not before */
	for (int i = 0; i < 4; i++)
		put(6, HISTORY_SLOWED, i);
	for (int i = 0; i < 9; i++)
		put(7, HISTORY_SLOWED, i);
	for (int i = 0; i < 10; i++)
		put(8, HISTORY_SLOWED, i);
	put(9, HISTORY_SLOWED, 1);
	put(9, HISTORY_REFUSED, 2);
	put(10, HISTORY_TAKEN, 2);
	put(UINT64_C(0x20010db800000001), HISTORY_TAKEN, 2);
	put(UINT64_C(0x20010db800000001), HISTORY_REFUSED, 3);
	struct study study = read_all(0, 0);
	IS(clients, 11);
	IS(always_refused, 1);
	IS(gave_up, 4);
	IS(gave_up_never_listed, 1);
	IS(gave_up_taken, 1);
	IS(given_up_first.clients, 1);
	IS(given_up_first.sum_s, 3601);
	IS(given_up_first.row[STUDY_SPAN_HOURS], 1);
	IS(listed_first.clients, 2);
	IS(listed_first.least_s, 0);
	IS(listed_first.most_s, 10);
	IS(slowed_only, 3);
	IS(refused_and_slowed, 1);
	IS(refused_and_taken, 1);
	IS(taken_only, 1);
	IS(slowed_never_refused.clients, 4);
	IS(slowed_below_10, 3);
	IS(slowed_below_5, 2);
	IS(refusals.clients, 6);
	IS(refusals.sum, 8);
	IS(refusals.most, 2);
	IS(passes, 1);
	is_int(study_days(&study), 6, "days");
	IS(missing_days, 3);
	study = read_all(1, 0);
	IS(clients, 10);
	IS(refusals.sum, 7);
	study = read_all(6, 0);
	IS(clients, 11);
	clear();
}

/* Each boundary of the histograms, and what is one below it. */
static void test_boundaries(void)
{
	for (int row = 1; row < STUDY_SPAN_DAYS_8; row++) {
		int64_t from = study_span_from((enum study_span_row)row);
		for (int i = 0; i < 2; i++) {
			uint64_t client = (uint64_t)(100 + 2 * row + i);
			put(client, HISTORY_REFUSED, 5);
			put(client, HISTORY_GAVE_UP, 5 + from - i);
		}
	}
	struct study study = read_all(0, 0);
	for (int row = 0; row < STUDY_SPAN_DAYS_8; row++)
		is_int((long long)study.given_up_first.row[row], row == 0 || row + 1 == STUDY_SPAN_DAYS_8 ? 1 : 2, "%s",
		       study_span_word((enum study_span_row)row));
	clear();
}

/* Everything a study says but the number of passes. */
static void test_passes(void)
{
	enum { CLIENTS = 3000 };
	for (int day = 0; day < 3; day++)
		for (uint64_t client = 1; client <= CLIENTS; client++)
			put(client * 7919, (enum history_kind)(1 + (client * (uint64_t)(day + 3)) % 4),
			    day * HISTORY_DAY_S + (int64_t)(client % 80000));
	struct study one = read_all(0, 0);
	is_int((long long)one.clients, CLIENTS, "clients");
	is_int(one.passes, 1, "one pass");
	for (size_t slots = 64; slots <= 4096; slots *= 4) {
		struct study study = read_all(0, slots);
		int passes = study.passes;
		study.passes = 1;
		ok(passes > 1 || slots == 4096, "%zu slots: %d passes", slots, passes);
		ok(memcmp(&study, &one, sizeof one) == 0, "... come to the same");
	}
	clear();
}

static void test_damage(void)
{
	unsigned char bytes[HISTORY_ROW] = { 0 };
	put(1, HISTORY_REFUSED, 0);
	put_bytes(TODAY, bytes, sizeof bytes);
	memset(bytes, 0xff, sizeof bytes);
	put_bytes(TODAY, bytes, sizeof bytes);
	history_row_write(&(struct history_row){ 5, (uint32_t)(TODAY - 1) * HISTORY_DAY_S, HISTORY_SLOWED }, bytes);
	put_bytes(TODAY, bytes, sizeof bytes); /* of another day */
	put_bytes(TODAY, "torn", 4);
	put_bytes(TODAY - 1, "this is no file of the history, but longer", 40);
	put_bytes(TODAY - 2, HISTORY_HEAD, 5); /* begun, and no more */
	put_bytes(TODAY - 3, HISTORY_HEAD, HISTORY_ROW);
	put_bytes(TODAY - 4, "", 0);
	struct study study = read_all(0, 0);
	IS(clients, 1);
	IS(rows, 1);
	IS(damaged_rows, 2);
	IS(other_rows, 1);
	IS(foreign_files, 1);
	IS(cut_files, 2);
	IS(files, 4);
	study = read_all(0, 64);
	IS(damaged_rows, 2);
	clear();
	study = read_all(0, 0);
	IS(files, 0);
	IS(rows, 0);
	is_int(study_days(&study), 0, "no day");
}

static void test_unreadable(void)
{
	struct study_asked asked = { .folder = "/nowhere/at/all", .now_s = 1 };
	struct study study;
	char error[400] = "";
	ok(!study_read(&asked, &study, error, sizeof error), "no folder: %s", error);
	mkdir(path_of(TODAY), 0700);
	asked.folder = folder;
	asked.now_s = (int64_t)(TODAY + 1) * HISTORY_DAY_S;
	ok(!study_read(&asked, &study, error, sizeof error), "a folder in the place of a file: %s", error);
	rmdir(path_of(TODAY));
	mkfifo(path_of(TODAY), 0600);
	ok(!study_read(&asked, &study, error, sizeof error), "a FIFO keeps nobody waiting: %s", error);
	clear();
}

/* Rows of a time yet to come: a clock was wrong. */
static void test_clocks(void)
{
	put(1, HISTORY_REFUSED, 0);
	put(2, HISTORY_REFUSED, -7200);
	put(3, HISTORY_REFUSED, -400 * (int64_t)HISTORY_DAY_S);
	struct study study = read_all(0, 0);
	IS(clients, 1);
	unlink(path_of(TODAY + 1));
	unlink(path_of(TODAY + 400));
	clear();
}

int main(void)
{
	ok(mkdtemp(folder) != NULL, "%s", folder);
	test_kinds();
	test_boundaries();
	test_passes();
	test_damage();
	test_unreadable();
	test_clocks();
	is_int(rmdir(folder), 0, "nothing is left");
	return done_testing();
}
