/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The history of throttling as it is written: each row to its own day, whole rows again after a crash, what does not
 * fit is lost and said, old files go one by one, clocks that jump, settings that change.
 */
#include "milter/clients/history.h"

#include "t/fake/fake.h"
#include "t/unit/tap.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TODAY = 20454, NOON = 43200 }; /* 2026-01-01 */

static char folder[] = "/tmp/penstock-history-XXXXXX";

static int64_t moment(int64_t day)
{
	return day * HISTORY_DAY_S + NOON;
}

static void set_clock(int64_t day)
{
	fake_clock_set(moment(day) * 1000);
}

static void start(const char *where, int64_t days, bool wanted)
{
	char error[400] = "";
	is_int(history_start(where, days, error, sizeof error), wanted, "%lld days in \"%s\": %s", (long long)days,
	       where, error);
}

static void note(const char *client, enum history_kind kind, int64_t time_s)
{
	struct netaddr address = { 0 };
	netaddr_parse(client, &address);
	history_note(&address, kind, time_s);
}

static const char *path_of(int64_t day, const char *suffix)
{
	static char path[2][200];
	static int turn;
	char name[HISTORY_NAME_MAX];
	turn ^= 1;
	history_day_write(day, name);
	snprintf(path[turn], sizeof path[turn], "%s/%s%s", folder, name, suffix);
	return path[turn];
}

static long long size_of(int64_t day)
{
	struct stat about;
	return stat(path_of(day, ""), &about) == 0 ? (long long)about.st_size : -1;
}

/* Rows of a file behind its head; -1: there is none. */
static long long rows_of(int64_t day)
{
	long long size = size_of(day);
	return size < 0 ? -1 : size % HISTORY_ROW != 0 ? -2 : size / HISTORY_ROW - 1;
}

static bool has_row(int64_t day, uint64_t client, enum history_kind kind, int64_t time_s)
{
	unsigned char bytes[HISTORY_ROW];
	struct history_row row;
	bool found = false;
	FILE *from = fopen(path_of(day, ""), "r");
	for (int i = 0; from != NULL && fread(bytes, sizeof bytes, 1, from) == 1; i++)
		found |= i > 0 && history_row_read(bytes, &row) && row.client == client && row.kind == kind &&
			 row.time_s == time_s;
	if (from != NULL)
		fclose(from);
	return found;
}

static void put(int64_t day, const void *bytes, size_t length)
{
	FILE *to = fopen(path_of(day, ""), "w");
	ok(to != NULL && fwrite(bytes, 1, length, to) == length && fclose(to) == 0, "a file of %zu bytes", length);
}

static unsigned long long lost(const char *part)
{
	char why[200];
	unsigned long long rows = (unsigned long long)history_lost(why);
	ok(strstr(why, part) != NULL, "why: %s", why);
	return rows;
}

static void test_names(void)
{
	static const struct {
		const char *name;
		bool wanted;
	} rows[] = { { "history-2026-01-01", true },  { "history-2026-01-32", false },
		     { "history-2026-1-1", false },   { "history-2026-01-01.damaged", false },
		     { "history-", false },	      { "history-1767225600", false },
		     { "History-2026-01-01", false }, { "history-2026-01-01T00:00:00Z", false } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t day = -1;
		is_int(history_day_read(rows[i].name, &day), rows[i].wanted, "%s", rows[i].name);
	}
}

static void test_rows(void)
{
	start(folder, 30, true);
	note("192.0.2.1", HISTORY_REFUSED, moment(TODAY));
	note("192.0.2.1", HISTORY_SLOWED, moment(TODAY - 1));
	note("2001:db8:1:2:3:4:5:6", HISTORY_GAVE_UP, moment(TODAY));
	note("nonsense", HISTORY_TAKEN, moment(TODAY));
	history_stop();
	is_int(rows_of(TODAY), 2, "rows of today");
	is_int(rows_of(TODAY - 1), 1, "a late one is of its own day");
	ok(has_row(TODAY, 0xc0000201, HISTORY_REFUSED, moment(TODAY)), "the first row");
	ok(has_row(TODAY, UINT64_C(0x20010db800010002), HISTORY_GAVE_UP, moment(TODAY)),
	   "... and another; an IPv6 client is its /64");
	is_int((long long)lost(""), 0, "nothing is lost");
}

static void test_mended(void)
{
	char torn[HISTORY_ROW * 2 + 5] = HISTORY_HEAD;
	torn[HISTORY_ROW] = 1;
	put(TODAY, torn, sizeof torn);
	put(TODAY - 1, HISTORY_HEAD, 7);
	put(TODAY - 2, "this is something else, of another", 34);
	start(folder, 30, true);
	for (int i = 0; i < 3; i++)
		note("192.0.2.7", HISTORY_SLOWED, moment(TODAY - i));
	history_stop();
	is_int(rows_of(TODAY), 2, "what was left of a row is gone, and the next one whole");
	ok(has_row(TODAY, 0xc0000207, HISTORY_SLOWED, moment(TODAY)), "... and read");
	is_int(rows_of(TODAY - 1), 1, "a head that was cut is whole");
	is_int(rows_of(TODAY - 2), 1, "a file of something else makes room");
	is_int(access(path_of(TODAY - 2, ".damaged"), F_OK), 0, "... and is kept");
	ok(fake_log_find("does not begin as a file of the history does"), "... and that is said");
	unlink(path_of(TODAY - 2, ".damaged"));
}

static void test_strange_times(void)
{
	static const int64_t times[] = { 0, -1, 4294967296, INT64_MAX, INT64_MIN };
	unsigned long long before = lost("");
	start(folder, 30, true);
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		note("192.0.2.1", HISTORY_REFUSED, times[i]);
	note("192.0.2.1", HISTORY_REFUSED, moment(TODAY - 30));
	note("192.0.2.1", HISTORY_REFUSED, moment(TODAY + 2));
	is_int((long long)(lost("a time is not of the days that are kept") - before), 7, "they are lost, and counted");
	is_int(fake_log_count("is a clock wrong?"), 1, "... and said once");
	history_stop();
	is_int(rows_of(TODAY + 2), -1, "no file is made for them");
}

/* The thread tidies when it begins, and then once in ten minutes. */
static void test_retention(void)
{
	for (int64_t day = TODAY - 40; day <= TODAY; day++)
		put(day, HISTORY_HEAD, HISTORY_ROW);
	for (int i = 0; i < 2; i++) {
		start(folder, 30, true);
		history_stop();
	}
	is_int(rows_of(TODAY - 40) + rows_of(TODAY - 39), -2, "the oldest file goes each time");
	is_int(rows_of(TODAY - 38), 0, "... and no other");
	set_clock(TODAY + 3650);
	start(folder, 30, true);
	history_stop();
	set_clock(TODAY);
	int left = 0;
	for (int64_t day = TODAY - 40; day <= TODAY; day++)
		left += rows_of(day) == 0;
	is_int(left, 38, "a clock that leaps ten years ahead costs one file");
	set_clock(TODAY - 10);
	start(folder, 30, true);
	note("192.0.2.1", HISTORY_REFUSED, moment(TODAY - 10));
	history_stop();
	set_clock(TODAY);
	is_int(rows_of(TODAY - 10), 1, "a clock that goes back goes on with the file of that day");
	for (int64_t day = TODAY - 40; day <= TODAY; day++)
		unlink(path_of(day, ""));
	put(TODAY - 30, HISTORY_HEAD, HISTORY_ROW);
	put(TODAY - 29, HISTORY_HEAD, HISTORY_ROW);
	for (int i = 0; i < 2; i++) {
		start(folder, 30, true);
		history_stop();
	}
	is_int(rows_of(TODAY - 30), -1, "30 days with today: the 31st is gone");
	is_int(rows_of(TODAY - 29), 0, "... and the 30th stays");
	unlink(path_of(TODAY - 29, ""));
}

static void test_settings(void)
{
	char other[220];
	snprintf(other, sizeof other, "%s/none", folder);
	start(folder, 0, true);
	note("192.0.2.1", HISTORY_REFUSED, moment(TODAY));
	history_stop();
	is_int(rows_of(TODAY), -1, "0 days: nothing is written");
	start("", 30, false);
	start(other, 30, false);
	start(folder, 30, true);
	note("192.0.2.1", HISTORY_REFUSED, moment(TODAY));
	start(other, 30, false);
	note("192.0.2.2", HISTORY_REFUSED, moment(TODAY));
	start(folder, 0, true);
	note("192.0.2.3", HISTORY_REFUSED, moment(TODAY));
	start(folder, 60, true);
	note("192.0.2.4", HISTORY_REFUSED, moment(TODAY));
	history_stop();
	is_int(rows_of(TODAY), 3, "a reload that fails changes nothing, one to 0 days stops it, one more goes on");
	unlink(path_of(TODAY, ""));
}

/* A disk that is full: the file may not grow. */
static void test_full_disk(void)
{
	struct rlimit before, small;
	unsigned long long lost_before = lost("");
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 100 * HISTORY_ROW + 5;
	start(folder, 30, true);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 300; i++)
		note("192.0.2.1", HISTORY_REFUSED, moment(TODAY));
	history_stop();
	setrlimit(RLIMIT_FSIZE, &before);
	is_int(size_of(TODAY) / HISTORY_ROW, 100, "a full disk took what went in");
	is_int((long long)(lost("File too large") - lost_before), 201, "the others are lost, and counted");
	ok(fake_log_find("rows of the history are lost until that ends"), "... and said");
	start(folder, 30, true);
	note("192.0.2.9", HISTORY_REFUSED, moment(TODAY));
	history_stop();
	is_int(rows_of(TODAY), 100, "with room again the file is whole again");
	ok(has_row(TODAY, 0xc0000209, HISTORY_REFUSED, moment(TODAY)), "... and goes on");
	ok(fake_log_find("the history is written again; 201 rows were lost"), "... which is said");
	is_int((long long)(lost("") - lost_before), 201, "nothing more is lost");
	unlink(path_of(TODAY, ""));
}

int main(void)
{
	ok(mkdtemp(folder) != NULL, "%s", folder);
	signal(SIGXFSZ, SIG_IGN);
	set_clock(TODAY);
	test_names();
	test_rows();
	test_mended();
	test_strange_times();
	for (int64_t day = TODAY - 2; day <= TODAY; day++)
		unlink(path_of(day, ""));
	test_retention();
	test_settings();
	test_full_disk();
	is_int(rmdir(folder), 0, "nothing else was written");
	return done_testing();
}
