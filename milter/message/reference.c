/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/reference.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { DIGITS = 12, DASH_AT = 6, SERIAL_BITS = 20, NODE_BITS = 8 };

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static _Atomic uint32_t serial;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

/* So that a daemon that starts anew within a second gives others. */
static void seed(void)
{
	uint32_t begin = 0;
	if (getrandom(&begin, sizeof begin, GRND_NONBLOCK) == (ssize_t)sizeof begin)
		atomic_store(&serial, begin);
}

static void reference_write_digits(uint64_t value, char reference[REFERENCE_MAX + 1])
{
	char *at = reference + REFERENCE_MAX;
	*at = '\0';
	for (int i = 0; i < DIGITS; i++) {
		if (i == DASH_AT)
			*--at = '-';
		*--at = alphabet[value & 31];
		value >>= 5;
	}
}

void reference_make(int64_t now_ms, const char *node, char reference[REFERENCE_MAX + 1])
{
	pthread_once(&seeded, seed);
	uint64_t second = (uint64_t)(now_ms / 1000) & 0xffffffff;
	uint64_t here = hash_string(node, 0) & ((1u << NODE_BITS) - 1);
	/* an odd factor makes neighbours look different, and none comes twice */
	uint64_t own = atomic_fetch_add(&serial, 1) * UINT64_C(0x9e375) & ((1u << SERIAL_BITS) - 1);
	reference_write_digits(second << (NODE_BITS + SERIAL_BITS) | here << SERIAL_BITS | own, reference);
}

/* 0 to 31; below 0: no digit */
static int reference_digit_of(char c)
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

bool reference_read(const char *text, char reference[REFERENCE_MAX + 1], int64_t *second_out)
{
	uint64_t value = 0;
	int digits = 0;
	for (const char *at = text; *at != '\0'; at++) {
		int digit = reference_digit_of(*at);
		if (*at == '-' && digits == DASH_AT)
			continue;
		if (digit < 0 || ++digits > DIGITS)
			return false;
		value = value << 5 | (uint64_t)digit;
	}
	if (digits != DIGITS)
		return false;
	reference_write_digits(value, reference);
	*second_out = (int64_t)(value >> (NODE_BITS + SERIAL_BITS));
	return true;
}
