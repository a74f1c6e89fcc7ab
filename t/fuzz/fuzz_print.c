/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A text, in one piece and cut at the place that its first byte says: the fingerprint is the same.
 */
#include "policy/print.h"

#include "policy/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct print_maker whole, cut;
	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	size_t length = size - 1, at = length * data[0] / 255;
	print_begin(&whole);
	print_add(&whole, text, length);
	print_begin(&cut);
	print_add(&cut, text, at);
	print_add(&cut, text + at, length - at);
	uint64_t print = print_end(&whole);
	MUST(print == print_end(&cut));
	MUST(print == 0 || whole.all.count >= 12);
	return 0;
}
