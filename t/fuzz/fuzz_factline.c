/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A fact line as it stands in a file: whatever is read as one can be written, and is read again as the same.
 */
#include "policy/replay/factline.h"

#include "policy/base/panic.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct factline line, again;
	char first[FACTLINE_MAX + 1], second[FACTLINE_MAX + 1];
	if (factline_read((const char *)data, size, NULL, NULL, &line) != FACTLINE_FINE)
		return 0;
	MUST(line.facts.account[0] != '\0' && line.facts.now_ms > 0);
	size_t length = factline_write(&line, first);
	if (length == 0)
		return 0;
	MUST(memchr(first, '\n', length) == NULL);
	MUST(factline_read(first, length, NULL, NULL, &again) == FACTLINE_FINE);
	MUST(strcmp(line.facts.account, again.facts.account) == 0 &&
	     line.facts.rcpts_remote == again.facts.rcpts_remote);
	MUST(factline_write(&again, second) == length && memcmp(first, second, length) == 0);
	return 0;
}
