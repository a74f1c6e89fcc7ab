/* SPDX-License-Identifier: BSD-2-Clause
 *
 * bytes: a string of bytes that grows, with a NUL behind it. Without memory the test ends.
 */
#ifndef PENSTOCK_FAKE_BYTES_H
#define PENSTOCK_FAKE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct fake_bytes {
	char *at; /* owned; NULL: none yet */
	size_t length, room;
};

/* Bytes that stand elsewhere. */
struct fake_word {
	const char *at; /* borrowed */
	size_t length;
};

void fake_bytes_add(struct fake_bytes *bytes, const void *more, size_t length);
__attribute__((format(printf, 2, 3))) void fake_bytes_addf(struct fake_bytes *bytes, const char *format, ...);
void fake_bytes_set(struct fake_bytes *bytes, const void *with, size_t length);
void fake_bytes_cut(struct fake_bytes *bytes, size_t length); /* the first so many */
void fake_bytes_free(struct fake_bytes *bytes);
bool fake_bytes_are(const struct fake_bytes *bytes, struct fake_word word);

#endif
