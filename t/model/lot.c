/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/model/lot.h"

#include <stddef.h>
#include <sys/types.h>

#include "policy/base/banned.h"

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t lot_next(void)
{
	uint64_t mixed = state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

void lot_begin(uint64_t seed)
{
	state = seed * UINT64_C(0xd1342543de82ef95);
}

int lot(int below)
{
	return (int)(lot_next() % (uint64_t)below);
}

int lot_between(int least, int most)
{
	return least + lot(most - least + 1);
}

bool lot_once_in(int times)
{
	return lot(times) == 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags);
long __wrap_random(void);

ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags)
{
	unsigned char *at = bytes;
	(void)flags;
	for (size_t i = 0; i < length; i++)
		at[i] = (unsigned char)lot_next();
	return (ssize_t)length;
}

long __wrap_random(void)
{
	return (long)(lot_next() >> 33);
}
