/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spf/spf_macro.h"

#include <string.h>

#include "policy/base/banned.h"

enum { LABEL_MAX = 63 }; /* RFC 1035 section 2.3.4 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- reading */

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* "{", letter, digits, "r", delimiters, "}" */
static bool macro_read_braces(const char *text, size_t length, const char *letters, struct spf_piece *piece)
{
	size_t at = 2, digits = 0;
	if (length < 3 || !is_one_of(text_lower(text[1]), letters))
		return false;
	piece->letter = text_lower(text[1]);
	piece->escaped = piece->letter != text[1];
	for (; at < length && is_digit(text[at]); at++, digits++)
		if (piece->parts < SPF_VALUE_MAX) /* more parts than any value has are all of them */
			piece->parts = piece->parts * 10 + (text[at] - '0');
	if (digits > 0 && piece->parts == 0)
		return false;
	piece->reversed = at < length && text_lower(text[at]) == 'r';
	at += piece->reversed;
	piece->delimiters = text + at;
	while (at < length && is_one_of(text[at], ".-+,/_="))
		at++;
	piece->delimiter_count = (size_t)(text + at - piece->delimiters);
	piece->length = at + 2;
	return at < length && text[at] == '}';
}

bool spf_piece_read(const char *text, size_t length, const char *letters, struct spf_piece *piece_out)
{
	*piece_out = (struct spf_piece){ .length = 1, .literal = text[0] };
	if (text[0] != '%')
		return true;
	if (length < 2)
		return false;
	*piece_out = (struct spf_piece){ .length = 2 };
	switch (text[1]) {
	case '%':
		piece_out->literal = '%';
		return true;
	case '_':
		piece_out->literal = ' ';
		return true;
	case '-':
		return true;
	case '{':
		return macro_read_braces(text + 1, length - 1, letters, piece_out);
	default:
		return false;
	}
}

/* ---- expanding */

/* IPv4 dotted; IPv6 as nibbles with dots, section 7.3. */
static void macro_add_client(struct text *to, const struct netaddr *client)
{
	if (client->family != NETADDR_V6) {
		const uint8_t *b = client->bytes;
		text_addf(to, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
		return;
	}
	for (int i = 0; i < 16; i++)
		text_addf(to, "%s%x.%x", i > 0 ? "." : "", client->bytes[i] >> 4, client->bytes[i] & 15U);
}

static void macro_add_value(struct text *to, char letter, const struct spf_values *values)
{
	const char *at = strrchr(values->sender, '@');
	switch (letter) {
	case 's':
		text_add(to, values->sender);
		break;
	case 'l':
		text_add_bytes(to, values->sender, at != NULL ? (size_t)(at - values->sender) : 0);
		break;
	case 'o':
		text_add(to, at != NULL ? at + 1 : "");
		break;
	case 'd':
		text_add(to, values->domain);
		break;
	case 'i':
		macro_add_client(to, values->client);
		break;
	case 'p':
		text_add(to, values->client_name(values->arg));
		break;
	case 'v':
		text_add(to, values->client->family == NETADDR_V6 ? "ip6" : "in-addr");
		break;
	case 'h':
		text_add(to, values->helo);
		break;
	}
}

/* RFC 3986 section 2.3 */
static void macro_add_escaped(struct text *to, const char *part, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char c = part[i];
		bool plain = is_digit(c) || (text_lower(c) >= 'a' && text_lower(c) <= 'z') || is_one_of(c, "-._~");
		if (!plain)
			text_addf(to, "%%%02X", (unsigned char)c);
		else
			text_add_bytes(to, &c, 1);
	}
}

static bool is_delimiter(const struct spf_piece *piece, char c)
{
	if (piece->delimiter_count == 0)
		return c == '.';
	return memchr(piece->delimiters, c, piece->delimiter_count) != NULL;
}

void spf_piece_expand(const struct spf_piece *piece, const struct spf_values *values, struct text *to)
{
	char bytes[SPF_VALUE_MAX];
	struct text value = text_over(bytes, sizeof bytes);
	struct {
		size_t start, length;
	} parts[SPF_VALUE_MAX];
	int count = 0;
	if (piece->literal != '\0' || piece->letter == '\0') {
		text_add_bytes(to, piece->literal != '\0' ? &piece->literal : "%20", piece->literal != '\0' ? 1 : 3);
		return;
	}
	macro_add_value(&value, piece->letter, values);
	for (size_t start = 0, at = 0; at <= value.length; at++)
		if (at == value.length || is_delimiter(piece, bytes[at])) {
			parts[count].start = start;
			parts[count++].length = at - start;
			start = at + 1;
		}
	int kept = piece->parts > 0 && piece->parts < count ? piece->parts : count;
	for (int i = 0; i < kept; i++) {
		int part = piece->reversed ? kept - 1 - i : count - kept + i;
		if (i > 0)
			text_add(to, ".");
		if (piece->escaped)
			macro_add_escaped(to, bytes + parts[part].start, parts[part].length);
		else
			text_add_bytes(to, bytes + parts[part].start, parts[part].length);
	}
}

bool spf_name_read(const char *name, char out[DNS_NAME_MAX + 1])
{
	size_t length = strlen(name), label = 0;
	if (length > 0 && name[length - 1] == '.')
		length--;
	while (length > DNS_NAME_MAX) {
		const char *dot = memchr(name, '.', length);
		if (dot == NULL)
			return false;
		length -= (size_t)(dot + 1 - name);
		name = dot + 1;
	}
	for (size_t i = 0; i < length; i++) {
		label = name[i] == '.' ? 0 : label + 1;
		if (name[i] < ' ' || name[i] > '~' || name[i] == '\\' || label > LABEL_MAX)
			return false;
		if (name[i] == '.' && (i == 0 || name[i - 1] == '.'))
			return false;
		out[i] = name[i];
	}
	out[length] = '\0';
	return length > 0 && out[length - 1] != '.';
}
