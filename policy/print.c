/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/print.h"

#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

enum state { TEXT, TAG_NAME, TAG, ENTITY, LINK_HOST, SKIP_TAIL };

enum {
	HEAD_WORDS = 12,
	WORDS_LEAST = 12,
	PLAIN_LEAST = 8,	/* fewer without names: a text in capitals, or a list of names */
	LETTERS_LEAST = 4,
	LETTERS_MOST = 48,	/* a script without spaces is cut into words of so many bytes */
};

#define WORD_SEED 0xcbf29ce484222325U	/* FNV-1a */
#define WORD_PRIME 0x100000001b3U

static uint64_t mix(uint64_t hash)
{
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
	return hash ^ (hash >> 31);
}

static uint64_t join(uint64_t one, uint64_t other)
{
	return mix(one * 3 + other);
}

/* -- anchors -- */

static void anchor_add(struct print_anchor *anchor, uint64_t word, uint64_t before, bool takes)
{
	if (anchor->wants_next) {
		anchor->context = join(anchor->context, word);
		anchor->wants_next = false;
	}
	if (takes && word < anchor->least)
		*anchor = (struct print_anchor){ .least = word, .context = join(before, word), .wants_next = true };
}

static void words_add(struct print_words *words, uint64_t word)
{
	anchor_add(&words->head, word, words->before, words->count < HEAD_WORDS);
	anchor_add(&words->whole, word, words->before, true);
	words->before = word;
	words->count++;
}

static void end_word(struct print_maker *maker)
{
	bool name = maker->capital && !maker->capitals;
	if (maker->word_length > 1 && !maker->digit && !maker->hidden) {
		uint64_t word = mix(maker->word);
		words_add(&maker->all, word);
		if (maker->word_length >= LETTERS_LEAST && !name)
			words_add(&maker->plain, word);
	}
	maker->word_length = 0;
	maker->word = WORD_SEED;
	maker->digit = false;
}

static void drop_word(struct print_maker *maker)
{
	maker->digit = true;
	end_word(maker);
}

/* -- the reader: a state for each kind of text, a function for each state -- */

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
	return is_upper(c) ? (char)(c + 'a' - 'A') : c;
}

static void add_letter(struct print_maker *maker, char c)
{
	if (maker->word_length == 0)
		maker->capital = maker->capitals = is_upper(c);
	else if (!is_upper(c))
		maker->capitals = false;
	maker->word = (maker->word ^ (unsigned char)lower(c)) * WORD_PRIME;
	if (++maker->word_length >= LETTERS_MOST)
		end_word(maker);
}

static int end_text(struct print_maker *maker, char c)
{
	bool link = c == '/' && maker->last[0] == '/' && maker->last[1] == ':';
	if (c == '@')	/* an address, from its first part on */
		drop_word(maker);
	else
		end_word(maker);
	return link ? LINK_HOST : c == '@' ? SKIP_TAIL : c == '&' ? ENTITY : TEXT;
}

static int read_text(struct print_maker *maker, char c)
{
	if (is_lower(c) || is_upper(c)) {
		/* "<" before a letter, "/" or "!" begins markup */
		if (maker->last[0] != '<') {
			add_letter(maker, c);
			return TEXT;
		}
		maker->tag[0] = lower(c);
		maker->tag_length = 1;
		return TAG_NAME;
	}
	if (is_digit(c)) {
		maker->digit = true;
		maker->word_length++;
		return TEXT;
	}
	if (maker->last[0] == '<' && (c == '/' || c == '!')) {
		maker->tag_length = 1;
		maker->tag[0] = c;
		return TAG_NAME;
	}
	return c == '\'' ? TEXT : end_text(maker, c);
}

static bool tag_is(const struct print_maker *maker, const char *name)
{
	return (size_t)maker->tag_length == strlen(name) && memcmp(maker->tag, name, (size_t)maker->tag_length) == 0;
}

static int read_tag_name(struct print_maker *maker, char c)
{
	if (!is_space(c) && c != '>') {
		if (maker->tag_length < (int)sizeof maker->tag)
			maker->tag[maker->tag_length++] = lower(c);
		return TAG_NAME;
	}
	if (tag_is(maker, "style") || tag_is(maker, "script"))
		maker->hidden = true;
	else if (tag_is(maker, "/style") || tag_is(maker, "/script"))
		maker->hidden = false;
	return c == '>' ? TEXT : TAG;
}

static int read_entity(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c) || c == '#' ? ENTITY : TEXT;
}

/* The host is a word as it is. */
static int read_host(struct print_maker *maker, char c)
{
	if (is_lower(c) || is_upper(c) || is_digit(c) || c == '.' || c == '-') {
		add_letter(maker, lower(c));
		return LINK_HOST;
	}
	end_word(maker);
	return is_space(c) || c == '<' ? TEXT : SKIP_TAIL;
}

static int read_byte(struct print_maker *maker, char c)
{
	switch ((enum state)maker->state) {
	case TAG_NAME: return read_tag_name(maker, c);
	case TAG: return c == '>' ? TEXT : TAG;
	case ENTITY: return read_entity(c);
	case LINK_HOST: return read_host(maker, c);
	case SKIP_TAIL: return is_space(c) || c == '<' ? TEXT : SKIP_TAIL;
	default: return read_text(maker, c);
	}
}

/* Small letters of a word; one that grows too long is left to add_letter. How many there were. */
static size_t read_run(struct print_maker *maker, const char *text, size_t length)
{
	size_t room = (size_t)(LETTERS_MOST - 1 - maker->word_length), i = 0;
	size_t most = length < room ? length : room;
	uint64_t word = maker->word;
	for (; i < most && is_lower(text[i]); i++)
		word = (word ^ (unsigned char)text[i]) * WORD_PRIME;
	if (i == 0)
		return 0;
	if (maker->word_length == 0)
		maker->capital = false;
	maker->capitals = false;
	maker->word = word;
	maker->word_length += (int)i;
	return i;
}

/* Most of a text is words of small letters and spaces: what read_text does with them, in fewer steps. How many bytes
 * there were. */
static size_t read_plain(struct print_maker *maker, const char *text, size_t length)
{
	size_t i = 0;
	if (maker->last[0] == '<' || maker->word_length >= LETTERS_MOST)	/* digits have no end */
		return 0;
	while (i < length) {
		i += read_run(maker, text + i, length - i);
		if (i == length || !is_space(text[i]))
			break;
		end_word(maker);
		i++;
	}
	if (i > 0) {
		maker->last[1] = i > 1 ? text[i - 2] : maker->last[0];
		maker->last[0] = text[i - 1];
	}
	return i;
}

void print_begin(struct print_maker *maker)
{
	const struct print_anchor none = { .least = UINT64_MAX };
	const struct print_words empty = { .head = none, .whole = none };
	*maker = (struct print_maker){ .plain = empty, .all = empty, .word = WORD_SEED, .state = TEXT };
}

void print_add(struct print_maker *maker, const char *text, size_t length)
{
	size_t i = 0;
	while (i < length) {
		if (maker->state == TEXT && (i += read_plain(maker, text + i, length - i)) == length)
			return;
		maker->state = read_byte(maker, text[i]);
		maker->last[1] = maker->last[0];
		maker->last[0] = text[i++];
	}
}

uint64_t print_end(struct print_maker *maker)
{
	if (maker->state == TEXT || maker->state == LINK_HOST)
		end_word(maker);
	if (maker->all.count < WORDS_LEAST)
		return 0;
	const struct print_words *words = maker->plain.count >= PLAIN_LEAST ? &maker->plain : &maker->all;
	uint64_t key = join(words->head.context, words->whole.context);
	return key != 0 ? key : 1;
}
