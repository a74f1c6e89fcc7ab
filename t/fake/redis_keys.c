/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/redis_keys.h"

#include <stdlib.h>

#include "policy/base/banned.h"

static void *make(size_t size)
{
	void *made = calloc(1, size);
	if (made == NULL)
		abort();
	return made;
}

/* ---- items */

struct redis_item **redis_item_at(struct redis_key *key, struct fake_word name)
{
	struct redis_item **at = key != NULL ? &key->items : NULL;
	while (at != NULL && *at != NULL && !fake_bytes_are(&(*at)->name, name))
		at = &(*at)->next;
	return at;
}

struct redis_item *redis_item_find(struct redis_key *key, struct fake_word name)
{
	struct redis_item **at = redis_item_at(key, name);
	return at != NULL ? *at : NULL;
}

struct redis_item *redis_item_add(struct redis_key *key, struct redis_item **at, struct fake_word name)
{
	struct redis_item *item = make(sizeof *item);
	fake_bytes_set(&item->name, name.at, name.length);
	item->next = *at;
	*at = item;
	key->count++;
	return item;
}

void redis_item_remove(struct redis_key *key, struct redis_item **at)
{
	struct redis_item *gone = *at;
	*at = gone->next;
	fake_bytes_free(&gone->name);
	fake_bytes_free(&gone->value);
	free(gone);
	key->count--;
}

/* ---- keys */

static void keys_unlink(struct redis_key **at)
{
	struct redis_key *gone = *at;
	*at = gone->next;
	while (gone->items != NULL)
		redis_item_remove(gone, &gone->items);
	fake_bytes_free(&gone->name);
	fake_bytes_free(&gone->string);
	free(gone);
}

static struct redis_key **place_of(struct redis_data *data, int64_t database, struct fake_word name)
{
	struct redis_key **at = &data->keys;
	while (*at != NULL && ((*at)->database != database || !fake_bytes_are(&(*at)->name, name)))
		at = &(*at)->next;
	return at;
}

static bool has_ended(const struct redis_data *data, const struct redis_key *key)
{
	return key->ends_ms != 0 && key->ends_ms <= data->now_ms();
}

struct redis_key *redis_find(struct redis_data *data, int64_t database, struct fake_word name)
{
	struct redis_key **at = place_of(data, database, name);
	if (*at == NULL)
		return NULL;
	if (!has_ended(data, *at))
		return *at;
	keys_unlink(at);
	return NULL;
}

struct redis_key *redis_get(struct redis_data *data, int64_t database, struct fake_word name, enum redis_type type)
{
	struct redis_key *key = redis_find(data, database, name);
	if (key != NULL)
		return key;
	struct redis_key **at = place_of(data, database, name);
	*at = make(sizeof **at);
	(*at)->database = database;
	(*at)->type = type;
	fake_bytes_set(&(*at)->name, name.at, name.length);
	return *at;
}

void redis_remove(struct redis_data *data, const struct redis_key *key)
{
	struct redis_key **at = &data->keys;
	while (*at != key)
		at = &(*at)->next;
	keys_unlink(at);
}

void redis_remove_ended(struct redis_data *data)
{
	struct redis_key **at = &data->keys;
	while (*at != NULL)
		if (has_ended(data, *at))
			keys_unlink(at);
		else
			at = &(*at)->next;
}

void redis_data_clear(struct redis_data *data)
{
	while (data->keys != NULL)
		keys_unlink(&data->keys);
	while (data->scripts != NULL) {
		struct redis_script *gone = data->scripts;
		data->scripts = gone->next;
		fake_bytes_free(&gone->text);
		free(gone);
	}
	data->lot = 0;
}
