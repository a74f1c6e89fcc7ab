/* SPDX-License-Identifier: BSD-2-Clause
 *
 * source_files: the files beside a log that once had its name: mail.log.1, mail.log-20261128. Compressed ones are none.
 */
#ifndef PENSTOCK_SOURCE_FILES_H
#define PENSTOCK_SOURCE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_place;
struct stat;

enum { SOURCE_PATH_MAX = 1024 };

struct source_files {
	char path[SOURCE_PATH_MAX], folder[SOURCE_PATH_MAX];
	const char *name; /* in `path`, behind the folder */
};

/* False with a sentence in `error`. */
bool source_files_init(struct source_files *files, const char *path, char *error, size_t error_size);

int64_t source_files_modified(const struct stat *file); /* when it was written to last, nanoseconds, Unix time */

/* Each of these opens a file for reading; -1: there is none that fits, or it may not be read. */
int source_files_open(const struct source_files *files);
/* The one that was read up to that place: of the same inode and head, or, where there is none, of the same head. An
 * inode of 0 is none's. Only one that is at least as long. */
int source_files_find(const struct source_files *files, const struct source_place *place);
/* The one that was written after the file of `fd` (-1: none), which was written to last at modified_ns. */
int source_files_next(const struct source_files *files, int fd, int64_t modified_ns);

/* Is the name another file's than that of `fd`, and has that one begun? */
bool source_files_has_next(const struct source_files *files, int fd);

#endif
