/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes, with any cap, in any pieces: what is parsed lies inside the input, a piece less is never done, and what is
 * written again is what came.
 */
#include "milter/base/netstring.h"
#include "policy/base/panic.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_done(const char *input, size_t length, size_t most, const struct netstring *netstring)
{
	MUST(netstring->length <= most && netstring->whole <= length);
	MUST(netstring->bytes > input && netstring->bytes + netstring->length + 1 == input + netstring->whole);
	char *again = malloc(netstring->whole);
	MUST(again != NULL);
	MUST(netstring_write(again, netstring->whole, netstring->bytes, netstring->length) == netstring->whole);
	MUST(memcmp(again, input, netstring->whole) == 0);
	MUST(netstring_write(again, netstring->whole - 1, netstring->bytes, netstring->length) == 0);
	free(again);
	struct netstring less;
	for (size_t piece = 0; piece < netstring->whole; piece += 1 + netstring->whole / 16)
		MUST(netstring_parse(input, piece, most, &less) == NETSTRING_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t most = (size_t)data[0] * 16, length = size - 1;
	char *copy = malloc(length + 1); /* of its own, so that a byte too far is seen */
	MUST(copy != NULL);
	memcpy(copy, data + 1, length);
	char *input = realloc(copy, length > 0 ? length : 1);
	MUST(input != NULL);
	struct netstring netstring;
	size_t at = 0;
	while (netstring_parse(input + at, length - at, most, &netstring) == NETSTRING_DONE) {
		check_done(input + at, length - at, most, &netstring);
		at += netstring.whole;
	}
	free(input);
	return 0;
}
