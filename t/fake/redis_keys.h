/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_keys: what a Redis in memory holds. Names and values are bytes. One thread at a time.
 */
#ifndef PENSTOCK_FAKE_REDIS_KEYS_H
#define PENSTOCK_FAKE_REDIS_KEYS_H

#include "t/fake/bytes.h"

#include <stdint.h>

enum redis_type { REDIS_ANY, REDIS_STRING, REDIS_HASH, REDIS_SET, REDIS_SORTED, REDIS_STREAM };

/* A field of a hash, a member of a set, an entry of a stream. */
struct redis_item {
	struct redis_item *next; /* owned */
	struct fake_bytes name;	 /* of a stream none */
	struct fake_bytes value; /* of a hash; of a stream the words as they are answered */
	double score;		 /* of a sorted set */
	int64_t ms, number;	 /* the id in a stream */
};

struct redis_key {
	struct redis_key *next; /* owned */
	int64_t database;
	enum redis_type type;
	struct fake_bytes name;
	struct fake_bytes string;
	struct redis_item *items; /* owned; in the order of their making, or by score, or a stream's newest first */
	int64_t count;		  /* of items */
	int64_t ends_ms;	  /* Unix time; 0: never */
};

struct redis_script {
	struct redis_script *next; /* owned */
	char sha[41];
	struct fake_bytes text;
};

struct redis_data {
	int64_t (*now_ms)(void);
	const char *password;	      /* borrowed; NULL: none is asked for */
	struct redis_key *keys;	      /* owned; in the order of their making */
	struct redis_script *scripts; /* owned; that were loaded */
	uint64_t lot;		      /* where the drawing of fields has come to */
};

void redis_data_clear(struct redis_data *data); /* as it was at first */

struct redis_key *redis_find(struct redis_data *data, int64_t database,
			     struct fake_word name); /* NULL: none, or ended */
/* Made where there is none. */
struct redis_key *redis_get(struct redis_data *data, int64_t database, struct fake_word name, enum redis_type type);
void redis_remove(struct redis_data *data, const struct redis_key *key);
void redis_remove_ended(struct redis_data *data);

/* Where the item is, or would be put; `key` NULL: NULL. */
struct redis_item **redis_item_at(struct redis_key *key, struct fake_word name);
struct redis_item *redis_item_find(struct redis_key *key, struct fake_word name);
struct redis_item *redis_item_add(struct redis_key *key, struct redis_item **at, struct fake_word name);
void redis_item_remove(struct redis_key *key, struct redis_item **at);

#endif
