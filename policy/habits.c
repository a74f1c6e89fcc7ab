/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/habits.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

bool habit_knows(const struct habits *habits, uint16_t rcpt)
{
	for (int i = 0; i < HABIT_KNOWN_MAX; i++)
		if (rcpt != 0 && habits->known[i] == rcpt)
			return true;
	return false;
}

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
