/* SPDX-License-Identifier: BSD-2-Clause
 *
 * References of the block list: "C-", the address and the minute in base 32, and a digit by which one that was mistyped
 * is known.
 */
#include "milter/clients/zone.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum {
	MINUTE_BITS = 28, /* until the year 2480 */
	V4_DIGITS = 12,	  /* 32 + 28 bits */
	V6_DIGITS = 19,	  /* 64 + 28 */
	HEAD = 2,
};

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The bits of address and minute, first to last. */
static void zone_reference_bits(const struct zone_entry *entry, uint8_t bits[12])
{
	size_t bytes = entry->client.family == NETADDR_V4 ? 4 : 8;
	uint32_t minute = (uint32_t)(entry->since_s / 60) << (32 - MINUTE_BITS);
	memset(bits, 0, 12);
	memcpy(bits, entry->client.bytes, bytes);
	for (int i = 0; i < 4; i++)
		bits[bytes + (size_t)i] = (uint8_t)(minute >> (24 - 8 * i));
}

static unsigned zone_reference_digit_at(const uint8_t bits[12], int digit)
{
	unsigned value = 0;
	for (int bit = digit * 5; bit < digit * 5 + 5; bit++)
		value = value << 1 | (bit < 96 ? (unsigned)(bits[bit / 8] >> (7 - bit % 8)) & 1 : 0);
	return value;
}

static unsigned zone_reference_check(const uint8_t bits[12], int digits)
{
	unsigned sum = 0;
	for (int i = 0; i < digits; i++)
		sum += zone_reference_digit_at(bits, i) * (unsigned)(i + 1);
	return sum % 31;
}

void zone_reference(const struct zone_entry *entry, char reference[ZONE_REFERENCE_MAX + 1])
{
	uint8_t bits[12];
	int digits = entry->client.family == NETADDR_V4 ? V4_DIGITS : V6_DIGITS;
	char *to = reference;
	zone_reference_bits(entry, bits);
	*to++ = 'C';
	*to++ = '-';
	for (int i = 0; i < digits; i++)
		*to++ = alphabet[zone_reference_digit_at(bits, i)];
	*to++ = alphabet[zone_reference_check(bits, digits)];
	*to = '\0';
}

/* 0 to 31; below 0: no digit. What looks alike is taken for the digit. */
static int zone_reference_value(char c)
{
	char folded = text_lower(c);
	if (folded == 'o')
		return 0;
	if (folded == 'i' || folded == 'l')
		return 1;
	for (int i = 0; alphabet[i] != '\0'; i++)
		if (text_lower(alphabet[i]) == folded)
			return i;
	return -1;
}

bool zone_reference_read(const char *reference, struct netaddr *client_out, int64_t *since_s_out)
{
	uint8_t bits[13] = { 0 };
	size_t length = strlen(reference);
	int digits = length == HEAD + V4_DIGITS + 1 ? V4_DIGITS : V6_DIGITS;
	if (text_lower(reference[0]) != 'c' || reference[1] != '-' || length != (size_t)(HEAD + digits + 1))
		return false;
	for (int i = 0; i < digits; i++) {
		int value = zone_reference_value(reference[HEAD + i]);
		for (int bit = 0; bit < 5 && value >= 0; bit++)
			bits[(i * 5 + bit) / 8] |= (uint8_t)((value >> (4 - bit) & 1) << (7 - (i * 5 + bit) % 8));
		if (value < 0)
			return false;
	}
	if ((int)zone_reference_check(bits, digits) != zone_reference_value(reference[HEAD + digits]))
		return false;
	size_t bytes = digits == V4_DIGITS ? 4 : 8;
	uint32_t minute = 0;
	for (size_t i = 0; i < 4; i++)
		minute = minute << 8 | bits[bytes + i];
	memset(bits + bytes, 0, sizeof bits - bytes);
	uint8_t address[16] = { 0 };
	memcpy(address, bits, bytes);
	*client_out = digits == V4_DIGITS ? netaddr_v4(address) : netaddr_v6(address);
	*since_s_out = (int64_t)(minute >> (32 - MINUTE_BITS)) * 60;
	return true;
}
