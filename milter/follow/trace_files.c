/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/trace_inside.h"

#include "policy/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { BLOCKS_AT_ONCE = 64 }; /* 4 MiB, some 30 ms */

static int64_t size_of(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 ? status.st_size : 0;
}

static void trace_files_index_name(int64_t day, char name[TRACE_INDEX_NAME_MAX])
{
	struct text text = text_over(name, TRACE_INDEX_NAME_MAX);
	char day_name[TRACE_DAY_MAX];
	trace_day_write(day, day_name);
	text_add(&text, day_name);
	text_add(&text, TRACE_INDEX_SUFFIX);
}

/* Where the last whole row ends: a host that crashed may have left half of one. */
static int64_t trace_files_whole(int fd, int64_t size)
{
	char bytes[TRACE_LINE_MAX];
	int64_t from = size > (int64_t)sizeof bytes ? size - (int64_t)sizeof bytes : 0;
	ssize_t got = pread(fd, bytes, sizeof bytes, from);
	const char *newline = got > 0 ? memrchr(bytes, '\n', (size_t)got) : NULL;
	return newline != NULL ? from + (newline - bytes) + 1 : from;
}

int trace_files_open(int folder, int64_t day, bool make, int64_t *length_out)
{
	char name[TRACE_DAY_MAX];
	trace_day_write(day, name);
	int fd = openat(folder, name, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd >= 0)
		*length_out = trace_files_whole(fd, size_of(fd));
	return fd;
}

static int trace_files_open_index(int folder, int64_t day, bool make)
{
	char name[TRACE_INDEX_NAME_MAX];
	trace_files_index_name(day, name);
	return openat(folder, name, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
}

static void trace_files_remove(int folder, int64_t day)
{
	char name[TRACE_INDEX_NAME_MAX];
	trace_day_write(day, name);
	unlinkat(folder, name, 0);
	trace_files_index_name(day, name);
	unlinkat(folder, name, 0);
}

/* ---- all days */

typedef bool trace_files_each_day(void *arg, int folder, int64_t day); /* false: no more */

static void trace_files_each(int folder, trace_files_each_day *each, void *arg)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = again < 0 ? NULL : fdopendir(again);
	int64_t day;
	bool more = true;
	if (list == NULL) {
		if (again >= 0)
			close(again);
		return;
	}
	for (struct dirent *entry; more && (entry = readdir(list)) != NULL;)
		if (trace_day_read(entry->d_name, &day) && day > 0)
			more = each(arg, folder, day);
	closedir(list);
}

static bool trace_files_see(void *arg, int folder, int64_t day)
{
	int64_t *newest = arg;
	(void)folder;
	*newest = day > *newest ? day : *newest;
	return true;
}

int64_t trace_files_newest(int folder)
{
	int64_t newest = 0;
	trace_files_each(folder, trace_files_see, &newest);
	return newest;
}

static bool trace_files_keep_one(void *arg, int folder, int64_t day)
{
	const int64_t *range = arg;
	if (day < range[0] || day > range[1])
		trace_files_remove(folder, day);
	return true;
}

void trace_files_keep(int folder, int64_t first, int64_t last)
{
	trace_files_each(folder, trace_files_keep_one, (int64_t[]){ first, last });
}

void trace_files_cut(int folder, int64_t day, int64_t length)
{
	char name[TRACE_DAY_MAX];
	trace_day_write(day, name);
	int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int index_fd = trace_files_open_index(folder, day, false);
	int64_t filters = TRACE_INDEX_HEAD + length / TRACE_BLOCK * TRACE_FILTER;
	if (fd >= 0 && size_of(fd) > length && ftruncate(fd, length) != 0)
		trace_files_remove(folder, day); /* rather none than two of each */
	if (index_fd >= 0 && size_of(index_fd) > filters && ftruncate(index_fd, filters) != 0)
		trace_files_remove(folder, day);
	if (fd >= 0)
		close(fd);
	if (index_fd >= 0)
		close(index_fd);
}

/* ---- the index */

/* Were there blocks without a filter? */
static bool trace_files_index_day(int folder, int64_t day, bool finished)
{
	int64_t length;
	int fd = trace_files_open(folder, day, false, &length);
	int index_fd = fd < 0 ? -1 : trace_files_open_index(folder, day, true);
	bool worked = false;
	if (index_fd >= 0) {
		int64_t before = trace_index_count(index_fd);
		int64_t left = trace_index_extend(fd, index_fd, length, finished, BLOCKS_AT_ONCE);
		worked = left >= 0 && trace_index_count(index_fd) > before;
		close(index_fd);
	}
	if (fd >= 0)
		close(fd);
	return worked;
}

struct trace_files_work {
	int64_t newest;
	bool worked;
};

static bool trace_files_index_older(void *arg, int folder, int64_t day)
{
	struct trace_files_work *work = arg;
	if (day < work->newest)
		work->worked = trace_files_index_day(folder, day, true);
	return !work->worked;
}

bool trace_files_index(int folder, int64_t newest)
{
	struct trace_files_work work = { newest, newest > 0 && trace_files_index_day(folder, newest, false) };
	if (!work.worked)
		trace_files_each(folder, trace_files_index_older, &work);
	return work.worked;
}
