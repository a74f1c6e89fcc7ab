/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers and texts of a fact line. The libc's own readers ask the locale, and take twice the time.
 */
#include "policy/replay/factline_inside.h"

#include "policy/base/text.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

enum { DIGITS_MOST = 18, EXPONENT_MOST = 300, EXACT_MOST = 22 };

bool value_int(struct value value, int64_t *number_out)
{
	bool negative = value.at < value.end && *value.at == '-';
	const char *at = value.at + negative;
	if (at == value.end || value.end - at > DIGITS_MOST)
		return false;
	int64_t number = 0;
	for (; at < value.end; at++) {
		unsigned digit = (unsigned)(*at - '0');
		if (digit > 9)
			return false;
		number = number * 10 + digit;
	}
	*number_out = negative ? -number : number;
	return true;
}

bool value_hex(struct value value, uint64_t *number_out)
{
	uint64_t number = 0;
	if (value.at == value.end || value.end - value.at > 16)
		return false;
	for (const char *at = value.at; at < value.end; at++) {
		int digit = text_hex(*at);
		if (digit < 0)
			return false;
		number = number << 4 | (unsigned)digit;
	}
	*number_out = number;
	return true;
}

/* 10 to the power of 22 and less is exact in a double, and so is the quotient of two exact numbers, rounded once. */
static double factline_value_scaled(int64_t digits, int64_t exponent)
{
	static const double tens[EXACT_MOST + 1] = { 1e0,  1e1,	 1e2,  1e3,  1e4,  1e5,	 1e6,  1e7,
						     1e8,  1e9,	 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
						     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	if (exponent >= 0)
		return (double)digits * (exponent <= EXACT_MOST ? tens[exponent] : pow(10, (double)exponent));
	return exponent >= -EXACT_MOST ? (double)digits / tens[-exponent] : (double)digits * pow(10, (double)exponent);
}

/* Any other number is written as nought and read as nought. Each limit stands between two numbers of twelve digits, so
 * that none is rounded over it. */
static bool writable(double size)
{
	return size >= 9.999999999997e-281 && size < 1.0000000000003e300;
}

bool value_real(struct value value, double *number_out)
{
	const char *at = value.at;
	bool negative = at < value.end && *at == '-';
	int64_t digits = 0, exponent = 0;
	int count = 0;
	for (at += negative; at < value.end && (unsigned)(*at - '0') <= 9; at++, count++)
		digits = count < DIGITS_MOST ? digits * 10 + (*at - '0') : digits;
	if (count == 0 || count > DIGITS_MOST)
		return false;
	if (at < value.end && *at == '.')
		for (at++; at < value.end && (unsigned)(*at - '0') <= 9; at++, count++)
			if (count < DIGITS_MOST) {
				digits = digits * 10 + (*at - '0');
				exponent--;
			}
	if (at < value.end && *at == 'e') {
		int64_t more;
		at += 1 + (at + 1 < value.end && at[1] == '+');
		if (!value_int((struct value){ at, value.end }, &more) || more > EXPONENT_MOST || more < -EXPONENT_MOST)
			return false;
		exponent += more;
		at = value.end;
	}
	double number = factline_value_scaled(digits, exponent);
	if (!writable(number))
		number = 0;
	*number_out = negative && number > 0 ? -number : number; /* a nought has no sign: it is not written */
	return at == value.end;
}

bool value_text(struct value value, char *to, size_t size)
{
	size_t length = 0;
	for (const char *at = value.at; at < value.end; at++) {
		int c = (unsigned char)*at;
		if (c == '%') {
			int high = value.end - at > 2 ? text_hex(at[1]) : -1, low = high < 0 ? -1 : text_hex(at[2]);
			if (low < 0)
				return false;
			c = high << 4 | low;
			at += 2;
		}
		if (c == '\0' || length + 1 >= size)
			return false;
		to[length++] = (char)c;
	}
	to[length] = '\0';
	return true;
}

bool value_part(struct value *rest, char mark, struct value *part_out)
{
	if (rest->at >= rest->end)
		return false;
	const char *found = memchr(rest->at, mark, (size_t)(rest->end - rest->at));
	*part_out = (struct value){ rest->at, found != NULL ? found : rest->end };
	rest->at = found != NULL ? found + 1 : rest->end;
	return true;
}

bool value_is(struct value value, const char *word)
{
	size_t length = strlen(word);
	return (size_t)(value.end - value.at) == length && memcmp(value.at, word, length) == 0;
}

void add_int(struct text *text, int64_t number)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
	do
		digits[--at] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (number < 0)
		digits[--at] = '-';
	text_add_bytes(text, digits + at, sizeof digits - at);
}

void add_hex(struct text *text, uint64_t number)
{
	char digits[16];
	size_t at = sizeof digits;
	do
		digits[--at] = "0123456789abcdef"[number & 15];
	while ((number >>= 4) > 0);
	text_add_bytes(text, digits + at, sizeof digits - at);
}

/* Twelve digits, but all of a whole number. What is read of it is written as the same text again: from 1e11 on twelve
 * digits are whole, so all are. */
void add_real(struct text *text, double number)
{
	const double whole_from = 1e11, whole_most = 1e15;
	double size = fabs(number);
	if (size >= whole_from)
		number = round(number);
	if (!writable(size))
		text_add(text, "0");
	else if (fabs(number) < whole_most && floor(number) >= number)
		add_int(text, (int64_t)number);
	else
		text_addf(text, "%.12g", number);
}

void add_escaped(struct text *text, const char *string)
{
	for (; *string != '\0'; string++) {
		unsigned char c = (unsigned char)*string;
		if (c <= 0x20 || c >= 0x7f || strchr("%,:/=", c) != NULL)
			text_addf(text, "%%%02X", c);
		else
			text_add_bytes(text, string, 1);
	}
}
