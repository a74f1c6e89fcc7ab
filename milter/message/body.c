/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/body.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

enum { DECODED_MAX = 512, WORD_MAX = 80 };

static void body_found(struct body *body, const char *text, size_t length)
{
	fingerprint_add(&body->fingerprint, text, length);
	links_add(&body->links, text, length);
}

/* ---- decoding; both go on where the piece before ended */

static int body_base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Behind its end some readers begin anew, and others stop. */
static void body_on_padding(struct body *body, const char *bytes, size_t length)
{
	body->padded = true;
	for (size_t i = 0; i < length; i++)
		body->unseen |= body_base64_value(bytes[i]) >= 0;
}

/* RFC 2045 section 6.8: what is not of the alphabet is ignored, '=' included. */
static void body_add_base64(struct body *body, const char *bytes, size_t length)
{
	char out[DECODED_MAX];
	size_t count = 0;
	if (body->padded)
		body_on_padding(body, bytes, length);
	for (size_t i = 0; i < length; i++) {
		int value = body_base64_value(bytes[i]);
		if (value < 0) {
			if (bytes[i] == '=' && !body->padded)
				body_on_padding(body, bytes + i, length - i);
			continue;
		}
		body->held = (body->held << 6 | (unsigned)value) & 0xffffU;
		body->held_bits += 6;
		if (body->held_bits < 8)
			continue;
		body->held_bits -= 8;
		out[count++] = (char)(body->held >> body->held_bits & 0xff);
		if (count == sizeof out) {
			body_found(body, out, count);
			count = 0;
		}
	}
	body_found(body, out, count);
}

/* The byte that stands for c; false: none yet, or none. held_bits: how many bytes of "=XY" were read. */
static bool body_quoted_byte(struct body *body, char c, char *out)
{
	int value = text_hex(c);
	*out = c;
	if (body->held_bits == 0) {
		body->held_bits = c == '=';
		return c != '=';
	}
	if ((c == '\r' || c == ' ' || c == '\t') && body->held_bits == 1)
		return false; /* a soft line break, RFC 2045 section 6.7 (5), with blanks that were put there */
	if (value < 0) {
		body->unseen |= c != '\n' || body->held_bits > 1;
		body->held_bits = 0;
		return c != '\n'; /* "=?": not so encoded after all; what was held is lost */
	}
	body->held = (body->held << 4 | (unsigned)value) & 0xffU;
	body->held_bits++;
	if (body->held_bits < 3)
		return false;
	body->held_bits = 0;
	*out = (char)body->held;
	return true;
}

static void body_add_quoted(struct body *body, const char *bytes, size_t length)
{
	char out[DECODED_MAX];
	size_t count = 0;
	for (size_t i = 0; i < length; i++) {
		count += body_quoted_byte(body, bytes[i], &out[count]);
		if (count == sizeof out) {
			body_found(body, out, count);
			count = 0;
		}
	}
	body_found(body, out, count);
}

static void body_add_text(struct body *body, const char *bytes, size_t length)
{
	if (body->encoding == BODY_BASE64)
		body_add_base64(body, bytes, length);
	else if (body->encoding == BODY_QUOTED)
		body_add_quoted(body, bytes, length);
	else
		body_found(body, bytes, length);
}

/* ---- header fields of the message and of its parts */

static bool body_begins_with(const char *string, const char *start)
{
	for (; *start != '\0'; string++, start++)
		if (text_lower(*string) != *start)
			return false;
	return true;
}

/* The value of parameter `boundary`, RFC 2045 section 5.1; "" where there is none or it is too long. */
static void body_read_boundary(const char *value, char boundary[BODY_BOUNDARY_MAX + 1])
{
	size_t length = 0;
	boundary[0] = '\0';
	while (*value != '\0' && !body_begins_with(value, "boundary="))
		value++;
	if (*value == '\0')
		return;
	value += strlen("boundary=");
	bool quoted = *value == '"';
	for (value += quoted; *value != '\0' && *value != '"' && (quoted || strchr("; \t\r\n(", *value) == NULL);
	     value++) {
		if (quoted && *value == '\\' && value[1] != '\0')
			value++;
		if (length == BODY_BOUNDARY_MAX) {
			boundary[0] = '\0';
			return;
		}
		boundary[length++] = *value;
	}
	while (length > 0 && boundary[length - 1] == ' ')
		length--;
	boundary[length] = '\0';
}

static enum body_kind body_kind_of(const char *type)
{
	static const char *const words[] = {
#define BODY_KIND_WORD(id, word) word,
		BODY_KIND_ROWS(BODY_KIND_WORD)
#undef BODY_KIND_WORD
	};
	int kind = 0;
	while (!body_begins_with(type, words[kind])) /* the last one is empty */
		kind++;
	return (enum body_kind)kind;
}

/* In this charset letters stand for others, so that it may hide a link. */
static bool body_is_utf7(const char *value)
{
	while (*value != '\0' && !body_begins_with(value, "utf-7") && !body_begins_with(value, "utf7"))
		value++;
	return *value != '\0';
}

/* A multipart deeper than we look has none of its parts read. */
static void body_on_type(struct body *body, const char *value)
{
	value += strspn(value, " \t\r\n");
	bool plain = body_begins_with(value, "text/plain"), several = body_begins_with(value, "multipart/");
	/* parts of a digest are messages where they do not say what they are */
	body->unseen |= body->typed || body_is_utf7(value) || body_begins_with(value, "multipart/digest");
	body->typed = true;
	body->kind = plain || several ? 0 : 1U << body_kind_of(value);
	body->nested = body_begins_with(value, "message/rfc822") || body_begins_with(value, "message/global");
	body->text = plain || body->kind == 1U << BODY_KIND_HTML;
	if (!several)
		return;
	if (body->depth < BODY_DEPTH_MAX) {
		body_read_boundary(value, body->boundaries[body->depth]);
		if (body->boundaries[body->depth][0] != '\0') {
			body->depth++;
			return;
		}
	}
	body->unseen = true;
}

/* RFC 2045 section 6; what is none of these a reader may know all the same. */
static bool body_is_as_it_is(const char *encoding)
{
	static const char *const words[] = { "7bit", "8bit", "binary" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (body_begins_with(encoding, words[i]))
			return true;
	return *encoding == '\0';
}

static void body_on_encoding(struct body *body, const char *value)
{
	value += strspn(value, " \t\r\n");
	body->encoding = body_begins_with(value, "base64")	       ? BODY_BASE64
			 : body_begins_with(value, "quoted-printable") ? BODY_QUOTED
								       : BODY_AS_IT_IS;
	body->unseen |= body->encoded || (body->encoding == BODY_AS_IT_IS && !body_is_as_it_is(value));
	body->encoded = true;
}

void body_header(struct body *body, const char *name, const char *value)
{
	if (text_lower(name[0]) != 'c')
		return;
	if (text_same_nocase(name, "Content-Type"))
		body_on_type(body, value);
	else if (text_same_nocase(name, "Content-Transfer-Encoding"))
		body_on_encoding(body, value);
}

/* RFC 2045 section 5.2: a part that does not say what it is, is plain text. */
static void body_begin_header(struct body *body)
{
	body->state = BODY_HEADER;
	body->text = true;
	body->nested = body->typed = body->encoded = body->padded = false;
	body->kind = 0;
	body->encoding = BODY_AS_IT_IS;
	body->held = body->held_bits = 0;
	body->field_length = 0;
}

static void body_end_field(struct body *body)
{
	body->field[body->field_length] = '\0';
	body->field_length = 0;
	char *colon = strchr(body->field, ':');
	if (colon == NULL)
		return;
	*colon = '\0';
	body->field[strcspn(body->field, " \t")] = '\0';
	body_header(body, body->field, colon + 1);
}

static void body_add_field(struct body *body, const char *bytes, size_t length)
{
	size_t room = BODY_FIELD_MAX - body->field_length;
	if (length > room) {
		memcpy(body->field + body->field_length, bytes, room);
		body->field_length = BODY_FIELD_MAX;
		body->unseen |= body_begins_with(body->field, "content-");
		return;
	}
	memcpy(body->field + body->field_length, bytes, length);
	body->field_length += length;
}

/* What follows is text, or is to be skipped until the next boundary. */
static void body_end_header(struct body *body)
{
	body_end_field(body);
	body_header_end(body);
}

/* ---- lines */

/* Which of the open multiparts' boundaries the line is; -1: none. */
static int body_find_boundary(const struct body *body, const char *line, size_t length, bool *closes_out)
{
	if (length < 3 || line[0] != '-' || line[1] != '-')
		return -1;
	for (int i = body->depth - 1; i >= 0; i--) {
		size_t want = strlen(body->boundaries[i]), at = want + 2;
		if (length < at || memcmp(line + 2, body->boundaries[i], want) != 0)
			continue;
		*closes_out = length >= at + 2 && line[at] == '-' && line[at + 1] == '-';
		for (at += *closes_out ? 2 : 0; at < length && strchr(" \t\r\n", line[at]) != NULL && line[at] != '\0';)
			at++;
		if (at == length)
			return i;
	}
	return -1;
}

/* A header line of a part; `first`: the line begins with it. */
static void body_header_line(struct body *body, const char *line, size_t length, bool first)
{
	size_t text = length;
	while (text > 0 && (line[text - 1] == '\n' || line[text - 1] == '\r'))
		text--;
	if (first && text == 0) {
		body_end_header(body);
		return;
	}
	if (first && line[0] != ' ' && line[0] != '\t')
		body_end_field(body);
	body_add_field(body, line, text);
}

static void body_take_line(struct body *body, const char *line, size_t length, bool first)
{
	bool closes = false;
	int found = first ? body_find_boundary(body, line, length, &closes) : -1;
	if (found >= 0) {
		body->depth = closes ? found : found + 1;
		if (closes)
			body->state = BODY_SKIP;
		else
			body_begin_header(body);
	} else if (body->state == BODY_HEADER) {
		body_header_line(body, line, length, first);
	} else if (body->state == BODY_TEXT) {
		body_add_text(body, line, length);
	}
}

/* A piece of a line: whole, its beginning, or more of it. */
static void body_add_piece(struct body *body, const char *bytes, size_t length)
{
	bool ends = bytes[length - 1] == '\n';
	if (body->line_length + length > sizeof body->line) { /* longer than any boundary */
		if (body->line_length > 0)
			body_take_line(body, body->line, body->line_length, !body->line_goes_on);
		body->line_goes_on |= body->line_length > 0;
		body->line_length = 0;
	}
	if (body->line_length == 0 && (ends || length > sizeof body->line)) {
		body_take_line(body, bytes, length, !body->line_goes_on);
		body->line_goes_on = !ends;
		return;
	}
	memcpy(body->line + body->line_length, bytes, length);
	body->line_length += length;
	if (!ends)
		return;
	body_take_line(body, body->line, body->line_length, !body->line_goes_on);
	body->line_length = 0;
	body->line_goes_on = false;
}

static void body_add_lines(struct body *body, const char *bytes, size_t length)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t piece = end != NULL ? (size_t)(end - bytes) + 1 : length;
		body_add_piece(body, bytes, piece);
		bytes += piece;
		length -= piece;
	}
}

/* ---- the message */

void body_begin(struct body *body, const uint64_t key[2])
{
	memcpy(body->key, key, sizeof body->key);
	fingerprint_begin(&body->fingerprint, key);
	links_begin(&body->links, key);
	body->looked = 0;
	body->kinds = 0;
	body->unseen = false;
	body->depth = 0;
	body->line_length = 0;
	body->line_goes_on = false;
	body_begin_header(body);
}

void body_header_end(struct body *body)
{
	body->kinds |= body->kind;
	if (body->nested && body->encoding == BODY_AS_IT_IS) {
		body_begin_header(body);
		return;
	}
	body->unseen |= body->nested;
	body->state = body->text ? BODY_TEXT : BODY_SKIP;
	if (body->text)
		links_part(&body->links, body->kind == 1U << BODY_KIND_HTML);
}

void body_add(struct body *body, const char *bytes, size_t length)
{
	if (length > BODY_LOOKED_MAX - body->looked) {
		length = BODY_LOOKED_MAX - body->looked;
		body->unseen = true;
	}
	if (length == 0)
		return;
	body->looked += length;
	if (body->depth == 0 && body->state == BODY_TEXT && body->line_length == 0)
		body_add_text(body, bytes, length);
	else if (body->depth > 0 || body->state != BODY_SKIP)
		body_add_lines(body, bytes, length);
}

/* Of the fingerprint and what stands beside the text: the owner's words with another's picture are another text. */
static uint64_t body_text_hash(const struct body *body, uint64_t fingerprint)
{
	const uint64_t both[2] = { fingerprint, body->kinds };
	if (fingerprint == 0 || body->unseen)
		return 0;
	uint64_t hash = hash_keyed(body->key, both, sizeof both);
	return hash != 0 ? hash : 1;
}

void body_end(struct body *body, const char *reply, struct facts *facts)
{
	int words;
	if (body->line_length > 0)
		body_take_line(body, body->line, body->line_length, !body->line_goes_on);
	body->line_length = 0;
	body->unseen |= body->state == BODY_HEADER;
	facts->fingerprint = fingerprint_end(&body->fingerprint, &words);
	facts->text_words = words;
	facts->text = body_text_hash(body, facts->fingerprint);
	if (reply != NULL)
		links_add_host(&body->links, reply);
	links_end(&body->links, facts);
}
