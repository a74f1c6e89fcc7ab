/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/study.h"

#include "milter/base/plain_file.h"
#include "milter/clients/study_count.h"
#include "policy/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { AT_ONCE = 1 << 20, PATH_BYTES = 1024, PARTS = 1000, AHEAD_S = 3600 };

int64_t study_days(const struct study *study)
{
	return study->first_s == 0 ? 0 : study->last_s / HISTORY_DAY_S - study->first_s / HISTORY_DAY_S + 1;
}

/* ---- which files there are */

/* A file as it was when the study began: the daemon goes on writing, and each pass must read the same. */
struct study_file {
	int64_t day;
	uint64_t rows; /* behind the head */
};

struct study_reading {
	const struct study_asked *asked;
	struct study *study;
	struct study_file *files; /* owned */
	int count;
	uint64_t total, done;	/* rows of all files; in this pass */
	int64_t first_s, end_s; /* of the period */
	struct study_table table;
	unsigned char *bytes; /* AT_ONCE; owned */
	char *error;
	size_t error_size;
};

static bool study_fail(struct study_reading *reading, const char *path, const char *why)
{
	snprintf(reading->error, reading->error_size, "%s: %s", path, why);
	return false;
}

static void study_path(const struct study_reading *reading, int64_t day, char path[PATH_BYTES])
{
	char name[HISTORY_NAME_MAX];
	struct text text = text_over(path, PATH_BYTES);
	history_day_write(day, name);
	text_addf(&text, "%s/%s", reading->asked->folder, name);
}

/* Opened, and behind its head; -1 with the complaint made, or -2: it is none of ours. */
static int study_open_file(struct study_reading *reading, int64_t day, uint64_t *rows_out)
{
	char path[PATH_BYTES], head[HISTORY_ROW];
	const char *why;
	struct stat about;
	study_path(reading, day, path);
	int fd = plain_file_open(path, O_RDONLY, &why);
	if (fd < 0) {
		study_fail(reading, path, why);
		return -1;
	}
	ssize_t got = fstat(fd, &about) == 0 ? read(fd, head, sizeof head) : -1;
	if (got < 0) {
		study_fail(reading, path, strerror(errno));
		close(fd);
		return -1;
	}
	/* what was begun and has no head yet is an empty one */
	if (memcmp(head, HISTORY_HEAD, (size_t)got) != 0) {
		close(fd);
		return -2;
	}
	*rows_out = about.st_size < HISTORY_ROW ? 0 : ((uint64_t)about.st_size - HISTORY_ROW) / HISTORY_ROW;
	reading->study->cut_files += about.st_size % HISTORY_ROW != 0;
	return fd;
}

static bool study_list_file(struct study_reading *reading, int64_t day)
{
	uint64_t rows = 0;
	if ((day + 1) * HISTORY_DAY_S <= reading->first_s || day * HISTORY_DAY_S >= reading->end_s)
		return true;
	int fd = study_open_file(reading, day, &rows);
	if (fd == -1)
		return false;
	if (fd == -2) {
		reading->study->foreign_files++;
		return true;
	}
	close(fd);
	struct study_file *files = reallocarray(reading->files, (size_t)reading->count + 1, sizeof *files);
	if (files == NULL)
		return study_fail(reading, reading->asked->folder, strerror(errno));
	reading->files = files;
	files[reading->count++] = (struct study_file){ day, rows };
	reading->total += rows;
	return true;
}

static int study_compare_files(const void *left, const void *right)
{
	int64_t a = ((const struct study_file *)left)->day, b = ((const struct study_file *)right)->day;
	return (a > b) - (a < b);
}

static bool study_list(struct study_reading *reading)
{
	DIR *list = opendir(reading->asked->folder);
	int64_t day;
	bool fine = true;
	if (list == NULL)
		return study_fail(reading, reading->asked->folder, strerror(errno));
	for (struct dirent *entry; fine && (entry = readdir(list)) != NULL;)
		if (history_day_read(entry->d_name, &day))
			fine = study_list_file(reading, day);
	closedir(list);
	if (reading->count > 1)
		qsort(reading->files, (size_t)reading->count, sizeof *reading->files, study_compare_files);
	reading->study->files = reading->count;
	return fine;
}

/* ---- one pass */

/* What is said of rows and files is said by the first pass alone. False: it counts for nothing. */
static bool study_take_row(struct study_reading *reading, const unsigned char *bytes, int64_t day, bool first,
			   struct history_row *row_out)
{
	struct study *study = reading->study;
	bool whole = history_row_read(bytes, row_out);
	bool fits = whole && row_out->time_s / HISTORY_DAY_S == day && row_out->time_s >= reading->first_s &&
		    row_out->time_s < reading->end_s;
	if (!first)
		return fits;
	study->damaged_rows += !whole;
	study->other_rows += whole && !fits;
	if (!fits)
		return false;
	study->rows++;
	study->kind_rows[row_out->kind]++;
	if (study->first_s == 0 || row_out->time_s < study->first_s)
		study->first_s = row_out->time_s;
	if (row_out->time_s > study->last_s)
		study->last_s = row_out->time_s;
	return true;
}

static bool study_add_bytes(struct study_reading *reading, uint64_t rows, int64_t day, bool first)
{
	struct history_row some[STUDY_ROWS_AT_ONCE];
	int count = 0;
	for (uint64_t i = 0; i < rows; i++) {
		if (study_take_row(reading, reading->bytes + i * HISTORY_ROW, day, first, &some[count]))
			count++;
		if (count == STUDY_ROWS_AT_ONCE || i + 1 == rows) {
			if (!study_table_add(&reading->table, some, count))
				return study_fail(reading, "the table of clients", strerror(ENOMEM));
			count = 0;
		}
	}
	return true;
}

/* Parts of the whole work that are done: the range of the hash that was, and of this pass's what was read. */
static void study_tell(const struct study_reading *reading)
{
	const struct study_table *table = &reading->table;
	double from = (double)table->from / (double)UINT64_MAX,
	       width = (double)(table->to - table->from) / (double)UINT64_MAX,
	       part = reading->total == 0 ? 1 : (double)reading->done / (double)reading->total;
	if (reading->asked->progress != NULL)
		reading->asked->progress((int64_t)((from + width * part) * PARTS), PARTS);
}

/* read(2) gives less than asked where it likes. */
static ssize_t study_fill(int fd, unsigned char *bytes, size_t length)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = read(fd, bytes + done, length - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static bool study_read_file(struct study_reading *reading, const struct study_file *file, bool first)
{
	uint64_t rows;
	char path[PATH_BYTES];
	bool fine = true;
	int cut = reading->study->cut_files;
	int fd = study_open_file(reading, file->day, &rows);
	reading->study->cut_files = cut; /* that was said when it was listed */
	study_path(reading, file->day, path);
	if (fd < 0)
		return fd == -1 ? false : study_fail(reading, path, "it has been replaced meanwhile");
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (uint64_t left = file->rows; fine && left > 0;) {
		uint64_t some = left < AT_ONCE / HISTORY_ROW ? left : AT_ONCE / HISTORY_ROW;
		ssize_t got = study_fill(fd, reading->bytes, (size_t)some * HISTORY_ROW);
		if (got != (ssize_t)(some * HISTORY_ROW))
			fine = study_fail(reading, path, got < 0 ? strerror(errno) : "it became shorter meanwhile");
		fine = fine && study_add_bytes(reading, some, file->day, first);
		left -= some;
		reading->done += some;
		study_tell(reading);
	}
	close(fd);
	return fine;
}

static bool study_pass(struct study_reading *reading)
{
	bool first = reading->study->passes++ == 0;
	reading->done = 0;
	for (int i = 0; i < reading->count; i++)
		if (!study_read_file(reading, &reading->files[i], first))
			return false;
	study_count(&reading->table, reading->study);
	return true;
}

static bool study_passes(struct study_reading *reading)
{
	size_t most = reading->asked->slots_most != 0 ? reading->asked->slots_most : STUDY_SLOTS;
	reading->bytes = malloc(AT_ONCE);
	if (reading->bytes == NULL || !study_table_begin(&reading->table, most))
		return study_fail(reading, "the table of clients", strerror(ENOMEM));
	while (study_pass(reading)) {
		if (reading->table.to == UINT64_MAX)
			return true;
		study_table_next(&reading->table, reading->table.to + 1);
	}
	return false;
}

/* ---- all of it */

static void study_count_missing(struct study_reading *reading)
{
	const struct study *study = reading->study;
	int64_t days = study_days(study), have = 0;
	for (int i = 0; i < reading->count; i++)
		have += reading->files[i].day >= study->first_s / HISTORY_DAY_S &&
			reading->files[i].day <= study->last_s / HISTORY_DAY_S;
	reading->study->missing_days = (int)(days - have);
}

bool study_read(const struct study_asked *asked, struct study *study_out, char *error, size_t error_size)
{
	int64_t today = asked->now_s / HISTORY_DAY_S;
	struct study_reading reading = {
		.asked = asked,
		.study = study_out,
		.first_s = asked->days > 0 ? (today - asked->days + 1) * HISTORY_DAY_S : 0,
		.end_s = asked->now_s + AHEAD_S,
		.error = error,
		.error_size = error_size,
	};
	*study_out = (struct study){ 0 };
	bool fine = study_list(&reading) && study_passes(&reading);
	if (fine && study_out->rows > 0)
		study_count_missing(&reading);
	study_table_end(&reading.table);
	free(reading.bytes);
	free(reading.files);
	return fine;
}
