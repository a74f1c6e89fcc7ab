/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_days.h"

#include "milter/ctl/tool/memory.h"
#include "milter/trace/trace_index.h"
#include "policy/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

static int trace_days_compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

bool trace_days_open(struct trace_days *days, const char *folder, char *error, size_t error_size)
{
	int64_t day;
	*days = (struct trace_days){ .folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	int again = days->folder < 0 ? -1 : openat(days->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = again < 0 ? NULL : fdopendir(again);
	if (list == NULL) {
		snprintf(error, error_size, "%s: %s", folder, strerror(errno));
		return false;
	}
	for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
		if (!trace_day_read(entry->d_name, &day))
			continue;
		days->days = have_memory(reallocarray(days->days, (size_t)days->count + 1, sizeof *days->days));
		days->days[days->count++] = day;
	}
	closedir(list);
	if (days->count > 0)
		qsort(days->days, (size_t)days->count, sizeof *days->days, trace_days_compare);
	return true;
}

void trace_days_close(struct trace_days *days)
{
	if (days->folder >= 0)
		close(days->folder);
	free(days->days);
	*days = (struct trace_days){ .folder = -1 };
}

int trace_days_file(const struct trace_days *days, int64_t day)
{
	char name[TRACE_DAY_MAX];
	trace_day_write(day, name);
	return openat(days->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

int trace_days_index(const struct trace_days *days, int64_t day)
{
	char day_name[TRACE_DAY_MAX], name[TRACE_INDEX_NAME_MAX];
	trace_day_write(day, day_name);
	snprintf(name, sizeof name, "%s" TRACE_INDEX_SUFFIX, day_name);
	return openat(days->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* ---- what is not there */

static void trace_days_add_range(json_t *ranges, int64_t first, int64_t last)
{
	char from[TRACE_DAY_MAX], to[TRACE_DAY_MAX];
	trace_day_write(first, from);
	trace_day_write(last, to);
	json_array_append_new(ranges,
			      have_memory(first == last ? json_string(from) : json_sprintf("%s to %s", from, to)));
}

json_t *trace_days_missing(const struct trace_days *days, int64_t first, int64_t last)
{
	json_t *ranges = have_memory(json_array());
	for (int i = 0; i < days->count && first <= last; i++) {
		int64_t day = days->days[i];
		if (day > first)
			trace_days_add_range(ranges, first, day <= last ? day - 1 : last);
		first = day >= first ? day + 1 : first;
	}
	if (first <= last)
		trace_days_add_range(ranges, first, last);
	return ranges;
}

void trace_days_warn(const json_t *missing)
{
	size_t index;
	const json_t *range;
	if (json_array_size(missing) == 0)
		return;
	fputs("penstockctl: no trace of ", stderr);
	json_array_foreach((json_t *)(uintptr_t)missing, index, range)
		fprintf(stderr, "%s%s", index > 0 ? ", " : "", json_string_value(range));
	fputs(": no mail was followed then, or the files are gone\n", stderr);
}
