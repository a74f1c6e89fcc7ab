/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/links_entity.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { CODE_MAX = 0x10ffff, NO_BREAK_SPACE = 0xa0 };

bool links_is_alnum(char c)
{
	char lower = text_lower(c);
	return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
}

static const struct {
	char name[LINKS_ENTITY_MAX + 1];
	char c;
	bool open; /* needs no semicolon */
} names[] = {
	{ "amp", '&', true },	    { "lt", '<', true },      { "gt", '>', true },	{ "quot", '"', true },
	{ "nbsp", ' ', true },	    { "apos", '\'', false },  { "period", '.', false }, { "sol", '/', false },
	{ "colon", ':', false },    { "commat", '@', false }, { "bsol", '\\', false },	{ "percnt", '%', false },
	{ "num", '#', false },	    { "quest", '?', false },  { "Tab", '\t', false },	{ "NewLine", '\n', false },
	{ "lowbar", '_', false },   { "equals", '=', false }, { "comma", ',', false },	{ "semi", ';', false },
	{ "AMP", '&', true },	    { "LT", '<', true },      { "GT", '>', true },	{ "QUOT", '"', true },
	{ "lsqb", '[', false },	    { "lbrack", '[', false }, { "rsqb", ']', false },	{ "rbrack", ']', false },
	{ "UnderBar", '_', false },
};

/* -1: not one of those that matter. */
static int links_named_code(const char *name, size_t length, bool closed)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (length > 0 && names[i].name[0] == name[0] && strlen(names[i].name) == length &&
		    memcmp(names[i].name, name, length) == 0 && (closed || names[i].open))
			return names[i].c;
	return -1;
}

/* Of "#46" or "#x2e"; -1: it is none. */
static long links_number_code(const char *number, size_t length)
{
	bool hex = length > 1 && (number[1] == 'x' || number[1] == 'X');
	size_t at = hex ? 2 : 1;
	long code = at < length ? 0 : -1;
	for (; at < length && code <= CODE_MAX; at++) {
		int value = text_hex(number[at]);
		if (value < 0 || (!hex && value > 9))
			return -1;
		code = code * (hex ? 16 : 10) + value;
	}
	return code <= CODE_MAX ? code : -1;
}

/* As UTF-8. */
static size_t links_code_bytes(unsigned code, char *bytes)
{
	static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };
	if (code == NO_BREAK_SPACE)
		code = ' ';
	int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	size_t length = 0;
	bytes[length++] = (char)(first[more] | code >> 6 * more);
	while (more-- > 0)
		bytes[length++] = (char)(0x80 | (code >> 6 * more & 0x3f));
	return length;
}

size_t links_entity_end(struct links_entity *entity, bool closed, char bytes[LINKS_ENTITY_ROOM])
{
	size_t length = entity->length;
	long code = length > 0 && entity->name[0] == '#' ? links_number_code(entity->name, length)
							 : links_named_code(entity->name, length, closed);
	entity->open = false;
	entity->length = 0;
	if (code >= 0)
		return links_code_bytes((unsigned)code, bytes);
	bytes[0] = '&';
	memcpy(bytes + 1, entity->name, length);
	bytes[++length] = ';';
	return length + closed;
}

static bool links_entity_is_hex(const struct links_entity *entity)
{
	return entity->length > 1 && (entity->name[1] == 'x' || entity->name[1] == 'X');
}

static bool links_entity_goes_on(const struct links_entity *entity, char c)
{
	size_t length = entity->length;
	bool number = length > 0 && entity->name[0] == '#';
	if (length == LINKS_ENTITY_MAX)
		return false;
	if (length == 0 ? c == '#' : number && length == 1 && (c == 'x' || c == 'X'))
		return true;
	if (!number)
		return links_is_alnum(c);
	return text_hex(c) >= 0 && (links_entity_is_hex(entity) || (c >= '0' && c <= '9'));
}

/* "#000046" has any number of noughts, of which one is kept. */
static bool links_entity_is_nought(const struct links_entity *entity, char c)
{
	size_t first = links_entity_is_hex(entity) ? 2 : 1;
	return c == '0' && entity->length == first + 1 && entity->name[0] == '#' && entity->name[first] == '0';
}

bool links_entity_take(struct links_entity *entity, char c)
{
	if (links_entity_is_nought(entity, c))
		return true;
	if (!links_entity_goes_on(entity, c))
		return false;
	entity->name[entity->length++] = c;
	return true;
}
