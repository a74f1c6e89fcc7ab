/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/content/spamd.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* What is still to be read. */
struct cursor {
	const char *at, *end;
};

/* spamd may make a path of the name (-x with --virtual-config-dir): only what cannot walk out of it. */
static bool user_is_safe(const char *user)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=@.";
	return *user != '\0' && *user != '.' && *user != '-' && user[strspn(user, plain)] == '\0' &&
	       strstr(user, "..") == NULL;
}

size_t spamd_request(const char *user, size_t length, char *request, size_t size)
{
	if (size == 0)
		return 0;
	struct text text = text_over(request, size);
	text_addf(&text, "SYMBOLS SPAMC/1.5\r\nContent-length: %zu\r\n", length);
	if (user != NULL && user_is_safe(user))
		text_addf(&text, "User: %s\r\n", user);
	text_add(&text, "\r\n");
	return text.cut ? 0 : text.length;
}

static bool spamd_take_line(struct cursor *from, struct cursor *line_out)
{
	const char *newline = memchr(from->at, '\n', (size_t)(from->end - from->at));
	if (newline == NULL)
		return false;
	*line_out = (struct cursor){ from->at, newline };
	if (newline > from->at && newline[-1] == '\r')
		line_out->end--;
	from->at = newline + 1;
	return true;
}

static void skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
		cursor->at++;
}

static bool is_digit(const struct cursor *cursor)
{
	return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool spamd_take_char(struct cursor *cursor, char wanted)
{
	if (cursor->at == cursor->end || *cursor->at != wanted)
		return false;
	cursor->at++;
	return true;
}

/* Without regard to case. */
static bool spamd_take_word(struct cursor *cursor, const char *word)
{
	const char *at = cursor->at;
	for (; *word != '\0'; word++, at++)
		if (at == cursor->end || text_lower(*at) != text_lower(*word))
			return false;
	cursor->at = at;
	return true;
}

static bool spamd_take_number(struct cursor *cursor, size_t *number_out)
{
	size_t number = 0;
	int digits = 0;
	for (; is_digit(cursor) && digits < 10; digits++)
		number = number * 10 + (size_t)(*cursor->at++ - '0');
	*number_out = number;
	return digits > 0 && !is_digit(cursor);
}

/* -12.3; not by strtod, which reads a comma in some locales, and "inf" and "nan" in all. */
static bool spamd_take_score(struct cursor *cursor, double *score_out)
{
	enum { DIGITS_MAX = 9 };
	double score = 0, unit = 1;
	int digits = 0;
	bool negative = spamd_take_char(cursor, '-');
	for (; is_digit(cursor) && digits < DIGITS_MAX; digits++)
		score = score * 10 + (*cursor->at++ - '0');
	if (digits == 0 || is_digit(cursor))
		return false;
	if (spamd_take_char(cursor, '.')) {
		if (!is_digit(cursor))
			return false;
		for (digits = 0; is_digit(cursor); cursor->at++) {
			if (digits++ >= DIGITS_MAX)
				continue;
			score = score * 10 + (*cursor->at - '0');
			unit *= 10;
		}
	}
	*score_out = (negative ? -score : score) / unit;
	return true;
}

/* "SPAMD/1.1 0 EX_OK" */
static const char *spamd_read_status(struct cursor line)
{
	size_t ignored, code;
	if (!spamd_take_word(&line, "SPAMD/") || !spamd_take_number(&line, &ignored) || !spamd_take_char(&line, '.') ||
	    !spamd_take_number(&line, &ignored) || !spamd_take_char(&line, ' ') || !spamd_take_number(&line, &code))
		return "expected a reply that begins with SPAMD/VERSION CODE";
	return code == 0 ? NULL : "spamd refused the request: its code is not 0";
}

/* "True ; 15.3 / 5.0" */
static bool spamd_read_spam(struct cursor value, struct content *content)
{
	content->spam = spamd_take_word(&value, "True") || spamd_take_word(&value, "Yes");
	if (!content->spam && !spamd_take_word(&value, "False") && !spamd_take_word(&value, "No"))
		return false;
	skip_blanks(&value);
	if (!spamd_take_char(&value, ';'))
		return false;
	skip_blanks(&value);
	if (!spamd_take_score(&value, &content->score))
		return false;
	skip_blanks(&value);
	if (!spamd_take_char(&value, '/'))
		return false;
	skip_blanks(&value);
	if (!spamd_take_score(&value, &content->threshold))
		return false;
	skip_blanks(&value);
	return value.at == value.end;
}

/* What the reply's head has told. */
struct spamd_head {
	bool spam, sized;
	size_t body_length;
};

static const char *spamd_read_header(struct cursor line, struct spamd_head *head, struct content *content)
{
	if (spamd_take_word(&line, "Spam:")) {
		skip_blanks(&line);
		head->spam = spamd_read_spam(line, content);
		return head->spam ? NULL : "expected Spam: True or False ; SCORE / THRESHOLD";
	}
	if (spamd_take_word(&line, "Content-length:")) {
		skip_blanks(&line);
		head->sized = spamd_take_number(&line, &head->body_length) && head->body_length <= SPAMD_REPLY_MAX;
		skip_blanks(&line);
		head->sized = head->sized && line.at == line.end;
		return head->sized ? NULL : "expected Content-length: and a number that is not too large";
	}
	return NULL;
}

/* Names of rules with commas, whole ones as far as they fit. */
static void spamd_read_rules(struct cursor body, char *rules, size_t size)
{
	size_t length = 0, whole = 0;
	while (body.at < body.end && (unsigned char)*body.at <= ' ')
		body.at++;
	for (; body.at < body.end && *body.at != '\r' && *body.at != '\n'; body.at++) {
		char c = *body.at;
		bool plain = is_digit(&body) || (text_lower(c) >= 'a' && text_lower(c) <= 'z') || c == '_' || c == ',';
		if (c == ',')
			whole = length;
		if (length == size - 1) {
			length = whole;
			break;
		}
		rules[length++] = plain ? c : '?';
	}
	rules[length] = '\0';
}

static enum spamd_progress spamd_read_body(struct cursor body, const struct spamd_head *head, bool ended,
					   struct content *content, const char **why_out)
{
	size_t length = (size_t)(body.end - body.at);
	if (!head->spam) {
		*why_out = "expected a Spam: header";
		return SPAMD_BAD;
	}
	if (head->sized ? length < head->body_length : !ended) {
		*why_out = "the reply ended before its Content-length";
		return ended ? SPAMD_BAD : SPAMD_MORE;
	}
	if (head->sized)
		body.end = body.at + head->body_length;
	spamd_read_rules(body, content->rules, sizeof content->rules);
	content->known = KNOWLEDGE_FULL;
	return SPAMD_DONE;
}

static enum spamd_progress spamd_read_reply(struct cursor reply, bool ended, struct content *content,
					    const char **why_out)
{
	struct cursor line;
	struct spamd_head head = { 0 };
	bool first = true;
	while (spamd_take_line(&reply, &line)) {
		if (!first && line.at == line.end)
			return spamd_read_body(reply, &head, ended, content, why_out);
		*why_out = first ? spamd_read_status(line) : spamd_read_header(line, &head, content);
		if (*why_out != NULL)
			return SPAMD_BAD;
		first = false;
	}
	*why_out = "the reply ended before the empty line behind its headers";
	return ended ? SPAMD_BAD : SPAMD_MORE;
}

enum spamd_progress spamd_reply(const char *bytes, size_t length, bool ended, struct content *content_out,
				const char **why_out)
{
	struct content content = *content_out;
	content.rules[0] = '\0';
	if (length > SPAMD_REPLY_MAX) {
		*why_out = "the reply is too long";
		return SPAMD_BAD;
	}
	if (length == 0 && !ended)
		return SPAMD_MORE;
	enum spamd_progress progress =
		length == 0 ? SPAMD_BAD
			    : spamd_read_reply((struct cursor){ bytes, bytes + length }, ended, &content, why_out);
	if (length == 0)
		*why_out = "the connection was closed without a reply";
	if (progress == SPAMD_DONE)
		*content_out = content;
	return progress;
}
