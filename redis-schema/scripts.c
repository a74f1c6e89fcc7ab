/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/scripts.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/scripts_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

const char *const script_text[SCRIPT_COUNT] = {
	[SCRIPT_FETCH] = SCRIPT_TEXT_FETCH,
	[SCRIPT_CHARGE] = SCRIPT_TEXT_CHARGE,
	[SCRIPT_GROUP] = SCRIPT_TEXT_GROUP,
	[SCRIPT_CAMPAIGN] = SCRIPT_TEXT_CAMPAIGN,
};

static void begin(struct script_arguments *arguments)
{
	arguments->count = 0;
	arguments->used = 0;
}

/* Room for a word of `length` bytes and a NUL. */
static char *script_room_for(struct script_arguments *arguments, size_t length)
{
	MUST(arguments->count < SCRIPT_ARGUMENTS_MAX && length < sizeof arguments->memory - arguments->used);
	char *word = arguments->memory + arguments->used;
	arguments->word[arguments->count] = word;
	arguments->length[arguments->count++] = length;
	arguments->used += length + 1;
	word[length] = '\0';
	return word;
}

static void add_bytes(struct script_arguments *arguments, const char *bytes, size_t length)
{
	memcpy(script_room_for(arguments, length), bytes, length);
}

static void add_word(struct script_arguments *arguments, const char *word)
{
	add_bytes(arguments, word, strlen(word));
}

__attribute__((format(printf, 2, 3))) static void script_add(struct script_arguments *arguments, const char *format,
							     ...)
{
	char word[KEY_MAX];
	va_list values;
	va_start(values, format);
	int length = vsnprintf(word, sizeof word, format, values);
	va_end(values);
	MUST(length >= 0 && (size_t)length < sizeof word);
	add_bytes(arguments, word, (size_t)length);
}

/* Doubles in one word, low byte first: one word costs Redis a tenth of what forty cost. */
struct packed {
	size_t length;
	char bytes[8 * 40];
};

static void pack_bits(struct packed *packed, uint64_t bits)
{
	MUST(packed->length + 8 <= sizeof packed->bytes);
	for (int i = 0; i < 8; i++)
		packed->bytes[packed->length++] = (char)(unsigned char)(bits >> 8 * i);
}

static void pack(struct packed *packed, double number)
{
	uint64_t bits;
	memcpy(&bits, &number, sizeof bits);
	pack_bits(packed, bits);
}

static void script_pack_sums(struct packed *packed, const struct charge *charge)
{
	for (int i = 0; i < COUNTED_SUMS; i++)
		pack(packed, (double)charge->amounts.of[i]);
	for (int i = 0; i < WINDOW_SUMS; i++)
		pack(packed, (double)charge->limits.window[i]);
}

/* What stands before the part is the same in all of them. */
static void script_add_keys(struct script_arguments *arguments, const char *prefix, const char *account, int count,
			    const char *const *parts)
{
	char key[KEY_MAX];
	int head = snprintf(key, sizeof key, KEY_OF_ACCOUNT, prefix, account, "");
	MUST(head >= 0 && (size_t)head < sizeof key);
	for (int i = 0; i < count; i++) {
		MUST(text_copy(key + head, sizeof key - (size_t)head, parts[i]));
		add_word(arguments, key);
	}
}

void script_fetch_arguments(struct script_arguments *arguments, const char *prefix, const char *account)
{
	begin(arguments);
	add_word(arguments, "5");
	script_add_keys(
		arguments, prefix, account, 5,
		(const char *[]){ KEY_PART_LIMITS, KEY_PART_BLOCK, KEY_PART_EXEMPT, KEY_PART_STATE, KEY_PART_KNOWN });
}

static void script_add_known(struct script_arguments *arguments, const struct wire_charge *charge)
{
	int count = charge->new_known_count < SCRIPT_KNOWN_MAX ? charge->new_known_count : SCRIPT_KNOWN_MAX;
	char *word = script_room_for(arguments, (size_t)count * SCRIPT_KNOWN_BYTES);
	for (int i = 0; i < count; i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			*word++ = (char)(unsigned char)(charge->new_known[i] >> shift);
}

/* What the counters get where the message is turned away: which of them, and how much. */
static void script_add_turned_away(struct script_arguments *arguments, const struct charge *charge)
{
	struct packed pairs = { 0 };
	struct charge away = *charge;
	charge_turn_away(&away, SCOPE_ACCOUNT);
	for (int i = 0; i < COUNTER_COUNT && charge->checked; i++)
		if (fabs(away.counts[i] - charge->counts[i]) > 0) {
			pack(&pairs, i + 1);
			pack(&pairs, away.counts[i]);
		}
	add_bytes(arguments, pairs.bytes, pairs.length);
}

static void script_add_fields(struct script_arguments *arguments, const struct charge *charge)
{
	if (charge->level != LEVEL_UNKNOWN) {
		add_word(arguments, "score");
		script_add(arguments, "%.2f", charge->score);
	}
	if (charge->unauthorised[0] != '\0' && strcmp(charge->unauthorised, "-") != 0) {
		add_word(arguments, "spf");
		add_word(arguments, charge->unauthorised);
	}
	if (charge->pardoned_s != 0) {
		add_word(arguments, "pardon");
		script_add(arguments, "%" PRId64, charge->pardoned_s);
	}
}

static void script_add_habits(struct script_arguments *arguments, const struct charge *charge)
{
	static const char *const parts[] = { [HABIT_PLACES] = "h", [HABIT_WEEK] = "w", [HABIT_KNOWN] = "k" };
	char bytes[HABIT_BYTES_MAX];
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1)
		if (charge->habits_changed & part) {
			add_word(arguments, parts[part]);
			add_bytes(arguments, bytes, habits_write(&charge->habits, (enum habit_part)part, bytes));
		}
}

static int script_habit_words(const struct charge *charge)
{
	int words = 0;
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1)
		words += charge->habits_changed & part ? 2 : 0;
	return words;
}

void script_charge_arguments(struct script_arguments *arguments, const struct store_settings *settings,
			     const struct wire_charge *wire_charge)
{
	const struct charge *charge = wire_charge->charge;
	struct packed packed = { 0 };
	begin(arguments);
	add_word(arguments, "2");
	script_add_keys(arguments, settings->prefix, charge->account, 2,
			(const char *[]){ KEY_PART_STATE, KEY_PART_KNOWN });
	pack(&packed, charge->checked);
	pack(&packed, charge->quota);
	pack(&packed, charge_passes(charge));
	pack(&packed, strcmp(charge->unauthorised, "-") == 0);
	pack(&packed, (double)settings->state_ttl_s);
	script_pack_sums(&packed, charge);
	for (int i = 0; i < COUNTER_COUNT; i++)
		pack(&packed, charge->counts[i]);
	pack(&packed, script_habit_words(charge));
	add_bytes(arguments, packed.bytes, packed.length);
	script_add(arguments, "n:%s", settings->node);
	script_add(arguments, "%" PRId64, wire_charge->number);
	add_word(arguments, charge->level == LEVEL_UNKNOWN ? "" : level_word(charge->level));
	script_add_known(arguments, wire_charge);
	script_add_turned_away(arguments, charge);
	script_add_habits(arguments, charge);
	script_add_fields(arguments, charge);
}

/* The words of `over` that let a message pass, or turn it away, each between blanks. */
static void script_add_overs(struct script_arguments *arguments, bool passing)
{
	char words[64];
	struct text text = text_over(words, sizeof words);
	text_add(&text, " ");
	for (int over = OVER_DEFER; over < OVER_COUNT; over++)
		if (over_passes((enum over)over) == passing)
			text_addf(&text, "%s ", over_word((enum over)over));
	add_word(arguments, words);
}

void script_group_arguments(struct script_arguments *arguments, const struct store_settings *settings,
			    const struct wire_charge *wire_charge)
{
	const struct charge *charge = wire_charge->charge;
	struct packed packed = { 0 }, places = { 0 };
	begin(arguments);
	add_word(arguments, "5");
	script_add_keys(
		arguments, settings->prefix, charge->account, 5,
		(const char *[]){ KEY_PART_LIMITS, KEY_PART_BLOCK, KEY_PART_EXEMPT, KEY_PART_STATE, KEY_PART_PLACES });
	pack(&packed, charge->checked);
	pack(&packed, (double)settings->state_ttl_s);
	script_pack_sums(&packed, charge);
	for (int i = WINDOW_SUMS; i < WINDOW_COUNT; i++) {
		pack(&packed, (double)charge->limits.window[i]);
		pack_bits(&places, charge->places[i - WINDOW_SUMS]);
	}
	add_bytes(arguments, packed.bytes, packed.length);
	script_add(arguments, "n:%s", settings->node);
	script_add(arguments, "%" PRId64, wire_charge->number);
	add_word(arguments, over_word(charge->limits.over));
	add_word(arguments, wire_charge->plan);
	add_word(arguments, charge->limits.plan);
	add_bytes(arguments, places.bytes, places.length);
	script_add_overs(arguments, true);
	script_add_overs(arguments, false);
}

void script_campaign_arguments(struct script_arguments *arguments, const char *prefix,
			       const struct wire_fingerprint *fingerprint)
{
	begin(arguments);
	add_word(arguments, "1");
	script_add(arguments, KEY_CAMPAIGN, prefix, (unsigned)(fingerprint->fingerprint % CAMPAIGN_BUCKETS));
	script_add(arguments, "%016" PRIx64, fingerprint->fingerprint);
	script_add(arguments, "%u", (unsigned)(fingerprint->account % 64));
	add_word(arguments, fingerprint->bad ? "1" : "0");
}
