/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the scripts do with the keys of redis.c, by the reference in policy/history.c.
 */
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/reply.h"
#include "t/fake/fake.h"
#include "t/fake/redis_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- fetch.lua */

static void key_of(const struct store_settings *settings, const char *account, const char *part, char name[KEY_MAX])
{
	snprintf(name, KEY_MAX, KEY_OF_ACCOUNT, settings->prefix, account, part);
}

/* NULL where it is not there or of the other type, which `wrong` then says. */
static struct key *ask(const struct store_settings *settings, const char *account, const char *part, bool string,
		       struct text *wrong)
{
	char name[KEY_MAX];
	key_of(settings, account, part, name);
	struct key *key = fake_find_key(name);
	if (key == NULL || (key->string != NULL) == string)
		return key;
	text_addf(wrong, wrong->length > 0 ? "+%s" : "%s", part);
	return NULL;
}

enum { ITEMS_MOST = 160 };

struct items {
	int count;
	const char *text[ITEMS_MOST];
	size_t length[ITEMS_MOST];
};

static void add_text(struct items *items, const char *text)
{
	items->length[items->count] = text != NULL ? strlen(text) : 0;
	items->text[items->count++] = text;
}

static void add_fields(struct items *items, const struct key *key, const char *const *names)
{
	for (; *names != NULL; names++) {
		const struct field *field = fake_find_field(key, *names);
		items->length[items->count] = field != NULL ? field->length : 0;
		items->text[items->count++] = field != NULL ? field->value : NULL;
	}
}

static void add_state(struct items *items, const struct key *key)
{
	add_fields(items, key,
		   (const char *[]){ "v", "level", "since", "first", "score", "spf", "m", "r", "c", "s", "pardon", "h",
				     "w", "k", NULL });
}

static bool fetch_locked(const struct store_settings *settings, const char *account, store_say *say, void *say_arg,
			 struct account_state *state_out)
{
	char wrong[60];
	struct known known;
	struct text text = text_over(wrong, sizeof wrong);
	struct items items = { 0 };
	const struct key *block = ask(settings, account, KEY_PART_BLOCK, true, &text);
	const struct key *exempt = ask(settings, account, KEY_PART_EXEMPT, true, &text);
	const struct key *state = ask(settings, account, KEY_PART_STATE, false, &text);
	const struct key *limits = ask(settings, account, KEY_PART_LIMITS, false, &text);
	add_text(&items, wrong);
	add_text(&items, block != NULL ? block->string : NULL);
	add_text(&items, exempt != NULL ? exempt->string : NULL);
	add_text(&items, NULL); /* none known beside the state's */
	add_state(&items, state);
	for (const struct field *field = limits != NULL ? limits->fields : NULL;
	     field != NULL && items.count + 2 <= ITEMS_MOST; field = field->next) {
		add_text(&items, field->name);
		add_text(&items, field->value);
	}
	struct reply_items list = { items.count, items.text, items.length };
	return reply_read_fetch(account, &list, say, say_arg, state_out, &known);
}

void fake_redis_fetch(const struct store_settings *settings, const char *account, store_say *say, void *say_arg,
		      struct account_state *state_out)
{
	pthread_mutex_lock(&fake_lock);
	bool read = fetch_locked(settings, account, say, say_arg, state_out);
	pthread_mutex_unlock(&fake_lock);
	if (!read)
		abort();
}

/* ---- charge.lua and group.lua */

static void set_number(struct key *key, const char *field, int64_t number)
{
	char value[24];
	snprintf(value, sizeof value, "%lld", (long long)number);
	fake_set_field(key, field, value);
}

/* MessagePack, as cmsgpack packs a whole number: in as few bytes as it takes. */
static size_t pack_number(char *bytes, double number)
{
	uint64_t whole = (uint64_t)number;
	int size = whole < 0x80 ? 0 : whole <= UINT8_MAX ? 1 : whole <= UINT16_MAX ? 2 : whole <= UINT32_MAX ? 4 : 8;
	size_t used = 0;
	if (size > 0)
		bytes[used++] = (char)(unsigned char)(size == 1 ? 0xcc : size == 2 ? 0xcd : size == 4 ? 0xce : 0xcf);
	for (int shift = size > 0 ? 8 * (size - 1) : 0; shift >= 0; shift -= 8)
		bytes[used++] = (char)(unsigned char)(whole >> shift);
	return used;
}

static size_t pack_windows(char *bytes, const struct rates *rates, int from, int to)
{
	size_t used = 0;
	for (int i = from; i < to; i++) {
		used += pack_number(bytes + used, rates->present[i]);
		used += pack_number(bytes + used, rates->before[i]);
	}
	return used;
}

static void write_use(struct key *key, const struct rates *rates)
{
	char bytes[9 * (1 + 2 * WINDOW_SUMS)];
	size_t used = pack_number(bytes, (double)rates->at_ms);
	used += pack_windows(bytes + used, rates, WINDOW_MSGS_PER_MINUTE, WINDOW_RCPTS_PER_MINUTE);
	used += pack_windows(bytes + used, rates, WINDOW_NEW_RCPTS_PER_DAY, WINDOW_SUMS);
	fake_set_bytes(key, "m", bytes, used);
	used = pack_windows(bytes, rates, WINDOW_RCPTS_PER_MINUTE, WINDOW_NEW_RCPTS_PER_DAY);
	fake_set_bytes(key, "r", bytes, used);
}

/* IEEE 754 single precision, low byte first, as struct.pack writes it. */
static void write_floats(const double *numbers, int count, char *bytes)
{
	for (int i = 0; i < 4 * count; i++) {
		float number = (float)numbers[i / 4];
		uint32_t bits;
		memcpy(&bits, &number, sizeof bits);
		bytes[i] = (char)(unsigned char)(bits >> i % 4 * 8);
	}
}

static void write_counters(struct key *key, const struct history *history)
{
	char c[REPLY_C_BYTES], s[REPLY_S_BYTES];
	write_floats(history->counters.value, COUNTERS_REP, c);
	fake_set_bytes(key, "c", c, sizeof c);
	write_floats(history->counters.value + COUNTERS_REP, COUNTER_COUNT - COUNTERS_REP, s);
	fake_set_bytes(key, "s", s, sizeof s);
}

static void write_history(struct key *key, const struct history *history)
{
	static const char *const parts[] = { [HABIT_PLACES] = "h", [HABIT_WEEK] = "w", [HABIT_KNOWN] = "k" };
	char bytes[HABIT_BYTES_MAX], score[24];
	write_use(key, &history->rates);
	write_counters(key, history);
	if (history->level != LEVEL_UNKNOWN) {
		snprintf(score, sizeof score, "%.2f", history->score);
		fake_set_field(key, "score", score);
		fake_set_field(key, "level", level_word(history->level));
		set_number(key, "since", history->level_since_s);
	}
	set_number(key, "first", history->first_s);
	if (history->pardoned_s != 0)
		set_number(key, "pardon", history->pardoned_s);
	fake_remove_field(key, "spf");
	if (history->unauthorised[0] != '\0')
		fake_set_field(key, "spf", history->unauthorised);
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1)
		fake_set_bytes(key, parts[part], bytes, habits_write(&history->habits, (enum habit_part)part, bytes));
	fake_set_field(key, "v", STATE_VERSION);
}

/* False: `charged` says why nothing was done. */
static bool may_charge(const struct key *key, const char *node, int64_t number, struct wire_charged *charged)
{
	const char *version = fake_field_text(key, "v"), *last = fake_field_text(key, node);
	if (key != NULL && key->string != NULL)
		charged->status = WIRE_WRONG;
	else if (version != NULL && strcmp(version, STATE_VERSION) != 0)
		charged->status = WIRE_VERSION;
	else if (last != NULL && text_to_int(last, 0, INT64_MAX, &charged->number) && charged->number >= number)
		charged->status = WIRE_AGAIN;
	else
		return true;
	return false;
}

static void say_nothing(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

/* The group's own limits before those of its plan. False: nothing is done, or it is blocked. */
static bool group_limits(const struct account_state *state, const char *plan, struct charge *charge,
			 struct wire_charged *charged)
{
	struct limits own = state->limits;
	const char *named = own.plan[0] != '\0' ? own.plan : plan;
	charged->own = own;
	if (charge->limits.plan[0] != '\0' && strcmp(charge->limits.plan, named) != 0) {
		text_copy(charged->own.plan, sizeof charged->own.plan, named);
		charged->status = WIRE_PLAN;
		return false;
	}
	if (own.until_s != 0 && own.until_s * 1000 <= fake_clock_redis_ms())
		own = limits_unset;
	limits_fill(&own, &charge->limits);
	charge->limits = state->exempt[0] != '\0' ? limits_unset : own;
	charged->status = WIRE_BLOCKED;
	text_copy(charged->block, sizeof charged->block, state->block);
	return state->block[0] == '\0';
}

/* What the message brings of places that the group has not seen on this day. The first limit that it would pass. */
static enum window group_places(const struct store_settings *settings, const struct charge *charge, bool adds)
{
	char name[KEY_MAX], place[40], count[24];
	int64_t seen, day_ms = 86400000;
	enum window over = WINDOW_COUNT;
	key_of(settings, charge->account, KEY_PART_PLACES, name);
	for (int i = WINDOW_COUNT - 1; i >= (int)WINDOW_SUMS; i--) {
		int kind = i - (int)WINDOW_SUMS + 1;
		uint64_t hash = charge->places[kind - 1];
		const struct key *key = fake_find_key(name);
		snprintf(place, sizeof place, "%d%016llx", kind, (unsigned long long)hash);
		snprintf(count, sizeof count, "%d", kind);
		const char *held = fake_field_text(key, count);
		if (charge->limits.window[i] == LIMIT_UNSET || hash == 0 || fake_field_text(key, place) != NULL)
			continue;
		if (held == NULL || !text_to_int(held, 0, INT64_MAX, &seen))
			seen = 0;
		if (seen >= charge->limits.window[i]) {
			over = (enum window)i;
		} else if (adds) {
			struct key *places = fake_get_key(name);
			fake_set_field(places, place, "");
			set_number(places, count, seen + 1);
			places->ends_ms = (fake_clock_redis_ms() / day_ms + 1) * day_ms;
		}
	}
	return over;
}

static void charge_locked(const struct store_settings *settings, const struct wire_charge *wire_charge, struct key *key,
			  struct wire_charged *charged)
{
	struct charge charge = *wire_charge->charge;
	struct account_state state;
	charge.now_ms = fake_clock_redis_ms();
	if (!fetch_locked(settings, charge.account, say_nothing, NULL, &state))
		abort();
	if (wire_charge->scope != SCOPE_ACCOUNT && !group_limits(&state, wire_charge->plan, &charge, charged))
		return;
	bool passes = charge_passes(&charge), group = wire_charge->scope != SCOPE_ACCOUNT;
	enum window places = group ? group_places(settings, &charge, false) : WINDOW_COUNT;
	charged->over = places;
	if (places == WINDOW_COUNT || passes) {
		enum window sum = history_charge(&state.history, &charge);
		charged->over = sum != WINDOW_COUNT ? sum : places;
	}
	if (group && (charged->over == WINDOW_COUNT || passes))
		group_places(settings, &charge, true);
	charged->status = WIRE_CHARGED;
	if (charged->over != WINDOW_COUNT) {
		charged->limit = charge.limits.window[charged->over];
		charged->limit_over = charge.limits.over;
		if (charge.checked && !charge_passes(&charge))
			charged->status = WIRE_OVER;
	}
	charged->rates = state.history.rates;
	write_history(key, &state.history);
}

void fake_redis_charge(const struct store_settings *settings, const struct wire_charge *charge,
		       struct wire_charged *charged_out)
{
	char name[KEY_MAX], node[24];
	*charged_out = (struct wire_charged){ .over = WINDOW_COUNT, .own = limits_unset };
	key_of(settings, charge->charge->account, KEY_PART_STATE, name);
	snprintf(node, sizeof node, "n:%s", settings->node);
	pthread_mutex_lock(&fake_lock);
	if (may_charge(fake_find_key(name), node, charge->number, charged_out)) {
		struct key *key = fake_get_key(name);
		charge_locked(settings, charge, key, charged_out);
		if (charged_out->status != WIRE_PLAN)
			set_number(key, node, charge->number);
		key->ends_ms = fake_clock_redis_ms() + settings->state_ttl_s * 1000;
	}
	pthread_mutex_unlock(&fake_lock);
}
