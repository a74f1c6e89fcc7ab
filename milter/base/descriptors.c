/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/descriptors.h"

#include "milter/base/log.h"
#include "milter/base/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* Scarce is a tenth, and no more than the sockets of ours want beside the sessions. While less than half are open they
 * are counted now and then: that costs a microsecond for each. */
enum { SCARCE_PART = 10, SCARCE_MOST = 256, LOOK_EACH = 5, KEPT = 8 };

static struct {
	DIR *folder; /* kept: to open it wants a descriptor */
	struct descriptors last;
	unsigned looks;
	int kept[KEPT]; /* owned; 0: given up */
	bool said;	/* that they are scarce */
} files;

static void keep_some(void)
{
	for (int i = 0; i < KEPT; i++)
		if (files.kept[i] <= 0)
			files.kept[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void descriptors_start(void)
{
	keep_some();
	files.folder = opendir("/proc/self/fd");
	files.last = (struct descriptors){ 0 };
}

void descriptors_stop(void)
{
	if (files.folder != NULL)
		closedir(files.folder);
	files.folder = NULL;
	for (int i = 0; i < KEPT; i++) {
		if (files.kept[i] > 0)
			close(files.kept[i]);
		files.kept[i] = 0;
	}
}

static void descriptors_count_open(void)
{
	struct rlimit limit;
	uint64_t open = 0;
	if (files.folder == NULL || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	rewinddir(files.folder);
	for (const struct dirent *entry; (entry = readdir(files.folder)) != NULL;)
		open += entry->d_name[0] != '.';
	uint64_t left = limit.rlim_cur > open ? limit.rlim_cur - open : 0;
	files.last.open = open;
	files.last.most = limit.rlim_cur;
	uint64_t scarce = limit.rlim_cur / SCARCE_PART < SCARCE_MOST ? limit.rlim_cur / SCARCE_PART : SCARCE_MOST;
	files.last.scarce = left < (files.last.scarce ? scarce + scarce / 2 : scarce);
}

bool descriptors_make_way(int listen_fd)
{
	struct pollfd someone = { .fd = listen_fd, .events = POLLIN };
	if (poll(&someone, 1, 0) <= 0) /* accept says so before it looks whether anybody is there */
		return true;
	sockets_hold(SOCKET_MILTER, true);
	descriptors_count_open(); /* and held it stays as long as they are scarce */
	for (int i = 0; i < KEPT; i++)
		if (files.kept[i] > 0) {
			close(files.kept[i]);
			files.kept[i] = 0;
			return true;
		}
	return false;
}

bool descriptors_look(void)
{
	keep_some();
	bool before = files.said;
	if (files.looks++ % LOOK_EACH == 0 || files.last.open >= files.last.most / 2)
		descriptors_count_open();
	files.said = files.last.scarce;
	if (before && !files.said)
		log_line(SEVERITY_INFO, "files: %" PRIu64 " of %" PRIu64 " are open; the MTA is let in again",
			 files.last.open, files.last.most);
	if (files.said && !before)
		log_line(SEVERITY_ERROR,
			 "files: %" PRIu64 " of %" PRIu64 " are open; the MTA's new connections wait until there is "
			 "room; LimitNOFILE= is too low, or sessions hang",
			 files.last.open, files.last.most);
	return files.said;
}

struct descriptors descriptors_count(void)
{
	descriptors_count_open();
	return files.last;
}
