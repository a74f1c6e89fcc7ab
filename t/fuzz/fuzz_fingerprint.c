/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A text, in one piece and cut at the place that its first byte says: the fingerprint is the same.
 */
#include "policy/fingerprint.h"

#include "policy/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t key[2] = { 1, 2 };
	struct fingerprint_maker whole, cut;
	int words, cut_words;
	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	size_t length = size - 1, at = length * data[0] / 255;
	fingerprint_begin(&whole, key);
	fingerprint_add(&whole, text, length);
	fingerprint_begin(&cut, key);
	fingerprint_add(&cut, text, at);
	fingerprint_add(&cut, text + at, length - at);
	uint64_t fingerprint = fingerprint_end(&whole, &words);
	MUST(fingerprint == fingerprint_end(&cut, &cut_words) && words == cut_words);
	MUST(words >= 0 && (fingerprint != 0) == (words >= 12));
	return 0;
}
