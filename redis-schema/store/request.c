/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/store/request.h"

#include "policy/base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

void request_begin(struct request *request)
{
	request->count = request->words = 0;
	request->used = 0;
}

int request_command(struct request *request, const char *name)
{
	MUST(request->count < REQUEST_COMMANDS && request->words < REQUEST_WORDS);
	request->command[request->count] = (struct wire_command){
		.argv = request->word + request->words,
		.length = request->length + request->words,
	};
	request->count++;
	request_word(request, name);
	return request->count - 1;
}

void request_bytes(struct request *request, const void *bytes, size_t length)
{
	MUST(request->count > 0 && request->words < REQUEST_WORDS);
	request->word[request->words] = bytes;
	request->length[request->words++] = length;
	request->command[request->count - 1].argc++;
}

void request_word(struct request *request, const char *word)
{
	request_bytes(request, word, strlen(word));
}

/* Room for a word of at most `most` bytes. */
static char *request_room(struct request *request, size_t most)
{
	MUST(most < sizeof request->memory - request->used);
	return request->memory + request->used;
}

static char *request_copy(char *at, const char *text)
{
	size_t length = strlen(text);
	memcpy(at, text, length);
	return at + length;
}

static void request_add(struct request *request, char *word, char *end)
{
	*end = '\0';
	request->used += (size_t)(end - word) + 1;
	request_bytes(request, word, (size_t)(end - word));
}

void request_key(struct request *request, const char *prefix, const char *account, const char *part)
{
	char *word = request_room(request, strlen(prefix) + strlen(account) + strlen(part) + strlen(":{}:"));
	char *at = request_copy(word, prefix);
	at = request_copy(at, ":{");
	at = request_copy(at, account);
	at = request_copy(at, "}:");
	request_add(request, word, request_copy(at, part));
}

void request_text(struct request *request, const char *format, ...)
{
	va_list values;
	char *to = request->memory + request->used;
	size_t room = sizeof request->memory - request->used;
	va_start(values, format);
	int length = vsnprintf(to, room, format, values);
	va_end(values);
	MUST(length >= 0 && (size_t)length < room);
	request->used += (size_t)length + 1;
	request_bytes(request, to, (size_t)length);
}

void request_number(struct request *request, int64_t number)
{
	enum { DIGITS = 20 };
	char digits[DIGITS], *word = request_room(request, DIGITS + 1), *at = word;
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	int count = 0;
	do
		digits[count++] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (number < 0)
		*at++ = '-';
	while (count > 0)
		*at++ = digits[--count];
	request_add(request, word, at);
}
