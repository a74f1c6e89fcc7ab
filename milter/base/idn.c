/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/idn.h"

#include "policy/address.h"
#include "policy/base/text.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define DOMAIN_BYTES "-._0123456789abcdefghijklmnopqrstuvwxyz"

enum { UTF8_LONGEST = 4 * IDN_DOMAIN_MAX };

static bool is_ascii(const char *text)
{
	while (*text != '\0' && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

bool idn_domain(const char *domain, char ascii[IDN_DOMAIN_MAX + 1])
{
	uint8_t *found = NULL;
	if (is_ascii(domain) || strlen(domain) > UTF8_LONGEST ||
	    idn2_lookup_u8((const uint8_t *)domain, &found, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	char *text = (char *)found;
	size_t length = strlen(text);
	if (length > 1 && text[length - 1] == '.') /* an ideographic full stop */
		text[--length] = '\0';
	/* mapping makes '@' and '/' of what only looks like them */
	bool fine = length > 0 && text[0] != '.' && strstr(text, "..") == NULL &&
		    text[strspn(text, DOMAIN_BYTES)] == '\0' && text_copy(ascii, IDN_DOMAIN_MAX + 1, text);
	idn2_free(found);
	return fine;
}

/* The domain that stands at `domain`, in or behind `whole`. */
static const char *idn_with_domain(const char *whole, const char *domain, char buffer[ADDRESS_MAX + 1])
{
	char ascii[IDN_DOMAIN_MAX + 1];
	if (!idn_domain(domain, ascii))
		return whole;
	struct text text = text_over(buffer, ADDRESS_MAX + 1);
	text_add_bytes(&text, whole, (size_t)(domain - whole));
	text_add(&text, ascii);
	return text.cut ? whole : buffer;
}

const char *idn_name(const char *name, char buffer[ADDRESS_MAX + 1])
{
	const char *domain = address_domain(name);
	return *domain != '\0' ? idn_with_domain(name, domain, buffer) : name;
}

bool idn_address(const char *raw, char address[ADDRESS_MAX + 1])
{
	char buffer[ADDRESS_MAX + 1];
	bool whole = address_normal(raw, address);
	const char *name = idn_name(address, buffer);
	if (name != address)
		text_copy(address, ADDRESS_MAX + 1, name);
	return whole;
}

/* A group's domain, and the one for which a claim without a local part stands. */
static const char *idn_find_typed_domain(const char *raw)
{
	static const char *const heads[] = { "domain:", ACCOUNT_CLAIMED ":" };
	const char *domain = address_domain(raw);
	for (size_t i = 0; i < sizeof heads / sizeof heads[0] && *domain == '\0'; i++)
		if (strncmp(raw, heads[i], strlen(heads[i])) == 0 && strchr(raw, '.') != NULL)
			domain = raw + strlen(heads[i]);
	return domain;
}

const char *idn_typed(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1])
{
	char buffer[ADDRESS_MAX + 1];
	const char *domain = idn_find_typed_domain(raw);
	return account_typed(*domain != '\0' ? idn_with_domain(raw, domain, buffer) : raw, cut_tag, name);
}

/* ---- for the eyes */

/* UTF-8 of a domain in A-labels, to be freed; NULL: it has none, or none that leads back. */
static char *idn_spelt(const char *domain)
{
	char *found = NULL, again[IDN_DOMAIN_MAX + 1];
	if (idn2_to_unicode_8z8z(domain, &found, 0) != IDN2_OK)
		return NULL;
	if (idn_domain(found, again) && strcmp(again, domain) == 0)
		return found;
	idn2_free(found);
	return NULL;
}

static bool is_of_word(char byte)
{
	return (unsigned char)byte >= 0x80 || (byte != '\0' && strchr(DOMAIN_BYTES, text_lower(byte)) != NULL);
}

/* The next word of `text` that may be a domain, or is one in UTF-8 already; its length in *length_out. NULL: there is
 * none. */
static const char *idn_find_word(const char *text, size_t *length_out)
{
	while (*text != '\0' && !is_of_word(*text))
		text++;
	*length_out = 0;
	while (is_of_word(text[*length_out]))
		++*length_out;
	while (*length_out > 0 && text[*length_out - 1] == '.') /* the end of a sentence */
		--*length_out;
	return *text != '\0' ? text : NULL;
}

static bool idn_has_a_label(const char *word)
{
	for (const char *label = word; label != NULL; label = strchr(label, '.')) {
		label += *label == '.';
		if (strncmp(label, "xn--", 4) == 0)
			return true;
	}
	return false;
}

static void copy_lower(char *to, const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		to[i] = text_lower(from[i]);
	to[length] = '\0';
}

char *idn_shown(const char *text)
{
	/* a label's UTF-8 is at most four bytes for each of its own: each letter takes one of these at least */
	size_t size = 4 * strlen(text) + 1, length;
	char *shown = malloc(size), word[IDN_DOMAIN_MAX + 1];
	if (shown == NULL)
		return NULL;
	struct text out = text_over(shown, size);
	for (const char *at; (at = idn_find_word(text, &length)) != NULL; text = at + (length > 0 ? length : 1)) {
		text_add_bytes(&out, text, (size_t)(at - text));
		char *unicode = NULL;
		if (length > 0 && length <= IDN_DOMAIN_MAX) {
			copy_lower(word, at, length);
			unicode = idn_has_a_label(word) ? idn_spelt(word) : NULL;
		}
		if (unicode != NULL)
			text_add(&out, unicode);
		else
			text_add_bytes(&out, at, length > 0 ? length : 1);
		idn2_free(unicode);
	}
	text_add(&out, text);
	return shown;
}
