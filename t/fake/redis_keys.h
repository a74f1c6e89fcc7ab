/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_keys: the hashes and strings of the Redis in redis.c, for what works on them under its lock.
 */
#ifndef PENSTOCK_FAKE_REDIS_KEYS_H
#define PENSTOCK_FAKE_REDIS_KEYS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct field {
	struct field *next;
	char *name, *value;
	size_t length; /* of the value, which may be binary and has a NUL behind it */
};

struct key {
	struct key *next;
	char *name;
	char *string;	      /* of a string; NULL: a hash */
	struct field *fields; /* of a hash, in the order of their making */
	int64_t ends_ms;      /* Unix time; 0: never */
};

extern pthread_mutex_t fake_lock;

struct key *fake_find_key(const char *name);				      /* NULL: none, or it has ended */
struct key *fake_get_key(const char *name);				      /* made where there is none */
const struct field *fake_find_field(const struct key *key, const char *name); /* `key` may be NULL */
const char *fake_field_text(const struct key *key, const char *name);
void fake_set_bytes(struct key *key, const char *name, const char *value, size_t length);
void fake_set_field(struct key *key, const char *name, const char *value);
void fake_remove_field(struct key *key, const char *name);

#endif
