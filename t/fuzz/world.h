/* SPDX-License-Identifier: BSD-2-Clause
 *
 * world: a daemon without sockets, for targets that look at what comes over them. It takes the place of clock.c,
 * exchange.c, control_lookup.c and wire.c: time stands still; a call's answer is looked at, and is one; what Redis
 * answers are the lines of the input.
 */
#ifndef PENSTOCK_WORLD_H
#define PENSTOCK_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_NODE "mx1"
#define WORLD_NOW_MS INT64_C(1767225600000)

struct exchange_call {
	int answers;
	bool parts;	/* it is answered in parts, lines of JSON each */
	json_t *answer; /* owned; what was answered last */
};

/* Once. The setup is in force, and the store is up. */
void world_start(void);

/* Redis answers each command from here on with the next piece of `redis`, which ends with an empty line: of one item a
 * line, where the byte 1 is a nil; or, behind a '-', with an error. Borrowed until world_end. */
void world_begin(const char *redis, size_t size);

/* Turns the loop until nothing is asked any more. */
void world_run(void);

/* What was asked last: words of Redis's command; NULL: nothing. Until the next command. */
extern int world_word_count;
extern char *world_words[];

#endif
