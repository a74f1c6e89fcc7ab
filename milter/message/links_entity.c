/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entities of HTML (character references, HTML section 13.2.5.72), as far as they matter in the host of a link. Others
 * stay as they are written.
 */
#include "milter/message/links_inside.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { CODE_MAX = 0x10ffff, NO_BREAK_SPACE = 0xa0 };

int links_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	char lower = text_lower(c);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

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
		if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0 &&
		    (closed || names[i].open))
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
		int value = links_hex_value(number[at]);
		if (value < 0 || (!hex && value > 9))
			return -1;
		code = code * (hex ? 16 : 10) + value;
	}
	return code <= CODE_MAX ? code : -1;
}

/* As UTF-8. */
static void links_take_code(struct links *links, unsigned code)
{
	if (code == NO_BREAK_SPACE)
		code = ' ';
	int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };
	links_take(links, (char)(first[more] | code >> 6 * more), true);
	while (more-- > 0)
		links_take(links, (char)(0x80 | (code >> 6 * more & 0x3f)), true);
}

void links_end_entity(struct links *links, bool closed)
{
	size_t length = links->entity_length;
	const char *entity = links->entity;
	long code = length > 0 && entity[0] == '#' ? links_number_code(entity, length)
						   : links_named_code(entity, length, closed);
	links->in_entity = false;
	links->entity_length = 0;
	if (code >= 0) {
		links_take_code(links, (unsigned)code);
		return;
	}
	links_take(links, '&', true);
	for (size_t i = 0; i < length; i++)
		links_take(links, entity[i], true);
	if (closed)
		links_take(links, ';', true);
}

/* Is it a byte of the entity under way? "#000046" has any number of noughts, of which none is kept. */
static bool links_entity_goes_on(struct links *links, char c)
{
	size_t length = links->entity_length;
	const char *entity = links->entity;
	bool number = length > 0 && entity[0] == '#', hex = length > 1 && (entity[1] == 'x' || entity[1] == 'X');
	if (length == LINKS_ENTITY_MAX)
		return false;
	if (length == 0 ? c == '#' : number && length == 1 && (c == 'x' || c == 'X'))
		return true;
	if (!number)
		return links_is_alnum(c);
	return links_hex_value(c) >= 0 && (hex || (c >= '0' && c <= '9'));
}

static bool links_is_leading_nought(const struct links *links, char c)
{
	size_t length = links->entity_length;
	const char *entity = links->entity;
	bool hex = length > 1 && (entity[1] == 'x' || entity[1] == 'X');
	return c == '0' && length == (hex ? 3U : 2U) && entity[0] == '#' && entity[length - 1] == '0';
}

void links_take_html(struct links *links, char c)
{
	if (links->in_entity) {
		if (links_is_leading_nought(links, c))
			return;
		if (links_entity_goes_on(links, c)) {
			links->entity[links->entity_length++] = c;
			return;
		}
		links_end_entity(links, c == ';');
		if (c == ';')
			return;
	}
	if (c == '&')
		links->in_entity = true;
	else
		links_take(links, c, false);
}
