/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/known.h"

#include <string.h>

#include "policy/base/banned.h"

enum { RCPT_BYTES = 4, LIST_BYTES = RCPT_BYTES * KNOWN_LIST_MAX };

_Static_assert((size_t)LIST_BYTES < (size_t)KNOWN_MAP_BYTES, "a list is told from a map by its length");

bool known_fits(size_t length)
{
	return length == KNOWN_MAP_BYTES || (length % RCPT_BYTES == 0 && length <= LIST_BYTES);
}

/* Bit `i` of KNOWN_MAP_BITS of a recipient in the map: bit n is bit 7 - n % 8 of byte n / 8, as Redis counts. Two
 * hashes make four (Kirsch & Mitzenmacher 2006). */
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

static uint32_t known_entry(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool known_has(const struct known *known, uint32_t rcpt)
{
	if (known->bytes == NULL)
		return false;
	if (known->length == KNOWN_MAP_BYTES)
		return known_map_has(known->bytes, rcpt);
	for (size_t i = 0; i + RCPT_BYTES <= known->length; i += RCPT_BYTES)
		if (known_entry(known->bytes + i) == rcpt)
			return true;
	return false;
}

static void known_put_bits(unsigned char *map, uint32_t rcpt)
{
	for (int i = 0; i < KNOWN_MAP_BITS; i++) {
		unsigned bit = known_bit(rcpt, i);
		map[bit / 8] = (unsigned char)(map[bit / 8] | 0x80U >> bit % 8);
	}
}

/* A full list becomes a map. */
static size_t known_map_of(unsigned char bytes[KNOWN_MAP_BYTES])
{
	unsigned char list[LIST_BYTES];
	memcpy(list, bytes, LIST_BYTES);
	memset(bytes, 0, KNOWN_MAP_BYTES);
	for (size_t i = 0; i < LIST_BYTES; i += RCPT_BYTES)
		known_put_bits(bytes, known_entry(list + i));
	return KNOWN_MAP_BYTES;
}

/* Returns the new length. */
static size_t known_put(unsigned char bytes[KNOWN_MAP_BYTES], size_t length, uint32_t rcpt)
{
	if (length < KNOWN_MAP_BYTES && known_has(&(struct known){ bytes, length }, rcpt))
		return length;
	if (length == LIST_BYTES)
		length = known_map_of(bytes);
	if (length == KNOWN_MAP_BYTES) {
		known_put_bits(bytes, rcpt);
		return length;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		bytes[length++] = (unsigned char)(rcpt >> shift);
	return length;
}

size_t known_add(const struct known *known, const uint32_t *rcpts, int count, unsigned char bytes_out[KNOWN_MAP_BYTES])
{
	size_t length = 0;
	if (known->bytes != NULL && known_fits(known->length)) {
		length = known->length;
		memcpy(bytes_out, known->bytes, length);
	}
	for (int i = 0; i < count; i++)
		length = known_put(bytes_out, length, rcpts[i]);
	return length;
}
