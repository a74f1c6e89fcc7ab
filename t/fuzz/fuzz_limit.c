/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits as a panel writes them into Redis: the first byte picks a field, the rest is its value; or, with a line
 * break in it, the input is a field and its value.
 */
#include "policy/limit.h"

#include "policy/base/panic.h"

#include <string.h>

enum { RAW_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *field;
} fields[] = {
#define FIELD_ROW(id, word, counted, seconds, said) { word },
	WINDOW_ROWS(FIELD_ROW)
#undef FIELD_ROW
	{ "rcpts_per_message" }, { "over" }, { "plan" },
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static int changed_numbers(const struct limits *limits)
{
	int changed = limits->rcpts_per_message != LIMIT_UNSET;
	for (int i = 0; i < WINDOW_COUNT; i++) {
		MUST(limits->window[i] >= LIMIT_UNSET && limits->window[i] <= LIMIT_MAX);
		changed += limits->window[i] != LIMIT_UNSET;
	}
	return changed;
}

static void check(const char *field, const char *value)
{
	struct limits limits = limits_unset;
	const char *expected = NULL;
	bool good = limits_set(&limits, field, value, &expected);
	int numbers = changed_numbers(&limits);
	bool over = limits.over != OVER_UNSET, plan = limits.plan[0] != '\0';
	MUST(good || (expected != NULL && expected[0] != '\0'));
	MUST(numbers + over + plan <= 1);
	MUST(good || numbers + over + plan == 0);
	MUST(limits_have(field) || (good && numbers + over + plan == 0));
	MUST(!over || strcmp(over_word(limits.over), value) == 0);
	MUST(!plan || strcmp(limits.plan, value) == 0);
	if (numbers > 0)
		for (const char *at = value[0] == '-' ? value + 1 : value; *at != '\0'; at++)
			MUST(*at >= '0' && *at <= '9');

	struct limits filled = limits_unset;
	limits_fill(&filled, &limits);
	MUST(changed_numbers(&filled) == numbers && filled.over == limits.over);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char raw[RAW_MAX + 1];
	if (size == 0 || size > RAW_MAX)
		return 0;
	memcpy(raw, data, size);
	raw[size] = '\0';
	check(fields[data[0] % FIELDS].field, raw + 1);
	char *value = strchr(raw, '\n');
	if (value != NULL) {
		*value++ = '\0';
		check(raw, value);
	}
	return 0;
}
