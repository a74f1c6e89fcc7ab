/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/plain_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* What a file of this mode is; NULL: a regular one. */
static const char *plain_file_anomaly_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFIFO:
		return "it is a FIFO, expected a regular file";
	case S_IFDIR:
		return "it is a folder, expected a regular file";
	case S_IFSOCK:
		return "it is a socket, expected a regular file";
	default:
		return "it is a device, expected a regular file";
	}
}

int plain_file_open(const char *path, int flags, const char **why_out)
{
	struct stat about;
	const char *odd = NULL;
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	int error = errno;
	/* what was not opened, too: a socket and a FIFO without a reader are "no such device" */
	if ((fd >= 0 ? fstat(fd, &about) : stat(path, &about)) == 0)
		odd = plain_file_anomaly_of(about.st_mode);
	*why_out = odd != NULL ? odd : strerror(error);
	if (odd != NULL && fd >= 0) {
		close(fd);
		fd = -1;
	}
	errno = odd != NULL ? EINVAL : error;
	return fd;
}

FILE *plain_file_read(const char *path, const char **why_out)
{
	int fd = plain_file_open(path, O_RDONLY, why_out);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (fd >= 0 && file == NULL) {
		*why_out = strerror(errno);
		close(fd);
	}
	return file;
}
