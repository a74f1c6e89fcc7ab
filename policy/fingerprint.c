/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/fingerprint.h"

#include "policy/hash.h"

#include <limits.h>
#include <string.h>

#include "policy/base/banned.h"

enum fingerprint_state { TEXT, TAG_NAME, TAG, ENTITY, LINK_HOST, SKIP_TAIL };

enum {
	HEAD_WORDS = 12,
	WORDS_LEAST = 12,
	PLAIN_LEAST = 8, /* fewer without names: a text in capitals, or a list of names */
	LETTERS_LEAST = 4,
	LETTERS_MOST = 48, /* a script without spaces is cut into words of so many bytes */
};

#define EACH_BYTE 0x0101010101010101U

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

static void fingerprint_anchor_add(struct fingerprint_anchor *anchor, uint64_t word, uint64_t before, bool takes)
{
	if (anchor->wants_next) {
		anchor->context = join(anchor->context, word);
		anchor->wants_next = false;
	}
	if (takes && word < anchor->least)
		*anchor =
			(struct fingerprint_anchor){ .least = word, .context = join(before, word), .wants_next = true };
}

static void fingerprint_words_add(struct fingerprint_words *words, uint64_t word)
{
	if (words->count <= HEAD_WORDS) /* the last one's next word is the first behind them */
		fingerprint_anchor_add(&words->head, word, words->before, words->count < HEAD_WORDS);
	fingerprint_anchor_add(&words->whole, word, words->before, true);
	words->before = word;
	words->count++;
}

/* `hash`: of the letters alone. */
static void fingerprint_add_word(struct fingerprint_maker *maker, uint64_t hash, unsigned length, bool name)
{
	if (maker->plain.count < PLAIN_LEAST)
		fingerprint_words_add(&maker->all, join(hash, maker->seed[1]));
	else /* nobody asks for more of them than how many there are */
		maker->all.count++;
	if (length >= LETTERS_LEAST && !name)
		fingerprint_words_add(&maker->plain, join(hash, maker->seed[1]));
}

static void fingerprint_end_word(struct fingerprint_maker *maker)
{
	if (maker->word_length > 1 && !maker->digit && !maker->hidden)
		fingerprint_add_word(maker, maker->word ^ maker->chunk, maker->word_length,
				     maker->capital && !maker->capitals);
	maker->word_length = 0;
	maker->word = maker->seed[0];
	maker->chunk = 0;
	maker->digit = false;
}

static void drop_word(struct fingerprint_maker *maker)
{
	maker->digit = true;
	fingerprint_end_word(maker);
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

static void fingerprint_add_letter(struct fingerprint_maker *maker, char c)
{
	if (maker->word_length == 0)
		maker->capital = maker->capitals = is_upper(c);
	else if (!is_upper(c))
		maker->capitals = false;
	maker->chunk |= (uint64_t)(unsigned char)lower(c) << (maker->word_length % 8 * 8);
	if (++maker->word_length % 8 == 0) {
		maker->word = mix(maker->word ^ maker->chunk);
		maker->chunk = 0;
	}
	if (maker->word_length >= LETTERS_MOST)
		fingerprint_end_word(maker);
}

static int fingerprint_end_text(struct fingerprint_maker *maker, char c)
{
	bool link = c == '/' && maker->last[0] == '/' && maker->last[1] == ':';
	if (c == '@') /* an address, from its first part on */
		drop_word(maker);
	else
		fingerprint_end_word(maker);
	return link ? LINK_HOST : c == '@' ? SKIP_TAIL : c == '&' ? ENTITY : TEXT;
}

static int fingerprint_read_text(struct fingerprint_maker *maker, char c)
{
	if (is_lower(c) || is_upper(c)) {
		/* "<" before a letter, "/" or "!" begins markup */
		if (maker->last[0] != '<') {
			fingerprint_add_letter(maker, c);
			return TEXT;
		}
		maker->tag[0] = lower(c);
		maker->tag_length = 1;
		return TAG_NAME;
	}
	if (is_digit(c)) {
		maker->digit = true;
		maker->word_length++; /* its hash is not asked for */
		return TEXT;
	}
	if (maker->last[0] == '<' && (c == '/' || c == '!')) {
		maker->tag_length = 1;
		maker->tag[0] = c;
		return TAG_NAME;
	}
	return c == '\'' ? TEXT : fingerprint_end_text(maker, c);
}

static bool tag_is(const struct fingerprint_maker *maker, const char *name)
{
	return (size_t)maker->tag_length == strlen(name) && memcmp(maker->tag, name, (size_t)maker->tag_length) == 0;
}

static int fingerprint_read_tag_name(struct fingerprint_maker *maker, char c)
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
static int fingerprint_read_host(struct fingerprint_maker *maker, char c)
{
	if (is_lower(c) || is_upper(c) || is_digit(c) || c == '.' || c == '-') {
		fingerprint_add_letter(maker, lower(c));
		return LINK_HOST;
	}
	fingerprint_end_word(maker);
	return is_space(c) || c == '<' ? TEXT : SKIP_TAIL;
}

static int fingerprint_read_byte(struct fingerprint_maker *maker, char c)
{
	switch ((enum fingerprint_state)maker->state) {
	case TAG_NAME:
		return fingerprint_read_tag_name(maker, c);
	case TAG:
		return c == '>' ? TEXT : TAG;
	case ENTITY:
		return read_entity(c);
	case LINK_HOST:
		return fingerprint_read_host(maker, c);
	case SKIP_TAIL:
		return is_space(c) || c == '<' ? TEXT : SKIP_TAIL;
	default:
		return fingerprint_read_text(maker, c);
	}
}

/* How many of the first eight bytes are small letters: is_lower for all of them at once. */
static int fingerprint_count_lower(uint64_t bytes)
{
	uint64_t low = bytes & 0x7f * EACH_BYTE;
	uint64_t letters = (low + (0x80 - 'a') * EACH_BYTE) & ~(low + (0x7f - 'z') * EACH_BYTE);
	uint64_t others = ~(letters | bytes) & 0x80 * EACH_BYTE;
	return others == 0 ? 8 : __builtin_ctzll(others) / 8;
}

/* The first one lowest, whatever the machine's order; compilers make one load of it. */
static uint64_t eight_bytes(const char *text)
{
	const unsigned char *b = (const unsigned char *)text;
	uint64_t low = b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24;
	return low | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

/* A whole word of small letters behind the first one, and what ends it there; `text` has at least eight bytes. How many
 * letters it has, and the hash of them, which was the seed before; -1: something else, for read_text. */
static int fingerprint_read_word(const char *text, size_t length, uint64_t seed, uint64_t *hash_out)
{
	static const bool ends[UCHAR_MAX + 1] = {
		[' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, ['.'] = true, [','] = true, [';'] = true,
		['!'] = true, ['?'] = true,  ['"'] = true,  ['('] = true,  [')'] = true, ['-'] = true,
	};
	uint64_t hash = seed, bytes = eight_bytes(text) | (is_upper(*text) ? 'a' - 'A' : 0);
	size_t read = 0;
	int count;
	while ((count = fingerprint_count_lower(bytes)) == 8) {
		hash = mix(hash ^ bytes);
		read += 8;
		if (length - read < 8 || read >= LETTERS_MOST - 8)
			return -1;
		bytes = eight_bytes(text + read);
	}
	if (!ends[(unsigned char)text[read + (size_t)count]])
		return -1;
	*hash_out = count == 0 ? hash : hash ^ (bytes & UINT64_MAX >> (64 - count * 8));
	return (int)read + count;
}

/* Most of a text is such words. How many bytes were read. */
static size_t fingerprint_read_words(struct fingerprint_maker *maker, const char *text, size_t length)
{
	uint64_t hash;
	size_t i = 0;
	int letters;
	if (maker->last[0] == '<' || maker->word_length > 0 || maker->hidden)
		return 0;
	while (length - i >= sizeof hash &&
	       (letters = fingerprint_read_word(text + i, length - i, maker->seed[0], &hash)) >= 0) {
		if (letters > 1)
			fingerprint_add_word(maker, hash, (unsigned)letters, is_upper(text[i]));
		i += (size_t)letters + 1;
	}
	if (i > 0) {
		maker->last[1] = i > 1 ? text[i - 2] : maker->last[0];
		maker->last[0] = text[i - 1];
	}
	return i;
}

void fingerprint_begin(struct fingerprint_maker *maker, const uint64_t key[2])
{
	static const char what[2] = { 1, 2 };
	const struct fingerprint_anchor none = { .least = UINT64_MAX };
	const struct fingerprint_words empty = { .head = none, .whole = none };
	*maker = (struct fingerprint_maker){ .plain = empty, .all = empty, .state = TEXT };
	for (size_t i = 0; i < sizeof what; i++) /* the key itself is in no hash that is made in a hurry */
		maker->seed[i] = hash_keyed(key, &what[i], 1);
	maker->word = maker->seed[0];
}

void fingerprint_add(struct fingerprint_maker *maker, const char *text, size_t length)
{
	size_t i = 0;
	while (i < length) {
		if (maker->state == TEXT && (i += fingerprint_read_words(maker, text + i, length - i)) == length)
			return;
		maker->state = fingerprint_read_byte(maker, text[i]);
		maker->last[1] = maker->last[0];
		maker->last[0] = text[i++];
	}
}

uint64_t fingerprint_end(struct fingerprint_maker *maker, int *words_out)
{
	if (maker->state == TEXT || maker->state == LINK_HOST)
		fingerprint_end_word(maker);
	*words_out = maker->all.count;
	if (maker->all.count < WORDS_LEAST)
		return 0;
	const struct fingerprint_words *words = maker->plain.count >= PLAIN_LEAST ? &maker->plain : &maker->all;
	uint64_t key = join(words->head.context, words->whole.context);
	return key != 0 ? key : 1;
}
