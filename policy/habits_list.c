/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of hashes with ages: an account's places, programs, hosts of links.
 */
#include "policy/habits_inside.h"

#include <string.h>

#include "policy/base/banned.h"

static int habits_find_entry(const uint16_t *list, int size, uint64_t hash)
{
	uint16_t wanted = entry_of(hash);
	for (int i = 0; hash != 0 && i < size && list[i] != 0; i++)
		if ((list[i] & ~AGE_BITS) == wanted)
			return i;
	return -1;
}

bool habits_has_entry(const uint16_t *list, int size, uint64_t hash)
{
	int at = habits_find_entry(list, size, hash);
	return at >= 0 && !is_new(list[at]);
}

static int habits_list_length(const uint16_t *list, int size)
{
	int length = 0;
	while (length < size && list[length] != 0)
		length++;
	return length;
}

int habits_count_old(const uint16_t *list, int size)
{
	int count = 0;
	for (int i = 0; i < size && list[i] != 0; i++)
		count += !is_new(list[i]);
	return count;
}

/* Which entry gives way to a new one: a free one; else the oldest of those that are new, where they have their half of
 * the list (a botnet's clients push out each other, not the owner's places); else the oldest. */
static int habits_find_victim(const uint16_t *list, int size)
{
	int length = habits_list_length(list, size), oldest_new = -1;
	for (int i = 0; i < length; i++)
		if (is_new(list[i]))
			oldest_new = i;
	bool half = length - habits_count_old(list, size) >= size / 2;
	if (half && oldest_new >= 0)
		return oldest_new;
	return length < size ? length : size - 1;
}

/* True where the list changed: a thing of the account's moves to the front only past half the list, so that a user of
 * two programs does not rewrite it with each message. */
bool habits_note_entry(uint16_t *list, int size, uint64_t hash)
{
	if (hash == 0)
		return false;
	int at = habits_find_entry(list, size, hash);
	if (at >= 0 && at < (size + 1) / 2)
		return false;
	uint16_t entry = at >= 0 ? list[at] : entry_of(hash) | AGE_NEW;
	if (at < 0)
		at = habits_find_victim(list, size);
	memmove(&list[1], &list[0], (size_t)at * sizeof list[0]);
	list[0] = entry;
	return true;
}

void habits_age_list(uint16_t *list, int size, int64_t halves)
{
	for (int i = 0; i < size && list[i] != 0; i++) {
		int64_t age = list[i] & AGE_BITS;
		list[i] = (uint16_t)((list[i] & ~AGE_BITS) | (age > halves ? age - halves : 0));
	}
}

bool habits_drop_new(uint16_t *list, int size)
{
	int kept = 0, length = habits_list_length(list, size);
	for (int i = 0; i < length; i++)
		if (!is_new(list[i]))
			list[kept++] = list[i];
	memset(&list[kept], 0, (size_t)(size - kept) * sizeof list[0]);
	return kept < length;
}
