/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/scripts.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/scripts_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "policy/base/banned.h"

enum { WINDOWS_V1 = 6 };

const char *const script_text[SCRIPT_COUNT] = {
	[SCRIPT_FETCH] = SCRIPT_TEXT_FETCH,
	[SCRIPT_CHARGE] = SCRIPT_TEXT_CHARGE,
};

__attribute__((format(printf, 2, 3))) static void add(struct script_arguments *arguments, const char *format, ...)
{
	MUST(arguments->count < SCRIPT_ARGUMENTS_MAX);
	char *word = arguments->memory + arguments->used;
	size_t room = sizeof arguments->memory - arguments->used;
	va_list values;
	va_start(values, format);
	int length = vsnprintf(word, room, format, values);
	va_end(values);
	MUST(length >= 0 && (size_t)length < room);
	arguments->used += (size_t)length + 1;
	arguments->word[arguments->count++] = word;
}

static void add_key(struct script_arguments *arguments, const char *prefix, const char *account, const char *part)
{
	add(arguments, KEY_OF_ACCOUNT, prefix, account, part);
}

void script_fetch_arguments(struct script_arguments *arguments, const char *prefix, const char *account)
{
	arguments->count = 0;
	arguments->used = 0;
	add(arguments, "4");
	add_key(arguments, prefix, account, KEY_PART_LIMITS);
	add_key(arguments, prefix, account, KEY_PART_BLOCK);
	add_key(arguments, prefix, account, KEY_PART_EXEMPT);
	add_key(arguments, prefix, account, KEY_PART_STATE);
}

void script_charge_arguments(struct script_arguments *arguments, const struct store_settings *settings,
			     const struct wire_charge *wire_charge)
{
	const struct charge *charge = wire_charge->charge;
	arguments->count = 0;
	arguments->used = 0;
	add(arguments, "1");
	add_key(arguments, settings->prefix, charge->account, KEY_PART_STATE);
	add(arguments, "%s", settings->node);
	add(arguments, "%" PRId64, wire_charge->number);
	add(arguments, "%d", charge->checked);
	add(arguments, "%d", charge->quota);
	add(arguments, "%d", charge_passes(charge));
	add(arguments, "%" PRId64, charge->amounts.of[COUNTED_MESSAGES]);
	add(arguments, "%" PRId64, charge->amounts.of[COUNTED_RECIPIENTS]);
	add(arguments, "%s", charge->level == LEVEL_UNKNOWN ? "" : level_word(charge->level));
	add(arguments, "%.2f", charge->score);
	add(arguments, "%" PRId64, settings->state_ttl_s);
	for (int i = 0; i < WINDOWS_V1; i++)
		add(arguments, "%" PRId64, charge->limits.window[i]);
	for (int i = 0; i < COUNTERS_REP; i++)
		add(arguments, "%.6g", charge->counts[i]);
	for (int i = 0; i < COUNTERS_REP; i++)
		add(arguments, "%.0f", counter_half_life_s((enum counter)i));
	add(arguments, "%s", charge->unauthorised);
}
