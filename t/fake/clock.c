/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of milter/base/clock.c.
 */
#include "milter/base/clock.h"

#include "t/fake/fake.h"

#include <stdatomic.h>
#include <time.h>

#include "policy/base/banned.h"

static atomic_int_least64_t unix_ms = 1767614400000; /* 2026-01-05 12:00:00 UTC */
static atomic_int_least64_t jumped_ms;
static atomic_int_least64_t redis_ahead_ms;

void fake_clock_set(int64_t now_ms)
{
	atomic_store(&unix_ms, now_ms);
}

void fake_clock_pass(int64_t ms)
{
	atomic_fetch_add(&unix_ms, ms);
	atomic_fetch_add(&jumped_ms, ms);
}

void fake_clock_redis(int64_t ahead_ms)
{
	atomic_store(&redis_ahead_ms, ahead_ms);
}

int64_t fake_clock_redis_ms(void)
{
	return clock_now_ms() + atomic_load(&redis_ahead_ms);
}

int64_t clock_now_ms(void)
{
	return atomic_load(&unix_ms);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + atomic_load(&jumped_ms);
}
