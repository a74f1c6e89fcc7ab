/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How habits stand in Redis. Numbers are little endian.
 *
 * Text: lengths of the lists of texts (5 bits), hosts (4) and wide networks (3) and the version (4) in 2 bytes, the
 * reach (1), then wide networks and hosts, 2 bytes each, and texts, 3 bytes each.
 *
 * Places: 2 bytes of version (3 bits), second half of the day (1 bit) and lengths of the lists of networks (3),
 * ASes (3), senders (2) and mailers (3); then the day (2), days (1), yesterday's counts (1 each), today's maps (8, 8
 * and 4) and the lists, 2 bytes an entry. Week: its 31 bytes. Known: 4 bytes each, or "*" for `many`.
 */
#include "policy/habits.h"

#include <string.h>

#include "policy/base/banned.h"

enum {
	VERSION = 1,
	HEAD = 2 + 2 + 1 + DISTINCT_COUNT + 8 + 8 + 4,
	ENTRIES = HABIT_NETWORKS + HABIT_ASES + HABIT_SENDERS + HABIT_MAILERS,
	WEEK = 24 + 7,
	RCPT_BYTES = 4,
	TEXT_VERSION = 1,
	TEXT_HEAD = 2 + 1 + 2,
};

_Static_assert(TEXT_HEAD + 2 * (HABIT_WIDES + HABIT_HOSTS) + 3 * HABIT_TEXTS <= HABIT_BYTES_MAX, "texts fit");

_Static_assert(HEAD + 2 * ENTRIES <= HABIT_BYTES_MAX, "places fit");
_Static_assert(RCPT_BYTES *HABIT_KNOWN_MAX <= HABIT_BYTES_MAX, "so do known recipients");

/* Where the bits of a list's length begin, and how many there are; its place in the structure. */
#define LENGTH_ROWS(ROW) \
	ROW(networks, HABIT_NETWORKS, 4, 3) \
	ROW(ases, HABIT_ASES, 7, 3) \
	ROW(senders, HABIT_SENDERS, 10, 2) \
	ROW(mailers, HABIT_MAILERS, 12, 3)

static const int map_bytes[DISTINCT_COUNT] = { 8, 8, 4 };

static char *put(char *to, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*to++ = (char)(number >> 8 * i & 0xff);
	return to;
}

static const char *habits_bytes_get(const char *from, int bytes, uint64_t *number_out)
{
	*number_out = 0;
	for (int i = 0; i < bytes; i++)
		*number_out |= (uint64_t)(unsigned char)*from++ << 8 * i;
	return from;
}

static unsigned habits_bytes_length_of(const uint16_t *list, int size)
{
	unsigned length = 0;
	while (length < (unsigned)size && list[length] != 0)
		length++;
	return length;
}

static char *put_list(char *to, const uint16_t *list, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		to = put(to, list[i], 2);
	return to;
}

/* NULL where an entry is none. */
static const char *habits_bytes_get_list(const char *from, uint16_t *list, unsigned length)
{
	uint64_t entry;
	for (unsigned i = 0; from != NULL && i < length; i++) {
		from = habits_bytes_get(from, 2, &entry);
		list[i] = (uint16_t)entry;
		if (entry == 0)
			from = NULL;
	}
	return from;
}

static size_t habits_bytes_write_places(const struct habits *habits, char *bytes)
{
	if (habits->day == 0)
		return 0;
	unsigned head = VERSION | (habits->half ? 8U : 0U);
#define LENGTH_PUT(list, size, shift, bits) head |= habits_bytes_length_of(habits->list, size) << (shift);
	LENGTH_ROWS(LENGTH_PUT)
#undef LENGTH_PUT
	char *at = put(bytes, head, 2);
	at = put(at, habits->day, 2);
	at = put(at, habits->days, 1);
	for (int i = 0; i < DISTINCT_COUNT; i++)
		at = put(at, habits->distinct[i].yesterday, 1);
	for (int i = 0; i < DISTINCT_COUNT; i++)
		at = put(at, habits->distinct[i].today, map_bytes[i]);
#define LIST_PUT(list, size, shift, bits) at = put_list(at, habits->list, habits_bytes_length_of(habits->list, size));
	LENGTH_ROWS(LIST_PUT)
#undef LIST_PUT
	return (size_t)(at - bytes);
}

/* Lengths of the lists that the head tells; false where they cannot be. */
static bool habits_bytes_read_head(const char *bytes, size_t length, unsigned lengths[4], uint64_t *head)
{
	if (length < HEAD)
		return false;
	habits_bytes_get(bytes, 2, head);
	size_t wanted = HEAD;
	int at = 0;
	bool fit = (*head & 7) == VERSION && *head >> 15 == 0;
#define LENGTH_GET(list, size, shift, bits) \
	lengths[at] = (unsigned)(*head >> (shift)) & ((1U << (bits)) - 1); \
	fit = fit && lengths[at] <= (size); \
	wanted += 2 * (size_t)lengths[at++];
	LENGTH_ROWS(LENGTH_GET)
#undef LENGTH_GET
	return fit && length == wanted;
}

static bool habits_bytes_read_places(struct habits *habits, const char *bytes, size_t length)
{
	unsigned lengths[4];
	uint64_t number;
	if (!habits_bytes_read_head(bytes, length, lengths, &number))
		return false;
	habits->half = (number & 8) != 0;
	const char *at = habits_bytes_get(bytes + 2, 2, &number);
	habits->day = (uint16_t)number;
	habits->days = (uint8_t)*at++;
	for (int i = 0; i < DISTINCT_COUNT; i++)
		habits->distinct[i].yesterday = (uint8_t)*at++;
	for (int i = 0; i < DISTINCT_COUNT; i++)
		at = habits_bytes_get(at, map_bytes[i], &habits->distinct[i].today);
	int list_at = 0;
#define LIST_GET(list, size, shift, bits) at = habits_bytes_get_list(at, habits->list, lengths[list_at++]);
	LENGTH_ROWS(LIST_GET)
#undef LIST_GET
	return at != NULL && habits->day != 0;
}

static size_t habits_bytes_write_week(const struct habits *habits, char *bytes)
{
	static const uint8_t none[WEEK];
	memcpy(bytes, habits->hours, 24);
	memcpy(bytes + 24, habits->weekdays, 7);
	return memcmp(bytes, none, WEEK) == 0 ? 0 : WEEK;
}

static bool habits_bytes_read_week(struct habits *habits, const char *bytes, size_t length)
{
	if (length != WEEK)
		return false;
	memcpy(habits->hours, bytes, 24);
	memcpy(habits->weekdays, bytes + 24, 7);
	return true;
}

static size_t habits_bytes_write_known(const struct habits *habits, char *bytes)
{
	char *at = bytes;
	bytes[0] = '*';
	if (habits->many)
		return 1;
	for (int i = 0; i < HABIT_KNOWN_MAX && habits->known[i] != 0; i++)
		at = put(at, habits->known[i], RCPT_BYTES);
	return (size_t)(at - bytes);
}

static bool habits_bytes_read_known(struct habits *habits, const char *bytes, size_t length)
{
	if (length == 1 && bytes[0] == '*')
		return habits->many = true;
	if (length % RCPT_BYTES != 0 || length > RCPT_BYTES * (size_t)HABIT_KNOWN_MAX)
		return false;
	for (size_t i = 0; i < length / RCPT_BYTES; i++) {
		uint64_t rcpt;
		bytes = habits_bytes_get(bytes, RCPT_BYTES, &rcpt);
		habits->known[i] = (uint32_t)rcpt;
		if (rcpt == 0)
			return false;
	}
	return true;
}

static unsigned habits_bytes_texts(const struct habits *habits)
{
	unsigned count = 0;
	while (count < HABIT_TEXTS && habits->texts[count].entry != 0)
		count++;
	return count;
}

static size_t habits_bytes_write_text(const struct habits *habits, char *bytes)
{
	unsigned texts = habits_bytes_texts(habits), hosts = habits_bytes_length_of(habits->hosts, HABIT_HOSTS);
	unsigned wides = habits_bytes_length_of(habits->wides, HABIT_WIDES);
	if (texts + hosts + wides + habits->reach + habits->last_text == 0)
		return 0;
	char *at = put(bytes, texts | hosts << 5 | wides << 9 | (unsigned)TEXT_VERSION << 12, 2);
	at = put(at, habits->reach, 1);
	at = put(at, habits->last_text, 2);
	at = put_list(at, habits->wides, wides);
	at = put_list(at, habits->hosts, hosts);
	for (unsigned i = 0; i < texts; i++) {
		at = put(at, habits->texts[i].entry, 2);
		at = put(at, habits->texts[i].form, 1);
	}
	return (size_t)(at - bytes);
}

static bool habits_bytes_read_text(struct habits *habits, const char *bytes, size_t length)
{
	uint64_t head, number;
	if (length < TEXT_HEAD)
		return false;
	const char *at = habits_bytes_get(bytes, 2, &head);
	unsigned texts = head & 31, hosts = head >> 5 & 15, wides = head >> 9 & 7;
	if (head >> 12 != TEXT_VERSION || texts > HABIT_TEXTS || hosts > HABIT_HOSTS || wides > HABIT_WIDES ||
	    length != TEXT_HEAD + 2 * (size_t)(hosts + wides) + 3 * (size_t)texts)
		return false;
	at = habits_bytes_get(at, 1, &number);
	habits->reach = (uint8_t)number;
	at = habits_bytes_get(at, 2, &number);
	habits->last_text = (uint16_t)number;
	at = habits_bytes_get_list(at, habits->wides, wides);
	at = at != NULL ? habits_bytes_get_list(at, habits->hosts, hosts) : NULL;
	for (unsigned i = 0; at != NULL && i < texts; i++) {
		at = habits_bytes_get_list(at, &habits->texts[i].entry, 1);
		if (at == NULL)
			break;
		at = habits_bytes_get(at, 1, &number);
		habits->texts[i].form = (uint8_t)number;
	}
	return at != NULL && texts + hosts + wides + habits->reach + habits->last_text != 0;
}

size_t habits_write(const struct habits *habits, enum habit_part part, char bytes[HABIT_BYTES_MAX])
{
	switch (part) {
	case HABIT_PLACES:
		return habits_bytes_write_places(habits, bytes);
	case HABIT_WEEK:
		return habits_bytes_write_week(habits, bytes);
	case HABIT_TEXT:
		return habits_bytes_write_text(habits, bytes);
	default:
		return habits_bytes_write_known(habits, bytes);
	}
}

/* What the part held before is gone in any case. */
static void habits_bytes_clear(struct habits *habits, enum habit_part part)
{
	static const struct habits none;
#define CLEAR(member) memcpy(&habits->member, &none.member, sizeof none.member)
	switch (part) {
	case HABIT_WEEK:
		CLEAR(hours);
		CLEAR(weekdays);
		break;
	case HABIT_KNOWN:
		CLEAR(known);
		CLEAR(many);
		break;
	case HABIT_TEXT:
		CLEAR(wides);
		CLEAR(hosts);
		CLEAR(texts);
		CLEAR(reach);
		CLEAR(last_text);
		break;
	default:
		CLEAR(day);
		CLEAR(half);
		CLEAR(days);
		CLEAR(distinct);
		CLEAR(networks);
		CLEAR(ases);
		CLEAR(senders);
		CLEAR(mailers);
	}
#undef CLEAR
}

static bool habits_bytes_read_part(struct habits *habits, enum habit_part part, const char *bytes, size_t length)
{
	switch (part) {
	case HABIT_PLACES:
		return habits_bytes_read_places(habits, bytes, length);
	case HABIT_WEEK:
		return habits_bytes_read_week(habits, bytes, length);
	case HABIT_TEXT:
		return habits_bytes_read_text(habits, bytes, length);
	default:
		return habits_bytes_read_known(habits, bytes, length);
	}
}

bool habits_read(struct habits *habits, enum habit_part part, const char *bytes, size_t length)
{
	habits_bytes_clear(habits, part);
	if (length == 0 || habits_bytes_read_part(habits, part, bytes, length))
		return true;
	habits_bytes_clear(habits, part);
	return false;
}
