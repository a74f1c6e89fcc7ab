/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes are no token of ours; any account, time, number and transport come back as they went.
 */
#include "milter/feedback/token.h"
#include "t/fuzz/fuzz.h"

static const uint64_t secret[2] = { 1, 2 };

static void check_made(const uint8_t *data, size_t size)
{
	struct token token = { .time_ms = 0 }, read;
	char text[TOKEN_TEXT_MAX + 1];
	uint32_t seconds;
	memcpy(&seconds, data, sizeof seconds);
	token.time_ms = (int64_t)seconds * 1000 + data[4];
	token.rcpts = data[5] * 255;
	size_t account = size - 6 < ACCOUNT_MAX ? size - 6 : ACCOUNT_MAX;
	for (size_t i = 0; i < account; i++)
		token.account[i] = (char)(data[6 + i] != 0 ? data[6 + i] : 'x');
	snprintf(token.transport, sizeof token.transport, "clean-%d", data[5]);
	MUST(token_make(secret, &token, text) == (account > 0));
	if (account == 0)
		return;
	MUST(token_read(secret, text, seconds, &read) == TOKEN_FINE);
	MUST(strcmp(read.account, token.account) == 0 && read.time_ms == token.time_ms && read.rcpts == token.rcpts);
	MUST(read.transport[0] == '\0' || strcmp(read.transport, token.transport) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token read;
	char *text = string_of(data, size), *ours = malloc(size + sizeof TOKEN_BEGINS);
	MUST(ours != NULL);
	memcpy(ours, TOKEN_BEGINS, sizeof TOKEN_BEGINS - 1);
	memcpy(ours + sizeof TOKEN_BEGINS - 1, text, size + 1);
	MUST(token_read(secret, text, INT64_C(1767225600), &read) == TOKEN_FORGED);
	MUST(token_read(secret, ours, INT64_C(1767225600), &read) == TOKEN_FORGED && read.account[0] == '\0');
	free(ours);
	free(text);
	if (size >= 6)
		check_made(data, size);
	return 0;
}
