/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/client_listing.h"

#include <string.h>

#include "policy/base/banned.h"

static const struct {
	enum client_code code;
	const char *word, *meaning;
} codes[] = {
#define CLIENT_CODE_ROW(id, byte, word, meaning) { CLIENT_CODE_##id, word, meaning },
	CLIENT_CODE_ROWS(CLIENT_CODE_ROW)
#undef CLIENT_CODE_ROW
};

enum { CODES = sizeof codes / sizeof codes[0] };

const char *client_code_word(enum client_code code)
{
	for (int i = 0; i < CODES; i++)
		if (codes[i].code == code)
			return codes[i].word;
	return "none";
}

const char *client_code_meaning(enum client_code code)
{
	for (int i = 0; i < CODES; i++)
		if (codes[i].code == code)
			return codes[i].meaning;
	return "";
}

enum client_code client_code_of_byte(int64_t byte)
{
	for (int i = 0; i < CODES; i++)
		if ((int64_t)codes[i].code == byte)
			return codes[i].code;
	return CLIENT_CODE_NONE;
}

enum client_code client_code_of(const struct client_verdict *verdict)
{
	if (!client_is_listed(verdict->standing))
		return CLIENT_CODE_NONE;
	for (int i = 0; i < CLIENT_TERM_COUNT; i++)
		if (verdict->term[i] > verdict->term[CLIENT_TERM_LOGINS])
			return CLIENT_CODE_MAIL;
	return CLIENT_CODE_LOGINS;
}

enum client_code client_code_of_account(enum level level, bool blocked)
{
	if (blocked || level == LEVEL_BLOCKED)
		return CLIENT_CODE_BLOCKED;
	return level == LEVEL_SUSPECT ? CLIENT_CODE_SUSPECT : CLIENT_CODE_NONE;
}

enum client_code client_code_worse(enum client_code a, enum client_code b)
{
	return a > b ? a : b;
}

bool client_code_is_reported(enum client_code code)
{
	return code == CLIENT_CODE_MAIL || code == CLIENT_CODE_LOGINS;
}

bool client_listable(const struct netaddr *client)
{
	static const uint8_t zeros[8];
	const uint8_t *at = client->bytes;
	if (client->family == NETADDR_V4)
		return at[0] != 0 && at[0] != 127 && at[0] < 224;
	return client->family == NETADDR_V6 && memcmp(at, zeros, sizeof zeros) != 0 && at[0] != 0xff &&
	       !(at[0] == 0xfe && (at[1] & 0xc0) == 0x80);
}
