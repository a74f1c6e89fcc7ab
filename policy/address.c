/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/address.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* Behind the comment that begins at `at`, RFC 5322 section 3.2.2; one that does not end takes all. */
static const char *skip_comment(const char *at)
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
static bool unquote(const char *at, struct text *text)
{
	bool quoted = false, domain = false;
	while (*at != '\0') {
		if (*at == '"') {
			quoted = !quoted;
			at++;
		} else if (!quoted && *at == '(') {
			at = skip_comment(at);
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
static bool find_host(char *local)
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
	if (!unquote(address, &text) && strchr(normal, '@') == NULL)
		find_host(normal);
	size_t length = strlen(normal);
	if (length > 1 && normal[length - 1] == '.' && strchr("@.", normal[length - 2]) == NULL && strchr(normal, '@') != NULL)
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
	return strchr(routed, '@') != NULL || find_host(routed);
}
