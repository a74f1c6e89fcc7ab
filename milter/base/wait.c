/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/wait.h"

#include <errno.h>
#include <time.h>

#include "policy/base/banned.h"

static struct timespec wait_in_ms(int64_t ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

bool wait_cond(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
	struct timespec until = wait_in_ms(ms);
	return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

bool wait_sem(sem_t *sem, int64_t ms)
{
	struct timespec until = wait_in_ms(ms);
	return sem_clockwait(sem, CLOCK_MONOTONIC, &until) == 0;
}
