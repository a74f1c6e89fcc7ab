/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_days: the folder of a trace: which days it has, which it lacks, and their files.
 */
#ifndef PENSTOCK_TRACE_DAYS_H
#define PENSTOCK_TRACE_DAYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_days {
	int folder;
	int64_t *days; /* since 1970, rising; owned */
	int count;
};

/* False with one sentence in `error`: the folder cannot be read. Close it in any case. */
bool trace_days_open(struct trace_days *days, const char *folder, char *error, size_t error_size);
void trace_days_close(struct trace_days *days);

/* A day's file, or its index, for reading; -1 with errno. */
int trace_days_file(const struct trace_days *days, int64_t day);
int trace_days_index(const struct trace_days *days, int64_t day);

/* The days from `first` to `last` that have no file, as an array of "2026-11-03" and "2026-11-05 to 2026-11-09". A new
 * reference. */
json_t *trace_days_missing(const struct trace_days *days, int64_t first, int64_t last);
/* Of such an array, a sentence to standard error; nothing where it is empty. */
void trace_days_warn(const json_t *missing);

#endif
