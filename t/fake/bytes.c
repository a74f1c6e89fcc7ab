/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static void reserve(struct fake_bytes *bytes, size_t length)
{
	if (length < bytes->room)
		return;
	size_t room = length + 1 > 2 * bytes->room ? length + 1 : 2 * bytes->room;
	char *more = realloc(bytes->at, room);
	if (more == NULL)
		abort();
	bytes->at = more;
	bytes->room = room;
}

void fake_bytes_add(struct fake_bytes *bytes, const void *more, size_t length)
{
	reserve(bytes, bytes->length + length);
	if (length > 0)
		memcpy(bytes->at + bytes->length, more, length);
	bytes->length += length;
	bytes->at[bytes->length] = '\0';
}

void fake_bytes_addf(struct fake_bytes *bytes, const char *format, ...)
{
	char text[1024];
	va_list values;
	va_start(values, format);
	int length = vsnprintf(text, sizeof text, format, values);
	va_end(values);
	fake_bytes_add(bytes, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void fake_bytes_set(struct fake_bytes *bytes, const void *with, size_t length)
{
	bytes->length = 0;
	fake_bytes_add(bytes, with, length);
}

void fake_bytes_cut(struct fake_bytes *bytes, size_t length)
{
	if (length == 0)
		return;
	bytes->length -= length;
	memmove(bytes->at, bytes->at + length, bytes->length + 1);
}

void fake_bytes_free(struct fake_bytes *bytes)
{
	free(bytes->at);
	*bytes = (struct fake_bytes){ 0 };
}

bool fake_bytes_are(const struct fake_bytes *bytes, struct fake_word word)
{
	return bytes->length == word.length && (word.length == 0 || memcmp(bytes->at, word.at, word.length) == 0);
}
