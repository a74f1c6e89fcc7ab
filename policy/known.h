/* SPDX-License-Identifier: BSD-2-Clause
 *
 * known: the recipients that an account has written to, beyond the few that its habits hold, as Redis keeps them: while
 * they are up to KNOWN_LIST_MAX a list of their hashes, four bytes each, the highest first; then a Bloom filter (Bloom
 * 1970) of KNOWN_MAP_BYTES with four bits for each. A recipient that is new is taken for a known one by the list at
 * odds of one to two million (2,000 of 2^32), by the map of 2,000 at 1 to 5,000, of 5,000 at 1 to 200, of 10,000 at 1
 * to 23. The hash is keyed (milter/message/rcpts.h): nobody outside can look for a victim that is taken for a friend.
 */
#ifndef PENSTOCK_KNOWN_H
#define PENSTOCK_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KNOWN_LIST_MAX = 2000, /* recipients; its bytes are fewer than a map's */
	KNOWN_MAP_BYTES = 8192,
	KNOWN_MAP_BITS = 4, /* of one recipient */
};

/* `bytes` NULL: there is none. */
struct known {
	const unsigned char *bytes; /* borrowed */
	size_t length;
};

/* Is `length` one of a list or a map? */
bool known_fits(size_t length);

bool known_has(const struct known *known, uint32_t rcpt);

/* The bytes with so many recipients more; returns their length. None stands twice in a list, and one more than a list
 * holds makes it a map. What is neither list nor map begins anew. `bytes_out` lies elsewhere than the bytes of `known`.
 */
size_t known_add(const struct known *known, const uint32_t *rcpts, int count, unsigned char bytes_out[KNOWN_MAP_BYTES]);

#endif
