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
	AT_RCPTS,
	AT_VERSION,
	AT_LEVEL,
	AT_SINCE,
	AT_FIRST,
	AT_SCORE,
	AT_SPF,
	AT_M,
	AT_R,
	AT_C,
	AT_S,
	AT_PARDON,
	AT_PLACES,
	AT_WEEK,
	AT_KNOWN,
	AT_LIMITS,
};

enum { LINE_MAX_BYTES = 600, PAIR_MAX = 159 };

/* MessagePack, unsigned whole numbers alone, and `most` of them. */
static bool reply_read_packed(struct reply_field field, int most, double *numbers)
{
	const unsigned char *bytes = (const unsigned char *)field.bytes, *end = bytes + field.length;
	for (int i = 0; i < most; i++) {
		if (bytes == end)
			return false;
		uint64_t number = *bytes++;
		if (number >= 0x80) { /* 0xcc to 0xcf: one, two, four, eight bytes, the highest first */
			int more = number >= 0xcc && number <= 0xcf ? 1 << (number - 0xcc) : -1;
			if (more < 0 || end - bytes < more)
				return false;
			for (number = 0; more > 0; more--)
				number = number << 8 | *bytes++;
		}
		numbers[i] = (double)number;
	}
	return bytes == end;
}

/* In this order: of `m` the time, 6 of messages, 2 of first-time recipients; of `r` 6 of recipients and 6 of KiB. */
bool reply_read_sums(struct reply_field m, struct reply_field r, struct rates *rates_out)
{
	double numbers[1 + 2 * WINDOW_SUMS] = { 0 }, of_m[9];
	*rates_out = (struct rates){ 0 };
	if (m.length == 0 && r.length == 0)
		return true;
	if (!reply_read_packed(m, 9, of_m) || !reply_read_packed(r, 12, numbers + 7))
		return false;
	memcpy(numbers, of_m, 7 * sizeof numbers[0]);
	memcpy(numbers + 19, of_m + 7, 2 * sizeof numbers[0]);
	if (numbers[0] < 0 || numbers[0] > 9e15)
		return false;
	rates_out->at_ms = (int64_t)numbers[0];
	for (int i = 0; i < WINDOW_SUMS; i++) {
		rates_out->present[i] = fmax(numbers[1 + 2 * i], 0);
		rates_out->before[i] = fmax(numbers[2 + 2 * i], 0);
	}
	return true;
}

/* IEEE 754 single precision, low byte first: as many digits as a counter needs, and no more bytes than a listpack
 * takes. */
static float reply_read_float(const char *bytes)
{
	uint32_t bits = 0;
	float number;
	for (int i = 3; i >= 0; i--)
		bits = bits << 8 | (unsigned char)bytes[i];
	memcpy(&number, &bits, sizeof number);
	return number;
}

static void reply_read_floats(const char *bytes, int count, double *numbers)
{
	for (int i = 0; i < count; i++) {
		float number = reply_read_float(bytes + 4 * i);
		numbers[i] = isfinite(number) ? fmax(number, 0) : 0;
	}
}

/* Each of them may be empty. */
static bool reply_read_counters(struct reply_field c, struct reply_field s, struct history *history)
{
	history->counters.at_ms = history->rates.at_ms;
	if (c.length == REPLY_C_BYTES)
		reply_read_floats(c.bytes, COUNTERS_REP, history->counters.value);
	if (s.length == REPLY_S_BYTES)
		reply_read_floats(s.bytes, COUNTER_COUNT - COUNTERS_REP, history->counters.value + COUNTERS_REP);
	return (c.length == 0 || c.length == REPLY_C_BYTES) && (s.length == 0 || s.length == REPLY_S_BYTES);
}

struct sayer {
	store_say *say;
	void *arg;
	const char *of;	  /* "account" or "plan" */
	const char *name; /* NULL: the line begins with what is wrong */
	int useless;	  /* how many fields were of no use */
};

static struct text reply_line_begin(const struct sayer *sayer, char line[LINE_MAX_BYTES])
{
	struct text text = text_over(line, LINE_MAX_BYTES);
	if (sayer->name == NULL)
		return text;
	text_addf(&text, "redis: %s ", sayer->of);
	text_add_word(&text, sayer->name);
	text_add(&text, ": ");
	return text;
}

/* A panel's bytes, cut. */
static void reply_add_shown(struct text *text, const char *bytes)
{
	char shown[64];
	text_copy(shown, sizeof shown, bytes);
	text_add(text, "\"");
	text_add_word(text, shown);
	text_add(text, "\"");
}

static void reply_say_useless(const struct sayer *sayer, const char *field, const char *value, const char *expected)
{
	char line[LINE_MAX_BYTES];
	struct text text = reply_line_begin(sayer, line);
	text_addf(&text, "%s is ", field);
	reply_add_shown(&text, value);
	text_addf(&text, ", expected %s", expected);
	sayer->say(sayer->arg, line);
}

/* Panels keep notes of their own beside ours, in limits; in a plan nobody does. */
static void reply_read_unknown(struct sayer *sayer, const char *field)
{
	bool plan = strcmp(sayer->of, "plan") == 0;
	const char *near = limits_near(field);
	char line[LINE_MAX_BYTES];
	if (near == NULL && !plan)
		return;
	struct text text = reply_line_begin(sayer, line);
	reply_add_shown(&text, field);
	text_addf(&text, " is no field that is read, expected one such as %s", near != NULL ? near : "rcpts_per_hour");
	sayer->say(sayer->arg, line);
	sayer->useless++;
}

static void reply_read_limit(struct sayer *sayer, const char *field, const char *value, struct limits *limits)
{
	const char *expected;
	if (!limits_have(field)) {
		reply_read_unknown(sayer, field);
	} else if (!limits_set(limits, field, value, &expected)) {
		char longer[120];
		struct text text = text_over(longer, sizeof longer);
		text_addf(&text, "%s; the plan's value holds", expected);
		reply_say_useless(sayer, field, value, longer);
		sayer->useless++;
	}
}

static void reply_say_wrong_types(const struct sayer *sayer, const char *parts)
{
	char line[LINE_MAX_BYTES];
	struct text text = reply_line_begin(sayer, line);
	text_add(&text, "wrong type of key in part ");
	text_add_word(&text, parts);
	text_add(&text, " (limits and state are hashes, the others strings); it is left alone and read as if it "
			"were not there");
	sayer->say(sayer->arg, line);
}

static int64_t number_or_zero(const char *text)
{
	int64_t number = 0;
	text_to_int(text, 0, (int64_t)1 << 40, &number);
	return number;
}

static void reply_read_habits(const struct reply_items *items, struct habits *habits)
{
	static const struct {
		int at;
		enum habit_part part;
	} parts[] = { { AT_PLACES, HABIT_PLACES }, { AT_WEEK, HABIT_WEEK }, { AT_KNOWN, HABIT_KNOWN } };
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (items->text[parts[i].at] != NULL)
			habits_read(habits, parts[i].part, items->text[parts[i].at], items->length[parts[i].at]);
}

static void reply_read_state(const struct sayer *sayer, const struct reply_items *items, struct account_state *state)
{
	const char *text[AT_LIMITS];
	struct history *history = &state->history;
	for (int i = 0; i < AT_LIMITS; i++)
		text[i] = items->text[i] != NULL ? items->text[i] : "";
	if (text[AT_VERSION][0] != '\0' && strcmp(text[AT_VERSION], STATE_VERSION) != 0) {
		reply_say_useless(sayer, "state v", text[AT_VERSION], STATE_VERSION "; the state is left alone");
		state->unreadable = true;
		return;
	}
	history->level = level_find(text[AT_LEVEL]);
	history->level_since_s = number_or_zero(text[AT_SINCE]);
	history->first_s = number_or_zero(text[AT_FIRST]);
	history->pardoned_s = number_or_zero(text[AT_PARDON]);
	history->score = strtod(text[AT_SCORE], NULL); /* for people alone */
	if (!isfinite(history->score))
		history->score = 0;
	text_copy(history->unauthorised, sizeof history->unauthorised, text[AT_SPF]);
	struct reply_field field[AT_LIMITS];
	for (int i = 0; i < AT_LIMITS; i++)
		field[i] = (struct reply_field){ text[i], items->length[i] };
	if (!reply_read_sums(field[AT_M], field[AT_R], &history->rates))
		reply_say_useless(sayer, "state m and r", text[AT_M],
				  "9 and 12 numbers as MessagePack; it is read as if it were empty");
	if (!reply_read_counters(field[AT_C], field[AT_S], history))
		reply_say_useless(sayer, "state c or s", text[AT_C], "20 and 48 bytes; it is read as if it were empty");
	reply_read_habits(items, &history->habits);
}

int reply_read_limits(const char *account, bool named, int count, const char *const *items, store_say *say,
		      void *say_arg, struct limits *limits_out)
{
	bool group = account_is_group(account);
	struct sayer sayer = { say, say_arg, group ? "group" : "account", named ? account : NULL, 0 };
	char line[LINE_MAX_BYTES];
	for (int i = 0; i + 1 < count && i < 2 * REPLY_FIELDS_MAX; i += 2)
		if (items[i] != NULL && items[i + 1] != NULL)
			reply_read_limit(&sayer, items[i], items[i + 1], limits_out);
	const char *of_accounts = group ? limits_of_accounts(limits_out) : NULL;
	struct text text = reply_line_begin(&sayer, line);
	if (of_accounts != NULL)
		text_addf(&text, "%s is of accounts alone; it is not counted", of_accounts);
	else if (count > 2 * REPLY_FIELDS_MAX)
		text_addf(&text, "it has more than %d fields; the rest is not read", REPLY_FIELDS_MAX);
	else
		return sayer.useless;
	say(say_arg, line);
	return sayer.useless + 1;
}

bool reply_read_fetch(const char *account, const struct reply_items *items, store_say *say, void *say_arg,
		      struct account_state *state_out, struct known *known_out)
{
	struct sayer sayer = { say, say_arg, account_is_group(account) ? "group" : "account", account, 0 };
	*state_out = (struct account_state){ .known = KNOWLEDGE_FULL, .limits = limits_unset };
	*known_out = (struct known){ NULL, 0 };
	if (items->count < AT_LIMITS || items->text[AT_WRONG] == NULL)
		return false;
	if (items->text[AT_WRONG][0] != '\0')
		reply_say_wrong_types(&sayer, items->text[AT_WRONG]);
	state_out->unreadable = strstr(items->text[AT_WRONG], "state") != NULL;
	if (items->text[AT_BLOCK] != NULL)
		text_copy(state_out->block, sizeof state_out->block, items->text[AT_BLOCK]);
	if (items->text[AT_EXEMPT] != NULL)
		text_copy(state_out->exempt, sizeof state_out->exempt, items->text[AT_EXEMPT]);
	reply_read_state(&sayer, items, state_out);
	if (items->text[AT_RCPTS] != NULL && known_fits(items->length[AT_RCPTS]))
		*known_out = (struct known){ (const unsigned char *)items->text[AT_RCPTS], items->length[AT_RCPTS] };
	state_out->useless = items->text[AT_WRONG][0] != '\0';
	state_out->useless += reply_read_limits(account, true, items->count - AT_LIMITS, items->text + AT_LIMITS, say,
						say_arg, &state_out->limits);
	return true;
}

/* One word of a plan's text. */
static void reply_read_pair(struct sayer *sayer, const char *text, size_t length, struct limits *limits_out)
{
	char pair[PAIR_MAX + 1];
	bool fits = length <= PAIR_MAX;
	size_t kept = fits ? length : PAIR_MAX;
	memcpy(pair, text, kept);
	pair[kept] = '\0';
	char *equals = fits ? strchr(pair, '=') : NULL;
	if (equals != NULL) {
		*equals = '\0';
		reply_read_limit(sayer, pair, equals + 1, limits_out);
	} else {
		reply_say_useless(sayer, "a word", pair, fits ? "field=value" : "field=value of at most 159 bytes");
		sayer->useless++;
	}
}

int reply_read_plan(const char *name, bool named, const char *text, store_say *say, void *say_arg,
		    struct limits *limits_out)
{
	static const char blanks[] = " \t\r\n";
	struct sayer sayer = { say, say_arg, "plan", named ? name : NULL, 0 };
	*limits_out = limits_unset;
	for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks);
		reply_read_pair(&sayer, text, length, limits_out);
		text += length;
	}
	return sayer.useless;
}
