/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whatever a scanner replies: no crash, and a whole answer has sane fields. The first byte: whether it has closed.
 */
#include "milter/content/spamd.h"
#include "policy/base/panic.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const uint8_t *data, size_t size)
{
	char user[128], request[512];
	size_t length = size < sizeof user - 1 ? size : sizeof user - 1;
	memcpy(user, data, length);
	user[length] = '\0';
	size_t got = spamd_request(user, size, request, sizeof request);
	int lines = 0;
	for (size_t i = 0; i < got; i++)
		lines += request[i] == '\n';
	MUST(got == strlen(request) && (lines == 3 || lines == 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct content content = { 0 };
	const char *why = NULL;
	if (size == 0)
		return 0;
	check_request(data + 1, size - 1);
	enum spamd_progress progress =
		spamd_reply((const char *)data + 1, size - 1, (data[0] & 1) != 0, &content, &why);
	if (progress == SPAMD_BAD)
		MUST(why != NULL && content.known == KNOWLEDGE_NONE);
	if (progress == SPAMD_MORE)
		MUST((data[0] & 1) == 0 && content.known == KNOWLEDGE_NONE);
	if (progress == SPAMD_DONE) {
		MUST(content.known == KNOWLEDGE_FULL && isfinite(content.score) && isfinite(content.threshold));
		MUST(memchr(content.rules, '\0', sizeof content.rules) != NULL);
		for (const char *c = content.rules; *c != '\0'; c++)
			MUST(*c > ' ' && *c < 0x7f);
	}
	return 0;
}
