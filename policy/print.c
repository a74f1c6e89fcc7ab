/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/print.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { WORDS_LEAST = 12 };

/* Stands in until the min-hash is here: all words in their order, without digits. */
void print_begin(struct print_maker *maker)
{
	memset(maker, 0, sizeof *maker);
}

void print_add(struct print_maker *maker, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = text_lower(text[i]);
		if (c >= 'a' && c <= 'z') {
			maker->word = (maker->word ^ (unsigned char)c) * 0x100000001b3U;
			maker->word_length++;
		} else {
			maker->count += maker->word_length > 0;
			maker->word_length = 0;
		}
	}
}

uint64_t print_end(struct print_maker *maker)
{
	maker->count += maker->word_length > 0;
	maker->word_length = 0;
	return maker->count < WORDS_LEAST ? 0 : maker->word != 0 ? maker->word : 1;
}
