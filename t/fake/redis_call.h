/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_call: a command as it is done on the keys, and the bytes of its answer.
 */
#ifndef PENSTOCK_FAKE_REDIS_CALL_H
#define PENSTOCK_FAKE_REDIS_CALL_H

#include "t/fake/redis_keys.h"

struct redis_call {
	struct redis_data *data; /* borrowed */
	int64_t *database;	 /* the connection's; borrowed */
	bool *greeted;		 /* the password was given; borrowed */
	int argc;
	const struct fake_word *argv;
	struct fake_bytes *out; /* borrowed */
};

typedef void redis_run(struct redis_call *call);

/* A kind of command. The tables end with a NULL word. */
struct redis_command {
	const char *word;
	int arity; /* words, its own included; negative: at least */
	enum redis_type type;
	bool writes;
	redis_run *run;
};

extern const struct redis_command redis_strings[], redis_hashes[], redis_lists[], redis_scripts[];

/* NULL: there is none of this name. */
const struct redis_command *redis_command_find(struct fake_word name);
/* Does it, or answers why not. */
void redis_call_run(struct redis_call *call);

bool redis_word_is(struct fake_word word, const char *text); /* upper or lower case */
bool redis_to_int(struct fake_word word, int64_t *number_out);
struct redis_key *redis_call_find(const struct redis_call *call, int at);
struct redis_key *redis_call_get(const struct redis_call *call, int at, enum redis_type type);

void redis_say_status(struct redis_call *call, const char *text);
__attribute__((format(printf, 2, 3))) void redis_say_error(struct redis_call *call, const char *format, ...);
void redis_say_int(struct redis_call *call, int64_t number);
void redis_say_bulk(struct redis_call *call, const void *bytes, size_t length);
void redis_say_text(struct redis_call *call, const char *text);
void redis_say_nil(struct redis_call *call);
void redis_say_array(struct redis_call *call, int64_t count); /* so many answers follow */

#define REDIS_NO_INTEGER "ERR value is not an integer or out of range"
#define REDIS_SYNTAX "ERR syntax error"
#define REDIS_WRONG_TYPE "WRONGTYPE Operation against a key holding the wrong kind of value"

#endif
