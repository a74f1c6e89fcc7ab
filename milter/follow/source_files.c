/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/source_files.h"

#include "milter/follow/source.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

bool source_files_init(struct source_files *files, const char *path, char *error, size_t error_size)
{
	const char *slash = strrchr(path, '/');
	if (path[0] != '/' || slash[1] == '\0' || strlen(path) >= SOURCE_PATH_MAX) {
		snprintf(error, error_size,
			 "follow.source is \"%s\", expected \"journal\", \"-\", or the path of a file, from / on",
			 path);
		return false;
	}
	text_copy(files->path, sizeof files->path, path);
	text_copy(files->folder, sizeof files->folder, path);
	files->folder[slash == path ? 1 : slash - path] = '\0';
	files->name = files->path + (slash - path) + 1;
	return true;
}

int64_t source_files_modified(const struct stat *file)
{
	return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

static int source_files_open_path(const char *path, struct stat *stat_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, stat_out) != 0 || !S_ISREG(stat_out->st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

int source_files_open(const struct source_files *files)
{
	struct stat stat;
	return source_files_open_path(files->path, &stat);
}

/* "", or what rotation puts behind a name. */
static bool source_files_is_ours(const struct source_files *files, const char *name)
{
	size_t length = strlen(files->name);
	if (strncmp(name, files->name, length) != 0)
		return false;
	const char *behind = name + length;
	return *behind == '\0' || (strchr(".-_", *behind) != NULL && behind[1] != '\0' &&
				   strspn(behind, ".-_0123456789") == strlen(behind));
}

/* How well a file fits; 0: not at all. The best one is opened. */
typedef int64_t source_files_fit(const void *arg, int fd, const struct stat *stat);

static int source_files_best(const struct source_files *files, source_files_fit *fit, const void *arg)
{
	DIR *folder = opendir(files->folder);
	int best = -1;
	int64_t best_fit = 0;
	for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
		char path[SOURCE_PATH_MAX + 256];
		struct stat stat;
		if (!source_files_is_ours(files, entry->d_name))
			continue;
		snprintf(path, sizeof path, "%s/%s", files->folder, entry->d_name);
		int fd = source_files_open_path(path, &stat);
		int64_t fits = fd >= 0 ? fit(arg, fd, &stat) : 0;
		if (fits > best_fit) {
			if (best >= 0)
				close(best);
			best = fd;
			best_fit = fits;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	if (folder != NULL)
		closedir(folder);
	return best;
}

static int64_t source_files_fit_place(const void *arg, int fd, const struct stat *stat)
{
	enum { TELLING = 32 }; /* bytes: the time of a line, and whose */
	const struct source_place *place = arg;
	unsigned char head[SOURCE_HASHED];
	if (stat->st_size < place->offset || pread(fd, head, (size_t)place->hashed, 0) != place->hashed ||
	    hash_bytes(head, (size_t)place->hashed, 0) != place->hash)
		return 0;
	if ((uint64_t)stat->st_ino == place->inode)
		return (uint64_t)stat->st_dev == place->device ? 3
							       : 2; /* a device may have another number after a boot */
	return place->hashed >= TELLING;
}

int source_files_find(const struct source_files *files, const struct source_place *place)
{
	return source_files_best(files, source_files_fit_place, place);
}

struct source_files_after {
	bool any;
	struct stat own;
	int64_t modified_ns;
};

/* The one that was written to next; never ours, and none that is empty. */
static int64_t source_files_fit_after(const void *arg, int fd, const struct stat *stat)
{
	const struct source_files_after *after = arg;
	int64_t modified_ns = source_files_modified(stat);
	(void)fd;
	if (stat->st_size == 0 || modified_ns < after->modified_ns ||
	    (after->any && stat->st_ino == after->own.st_ino && stat->st_dev == after->own.st_dev))
		return 0;
	return INT64_MAX - modified_ns;
}

int source_files_next(const struct source_files *files, int fd, int64_t modified_ns)
{
	struct source_files_after after = { .modified_ns = modified_ns };
	after.any = fd >= 0 && fstat(fd, &after.own) == 0;
	return source_files_best(files, source_files_fit_after, &after);
}

bool source_files_has_next(const struct source_files *files, int fd)
{
	struct stat own, named;
	return fstat(fd, &own) == 0 && stat(files->path, &named) == 0 && named.st_size > 0 &&
	       (own.st_ino != named.st_ino || own.st_dev != named.st_dev);
}
