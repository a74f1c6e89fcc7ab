/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/follow_head.h"

#include "policy/base/text.h"

#include <inttypes.h>
#include <string.h>

#include "policy/base/banned.h"

#define BEGINS "penstock-follow 1 "

enum { NUMBERS = 6, NUMBER_BYTES = 20 };

#define NUMBER_MOST 1000000000000000LL /* sums of such numbers are numbers */

size_t follow_head_write(const struct follow_head *head, char *to, size_t size)
{
	if (size < FOLLOW_HEAD_MAX)
		return 0;
	struct text text = text_over(to, size);
	text_addf(&text, BEGINS "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
		  head->number, head->at_ms, head->lines, head->unknown, head->lost, head->lag_s);
	return text.length;
}

/* One number and the byte behind it. */
static const char *follow_head_take(const char *at, const char *end, char behind, int64_t *number_out)
{
	char word[NUMBER_BYTES];
	size_t length = 0;
	while (at + length < end && at[length] >= '0' && at[length] <= '9' && length < sizeof word - 1)
		length++;
	if (at + length == end || at[length] != behind)
		return NULL;
	memcpy(word, at, length);
	word[length] = '\0';
	return text_to_int(word, 0, NUMBER_MOST, number_out) ? at + length + 1 : NULL;
}

size_t follow_head_read(const char *bytes, size_t length, struct follow_head *head_out)
{
	const char *end = bytes + (length < FOLLOW_HEAD_MAX ? length : FOLLOW_HEAD_MAX), *at = bytes;
	int64_t numbers[NUMBERS];
	if (length < strlen(BEGINS) || memcmp(bytes, BEGINS, strlen(BEGINS)) != 0)
		return 0;
	at += strlen(BEGINS);
	for (int i = 0; i < NUMBERS; i++) {
		at = follow_head_take(at, end, i < NUMBERS - 1 ? ' ' : '\n', &numbers[i]);
		if (at == NULL)
			return 0;
	}
	if (numbers[0] == 0)
		return 0;
	*head_out = (struct follow_head){ numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5] };
	return (size_t)(at - bytes);
}
