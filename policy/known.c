/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/known.h"

#include "policy/base/banned.h"

enum { RCPT_BYTES = 4 };

_Static_assert(KNOWN_LIST_MAX *RCPT_BYTES < KNOWN_MAP_BYTES, "a list is told from a map by its length");

bool known_fits(size_t length)
{
	return length == KNOWN_MAP_BYTES || (length % RCPT_BYTES == 0 && length <= KNOWN_LIST_MAX * RCPT_BYTES);
}

/* Bit `i` of KNOWN_MAP_BITS of a recipient in the map: bit n is bit 7 - n % 8 of byte n / 8, as Redis counts. Two
 * hashes make four (Kirsch & Mitzenmacher 2006); charge.lua does the same. */
static unsigned known_bit(uint32_t rcpt, int i)
{
	return ((rcpt >> 16) + (unsigned)i * ((rcpt & 0xffff) | 1)) % (8 * KNOWN_MAP_BYTES);
}

static bool known_map_has(const unsigned char *map, uint32_t rcpt)
{
	for (int i = 0; i < KNOWN_MAP_BITS; i++) {
		unsigned bit = known_bit(rcpt, i);
		if ((map[bit / 8] >> (7 - bit % 8) & 1) == 0)
			return false;
	}
	return true;
}

bool known_has(const struct known *known, uint32_t rcpt)
{
	if (known->bytes == NULL)
		return false;
	if (known->length == KNOWN_MAP_BYTES)
		return known_map_has(known->bytes, rcpt);
	for (size_t i = 0; i + RCPT_BYTES <= known->length; i += RCPT_BYTES) {
		const unsigned char *at = known->bytes + i;
		if (((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) == rcpt)
			return true;
	}
	return false;
}
