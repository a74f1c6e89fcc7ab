/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of `codes` of a block list, and the answers of lists: four bytes an address.
 */
#include "policy/listing.h"

#include "policy/base/panic.h"

#include <stdio.h>
#include <string.h>

enum { RAW_MAX = 200, ANSWERS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_code(uint32_t code, char text[16])
{
	snprintf(text, 16, "%u.%u.%u.%u", code >> 24 & 255, code >> 16 & 255, code >> 8 & 255, code & 255);
}

static void check_row(const char *raw)
{
	struct list_code code = { 1, 2, LIST_ALLOW }, again;
	char first[16], last[16], text[60];
	if (!list_code_parse(raw, &code))
		return;
	MUST(code.first >> 24 == 127 && code.last >> 24 == 127 && code.first <= code.last);
	MUST(code.kind > LIST_NONE && code.kind < LIST_KIND_COUNT);
	MUST(strchr(raw, ':') == NULL);
	write_code(code.first, first);
	write_code(code.last, last);
	snprintf(text, sizeof text, "%s-%s %s", first, last, list_kind_word(code.kind));
	MUST(list_code_parse(text, &again));
	MUST(again.first == code.first && again.last == code.last && again.kind == code.kind);
}

static void check_answers(const uint8_t *data, size_t size)
{
	const struct list list = {
		.kind = LIST_SPAM,
		.codes = { { 0x7f000004, 0x7f000007, LIST_EXPLOIT }, { 0x7f000000, 0x7f0000ff, LIST_NONE } },
		.code_count = 2,
	};
	struct listings listings = { .asked = true };
	uint32_t codes[ANSWERS_MAX];
	size_t count = 0;
	bool odd = false;
	for (; count < ANSWERS_MAX && (count + 1) * 4 <= size; count++) {
		const uint8_t *b = data + count * 4;
		codes[count] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
		odd = odd || b[0] != 127 || (b[1] == 255 && b[2] == 255);
	}
	enum list_meaning answer = listings_add(&listings, &list, codes, count);
	MUST((answer == ANSWER_UNKNOWN) == odd);
	MUST(listings.unknown == odd);
	MUST((answer == ANSWER_LISTED) == (listings.hit_count > 0));
	MUST(listings.hit_count <= 2);
	for (int i = 0; i < listings.hit_count; i++)
		MUST(listings.hits[i].kind == LIST_SPAM || listings.hits[i].kind == LIST_EXPLOIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char raw[RAW_MAX + 1];
	size_t length = size > RAW_MAX ? RAW_MAX : size;
	memcpy(raw, data, length);
	raw[length] = '\0';
	check_row(raw);
	check_answers(data, size);
	return 0;
}
