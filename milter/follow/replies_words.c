/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of a row: pieces that stand in a reply one after the other.
 */
#include "milter/follow/replies_inside.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* A hash of three letters. */
uint16_t replies_gram(const char *three)
{
	const unsigned char *at = (const unsigned char *)three;
	return (uint16_t)((at[0] * 961U + at[1] * 31U + at[2] * 7U + (at[0] ^ at[2]) * 97U) % REPLIES_GRAM_BITS);
}

/* A gate: three letters of each of these, of which one must be in the text; too short ones or too many are no gate. */
static void replies_words_gate(struct reply_row *row, const char *at, const char *end)
{
	int from = row->gates;
	if (from + 1 < REPLIES_GATES_MAX)
		row->gate[row->gates++] = 0;
	for (bool more = from < row->gates; more;) {
		const char *bar = memchr(at, '|', (size_t)(end - at));
		size_t length = (size_t)((bar != NULL ? bar : end) - at);
		if (length < 3 || row->gates + 1 >= REPLIES_GATES_MAX) {
			row->gates = (unsigned char)from;
			break;
		}
		row->gate[row->gates++] = replies_gram(at + (length - 3) / 2);
		row->gate[from]++;
		more = bar != NULL;
		at += length + 1;
	}
	row->gate[row->gates] = 0;
}

/* What stands between groups and single words, and the groups. */
static bool replies_words_gates(struct reply_row *row, const char *piece)
{
	while (*piece != '\0') {
		const char *word = strstr(piece, " * "), *end = piece + strcspn(piece, "{}|");
		if (word != NULL && word < end)
			end = word + 1;
		replies_words_gate(row, piece, end);
		piece = end;
		if (*piece == '*')
			piece++;
		if (*piece == '}' || *piece == '|')
			return false;
		if (*piece != '{')
			continue;
		end = piece + strcspn(piece, "}");
		if (*end == '\0' || memchr(piece + 1, '{', (size_t)(end - piece - 1)) != NULL)
			return false;
		replies_words_gate(row, piece + 1, end);
		piece = end + 1;
	}
	return true;
}

/* Blanks beside "..." are there for the eye. */
static bool replies_words_piece(struct reply_row *row, char *at, char *end)
{
	while (at < end && *at == ' ')
		at++;
	while (end > at && end[-1] == ' ')
		end--;
	if (at == end || *at == '}' || *at == '|' || row->pieces == REPLIES_PIECES_MAX)
		return false;
	*end = '\0';
	row->piece[row->pieces++] = (uint16_t)(at - row->words);
	return replies_words_gates(row, at);
}

/* As a reply is folded: no upper case, no accents, no control characters, single blanks; an address is one '@'. */
static bool replies_words_are_folded(const char *words)
{
	const char *at = words;
	while (*at != '\0' && (unsigned char)*at >= ' ' && *at == text_lower(*at) && (unsigned char)*at != 0xC3 &&
	       !(at[0] == ' ' && at[1] == ' '))
		at++;
	return *at == '\0';
}

bool replies_words_read(struct reply_row *row, const char *words)
{
	if (strlen(words) > REPLIES_WORDS_MAX || !replies_words_are_folded(words))
		return false;
	text_copy(row->words, sizeof row->words, words);
	for (char *at = row->words;;) {
		char *dots = strstr(at, "..."), *end = dots != NULL ? dots : at + strlen(at);
		if (!replies_words_piece(row, at, end))
			return false;
		if (dots == NULL)
			return true;
		at = dots + 3;
	}
}

/* Where the piece ends that begins at `at`; NULL: it does not. The first alternative by which the rest fits is taken;
 * a piece has few of them, and each fits one text. */
static const char *replies_words_fit(const char *piece, const char *at)
{
	while (*piece != '\0' && *piece != '{') {
		bool word = strncmp(piece, " * ", 3) == 0;
		if (*at == '\0' || *piece++ != *at++)
			return NULL;
		if (word) {
			at += strcspn(at, " ");
			piece++;
		}
	}
	const char *behind = *piece == '{' ? strchr(piece, '}') + 1 : NULL, *end = NULL;
	while (behind != NULL && *piece != '}' && end == NULL) {
		size_t length = strcspn(++piece, "|}");
		if (strncmp(at, piece, length) == 0)
			end = replies_words_fit(behind, at + length);
		piece += length;
	}
	return behind != NULL ? end : at;
}

static bool replies_words_may_be(const uint64_t *grams, const char *at, size_t length)
{
	for (size_t i = 0; i + 3 <= length; i++) {
		uint16_t gram = replies_gram(at + i);
		if ((grams[gram / 64] >> gram % 64 & 1) == 0)
			return false;
	}
	return true;
}

/* Where the piece first ends that begins with these letters, and of which `rest` stands behind them; NULL: nowhere. */
static const char *replies_words_find(const char *begins, size_t length, const char *rest, struct span text)
{
	const char *at = text.at, *end = at + text.length, *fits = NULL;
	while (fits == NULL && at <= end && (at = memmem(at, (size_t)(end - at), begins, length)) != NULL)
		fits = replies_words_fit(rest, at++ + length);
	return fits;
}

/* The same of a piece that begins with a group: what ends first, of whatever alternative. */
static const char *replies_words_find_group(const char *piece, const uint64_t *grams, struct span text)
{
	const char *behind = strchr(piece, '}') + 1, *first = NULL;
	while (*piece != '}') {
		size_t length = strcspn(++piece, "|}");
		const char *fits = replies_words_may_be(grams, piece, length)
					   ? replies_words_find(piece, length, behind, text)
					   : NULL;
		if (fits != NULL && (first == NULL || fits < first))
			first = fits;
		piece += length;
	}
	return first;
}

const char *replies_words_end(const struct reply_row *row, struct span text, const uint64_t *grams)
{
	const char *at = text.at, *end = at + text.length;
	for (int i = 0; i < row->pieces && at != NULL; i++) {
		const char *piece = row->words + row->piece[i];
		struct span rest = { at, (size_t)(end - at) };
		if (*piece == '{') {
			at = replies_words_find_group(piece, grams, rest);
			continue;
		}
		const char *word = strstr(piece, " * ");
		size_t length = strcspn(piece, "{");
		if (word != NULL && (size_t)(word - piece) < length)
			length = (size_t)(word - piece);
		at = replies_words_find(piece, length, piece + length, rest);
	}
	return at;
}
