/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/address.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* Behind the comment that begins at `at`, RFC 5322 section 3.2.2; one that does not end takes all. */
static const char *address_skip_comment(const char *at)
{
	int depth = 0;
	do {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else
			depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
		at++;
	} while (depth > 0 && *at != '\0');
	return at;
}

/* Without quotes, comments and blanks. True where a domain is there: an '@' outside of quotes. */
static bool address_unquote(const char *at, struct text *text)
{
	bool quoted = false, domain = false;
	while (*at != '\0') {
		if (*at == '"') {
			quoted = !quoted;
			at++;
		} else if (!quoted && *at == '(') {
			at = address_skip_comment(at);
		} else if (!quoted && (*at == ' ' || *at == '\t')) {
			at++;
		} else {
			if (*at == '\\' && at[1] != '\0')
				at++;
			else
				domain |= !quoted && *at == '@';
			text_add_bytes(text, at++, 1);
		}
	}
	return domain;
}

/* Of an address without a domain. Postfix looks for '!' first; of several the first, but of '%' the last. */
static bool address_find_host(char *local)
{
	char *bang = strchr(local, '!'), *percent = strrchr(local, '%');
	size_t length = strlen(local);
	if (bang != NULL && bang > local && bang[1] != '\0') {
		char host[ADDRESS_MAX + 1];
		size_t host_length = (size_t)(bang - local), rest = length - host_length - 1;
		memcpy(host, local, host_length);
		memmove(local, bang + 1, rest);
		local[rest] = '@';
		memcpy(local + rest + 1, host, host_length);
		return true;
	}
	if (percent != NULL && percent > local && percent[1] != '\0') {
		*percent = '@';
		return true;
	}
	return false;
}

bool address_normal(const char *raw, char normal[ADDRESS_MAX + 1])
{
	char address[ADDRESS_MAX + 1];
	struct text text = text_over(normal, ADDRESS_MAX + 1);
	bool whole = address_of(raw, address);
	if (!address_unquote(address, &text) && strchr(normal, '@') == NULL)
		address_find_host(normal);
	size_t length = strlen(normal);
	if (length > 1 && normal[length - 1] == '.' && strchr("@.", normal[length - 2]) == NULL &&
	    strchr(normal, '@') != NULL)
		normal[length - 1] = '\0';
	return whole;
}

bool address_routed(const char *normal, char routed[ADDRESS_MAX + 1])
{
	const char *at = strrchr(normal, '@');
	if (at == NULL || at == normal)
		return false;
	size_t length = (size_t)(at - normal);
	if (length > ADDRESS_MAX)
		return false;
	memmove(routed, normal, length);
	routed[length] = '\0';
	return strchr(routed, '@') != NULL || address_find_host(routed);
}

bool domain_within(const char *name, const char *domain)
{
	size_t name_length = strlen(name), length = strlen(domain);
	const char *tail = name_length > length ? name + name_length - length : name;
	return text_same_nocase(tail, domain) && (tail == name || tail[-1] == '.');
}

/* ---- what tells one message from the next */

static bool address_is_rewritten(const char *local)
{
	char mark[5];
	text_copy(mark, sizeof mark, local);
	return (text_same_nocase(mark, "SRS0") || text_same_nocase(mark, "SRS1")) && local[4] != '\0' &&
	       strchr("=+-", local[4]) != NULL;
}

bool address_forwarded(const char *normal)
{
	const char *tag = strstr(normal, "+SRS="), *at = strrchr(normal, '@');
	return at != NULL && at[1] != '\0' &&
	       (address_is_rewritten(normal) || (tag != NULL && tag > normal && tag < at));
}

static const char digits[] = "0123456789";
static const char word_bytes[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* How much of `local` is a signature and what comes with it. */
static size_t address_signature_length(const char *local)
{
	enum { TAG_MAX = 32 };
	static const struct {
		const char *head, *end;
	} rows[] = { { "prvs=", "=" }, { "btv1==", "==" }, { "msprvs1=", "=" } };
	char head[10];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t length = strlen(rows[i].head), tag;
		text_copy(head, length + 1, local);
		if (!text_same_nocase(head, rows[i].head))
			continue;
		tag = strspn(local + length, word_bytes);
		length += tag;
		if (tag == 0 || tag > TAG_MAX || strncmp(local + length, rows[i].end, strlen(rows[i].end)) != 0)
			continue;
		length += strlen(rows[i].end);
		return local[length] != '\0' ? length : 0;
	}
	return 0;
}

static bool address_is_domain(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && strchr(text, '.') != NULL && strchr(word_bytes, text[0]) != NULL &&
	       strchr(word_bytes, text[length - 1]) != NULL &&
	       text[strspn(text, "-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

/* Bytes at the head of `local` that are words without a digit; only whole words that end within `length`. */
static size_t address_words_length(const char *local, size_t length, const char *separators)
{
	size_t words = 0;
	for (size_t at = 0; at < length; at = words + 1) {
		size_t word = strcspn(local + at, separators);
		if (word == 0 || at + word > length || strcspn(local + at, digits) < word)
			break;
		words = at + word;
	}
	return words;
}

enum { NO_TAG = -1 };

/* ezmlm and qmail: LIST-return-NUMBER, and a recipient behind it, or none. */
static ptrdiff_t address_cut_return(const char *local)
{
	static const char word[] = "-return-";
	for (const char *at = local; (at = strstr(at, word)) != NULL; at++) {
		const char *number = at + strlen(word), *end = number + strspn(number, digits);
		if (at > local && end > number && (*end == '-' || *end == '\0'))
			return number - 1 - local;
	}
	return NO_TAG;
}

/* Words, and bob=example.net. */
static ptrdiff_t address_cut_recipient(const char *local)
{
	const char *equals = strrchr(local, '='), *rcpt = equals;
	if (equals == NULL || equals == local || !address_is_domain(equals + 1))
		return NO_TAG;
	while (rcpt > local && strchr("-=+", rcpt[-1]) == NULL)
		rcpt--;
	return rcpt > local ? (ptrdiff_t)address_words_length(local, (size_t)(rcpt - 1 - local), "-=+") : 0;
}

/* LISTSERV: OWNER-NEWS*bob**example.net */
static ptrdiff_t cut_starred(const char *local)
{
	const char *star = strchr(local, '*'), *stars = strstr(local, "**");
	return stars != NULL && star > local && stars > star + 1 && address_is_domain(stars + 2) ? star - local
												 : NO_TAG;
}

static size_t address_count_digits(const char *at, size_t length)
{
	size_t count = 0;
	for (size_t i = 0; i < length; i++)
		count += at[i] >= '0' && at[i] <= '9';
	return count;
}

/* A hash, a UUID, SES's row of numbers: hexadecimal words in a row. */
static ptrdiff_t address_cut_random(const char *local)
{
	enum { RANDOM_LEAST = 24 };
	static const char hexadecimal[] = "0123456789abcdefABCDEF", separators[] = "-=+_.";
	size_t sum = 0, numbers = 0, length;
	const char *start = local;
	for (const char *at = local; *at != '\0'; at += length + (at[length] != '\0')) {
		length = strcspn(at, separators);
		bool random = strspn(at, hexadecimal) >= length;
		if (sum == 0)
			start = at;
		sum = random ? sum + length : 0;
		numbers = random ? numbers + address_count_digits(at, length) : 0;
		if (sum >= RANDOM_LEAST && numbers > 0 && numbers < sum)
			return start > local
				       ? (ptrdiff_t)address_words_length(local, (size_t)(start - 1 - local), separators)
				       : 0;
	}
	return NO_TAG;
}

void address_untagged(const char *normal, char untagged[ADDRESS_MAX + 1])
{
	static ptrdiff_t (*const cuts[])(const char *local) = { address_cut_return, address_cut_recipient, cut_starred,
								address_cut_random };
	char local[ADDRESS_MAX + 1];
	struct text text = text_over(untagged, ADDRESS_MAX + 1), part = text_over(local, sizeof local);
	const char *at = strrchr(normal, '@');
	if (at == NULL || at == normal || at[1] == '\0') {
		text_add(&text, normal);
		return;
	}
	text_add_bytes(&part, normal, (size_t)(at - normal));
	const char *rest = local + address_signature_length(local);
	ptrdiff_t length = address_is_rewritten(local) ? 0 : NO_TAG;
	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0] && length == NO_TAG; i++)
		length = cuts[i](rest);
	text_add_bytes(&text, rest, length != NO_TAG ? (size_t)length : strlen(rest));
	text_add(&text, at);
}
