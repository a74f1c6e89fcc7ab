/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clock_shim: loaded into Redis and the daemon (LD_PRELOAD), it takes the wall clock from a file, so that weeks pass in
 * minutes and each run sees the same times. The file PENSTOCK_EVAL_CLOCK holds Unix time in milliseconds, 8 bytes in
 * the host's order; run.pl moves it. The monotonic clock stays the real one: deadlines and timers work as ever.
 *
 * The time has to be ahead of the real one: a wait until a wall time, of which the kernel knows nothing here, shall not
 * end at once.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shared;

__attribute__((constructor)) static void open_clock(void)
{
	const char *path = getenv("PENSTOCK_EVAL_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd >= 0 ? mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		abort();
	shared = map;
}

int clock_gettime(clockid_t which, struct timespec *now)
{
	if (shared == NULL || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE))
		return (int)syscall(SYS_clock_gettime, which, now);
	now->tv_sec = *shared / 1000;
	now->tv_nsec = *shared % 1000 * 1000000;
	return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &exact);
	*now = (struct timeval){ exact.tv_sec, exact.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *now_out)
{
	struct timespec exact;
	clock_gettime(CLOCK_REALTIME, &exact);
	if (now_out != NULL)
		*now_out = exact.tv_sec;
	return exact.tv_sec;
}
