/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Habits as they stand in Redis: the first byte picks the part. What is read is the same when it is written and read
 * again, and the next message can be noted upon it.
 */
#include "policy/habits.h"

#include "policy/base/panic.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct habits *habits)
{
	const uint64_t hosts[] = { (uint64_t)8 << 20, (uint64_t)9 << 20 };
	struct habit_facts facts = {
		.now_s = 1700000000,
		.address = 1,
		.network = 2,
		.as = 3,
		.sender = 4,
		.mailer = 5,
		.wide = 6,
		.text = (uint64_t)7 << 20,
		.text_words = 100,
		.hosts = hosts,
		.host_count = 2,
		.behaves = true,
		.homely = true,
		.alone = true,
		.hour_rcpts = 12,
		.hour_messages = 3,
		.last_s = 1699990000,
	};
	for (int i = COUNTED_SUMS; i < COUNTED_COUNT; i++)
		MUST(habit_distinct(habits, (enum counted)i, &facts) >= 0);
	double expected = habit_hour_expected(habits, facts.now_s, 3600);
	MUST(isnan(expected) || (expected >= 0 && expected < 1e9));
	double reach = habit_reach(habits);
	MUST(reach >= 0 && reach < 1e9 && habit_count_letters(habits) <= HABIT_TEXTS);
	habits_note(habits, &facts);
	MUST(habit_repeats_text(habits, facts.text) && habit_reach(habits) > 10);
	facts.suspect = true;
	habits_note(habits, &facts);
	for (int i = 0; i < HABIT_TEXTS; i++) /* whoever is suspect forgets the new ones */
		MUST(habits->texts[i].entry == 0 || (habits->texts[i].entry & 3) == 0);
	habits_note_rcpt(habits, 77);
	MUST(habits->many || habit_knows(habits, 77));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum habit_part parts[] = { HABIT_PLACES, HABIT_WEEK, HABIT_KNOWN, HABIT_TEXT };
	struct habits habits = { .day = 9 }, again = { .many = true };
	char bytes[HABIT_BYTES_MAX];
	if (size == 0)
		return 0;
	enum habit_part part = parts[data[0] % 4];
	bool good = habits_read(&habits, part, (const char *)data + 1, size - 1);
	size_t length = habits_write(&habits, part, bytes);
	MUST(length <= HABIT_BYTES_MAX && (good || length == 0));
	MUST(habits_read(&again, part, bytes, length));
	char other[HABIT_BYTES_MAX];
	MUST(habits_write(&again, part, other) == length && memcmp(bytes, other, length) == 0);
	use(&habits);
	return 0;
}
