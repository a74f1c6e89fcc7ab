/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/samples.h"

#include "policy/base/banned.h"

static size_t samples_copy(char *to, size_t room, struct span from)
{
	size_t length = from.length < room ? from.length : room;
	for (size_t i = 0; i < length; i++)
		to[i] = from.at[i] >= 0x20 && from.at[i] < 0x7f ? from.at[i] : '?';
	to[length] = '\0';
	return length;
}

void samples_add(struct samples *samples, struct span program, struct span message)
{
	samples->seen++;
	if ((samples->seen & (samples->seen - 1)) != 0)
		return;
	char *to = samples->lines[samples->kept++ % SAMPLES_KEPT];
	size_t length = samples_copy(to, SAMPLE_MAX / 4, program);
	if (length > 0)
		length += samples_copy(to + length, 2, (struct span){ ": ", 2 });
	samples_copy(to + length, SAMPLE_MAX - length, message);
}
