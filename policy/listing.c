/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/listing.h"

#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const kinds[LIST_KIND_COUNT] = {
#define LIST_KIND_ROW(id, word) [LIST_##id] = word,
	LIST_KIND_ROWS(LIST_KIND_ROW)
#undef LIST_KIND_ROW
};

const char *list_kind_word(enum list_kind kind)
{
	return kinds[kind];
}

enum list_kind list_kind_find(const char *word)
{
	for (int i = LIST_EXPLOIT; i < LIST_KIND_COUNT; i++)
		if (strcmp(word, kinds[i]) == 0)
			return (enum list_kind)i;
	return LIST_NONE;
}

static enum list_kind kind_of(const struct list *list, uint32_t code)
{
	for (int i = 0; i < list->code_count; i++)
		if (code >= list->codes[i].first && code <= list->codes[i].last)
			return list->codes[i].kind;
	return list->kind;
}

static void add_hit(struct listings *listings, const struct list *list, enum list_kind kind)
{
	for (int i = 0; i < listings->hit_count; i++)
		if (listings->hits[i].list == list && listings->hits[i].kind == kind)
			return;
	if (listings->hit_count < LISTING_HITS_MAX)
		listings->hits[listings->hit_count++] = (struct listing){ list, kind };
}

bool listing_code_lies(uint32_t code)
{
	return code >> 24 != 127;
}

bool listing_code_refuses(uint32_t code)
{
	return code >> 8 == 0x7fffffU;
}

enum list_answer listings_add(struct listings *listings, const struct list *list, const uint32_t *codes, size_t count)
{
	enum list_answer answer = ANSWER_CLEAN;
	for (size_t i = 0; i < count; i++) {
		bool lie = listing_code_lies(codes[i]);
		if (lie || listing_code_refuses(codes[i])) {
			listings->hijacked += lie;
			listings->unknown++;
			return ANSWER_UNKNOWN;
		}
	}
	for (size_t i = 0; i < count; i++) {
		enum list_kind kind = kind_of(list, codes[i]);
		if (kind == LIST_NONE)
			continue;
		add_hit(listings, list, kind);
		answer = ANSWER_LISTED;
	}
	return answer;
}

void listings_close(struct listings *listings, int lists)
{
	if (listings->hijacked == 0)
		return;
	listings->hit_count = 0;
	listings->unknown = lists;
}

static bool parse_code(const char *text, size_t length, uint32_t *code_out)
{
	char copy[16];
	struct netaddr address;
	if (length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strchr(copy, ':') != NULL)
		return false;
	if (!netaddr_parse(copy, &address) || address.family != NETADDR_V4 || address.bytes[0] != 127)
		return false;
	const uint8_t *b = address.bytes;
	*code_out = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

bool list_code_parse(const char *text, struct list_code *code_out)
{
	size_t codes = strcspn(text, " ");
	size_t first = strcspn(text, "- ");
	const char *last = first < codes ? text + first + 1 : text;
	struct list_code code;
	if (text[codes] == '\0' || !parse_code(text, first, &code.first) ||
	    !parse_code(last, codes - (size_t)(last - text), &code.last) || code.first > code.last)
		return false;
	code.kind = list_kind_find(text + codes + 1);
	*code_out = code;
	return code.kind != LIST_NONE;
}

const struct listing *listings_find(const struct listings *listings, enum list_kind kind)
{
	for (int i = 0; i < listings->hit_count; i++)
		if (listings->hits[i].kind == kind)
			return &listings->hits[i];
	return NULL;
}
