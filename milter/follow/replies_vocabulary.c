/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Single words: those that a refusal of a recipient is made of and that say no more than its code does, and those
 * beside which "user unknown" may mean something else.
 */
#include "milter/follow/replies_inside.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_of_word(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

bool replies_vocabulary_word(struct replies_word *word_out, const char *from, enum outcome outcome)
{
	size_t length = strlen(from);
	*word_out = (struct replies_word){ .outcome = outcome, .stem = length > 0 && from[length - 1] == '*' };
	length -= word_out->stem ? 1 : 0;
	if (length == 0 || length > REPLIES_WORD_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter(from[i]) || (unsigned char)from[i] == 0xC3)
			return false;
	memcpy(word_out->word, from, length);
	word_out->length = (unsigned char)length;
	return true;
}

static int replies_vocabulary_order(const void *a, const void *b)
{
	const struct replies_word *x = a, *y = b;
	return strcmp(x->word, y->word);
}

void replies_vocabulary_sort(struct replies *replies)
{
	if (replies->word_count > 0)
		qsort(replies->vocabulary, replies->word_count, sizeof replies->vocabulary[0],
		      replies_vocabulary_order);
	size_t at = 0;
	for (unsigned byte = 0; byte <= 256; byte++) {
		while (at < replies->word_count && (unsigned char)replies->vocabulary[at].word[0] < byte)
			at++;
		replies->first[byte] = (uint16_t)at;
	}
}

static bool replies_vocabulary_has(const struct replies *replies, struct span word, enum outcome outcome)
{
	unsigned char byte = (unsigned char)word.at[0];
	for (int i = replies->first[byte]; i < replies->first[byte + 1]; i++) {
		const struct replies_word *row = &replies->vocabulary[i];
		if (row->outcome == outcome && (row->stem ? word.length >= row->length : word.length == row->length) &&
		    memcmp(word.at, row->word, row->length) == 0)
			return true;
	}
	return false;
}

/* What a host or a page is called says nothing: "antispam.mx.example.net". */
static bool replies_vocabulary_is_name(const char *at, size_t length)
{
	int dots = 0;
	for (size_t i = 1; i + 1 < length; i++) {
		if (at[i] == '.' && is_of_word(at[i - 1]) && is_of_word(at[i + 1]))
			dots++;
		if (i + 2 < length && memcmp(at + i, "://", 3) == 0)
			return true;
	}
	return dots >= 2;
}

/* The next word of letters and maybe digits, of letters at least one; false: there is none. */
static bool replies_vocabulary_next(const char **rest, struct span *word_out)
{
	const char *at = *rest;
	while (*at != '\0') {
		bool begins = at == *rest || at[-1] == ' ';
		size_t length = begins ? strcspn(at, " ") : 0, letters = 0;
		if (length > 0 && replies_vocabulary_is_name(at, length)) {
			at += length;
			continue;
		}
		for (length = 0; is_of_word(at[length]); length++)
			letters += is_letter(at[length]) ? 1 : 0;
		*word_out = (struct span){ at, length };
		at += length > 0 ? length : 1;
		if (letters > 0) {
			*rest = at;
			return true;
		}
	}
	return false;
}

bool replies_vocabulary_is_plain(const struct replies *replies, const char *text)
{
	struct span word;
	bool plain = strstr(text, "://") == NULL;
	while (plain && replies_vocabulary_next(&text, &word))
		plain = replies_vocabulary_has(replies, word, OUTCOME_COUNT);
	return plain;
}

static void replies_vocabulary_find_turns(const struct replies *replies, enum outcome outcome, const char *text,
					  struct replies_turns *turns)
{
	struct span word;
	*turns = (struct replies_turns){ .outcome = outcome };
	while (turns->count <= REPLIES_TURNS_MAX && replies_vocabulary_next(&text, &word)) {
		if (!replies_vocabulary_has(replies, word, outcome))
			continue;
		if (turns->count < REPLIES_TURNS_MAX)
			turns->turn[turns->count] = word;
		turns->count++;
	}
}

static bool replies_vocabulary_is_own(const struct reply_row *row, struct span word)
{
	for (int i = 0; i < row->pieces; i++) {
		const char *rest = row->words + row->piece[i];
		struct span own;
		while (replies_vocabulary_next(&rest, &own))
			if (own.length == word.length && memcmp(own.at, word.at, word.length) == 0)
				return true;
	}
	return false;
}

bool replies_vocabulary_turns(const struct replies *replies, const struct reply_row *row, const char *text,
			      struct replies_turns *turns)
{
	if (turns->outcome != row->outcome)
		replies_vocabulary_find_turns(replies, row->outcome, text, turns);
	if (turns->count > REPLIES_TURNS_MAX)
		return true;
	for (int i = 0; i < turns->count; i++)
		if (!replies_vocabulary_is_own(row, turns->turn[i]))
			return true;
	return false;
}
