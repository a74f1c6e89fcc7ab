/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an account writes again and again: texts, and the hosts that their links name.
 */
#include "policy/habits_inside.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	TIMES_BITS = 3, /* of a form: how often the text was sent, up to ... */
	TIMES_OWN = 3,	/* ... so often, then it is the account's */
	LENGTH_SHIFT = 2,
	LENGTH_STEPS = 4, /* of a doubling */
	LENGTH_MAX = 63,
	LENGTH_APART = 2, /* two of one text are apart by no more: names and items are filled in */
};

static int length_of(int64_t words)
{
	return (int)fmin(round(log2(1 + (double)(words > 0 ? words : 0)) * LENGTH_STEPS), LENGTH_MAX);
}

static int length_apart(const struct habit_text *text, int64_t words)
{
	int apart = (text->form >> LENGTH_SHIFT) - length_of(words);
	return apart < 0 ? -apart : apart;
}

static int habits_text_count(const struct habits *habits)
{
	int count = 0;
	while (count < HABIT_TEXTS && habits->texts[count].entry != 0)
		count++;
	return count;
}

static int habits_text_find(const struct habits *habits, uint64_t text, int64_t words)
{
	const uint16_t wanted = entry_of(text);
	for (int i = 0; text != 0 && i < HABIT_TEXTS && habits->texts[i].entry != 0; i++)
		if ((habits->texts[i].entry & ~AGE_BITS) == wanted &&
		    length_apart(&habits->texts[i], words) <= LENGTH_APART)
			return i;
	return -1;
}

static int times_of(const struct habit_text *text)
{
	return text->form & TIMES_BITS;
}

bool habit_has_text(const struct habits *habits, uint64_t text, int64_t words)
{
	int at = habits_text_find(habits, text, words);
	return at >= 0 && !is_new(habits->texts[at].entry) && times_of(&habits->texts[at]) >= TIMES_OWN;
}

int habit_count_letters(const struct habits *habits)
{
	int count = 0;
	for (int i = 0; i < HABIT_TEXTS && habits->texts[i].entry != 0; i++)
		count += !is_new(habits->texts[i].entry) && times_of(&habits->texts[i]) < TIMES_OWN;
	return count;
}

bool habit_has_host(const struct habits *habits, uint64_t host)
{
	return habits_has_entry(habits->hosts, HABIT_HOSTS, host);
}

bool habit_repeats_text(const struct habits *habits, uint64_t text)
{
	return text != 0 && habits->last_text == entry_of(text);
}

bool habits_note_last_text(struct habits *habits, uint64_t text)
{
	uint16_t entry = text != 0 ? entry_of(text) : 0;
	bool changed = habits->last_text != entry;
	habits->last_text = entry;
	return changed;
}

/* What was sent once or twice gives way before what is sent again and again; of that what is new, where it has its half
 * of the list (a day of many letters does not push out those of the days before). */
static int habits_text_victim(const struct habits *habits)
{
	int count = habits_text_count(habits), fresh = 0, oldest = -1, oldest_new = -1;
	for (int i = 0; i < count; i++) {
		bool new = is_new(habits->texts[i].entry);
		fresh += new;
		if (times_of(&habits->texts[i]) < TIMES_OWN)
			*(new ? &oldest_new : &oldest) = i;
	}
	if (fresh >= HABIT_TEXTS / 2 && oldest_new >= 0)
		return oldest_new;
	if (count < HABIT_TEXTS)
		return count;
	return oldest >= 0 ? oldest : oldest_new >= 0 ? oldest_new : count - 1;
}

bool habits_note_text(struct habits *habits, const struct habit_facts *facts)
{
	if (facts->text == 0)
		return false;
	bool changed = false;
	for (int i = 0; i < facts->host_count; i++)
		changed = habits_note_entry(habits->hosts, HABIT_HOSTS, facts->hosts[i]) || changed;
	int at = habits_text_find(habits, facts->text, facts->text_words);
	if (at >= 0 && at < HABIT_TEXTS / 2 && times_of(&habits->texts[at]) >= TIMES_OWN)
		return changed;
	struct habit_text text = { .entry = entry_of(facts->text) | AGE_NEW,
				   .form = (uint8_t)(length_of(facts->text_words) << LENGTH_SHIFT | 1) };
	if (at >= 0) {
		text = habits->texts[at];
		text.form = (uint8_t)(text.form + (times_of(&text) < TIMES_OWN));
	} else {
		at = habits_text_victim(habits);
	}
	memmove(&habits->texts[1], &habits->texts[0], (size_t)at * sizeof text);
	habits->texts[0] = text;
	return true;
}

void habits_age_texts(struct habits *habits, int64_t halves)
{
	habits_age_list(habits->hosts, HABIT_HOSTS, halves);
	for (int i = 0; i < HABIT_TEXTS && habits->texts[i].entry != 0; i++)
		habits_age_list(&habits->texts[i].entry, 1, halves);
}

bool habits_forget_texts(struct habits *habits)
{
	int kept = 0, count = habits_text_count(habits);
	for (int i = 0; i < count; i++)
		if (!is_new(habits->texts[i].entry))
			habits->texts[kept++] = habits->texts[i];
	memset(&habits->texts[kept], 0, (size_t)(HABIT_TEXTS - kept) * sizeof habits->texts[0]);
	return habits_drop_new(habits->hosts, HABIT_HOSTS) || kept < count;
}
