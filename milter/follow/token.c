/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/token.h"

#include "milter/base/queue_id.h"

#include <string.h>

#include "policy/base/banned.h"

enum { DIGITS_MOST = 18, SHORT_ID_LEAST = 6, LONG_ID_LEAST = 12, SENDMAIL_ID_LEAST = 12, SENDMAIL_ID_DIGITS = 5 };

static struct span behind(struct span span, size_t length)
{
	if (length == 0) /* of nothing, too */
		return span;
	return (struct span){ span.at + length, span.length - length };
}

static bool token_begins(struct span span, const char *word, size_t length)
{
	return span.length >= length && memcmp(span.at, word, length) == 0;
}

bool token_skip(struct span *rest, const char *word)
{
	size_t length = strlen(word);
	if (rest->length < length || memcmp(rest->at, word, length) != 0)
		return false;
	*rest = behind(*rest, length);
	return true;
}

bool token_until(struct span *rest, const char *stop, struct span *out)
{
	size_t length = strlen(stop);
	const char *found = rest->length > 0 ? memmem(rest->at, rest->length, stop, length) : NULL;
	if (found == NULL)
		return false;
	*out = (struct span){ rest->at, (size_t)(found - rest->at) };
	*rest = behind(*rest, out->length + length);
	return true;
}

struct span token_to(struct span *rest, const char *stop)
{
	struct span out = *rest;
	if (!token_until(rest, stop, &out))
		*rest = behind(*rest, rest->length);
	return out;
}

bool token_behind_last(struct span span, const char *mark, struct span *out)
{
	size_t length = strlen(mark);
	for (size_t at = span.length; at >= length; at--)
		if (span.at[at - 1] == mark[length - 1] && memcmp(span.at + at - length, mark, length) == 0) {
			*out = behind(span, at);
			return true;
		}
	return false;
}

bool token_number(struct span *rest, int64_t *out)
{
	int64_t number = 0;
	size_t digits = 0;
	for (; digits < rest->length && rest->at[digits] >= '0' && rest->at[digits] <= '9'; digits++) {
		if (digits == DIGITS_MOST)
			return false;
		number = number * 10 + (rest->at[digits] - '0');
	}
	if (digits == 0)
		return false;
	*out = number;
	*rest = behind(*rest, digits);
	return true;
}

bool token_ends(struct span span, const char *word)
{
	size_t length = strlen(word);
	return span.length >= length && memcmp(span.at + span.length - length, word, length) == 0;
}

bool token_cut_end(struct span *span, const char *word)
{
	if (!token_ends(*span, word))
		return false;
	span->length -= strlen(word);
	return true;
}

/* Bytes of the character that the backslash at the front hides; `twice`: each backslash stands there twice. */
static size_t token_escape(struct span span, bool twice)
{
	size_t length = 2;
	if (twice && token_begins(span, "\\\\", 2))
		length = token_begins(behind(span, 2), "\\\\", 2) ? 4 : 3;
	return length < span.length ? length : span.length;
}

/* Bytes before the first byte outside of quotes that is in `stops`; all of it where none is. */
static size_t token_unquoted(struct span span, const char *stops, bool twice)
{
	bool quoted = false;
	size_t at = 0;
	while (at < span.length) {
		char c = span.at[at];
		if (!quoted && c != '\0' && strchr(stops, c) != NULL)
			return at;
		if (c == '"')
			quoted = !quoted;
		at += quoted && c == '\\' ? token_escape(behind(span, at), twice) : 1;
	}
	return span.length;
}

/* Where addresses are logged in their internal form, without quotes, a bracket may be a part of one; what ends it is
 * then followed by what follows an address. */
bool token_address(struct span *rest, struct span *out)
{
	struct span left = *rest;
	if (!token_skip(&left, "<"))
		return false;
	size_t length = token_unquoted(left, ">", false);
	while (length + 1 < left.length && left.at[length + 1] != ',' && left.at[length + 1] != ' ')
		length += 1 + token_unquoted(behind(left, length + 1), ">", false);
	if (length >= left.length)
		return false;
	*out = (struct span){ left.at, length };
	*rest = behind(left, length + 1);
	return true;
}

bool token_sendmail_rcpt(struct span *rest, struct span *out)
{
	struct span left = *rest;
	bool bracket = token_skip(&left, "<");
	size_t length = token_unquoted(left, bracket ? ">" : ",", true);
	if (bracket && length == left.length)
		return false;
	*out = (struct span){ left.at, length };
	*rest = behind(left, length + bracket);
	return bracket || length > 0;
}

bool token_host(struct span *rest, struct span *host_out, struct span *address_out)
{
	struct span left = *rest, host, address;
	int64_t port;
	if (!token_until(&left, "[", &host) || memchr(host.at, ' ', host.length) != NULL ||
	    !token_until(&left, "]", &address))
		return false;
	struct span behind_port = left;
	if (token_skip(&behind_port, ":") && token_number(&behind_port, &port))
		left = behind_port;
	if (host_out != NULL)
		*host_out = host;
	if (address_out != NULL)
		*address_out = address;
	*rest = left;
	return true;
}

static bool token_is_of(struct span span, const char *characters)
{
	for (size_t i = 0; i < span.length; i++)
		if (span.at[i] == '\0' || strchr(characters, span.at[i]) == NULL)
			return false;
	return true;
}

bool token_is_postfix_id(struct span span)
{
	return span.length >= SHORT_ID_LEAST && span.length <= QUEUE_ID_MOST &&
	       (token_is_of(span, "0123456789ABCDEF") ||
		(span.length >= LONG_ID_LEAST &&
		 token_is_of(span, "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz")));
}

bool token_is_sendmail_id(struct span span)
{
	if (span.length < SENDMAIL_ID_LEAST || span.length > QUEUE_ID_MOST)
		return false;
	for (size_t i = 0; i < span.length; i++) {
		char c = span.at[i];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!digit && (!letter || i + SENDMAIL_ID_DIGITS >= span.length))
			return false;
	}
	return true;
}
