/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wait: for a moment, by the kernel's monotonic clock: a wall clock that is set right, or wrong, makes no wait longer
 * or shorter. Nothing else in this folder waits with a deadline of its own (t/lint/clocks.t).
 */
#ifndef PENSTOCK_WAIT_H
#define PENSTOCK_WAIT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

/* pthread_cond_wait for `ms` at most. False: they have passed. */
bool wait_cond(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

/* sem_wait for `ms` at most. False: they have passed, or a signal came. */
bool wait_sem(sem_t *sem, int64_t ms);

#endif
