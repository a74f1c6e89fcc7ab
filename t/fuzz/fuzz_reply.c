/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Redis holds, read: any panel may have written anything. The input is cut into strings at each newline.
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

static void check_numbers(const struct rates *rates, const struct counters *counters)
{
	for (int i = 0; i < WINDOW_SUMS; i++)
		MUST(rates->present[i] >= 0 && rates->before[i] >= 0);
	for (int i = 0; i < COUNTER_COUNT; i++)
		MUST(counters->value[i] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MOST = 160 };
	const char *items[MOST];
	size_t lengths[MOST];
	struct known known;
	int count = 0;
	char *text = malloc(size + 1);
	struct account_state state;
	struct limits limits;
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	reply_read_plan("plan", true, text, say, NULL, &limits);
	for (char *at = text; at != NULL && count < MOST;) {
		char *next = strchr(at, '\n');
		if (next != NULL)
			*next++ = '\0';
		lengths[count] = strlen(at);
		items[count++] = at;
		at = next;
	}
	struct reply_items list = { count, items, lengths };
	if (reply_read_fetch("account", &list, say, NULL, &state, &known)) {
		check_numbers(&state.history.rates, &state.history.counters);
		MUST(strlen(state.block) < NOTE_MAX && strlen(state.exempt) < NOTE_MAX);
		MUST(state.history.level < LEVEL_COUNT);
		MUST(known.bytes == NULL || known_fits(known.length));
		rates_roll(&state.history.rates, 1800000000000);
		counters_decay(&state.history.counters, 1800000000000);
		check_numbers(&state.history.rates, &state.history.counters);
	}
	free(text);
	return 0;
}
