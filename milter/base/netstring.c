/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/netstring.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

/* Reads the digits before ':'; *at_out is behind the ':'. A zero before other digits is not allowed. */
static enum netstring_progress netstring_parse_length(const char *input, size_t length, size_t most, size_t *number_out,
						      size_t *at_out)
{
	size_t number = 0, at = 0;
	for (; at < length && input[at] >= '0' && input[at] <= '9'; at++) {
		if (at == 1 && input[0] == '0')
			return NETSTRING_BAD;
		number = number * 10 + (size_t)(input[at] - '0');
		if (number > most)
			return NETSTRING_BAD;
	}
	if (at == length)
		return NETSTRING_MORE;
	if (at == 0 || input[at] != ':')
		return NETSTRING_BAD;
	*number_out = number;
	*at_out = at + 1;
	return NETSTRING_DONE;
}

enum netstring_progress netstring_parse(const char *input, size_t length, size_t most, struct netstring *netstring_out)
{
	size_t number, at;
	enum netstring_progress progress = netstring_parse_length(input, length, most, &number, &at);
	if (progress != NETSTRING_DONE)
		return progress;
	if (length - at <= number)
		return NETSTRING_MORE;
	if (input[at + number] != ',')
		return NETSTRING_BAD;
	*netstring_out = (struct netstring){ .bytes = input + at, .length = number, .whole = at + number + 1 };
	return NETSTRING_DONE;
}

size_t netstring_write(char *to, size_t size, const char *bytes, size_t length)
{
	char head[24];
	size_t head_length = (size_t)snprintf(head, sizeof head, "%zu:", length);
	if (size < head_length + 1 || size - head_length - 1 < length)
		return 0;
	memcpy(to, head, head_length);
	memcpy(to + head_length, bytes, length);
	to[head_length + length] = ',';
	return head_length + length + 1;
}
