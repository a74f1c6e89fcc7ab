/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The files of a trace: which day a row goes to, what a checkpoint and a crash leave, what old age and a full disk
 * take, and an index that never hides a row.
 */
#include "milter/follow/trace.h"
#include "milter/trace/trace_index.h"

#include "t/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_trace_files.XXXXXX";
static char path[400];

static const char *path_of(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void empty(void)
{
	DIR *list = opendir(folder);
	for (struct dirent *entry; (entry = readdir(list)) != NULL;)
		unlink(path_of(entry->d_name));
	closedir(list);
}

/* "2026-11-28:5 2026-11-29:2": the days that are there, and how many rows they have; sorted */
static const char *days(void)
{
	static char text[1000];
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);
	text[0] = '\0';
	for (int i = 0; i < count; i++) {
		int64_t day;
		int rows = 0;
		char line[TRACE_LINE_MAX];
		FILE *file = trace_day_read(entries[i]->d_name, &day) ? fopen(path_of(entries[i]->d_name), "r") : NULL;
		while (file != NULL && fgets(line, sizeof line, file) != NULL)
			rows += line[0] != '#';
		size_t length = strlen(text);
		if (file != NULL) {
			snprintf(text + length, sizeof text - length, "%s%s:%d", length > 0 ? " " : "",
				 entries[i]->d_name, rows);
			fclose(file);
		}
		free(entries[i]);
	}
	free(entries);
	return text;
}

static struct trace *opened(bool hashed)
{
	char error[200] = "";
	struct trace *trace =
		trace_open(&(struct trace_options){ .folder = folder, .days = 3, .hashed = hashed, .salt = "" }, error,
			   sizeof error);
	if (trace == NULL)
		printf("# %s\n", error);
	return trace;
}

enum { DAY_MS = 86400000 };
static const int64_t noon = INT64_C(20785) * DAY_MS + DAY_MS / 2; /* 2026-11-28 */

static void note(struct trace *trace, int64_t time_ms, const char *rcpt)
{
	struct trace_row row = { .kind = TRACE_DELIVERY, .time_ms = time_ms };
	row.value[TRACE_QUEUE_ID] = "4jcG2b1Tz2z4wQ";
	row.value[TRACE_RCPT] = rcpt;
	row.value[TRACE_TEXT] = "550 5.1.1 no user bob here";
	trace_write(trace, &row);
}

static void test_days(void)
{
	struct trace *trace = opened(false);
	ok(trace != NULL, "opened");
	note(trace, noon, "bob@example.net");
	note(trace, noon + DAY_MS, "bob@example.net");
	note(trace, noon, "bob@example.net");
	trace_position(trace);
	is_str(days(), "2026-11-28:1 2026-11-29:2", "a row of yesterday goes to the newest file");
	trace_tick(trace, noon / 1000 + 86400);
	note(trace, noon + 3000 * INT64_C(86400000), "bob@example.net");
	note(trace, -5, "bob@example.net");
	trace_tick(trace, noon / 1000 + 86400);
	is_str(days(), "2026-11-28:1 2026-11-29:4", "... and one of years to come, and of no time at all");
	note(trace, noon + 2 * DAY_MS, "bob@example.net");
	trace_tick(trace, noon / 1000 + 2 * 86400);
	note(trace, noon + 3 * DAY_MS, "bob@example.net");
	trace_tick(trace, noon / 1000 + 3 * 86400);
	is_str(days(), "2026-11-29:4 2026-11-30:1 2026-12-01:1", "three days are kept");
	trace_tick(trace, noon / 1000 + 30 * 86400);
	is_str(days(), "2026-11-29:4 2026-11-30:1 2026-12-01:1", "... of those that have rows");
	trace_close(&trace);
	ok(trace == NULL, "closed");
	empty();
}

/* A clock that was wrong once must not have all that comes later in one file. */
static void test_wrong_clock(void)
{
	struct trace *trace = opened(false);
	note(trace, noon + INT64_C(300) * DAY_MS, "bob@example.net");
	trace_tick(trace, noon / 1000);
	note(trace, noon, "bob@example.net");
	note(trace, noon + DAY_MS, "bob@example.net");
	trace_close(&trace);
	is_str(days(), "2026-11-28:1 2026-11-29:1 2027-09-24:1", "each day has its file");
	empty();
}

static void test_cut(void)
{
	struct trace *trace = opened(false);
	struct trace_place before = trace_position(trace);
	note(trace, noon, "a@example.net");
	struct trace_place place = trace_position(trace);
	note(trace, noon, "b@example.net");
	note(trace, noon + DAY_MS, "c@example.net");
	trace_close(&trace);
	is_str(days(), "2026-11-28:2 2026-11-29:1", "three rows");
	trace = opened(false);
	trace_cut(trace, &place);
	note(trace, noon, "b@example.net");
	note(trace, noon + DAY_MS, "c@example.net");
	trace_close(&trace);
	is_str(days(), "2026-11-28:2 2026-11-29:1", "... written again from the checkpoint on, are three");
	trace = opened(false);
	trace_cut(trace, &(struct trace_place){ 0, -1 });
	trace_close(&trace);
	is_str(days(), "2026-11-28:2 2026-11-29:1", "a checkpoint that knows of none takes none");
	trace = opened(false);
	trace_cut(trace, &before);
	note(trace, noon, "a@example.net");
	trace_close(&trace);
	is_str(days(), "2026-11-28:1", "a checkpoint before the first takes all");
	empty();
}

/* A host that crashed left half a row. */
static void test_half(void)
{
	struct trace *trace = opened(false);
	note(trace, noon, "a@example.net");
	note(trace, noon, "b@example.net");
	struct trace_place place = trace_position(trace);
	trace_close(&trace);
	ok(truncate(path_of("2026-11-28"), place.length - 10) == 0, "half a row");
	trace = opened(false);
	note(trace, noon, "c@example.net");
	trace_close(&trace);
	is_str(days(), "2026-11-28:2", "... gives its place to the next");
	empty();
}

static void test_full_disk(void)
{
	struct trace *trace = opened(false);
	note(trace, noon, "a@example.net");
	struct trace_place place = trace_position(trace);
	struct rlimit limit, small;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = (struct rlimit){ (rlim_t)place.length + 30, limit.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	note(trace, noon, "b@example.net");
	struct trace_place full = trace_position(trace);
	is_int(full.length, place.length, "a full disk takes no half row");
	note(trace, noon, "b@example.net");
	trace_tick(trace, noon / 1000);
	is_int((long long)trace_stats(trace).lost, 2, "two rows are lost");
	ok(trace_stats(trace).losing && trace_stats(trace).why[0] != '\0', "... and why: %s", trace_stats(trace).why);
	setrlimit(RLIMIT_FSIZE, &limit);
	note(trace, noon, "c@example.net");
	trace_tick(trace, noon / 1000);
	ok(!trace_stats(trace).losing, "it is written again");
	trace_close(&trace);
	is_str(days(), "2026-11-28:2", "... without a hole");
	empty();
}

static void test_hashed(void)
{
	char line[TRACE_LINE_MAX] = "";
	struct trace *trace = opened(true);
	note(trace, noon, "bob@example.net");
	trace_close(&trace);
	FILE *file = fopen(path_of("2026-11-28"), "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		;
	ok(strstr(line, "bob") == NULL, "a hashed recipient is nowhere in the row");
	ok(strstr(line, "@example.net\t") != NULL && strstr(line, "no user ? here") != NULL, "... its domain is: %s",
	   line);
	fclose(file);
	empty();
}

/* ---- the index */

enum { ROWS = 3000 };

/* Each row is found by its filter; few filters claim what is not there. */
static void test_index(void)
{
	char name[100], memory[TRACE_BLOCK_MEMORY];
	struct trace *trace = opened(false);
	for (int i = 0; i < ROWS; i++) {
		snprintf(name, sizeof name, "user%d@d%d.example", i, i % 7);
		note(trace, noon, name);
	}
	trace_tick(trace, noon / 1000);
	note(trace, noon + DAY_MS, "last@example.net");
	trace_tick(trace, noon / 1000 + 86400);
	trace_close(&trace);
	int fd = open(path_of("2026-11-28"), O_RDONLY), index_fd = open(path_of("2026-11-28.index"), O_RDONLY);
	struct stat status;
	fstat(fd, &status);
	int64_t blocks = (status.st_size + TRACE_BLOCK - 1) / TRACE_BLOCK;
	ok(blocks > 3, "%lld blocks", (long long)blocks);
	is_int(trace_index_count(index_fd), blocks, "... each has a filter");
	int rows = 0, hidden = 0, claimed = 0;
	for (int64_t block = 0; block < blocks; block++) {
		unsigned char filter[TRACE_FILTER];
		struct trace_block lines;
		struct trace_row row;
		if (pread(index_fd, filter, sizeof filter, TRACE_INDEX_HEAD + block * TRACE_FILTER) != sizeof filter)
			break;
		trace_block_read(fd, block, memory, &lines);
		for (char *line; (line = trace_block_line(&lines)) != NULL;)
			if (trace_row_read(line, &row)) {
				rows++;
				hidden += !trace_index_has(filter, trace_index_hash(TRACE_RCPT, row.value[TRACE_RCPT]));
				hidden += !trace_index_has(
					filter, trace_index_hash(TRACE_DOMAIN, strchr(row.value[TRACE_RCPT], '@') + 1));
			}
		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof name, "nobody%d@example.net", i);
			claimed += trace_index_has(filter, trace_index_hash(TRACE_RCPT, name));
		}
	}
	is_int(rows, ROWS, "each row is in one block");
	is_int(hidden, 0, "... whose filter has it");
	ok(claimed < 5 * blocks, "%d of %lld questions for others are answered yes", claimed, 1000 * (long long)blocks);
	close(fd);
	close(index_fd);
	/* what is lost is made again, what is too long is taken off */
	ok(truncate(path_of("2026-11-28.index"), TRACE_INDEX_HEAD + TRACE_FILTER + 5) == 0, "an index is short");
	trace = opened(false);
	trace_tick(trace, noon / 1000 + 86400);
	index_fd = open(path_of("2026-11-28.index"), O_RDONLY);
	is_int(trace_index_count(index_fd), blocks, "... and whole again");
	trace_cut(trace, &(struct trace_place){ 20785, 2 * TRACE_BLOCK + 7 });
	is_int(trace_index_count(index_fd), 2, "a cut takes its filters along");
	trace_close(&trace);
	close(index_fd);
	empty();
}

int main(void)
{
	if (!ok(mkdtemp(folder) != NULL, "a folder"))
		return done_testing();
	test_days();
	test_wrong_clock();
	test_cut();
	test_half();
	test_full_disk();
	test_hashed();
	test_index();
	rmdir(folder);
	return done_testing();
}
