/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/clean.h"

#include "milter/ctl/tool/memory.h"
#include "milter/base/idn.h"

#include <langinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "policy/base/banned.h"

/* Length of the UTF-8 character at `text` (RFC 3629), its number in *code_out; 0 where it is none. */
static size_t clean_utf8_length(const unsigned char *text, uint32_t *code_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80		   ? 1
			: (text[0] & 0xe0) == 0xc0 ? 2
			: (text[0] & 0xf0) == 0xe0 ? 3
			: (text[0] & 0xf8) == 0xf0 ? 4
						   : 0;
	if (length == 0)
		return 0;
	uint32_t code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fu);
	}
	*code_out = code;
	return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : length;
}

/* Characters that move the cursor, hide, or turn what follows around: C0, DEL, C1, line separators, zero
 * widths, directions (Unicode TR 36 section 2.4). */
static bool code_is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xad ||
	       code == 0x061c || code == 0xfeff || (code >= 0xe0000 && code <= 0xe0fff);
}

/* Columns of a character; none for combining marks, two for most of East Asia's. */
static size_t code_columns(uint32_t code)
{
	int columns = wcwidth((wchar_t)code);
	return columns < 0 ? 1 : (size_t)columns;
}

static bool shows_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

char *clean_text(const char *text)
{
	bool utf8 = shows_utf8();
	char *clean = have_memory(malloc(strlen(text) + 1)), *end = clean;
	while (*text != '\0') {
		uint32_t code = 0;
		size_t length = clean_utf8_length((const unsigned char *)text, &code);
		if (length == 0 || code_is_unsafe(code) || (length > 1 && (!utf8 || !iswprint((wint_t)code)))) {
			*end++ = '?';
			text += length == 0 ? 1 : length;
		} else {
			memcpy(end, text, length);
			end += length;
			text += length;
		}
	}
	*end = '\0';
	return clean;
}

char *clean_shown(const char *text)
{
	char *shown = shows_utf8() ? have_memory(idn_shown(text)) : NULL,
	     *clean = clean_text(shown != NULL ? shown : text);
	free(shown);
	return clean;
}

void clean_print(FILE *to, const char *text)
{
	char *clean = clean_shown(text);
	fputs(clean, to);
	free(clean);
}

size_t text_columns(const char *clean)
{
	size_t columns = 0;
	while (*clean != '\0') {
		uint32_t code = '?';
		size_t length = clean_utf8_length((const unsigned char *)clean, &code);
		columns += code_columns(code);
		clean += length == 0 ? 1 : length;
	}
	return columns;
}
