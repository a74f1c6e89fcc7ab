/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/limit.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

static const struct {
	const char *word, *said;
	enum counted counted;
	int64_t seconds;
} windows[WINDOW_COUNT] = {
#define WINDOW_ROW(id, word, counted, seconds, said)                                               \
	[WINDOW_##id] = { word, said, COUNTED_##counted, seconds },
	WINDOW_ROWS(WINDOW_ROW)
#undef WINDOW_ROW
};

static const char *const overs[OVER_COUNT] = {
#define OVER_ROW(id, word) [OVER_##id] = word,
	OVER_ROWS(OVER_ROW)
#undef OVER_ROW
};

static const char *const scopes[SCOPE_COUNT] = {
#define SCOPE_ROW(id, word) [SCOPE_##id] = word,
	SCOPE_ROWS(SCOPE_ROW)
#undef SCOPE_ROW
};

const struct limits limits_unset = {
#define WINDOW_UNSET(id, word, counted, seconds, said) .window[WINDOW_##id] = LIMIT_UNSET,
	WINDOW_ROWS(WINDOW_UNSET)
#undef WINDOW_UNSET
	.rcpts_per_message = LIMIT_UNSET,
	.ramp_first_day = LIMIT_UNSET,
};

const struct breach breach_none = { .window = WINDOW_COUNT };

const char *window_word(enum window window)
{
	return windows[window].word;
}

const char *window_said(enum window window)
{
	return windows[window].said;
}

enum counted window_counted(enum window window)
{
	return windows[window].counted;
}

int64_t window_seconds(enum window window)
{
	return windows[window].seconds;
}

const char *over_word(enum over over)
{
	return overs[over];
}

const char *scope_word(enum scope scope)
{
	return scopes[scope];
}

static int64_t *number_field(struct limits *limits, const char *field)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (strcmp(field, windows[i].word) == 0)
			return &limits->window[i];
	return strcmp(field, "rcpts_per_message") == 0 ? &limits->rcpts_per_message : NULL;
}

static bool set_over(struct limits *limits, const char *value)
{
	for (int i = OVER_DEFER; i < OVER_COUNT; i++)
		if (strcmp(value, overs[i]) == 0) {
			limits->over = (enum over)i;
			return true;
		}
	return false;
}

bool limits_set(struct limits *limits, const char *field, const char *value, const char **expected_out)
{
	int64_t *number = number_field(limits, field);
	if (number != NULL) {
		*expected_out = "a whole number from 0 to 1000000000";
		return text_to_int(value, 0, LIMIT_MAX, number);
	}
	if (strcmp(field, "over") == 0) {
		*expected_out = "defer, reject, hold or slow";
		return set_over(limits, value);
	}
	if (strcmp(field, "plan") == 0) {
		*expected_out = "a plan's name of at most 63 bytes";
		if (strlen(value) > PLAN_NAME_MAX)
			return false;
		text_copy(limits->plan, sizeof limits->plan, value);
	}
	return true;
}

bool limits_have(const char *field)
{
	struct limits none = limits_unset;
	return number_field(&none, field) != NULL || strcmp(field, "over") == 0 ||
	       strcmp(field, "plan") == 0;
}

void limits_fill(struct limits *limits, const struct limits *under)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (limits->window[i] == LIMIT_UNSET)
			limits->window[i] = under->window[i];
	if (limits->rcpts_per_message == LIMIT_UNSET)
		limits->rcpts_per_message = under->rcpts_per_message;
	if (limits->over == OVER_UNSET)
		limits->over = under->over;
}
