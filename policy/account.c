/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/account.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const sources[SOURCE_COUNT] = {
#define SOURCE_ROW(id, word) [SOURCE_##id] = word,
	SOURCE_ROWS(SOURCE_ROW)
#undef SOURCE_ROW
};

const char *source_word(enum source source)
{
	return sources[source];
}

enum source source_find(const char *word)
{
	for (int i = SOURCE_AUTH; i < SOURCE_COUNT; i++)
		if (strcmp(word, sources[i]) == 0)
			return (enum source)i;
	return SOURCE_NONE;
}

static bool needs_escape(unsigned char c)
{
	return c <= 0x20 || c == 0x7f || c == '%' || c == '{' || c == '}' || c == '"' || c == '\\';
}

static void add_name_byte(struct text *name, char c)
{
	if (needs_escape((unsigned char)c)) {
		text_addf(name, "%%%02X", (unsigned)(unsigned char)c);
		return;
	}
	char lower = text_lower(c);
	text_add_bytes(name, &lower, 1);
}

/* Of all of a name, without its tag. */
static uint64_t hash_of_name(const char *raw, const char *tag, const char *domain)
{
	uint64_t whole = 0;
	for (const char *at = raw; *at != '\0'; at++) {
		if (at == tag)
			at = domain;
		char lower = text_lower(*at);
		whole = hash_bytes(&lower, 1, whole);
	}
	return whole;
}

bool account_name(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1])
{
	enum { TAIL = 17 };	/* '#' and 16 hexadecimal digits */
	struct text text = text_over(name, ACCOUNT_MAX + 1);
	const char *domain = strrchr(raw, '@');
	const char *tag = NULL;	/* a leading plus is part of the name */
	if (cut_tag && domain > raw + 1)
		tag = memchr(raw + 1, '+', (size_t)(domain - raw) - 1);
	for (const char *at = raw; *at != '\0'; at++) {
		if (at == tag)
			at = domain;
		add_name_byte(&text, *at);
	}
	if (text.cut) {
		text.length = ACCOUNT_MAX - TAIL;
		text_addf(&text, "#%016llx", (unsigned long long)hash_of_name(raw, tag, domain));
	}
	return text.length > 0;
}

bool address_of(const char *raw, char address[ADDRESS_MAX + 1])
{
	struct text text = text_over(address, ADDRESS_MAX + 1);
	const char *start = raw, *end = raw + strlen(raw);
	if (*start == '<') {
		start++;
		if (end > start && end[-1] == '>')
			end--;
	}
	const char *route = memchr(start, ':', (size_t)(end - start));
	if (*start == '@' && route != NULL)
		start = route + 1;
	text_add_bytes(&text, start, (size_t)(end - start));
	return !text.cut;
}

const char *address_domain(const char *address)
{
	const char *at = strrchr(address, '@');
	return at != NULL ? at + 1 : "";
}

void account_group(enum scope scope, const char *name, char group[ACCOUNT_MAX + 1])
{
	struct text text = text_over(group, ACCOUNT_MAX + 1);
	text_addf(&text, "%s:%s", scope_word(scope), name);
}

enum scope account_scope(const char *name)
{
	for (int scope = SCOPE_ACCOUNT + 1; scope < SCOPE_COUNT; scope++) {
		size_t length = strlen(scope_word((enum scope)scope));
		if (strncmp(name, scope_word((enum scope)scope), length) == 0 && name[length] == ':')
			return (enum scope)scope;
	}
	return SCOPE_ACCOUNT;
}

bool account_is_group(const char *name)
{
	return account_scope(name) != SCOPE_ACCOUNT;
}
