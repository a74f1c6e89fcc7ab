/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A text, in one piece and cut at the place that its first byte says: the fingerprint is the same.
 */
#include "policy/fingerprint.h"

#include "policy/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fingerprint_maker whole, cut;
	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	size_t length = size - 1, at = length * data[0] / 255;
	fingerprint_begin(&whole);
	fingerprint_add(&whole, text, length);
	fingerprint_begin(&cut);
	fingerprint_add(&cut, text, at);
	fingerprint_add(&cut, text + at, length - at);
	uint64_t fingerprint = fingerprint_end(&whole);
	MUST(fingerprint == fingerprint_end(&cut));
	MUST(fingerprint == 0 || whole.all.count >= 12);
	return 0;
}
