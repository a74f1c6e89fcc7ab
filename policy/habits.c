/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/habits.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

size_t habits_write(const struct habits *habits, enum habit_part part, char bytes[HABIT_BYTES_MAX])
{
	(void)habits, (void)part, (void)bytes;
	return 0;
}

bool habits_read(struct habits *habits, enum habit_part part, const char *bytes, size_t length)
{
	(void)habits, (void)part, (void)bytes, (void)length;
	return true;
}
