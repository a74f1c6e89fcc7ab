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

/* clang-format off */
static const struct {
	const char *field;
} fields[] = {
#define FIELD_ROW(id, word, counted, seconds, one, many) { word },
	WINDOW_ROWS(FIELD_ROW)
#undef FIELD_ROW
	{ "rcpts_per_message" }, { "over" }, { "plan" }, { "ramp_first_day" }, { "ramp_growth" }, { "customer" },
	{ "until" }, { "created" }, { "password_changed" },
};
/* clang-format on */

enum { FIELDS = sizeof fields / sizeof fields[0] };

static int changed_numbers(const struct limits *limits)
{
	int changed = (limits->rcpts_per_message != LIMIT_UNSET) + (limits->ramp_first_day != LIMIT_UNSET);
	for (int i = 0; i < WINDOW_COUNT; i++) {
		MUST(limits->window[i] >= LIMIT_UNSET && limits->window[i] <= LIMIT_MAX);
		changed += limits->window[i] != LIMIT_UNSET;
	}
	return changed;
}

static int changed_dates(const struct limits *limits)
{
	const int64_t dates[] = { limits->until_s, limits->created_s, limits->password_changed_s };
	int changed = 0;
	for (int i = 0; i < 3; i++) {
		MUST(dates[i] >= 0 && dates[i] < INT64_C(7258118400)); /* 2200 */
		changed += dates[i] != 0;
	}
	return changed;
}

static int changed_words(const struct limits *limits)
{
	MUST(limits->ramp_growth >= 0 && limits->ramp_growth <= RAMP_GROWTH_MAX);
	MUST(limits->ramp_growth < 0.5 || limits->ramp_growth >= 1);
	MUST(strpbrk(limits->customer, " {}%\"\n") == NULL || strchr(limits->customer, '%') != NULL);
	return (limits->over != OVER_UNSET) + (limits->plan[0] != '\0') + (limits->customer[0] != '\0') +
	       (limits->ramp_growth > 0);
}

static void check(const char *field, const char *value)
{
	struct limits limits = limits_unset;
	const char *expected = NULL;
	bool good = limits_set(&limits, field, value, &expected);
	int numbers = changed_numbers(&limits);
	int changed = numbers + changed_dates(&limits) + changed_words(&limits);
	MUST(good || (expected != NULL && expected[0] != '\0'));
	MUST(changed <= (good ? 1 : 0));
	MUST(limits_have(field) || (good && changed == 0));
	MUST(limits.over == OVER_UNSET || strcmp(over_word(limits.over), value) == 0);
	MUST(limits.plan[0] == '\0' || strcmp(limits.plan, value) == 0);
	if (numbers > 0)
		for (const char *at = value[0] == '-' ? value + 1 : value; *at != '\0'; at++)
			MUST(*at >= '0' && *at <= '9');

	struct limits filled = limits_unset;
	limits_fill(&filled, &limits);
	MUST(changed_numbers(&filled) == numbers && filled.over == limits.over);
	limits.until_s = 1;
	limits_expire(&limits, 1);
	MUST(changed_numbers(&limits) == 0 && limits.over == OVER_UNSET);
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
