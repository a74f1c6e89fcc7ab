/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/base/text.h"

#include "policy/base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

struct text text_over(char *memory, size_t size)
{
	MUST(size > 0);
	memory[0] = '\0';
	return (struct text){ .at = memory, .size = size };
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
	size_t room = text->size - text->length - 1;
	if (length > room) {
		length = room;
		text->cut = true;
	}
	memcpy(text->at + text->length, bytes, length);
	text->length += length;
	text->at[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list arguments;
	va_start(arguments, format);
	int wanted = vsnprintf(text->at + text->length, room, format, arguments);
	va_end(arguments);
	if (wanted < 0) {
		text->at[text->length] = '\0';
		text->cut = true;
	} else if ((size_t)wanted >= room) {
		text->length = text->size - 1;
		text->cut = true;
	} else {
		text->length += (size_t)wanted;
	}
}

void text_add_word(struct text *text, const char *string)
{
	for (; *string != '\0'; string++) {
		unsigned char c = (unsigned char)*string;
		bool plain = c > 0x20 && c < 0x7f && c != '"' && c != '\\';
		char shown = c == ' ' ? '_' : c == ',' ? ';' : plain ? (char)c : '?';
		text_add_bytes(text, &shown, 1);
	}
}

const char *text_noun(int64_t number, const char *one, const char *many)
{
	return number == 1 ? one : many;
}

bool text_copy(char *to, size_t size, const char *from)
{
	struct text text = text_over(to, size);
	text_add(&text, from);
	return !text.cut;
}

bool text_to_int(const char *string, int64_t min, int64_t max, int64_t *number_out)
{
	bool negative = *string == '-';
	const char *digit = negative ? string + 1 : string;
	if (*digit == '\0' || strlen(digit) > 18)
		return false;
	int64_t number = 0;
	for (; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		number = number * 10 + (*digit - '0');
	}
	number = negative ? -number : number;
	if (number < min || number > max)
		return false;
	*number_out = number;
	return true;
}

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_same_nocase(const char *a, const char *b)
{
	while (*a != '\0' && text_lower(*a) == text_lower(*b)) {
		a++;
		b++;
	}
	return text_lower(*a) == text_lower(*b);
}

int text_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	char lower = text_lower(c);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
