/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/http_request.h"

#include "policy/base/text.h"

#include <event2/http.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static bool fail(char *error, size_t error_size, const char *sentence)
{
	snprintf(error, error_size, "%s", sentence);
	return false;
}

/* ---- for whom it is */

/* ":80" or nothing. */
static bool is_port(const char *text)
{
	return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

bool http_request_host_is_ours(const char *host, const char *const *names, int count)
{
	char name[256];
	struct netaddr address;
	bool bracket = *host == '[';
	const char *start = host + bracket;
	size_t length = strcspn(start, bracket ? "]" : ":");
	const char *behind = start + length + (bracket && start[length] == ']');
	if (length >= sizeof name || !is_port(behind) || (bracket && behind == start + length))
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	if (bracket) /* fe80::1%eth0 */
		name[strcspn(name, "%")] = '\0';
	if (netaddr_parse(name, &address))
		return true;
	if (bracket)
		return false;
	if (length > 0 && name[length - 1] == '.') /* the name written out to the root */
		name[length - 1] = '\0';
	for (int i = 0; i < count; i++)
		if (text_same_nocase(name, names[i]))
			return true;
	return text_same_nocase(name, "localhost");
}

/* ---- the query */

/* The raw value of `q`, not ended by a NUL; how many there are is what it returns. */
static int http_request_find_q(const char *query, const char **value_out, size_t *length_out)
{
	int found = 0;
	for (const char *at = query; at != NULL && *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
		if (strncmp(at, "q=", 2) != 0)
			continue;
		*value_out = at + 2;
		*length_out = strcspn(at + 2, "&");
		found++;
	}
	return found;
}

static bool http_request_is_text(const char *string, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)string[i] < 0x20 || string[i] == 0x7f)
			return false;
	json_t *text = json_stringn(string, length); /* NULL: no UTF-8 */
	json_decref(text);
	return text != NULL;
}

bool http_request_query(const char *query, char *q, size_t size, char *error, size_t error_size)
{
	const char *value = NULL;
	size_t length = 0;
	int count = http_request_find_q(query, &value, &length);
	if (count != 1)
		return fail(error, error_size,
			    count == 0 ? "There is no query: expected one parameter \"q\" with an address, a host name "
					 "or a network."
				       : "There is more than one parameter \"q\".");
	char *raw = strndup(value, length);
	size_t decoded_length = 0;
	char *decoded = raw == NULL ? NULL : evhttp_uridecode(raw, 1, &decoded_length);
	bool fine = false;
	if (decoded == NULL)
		fail(error, error_size, "The daemon is out of memory.");
	else if (decoded_length >= size)
		snprintf(error, error_size, "The query has %zu bytes; at most %zu are read.", decoded_length, size - 1);
	else if (!http_request_is_text(decoded, decoded_length))
		fail(error, error_size, "The query has control characters or is not UTF-8.");
	else
		fine = text_copy(q, size, decoded);
	free(decoded);
	free(raw);
	return fine;
}

/* ---- Accept */

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The first words of an item, up to a blank, a comma or a semicolon. */
static bool http_request_type_is(const char *item, const char *type)
{
	size_t length = strcspn(item, ",; \t");
	char copy[40];
	if (length >= sizeof copy)
		return false;
	memcpy(copy, item, length);
	copy[length] = '\0';
	return text_same_nocase(copy, type);
}

/* The q of one item in thousandths; 1000 where it names none. */
static int http_request_quality(const char *item, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++) {
		if (item[i] != ';')
			continue;
		size_t at = i + 1;
		while (at < length && is_space(item[at]))
			at++;
		if (at + 2 >= length || text_lower(item[at]) != 'q' || item[at + 1] != '=')
			continue;
		int value = item[at + 2] == '1' ? 1000 : 0;
		for (size_t digit = at + 4, worth = 100; digit < length && worth > 0; digit++, worth /= 10) {
			if (value == 1000 || item[at + 3] != '.' || item[digit] < '0' || item[digit] > '9')
				break;
			value += (int)worth * (item[digit] - '0');
		}
		return value;
	}
	return 1000;
}

bool http_request_wants_document(const char *accept)
{
	static const struct {
		const char *type;
		bool document;
	} rows[] = {
		{ "application/json", true },
		{ "application/x-ndjson", false },
		{ "application/*", false },
		{ "*/*", false },
	};
	int best = 0;
	bool document = false;
	for (const char *at = accept; at != NULL && *at != '\0';) {
		while (is_space(*at) || *at == ',')
			at++;
		size_t length = strcspn(at, ",");
		int q = http_request_quality(at, length);
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			if (q > best && http_request_type_is(at, rows[i].type)) {
				best = q;
				document = rows[i].document;
			}
		at += length;
	}
	return document;
}

/* ---- who asks */

bool http_request_is_proxy(const struct netaddr *address, const struct netblock *proxies, int proxy_count)
{
	for (int i = 0; i < proxy_count; i++)
		if (netblock_has(&proxies[i], address))
			return true;
	return false;
}

/* The item of a list that ends at `end`: its first byte, and in `end` its end without blanks. */
static const char *http_request_item_before(const char *list, const char **end)
{
	while (*end > list && is_space((*end)[-1]))
		(*end)--;
	const char *item = *end;
	while (item > list && item[-1] != ',')
		item--;
	while (item < *end && is_space(*item))
		item++;
	return item;
}

static bool http_request_read_address(const char *item, const char *end, struct netaddr *address_out)
{
	char copy[NETADDR_TEXT_MAX];
	size_t length = (size_t)(end - item);
	if (length >= sizeof copy)
		return false;
	memcpy(copy, item, length);
	copy[length] = '\0';
	return netaddr_parse(copy, address_out);
}

struct netaddr http_request_client(const struct netaddr *peer, const struct netblock *proxies, int proxy_count,
				   const char *const *forwarded, int forwarded_count)
{
	struct netaddr client = *peer;
	for (int i = forwarded_count - 1; i >= 0; i--) {
		const char *end = forwarded[i] + strlen(forwarded[i]);
		while (end > forwarded[i]) {
			const char *item = http_request_item_before(forwarded[i], &end);
			if (!http_request_is_proxy(&client, proxies, proxy_count) ||
			    !http_request_read_address(item, end, &client))
				return client;
			for (end = item; end > forwarded[i] && end[-1] != ','; end--)
				;
			end -= end > forwarded[i];
		}
	}
	return client;
}
