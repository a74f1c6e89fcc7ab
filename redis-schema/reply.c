/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/reply.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* Places in the answer of fetch.lua. */
enum {
	AT_WRONG,
	AT_BLOCK,
	AT_EXEMPT,
	AT_LEVEL,
	AT_SINCE,
	AT_FIRST,
	AT_USE,
	AT_REP,
	AT_VERSION,
	AT_SCORE,
	AT_SPF,
	AT_LIMITS,
};

enum { LINE_MAX_BYTES = 600, WINDOWS_V1 = 6 };

/* `most` numbers parted by spaces, and nothing else. */
static bool read_numbers(const char *text, int most, double *numbers)
{
	for (int i = 0; i < most; i++) {
		char *end;
		numbers[i] = strtod(text, &end);
		if (end == text || !isfinite(numbers[i]) || (*end != ' ' && *end != '\0'))
			return false;
		text = *end == ' ' ? end + 1 : end;
	}
	return *text == '\0';
}

bool reply_read_use(const char *text, struct rates *rates_out)
{
	double numbers[1 + 2 * WINDOWS_V1];
	*rates_out = (struct rates){ 0 };
	if (*text == '\0')
		return true;
	if (!read_numbers(text, 1 + 2 * WINDOWS_V1, numbers) || numbers[0] < 0 || numbers[0] > 9e15)
		return false;
	rates_out->at_ms = (int64_t)numbers[0];
	for (int i = 0; i < WINDOWS_V1; i++) {
		rates_out->present[i] = fmax(numbers[1 + 2 * i], 0);
		rates_out->before[i] = fmax(numbers[2 + 2 * i], 0);
	}
	return true;
}

bool reply_read_rep(const char *text, int64_t at_ms, struct counters *counters_out)
{
	double numbers[COUNTERS_REP];
	*counters_out = (struct counters){ .at_ms = at_ms };
	if (*text == '\0')
		return true;
	if (!read_numbers(text, COUNTERS_REP, numbers))
		return false;
	for (int i = 0; i < COUNTERS_REP; i++)
		counters_out->value[i] = fmax(numbers[i], 0);
	return true;
}

struct sayer {
	store_say *say;
	void *arg;
	const char *of;		/* "account" or "plan" */
	const char *name;
};

static void say_useless(const struct sayer *sayer, const char *field, const char *value, const char *expected)
{
	char line[LINE_MAX_BYTES];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis: %s ", sayer->of);
	text_add_word(&text, sayer->name);
	text_add(&text, ": ");
	text_add(&text, field);
	text_add(&text, " is \"");
	char shown[64];
	text_copy(shown, sizeof shown, value);
	text_add_word(&text, shown);
	text_addf(&text, "\", expected %s", expected);
	sayer->say(sayer->arg, line);
}

static void read_limit(const struct sayer *sayer, const char *field, const char *value, struct limits *limits)
{
	const char *expected;
	if (!limits_set(limits, field, value, &expected)) {
		char longer[120];
		struct text text = text_over(longer, sizeof longer);
		text_addf(&text, "%s; the plan's value holds", expected);
		say_useless(sayer, field, value, longer);
	}
}

static void say_wrong_types(const struct sayer *sayer, const char *parts)
{
	char line[LINE_MAX_BYTES];
	struct text text = text_over(line, sizeof line);
	text_add(&text, "redis: account ");
	text_add_word(&text, sayer->name);
	text_add(&text, ": wrong type of key in part ");
	text_add_word(&text, parts);
	text_add(&text, " (limits and state are hashes, block and exempt strings); it is left alone and read as if it "
			"were not there");
	sayer->say(sayer->arg, line);
}

static int64_t number_or_zero(const char *text)
{
	int64_t number = 0;
	text_to_int(text, 0, (int64_t)1 << 40, &number);
	return number;
}

static void read_state(const struct sayer *sayer, const char *const *items, struct account_state *state)
{
	if (items[AT_VERSION][0] != '\0' && strcmp(items[AT_VERSION], "1") != 0) {
		say_useless(sayer, "state v", items[AT_VERSION], "1; the state is left alone");
		return;
	}
	state->history.level = level_find(items[AT_LEVEL]);
	state->history.level_since_s = number_or_zero(items[AT_SINCE]);
	state->history.first_s = number_or_zero(items[AT_FIRST]);
	if (!read_numbers(items[AT_SCORE], 1, &state->history.score))
		state->history.score = 0;
	text_copy(state->history.unauthorised, sizeof state->history.unauthorised, items[AT_SPF]);
	if (!reply_read_use(items[AT_USE], &state->history.rates))
		say_useless(sayer, "state msgs and rcpts", items[AT_USE], "7 and 6 numbers; it is read as if it were empty");
	if (!reply_read_rep(items[AT_REP], state->history.rates.at_ms, &state->history.counters))
		say_useless(sayer, "state rep", items[AT_REP], "5 numbers; it is read as if it were empty");
}

bool reply_read_fetch(const char *account, int count, const char *const *items, store_say *say, void *say_arg,
		      struct account_state *state_out)
{
	struct sayer sayer = { say, say_arg, "account", account };
	*state_out = (struct account_state){ .known = KNOWLEDGE_FULL, .limits = limits_unset };
	if (count < AT_LIMITS || (count - AT_LIMITS) % 2 != 0)
		return false;
	if (items[AT_WRONG][0] != '\0')
		say_wrong_types(&sayer, items[AT_WRONG]);
	text_copy(state_out->block, sizeof state_out->block, items[AT_BLOCK]);
	text_copy(state_out->exempt, sizeof state_out->exempt, items[AT_EXEMPT]);
	read_state(&sayer, items, state_out);
	for (int i = AT_LIMITS; i + 1 < count; i += 2)
		read_limit(&sayer, items[i], items[i + 1], &state_out->limits);
	return true;
}

void reply_read_plan(const char *name, const char *text, store_say *say, void *say_arg, struct limits *limits_out)
{
	struct sayer sayer = { say, say_arg, "plan", name };
	*limits_out = limits_unset;
	while (*text != '\0') {
		char pair[160];
		size_t length = strcspn(text, " \t\r\n");
		size_t kept = length < sizeof pair ? length : sizeof pair - 1;
		memcpy(pair, text, kept);
		pair[kept] = '\0';
		char *equals = strchr(pair, '=');
		if (equals != NULL) {
			*equals = '\0';
			read_limit(&sayer, pair, equals + 1, limits_out);
		} else if (length > 0) {
			say_useless(&sayer, "a word", pair, "field=value");
		}
		text += length + (text[length] != '\0');
	}
}
