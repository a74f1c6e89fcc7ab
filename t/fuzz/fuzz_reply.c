/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits and plans as Redis holds them, read: any panel may have written anything. The input is cut into strings at
 * each newline.
 */
#include "redis-schema/reply.h"

#include "policy/base/panic.h"

#include <stdlib.h>
#include <string.h>

static void say(void *arg, const char *line)
{
	(void)arg;
	MUST(strlen(line) < 1000);
	for (; *line != '\0'; line++)
		MUST((unsigned char)*line >= 0x20);
}

static void check_limits(const struct limits *limits)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		MUST(limits->window[i] == LIMIT_UNSET || (limits->window[i] >= 0 && limits->window[i] <= LIMIT_MAX));
	MUST(limits->over < OVER_COUNT && strlen(limits->plan) <= PLAN_NAME_MAX);
	MUST(strlen(limits->customer) <= CUSTOMER_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MOST = 160 };
	const char *items[MOST];
	int count = 0;
	char *text = malloc(size + 1);
	struct limits limits;
	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	reply_read_plan("plan", true, text, say, NULL, &limits);
	check_limits(&limits);
	for (char *at = text; at != NULL && count < MOST;) {
		char *next = strchr(at, '\n');
		if (next != NULL)
			*next++ = '\0';
		items[count++] = at;
		at = next;
	}
	limits = limits_unset;
	MUST(reply_read_limits("account", size % 2 != 0, count, items, say, NULL, &limits) <= count + 1);
	check_limits(&limits);
	free(text);
	return 0;
}
