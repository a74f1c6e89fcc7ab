/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A state for each place in a link, a function for each state. Outside of links, where a text mostly is, whole
 * stretches are looked over for the few bytes that can begin one.
 */
#include "milter/message/links.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

enum { QUOTE_CODED = 0x7f }; /* an entity's quotation mark: it ends no attribute and begins none */

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* ---- hosts */

static void links_note(struct links *links, uint64_t hash)
{
	hash = hash != 0 ? hash : 1;
	for (int i = 0; i < links->count && i < FACT_HOSTS_MAX; i++)
		if (links->hosts[i] == hash)
			return;
	if (links->count < FACT_HOSTS_MAX)
		links->hosts[links->count++] = hash;
	else
		links->count = FACT_HOSTS_MAX + 1;
}

/* "%2e" is a dot; what is not so encoded stays. */
static void links_note_host(struct links *links, const char *raw, size_t raw_length)
{
	char host[LINKS_HOST_MAX];
	size_t length = 0;
	for (size_t i = 0; i < raw_length; i++, length++) {
		int high = raw[i] == '%' && raw_length - i > 2 ? text_hex(raw[i + 1]) : -1;
		int low = high >= 0 ? text_hex(raw[i + 2]) : -1;
		host[length] = text_lower(low >= 0 ? (char)(high << 4 | low) : raw[i]);
		i += low >= 0 ? 2 : 0;
	}
	size_t dots = 0;
	while (dots < length && host[length - 1 - dots] == '.')
		dots++;
	if (dots < length)
		length -= dots;
	if (length > 0)
		links_note(links, hash_keyed(links->key, host, length));
}

void links_add_host(struct links *links, const char *host)
{
	links_note_host(links, host, strnlen(host, LINKS_HOST_MAX));
}

/* Of IPv6, with colons in it. */
static bool links_is_address(const struct links *links)
{
	return links->host_length > 0 && links->host[0] == '[';
}

/* Can it be a byte of a host's name? Others may, in some readers, and in others end it. */
static bool links_names(const struct links *links, char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) != 0 ||
	       (c != '\0' && strchr("-._%", c) != NULL) || (c == '[' && links->host_length == 0) ||
	       (c == ']' && links_is_address(links)) ||
	       (c == ':' && links_is_address(links) && links->host[links->host_length - 1] != ']');
}

static void links_begin_host(struct links *links)
{
	links->state = LINKS_HOST;
	links->host_length = links->cut = 0;
}

/* Up to where it was cut, and beyond that where something follows. */
static void links_end_host(struct links *links)
{
	bool goes_on = links->cut == 0;
	for (size_t i = links->cut; !goes_on && i < links->host_length; i++)
		goes_on = links_names(links, links->host[i]) && links->host[i] != '.' && links->host[i] != ']';
	if (links->cut > 0)
		links_note_host(links, links->host, links->cut);
	if (goes_on)
		links_note_host(links, links->host, links->host_length);
	links->host_length = links->cut = 0;
	links->before = 0;
}

static void links_add_to_host(struct links *links, char c)
{
	if (links->host_length == sizeof links->host) {
		uint64_t hash = hash_keyed(links->key, links->host, links->host_length);
		if (links->cut > 0)
			links_note_host(links, links->host, links->cut);
		links->cut = 0;
		memcpy(links->host, &hash, sizeof hash);
		links->host_length = sizeof hash;
	}
	if (links->cut == 0 && !links_names(links, c))
		links->cut = links->host_length;
	links->host[links->host_length++] = c;
}

/* ---- outside */

/* Is it passed over between the letters of a scheme? */
static bool links_is_nothing(const struct links *links, char c)
{
	return links->html ? is_blank(c) : c == '\0';
}

static void links_push(struct links *links, char c)
{
	if (!links_is_nothing(links, c))
		links->before = links->before << 8 | (unsigned char)c;
}

/* Do the last bytes spell the word? */
static bool links_spelt(uint64_t before, const char *word, int length)
{
	for (int i = length - 1; i >= 0; i--, before >>= 8)
		if (text_lower((char)(before & 0xff)) != word[i])
			return false;
	return true;
}

/* Before the last `count` bytes there is this quotation mark; '\0': none. */
static char links_quote_before(const struct links *links, int count)
{
	unsigned char c = links->before >> 8 * count & 0xff;
	return links->html && (c == '"' || c == '\'') ? (char)c : '\0';
}

/* Behind a scheme that all readers know no slash is needed. */
static void links_on_colon(struct links *links)
{
	static const struct {
		char scheme[8];
		enum links_state state;
	} rows[] = { { "https", LINKS_SLASHES },
		     { "http", LINKS_SLASHES },
		     { "ftp", LINKS_SLASHES },
		     { "mailto", LINKS_MAIL } };
	int letters = 0;
	links->state = LINKS_COLON;
	while (links->html && letters < 7 && links_is_alnum((char)(links->before >> 8 * letters & 0xff)))
		letters++;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && links->state == LINKS_COLON; i++) {
		int length = (int)strlen(rows[i].scheme);
		if (!links_spelt(links->before, rows[i].scheme, length))
			continue;
		letters = length;
		links->state = rows[i].state;
	}
	links->mail = links->state == LINKS_MAIL;
	links->at_sign = 0;
	links->quote = links_quote_before(links, letters);
}

/* An attribute begins with two slashes: a host of the page's own scheme. */
static bool links_on_slash(struct links *links)
{
	char c = (char)(links->before & 0xff);
	if (!links->html || c == '\0' || strchr("\"'=(,", c) == NULL)
		return false;
	links->quote = links_quote_before(links, 0);
	links->mail = false;
	links->state = LINKS_SLASH;
	return true;
}

static void links_outside(struct links *links, char c, bool coded)
{
	if (c == ':') {
		links_on_colon(links);
	} else if (c == '.' && links_spelt(links->before, "www", 3)) {
		links->quote = links_quote_before(links, 3);
		links->mail = false;
		links_begin_host(links);
		for (const char *at = "www."; *at != '\0'; at++)
			links_add_to_host(links, *at);
	} else if (is_slash(c) && links_on_slash(links)) {
		return;
	}
	links_push(links, coded && (c == '"' || c == '\'') ? QUOTE_CODED : c);
}

/* ---- inside; false: the link is at its end, and the byte stands outside */

static bool links_closes(const struct links *links, char c, bool coded)
{
	if (links->quote != '\0')
		return c == links->quote && !coded;
	return is_blank(c) || c == '"' || c == '<' || c == '>' || c == QUOTE_CODED;
}

/* Of mailto: there may be several, and fields behind '?'. */
static bool links_in_mail(struct links *links, char c)
{
	static const char sign[] = "%40";
	links->at_sign = c == sign[links->at_sign] ? links->at_sign + 1 : c == '%';
	if (c == '@' || links->at_sign == 3) {
		links->at_sign = 0;
		links_begin_host(links);
	}
	return true;
}

static bool links_in_host(struct links *links, char c)
{
	if (links->mail && (strchr(",?&=;#", c) != NULL || is_slash(c) || is_blank(c))) {
		links_end_host(links);
		links->state = LINKS_MAIL;
		return true;
	}
	if (is_slash(c) || c == '?' || c == '#')
		return false;
	if (c == '@') /* that was the user's name */
		links_begin_host(links);
	else if (links->state == LINKS_HOST && (c == ' ' || (c == ':' && !links_names(links, c))))
		links->state = LINKS_REST;
	else if (links->state == LINKS_HOST)
		links_add_to_host(links, c);
	return true;
}

static bool links_in_slashes(struct links *links, char c)
{
	if (links->state == LINKS_SLASHES && is_slash(c))
		return true;
	if (is_slash(c)) {
		links->state = links->state == LINKS_COLON ? LINKS_SLASH : LINKS_SLASHES;
		return true;
	}
	if (links->state != LINKS_SLASHES)
		return false;
	links_begin_host(links);
	return links_in_host(links, c);
}

static bool links_inside(struct links *links, char c, bool coded)
{
	if (links->quote != '\0' && (c == '\t' || c == '\n' || c == '\r'))
		return true;
	if (links_closes(links, c, coded))
		return false;
	switch (links->state) {
	case LINKS_MAIL:
		return links_in_mail(links, c);
	case LINKS_HOST:
	case LINKS_REST:
		return links_in_host(links, c);
	default:
		return links_in_slashes(links, c);
	}
}

/* `coded`: an entity stood for the byte, so that it is no markup. */
static void links_take(struct links *links, char c, bool coded)
{
	if (c == '\0') /* of a charset of two bytes, or put in by somebody */
		return;
	if (links->state != LINKS_OUTSIDE) {
		if (links_inside(links, c, coded))
			return;
		if (links->state == LINKS_HOST || links->state == LINKS_REST)
			links_end_host(links);
		else if (links->state == LINKS_SLASH)
			links_push(links, '/');
		links->state = LINKS_OUTSIDE;
	}
	links_outside(links, c, coded);
}

/* ---- entities */

static void links_end_entity(struct links *links, bool closed)
{
	char bytes[LINKS_ENTITY_ROOM];
	size_t length = links_entity_end(&links->entity, closed, bytes);
	for (size_t i = 0; i < length; i++)
		links_take(links, bytes[i], true);
}

static void links_take_html(struct links *links, char c)
{
	if (links->entity.open) {
		if (links_entity_take(&links->entity, c))
			return;
		links_end_entity(links, c == ';');
		if (c == ';')
			return;
	}
	if (c == '&')
		links->entity.open = true;
	else
		links_take(links, c, false);
}

/* ---- text */

/* How many bytes can be passed over: none of them begins a link. Which ones are looked at closer depends on bytes that
 * may stand in the piece before; to look in vain changes nothing. */
static size_t links_pass_html(const char *text, size_t length)
{
	static const bool begins[UCHAR_MAX + 1] = {
		[':'] = true, ['.'] = true, ['/'] = true, ['\\'] = true, ['&'] = true,
	};
	size_t i = 0;
	for (; i < length; i++) {
		if (!begins[(unsigned char)text[i]])
			continue;
		if (text[i] == '.' && i > 0 && !is_blank(text[i - 1]) && text_lower(text[i - 1]) != 'w')
			continue;
		if (text[i] == '/' && i + 1 < length && !is_blank(text[i + 1]) && !is_slash(text[i + 1]) &&
		    text[i + 1] != '&')
			continue;
		break;
	}
	return i;
}

static size_t links_pass_plain(const char *text, size_t length)
{
	const char *colon = memchr(text, ':', length), *end = colon != NULL ? colon : text + length;
	for (const char *at = text; (at = memchr(at, '.', (size_t)(end - at))) != NULL; at++)
		if (at == text || is_blank(at[-1]) || text_lower(at[-1]) == 'w')
			return (size_t)(at - text);
	return (size_t)(end - text);
}

/* The eight before `end`, the newest lowest; compilers make one load of it. */
static uint64_t links_last_bytes(const char *end)
{
	const unsigned char *b = (const unsigned char *)end - 8;
	uint64_t high = (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32;
	return high | (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | b[7];
}

/* Is any of the eight bytes less than `least`? Where it says so of none, none is. */
static bool links_has_below(uint64_t bytes, unsigned least)
{
	const uint64_t each = 0x0101010101010101U;
	return ((bytes - least * each) & ~bytes & 0x80 * each) != 0;
}

/* Of what is passed over the last eight bytes are remembered. */
static size_t links_pass(struct links *links, const char *text, size_t length)
{
	if (length > LINKS_STRETCH_MAX)
		length = LINKS_STRETCH_MAX;
	size_t passed = links->html ? links_pass_html(text, length) : links_pass_plain(text, length), from = passed;
	if (passed >= sizeof links->before) {
		uint64_t last = links_last_bytes(text + passed);
		if (!links_has_below(last, links->html ? ' ' + 1 : 1)) {
			links->before = last;
			return passed;
		}
	}
	for (unsigned found = 0; from > 0 && found < sizeof links->before; from--)
		found += !links_is_nothing(links, text[from - 1]);
	for (; from < passed; from++)
		links_push(links, text[from]);
	return passed;
}

static bool is_plain(char c)
{
	unsigned char letter = (unsigned char)((c | 0x20) - 'a'), digit = (unsigned char)(c - '0');
	return letter < 26 || digit < 10 || c == '.' || c == '-';
}

/* What of a host is letters, digits and what joins them, as long as there is room. */
static size_t links_pass_host(struct links *links, const char *text, size_t length)
{
	size_t room = sizeof links->host - links->host_length, passed = 0;
	while (passed < length && passed < room && is_plain(text[passed]))
		passed++;
	memcpy(links->host + links->host_length, text, passed);
	links->host_length += passed;
	return passed;
}

void links_add(struct links *links, const char *text, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t passed = links->entity.open		? 0
				: links->state == LINKS_OUTSIDE ? links_pass(links, text + i, length - i)
				: links->state == LINKS_HOST	? links_pass_host(links, text + i, length - i)
								: 0;
		i += passed;
		if (passed > 0)
			continue;
		if (links->html)
			links_take_html(links, text[i++]);
		else
			links_take(links, text[i++], false);
	}
}

/* ---- parts */

static void links_end_part(struct links *links)
{
	if (links->entity.open)
		links_end_entity(links, false);
	if (links->state == LINKS_HOST || links->state == LINKS_REST)
		links_end_host(links);
	links->state = LINKS_OUTSIDE;
	links->before = 0;
}

void links_begin(struct links *links, const uint64_t key[2])
{
	memset(links, 0, offsetof(struct links, host));
	memcpy(links->key, key, sizeof links->key);
}

void links_part(struct links *links, bool html)
{
	links_end_part(links);
	links->html = html;
}

void links_end(struct links *links, struct facts *facts)
{
	links_end_part(links);
	memcpy(facts->hosts, links->hosts, sizeof facts->hosts);
	facts->host_count = links->count;
}
