/* SPDX-License-Identifier: BSD-2-Clause
 *
 * request: commands put together word by word, to be sent in one piece.
 */
#ifndef PENSTOCK_REQUEST_H
#define PENSTOCK_REQUEST_H

#include "redis-schema/wire/wire.h"

#include <stddef.h>
#include <stdint.h>

enum { REQUEST_COMMANDS = 48, REQUEST_WORDS = 160, REQUEST_BYTES = 16384 };

struct request {
	int count; /* of commands */
	struct wire_command command[REQUEST_COMMANDS];
	int words;
	const char *word[REQUEST_WORDS]; /* borrowed, or in memory[] */
	size_t length[REQUEST_WORDS];
	size_t used;
	char memory[REQUEST_BYTES];
};

void request_begin(struct request *request);
/* Begins a command; its name is a constant. Returns which one of the request it is. */
int request_command(struct request *request, const char *name);
/* More words of it. Borrowed until the request is sent: */
void request_word(struct request *request, const char *word);
void request_bytes(struct request *request, const void *bytes, size_t length);
/* Copied: */
/* KEY_OF_ACCOUNT of redis-schema/keys.h. */
void request_key(struct request *request, const char *prefix, const char *account, const char *part);
void request_number(struct request *request, int64_t number);
__attribute__((format(printf, 2, 3))) void request_text(struct request *request, const char *format, ...);

#endif
