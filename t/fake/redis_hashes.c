/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hashes and sets of the Redis in memory.
 */
#include "t/fake/redis_call.h"

#include <fnmatch.h>
#include <stdio.h>

#include "policy/base/banned.h"

static void say_value(struct redis_call *call, const struct redis_item *field)
{
	if (field != NULL)
		redis_say_bulk(call, field->value.at, field->value.length);
	else
		redis_say_nil(call);
}

static void say_name(struct redis_call *call, const struct redis_item *item)
{
	redis_say_bulk(call, item->name.at, item->name.length);
}

/* ---- hashes */

static void do_hset(struct redis_call *call)
{
	int64_t added = 0;
	if (call->argc % 2 != 0) {
		redis_say_error(call, "ERR wrong number of arguments for 'hset' command");
		return;
	}
	struct redis_key *key = redis_call_get(call, 1, REDIS_HASH);
	for (int i = 2; i < call->argc; i += 2) {
		struct redis_item **at = redis_item_at(key, call->argv[i]);
		added += *at == NULL;
		struct redis_item *field = *at != NULL ? *at : redis_item_add(key, at, call->argv[i]);
		fake_bytes_set(&field->value, call->argv[i + 1].at, call->argv[i + 1].length);
	}
	redis_say_int(call, added);
}

static void do_hget(struct redis_call *call)
{
	say_value(call, redis_item_find(redis_call_find(call, 1), call->argv[2]));
}

static void do_hmget(struct redis_call *call)
{
	struct redis_key *key = redis_call_find(call, 1);
	redis_say_array(call, call->argc - 2);
	for (int i = 2; i < call->argc; i++)
		say_value(call, redis_item_find(key, call->argv[i]));
}

static void say_fields(struct redis_call *call, const char *pattern)
{
	const struct redis_key *key = redis_call_find(call, 1);
	const struct redis_item *first = key != NULL ? key->items : NULL;
	int64_t fits = 0;
	for (const struct redis_item *item = first; item != NULL; item = item->next)
		fits += pattern == NULL || fnmatch(pattern, item->name.at, 0) == 0;
	redis_say_array(call, 2 * fits);
	for (const struct redis_item *item = first; item != NULL; item = item->next) {
		if (pattern != NULL && fnmatch(pattern, item->name.at, 0) != 0)
			continue;
		say_name(call, item);
		say_value(call, item);
	}
}

static void do_hgetall(struct redis_call *call)
{
	say_fields(call, NULL);
}

/* All at once. */
static void do_hscan(struct redis_call *call)
{
	const char *pattern = NULL;
	for (int i = 3; i + 1 < call->argc; i += 2)
		if (redis_word_is(call->argv[i], "MATCH"))
			pattern = call->argv[i + 1].at;
	redis_say_array(call, 2);
	redis_say_text(call, "0");
	say_fields(call, pattern);
}

/* HLEN and SCARD */
static void do_count(struct redis_call *call)
{
	const struct redis_key *key = redis_call_find(call, 1);
	redis_say_int(call, key != NULL ? key->count : 0);
}

/* HDEL and SREM */
static void do_remove(struct redis_call *call)
{
	int64_t removed = 0;
	struct redis_key *key = redis_call_find(call, 1);
	for (int i = 2; key != NULL && i < call->argc; i++) {
		struct redis_item **at = redis_item_at(key, call->argv[i]);
		removed += *at != NULL;
		if (*at != NULL)
			redis_item_remove(key, at);
	}
	if (key != NULL && key->count == 0)
		redis_remove(call->data, key);
	redis_say_int(call, removed);
}

static void do_hincrby(struct redis_call *call)
{
	int64_t number = 0, more, sum;
	char text[24];
	if (!redis_to_int(call->argv[3], &more)) {
		redis_say_error(call, REDIS_NO_INTEGER);
		return;
	}
	struct redis_item *field = redis_item_find(redis_call_find(call, 1), call->argv[2]);
	if (field != NULL && !redis_to_int((struct fake_word){ field->value.at, field->value.length }, &number)) {
		redis_say_error(call, "ERR hash value is not an integer");
		return;
	}
	if (__builtin_add_overflow(number, more, &sum)) {
		redis_say_error(call, "ERR increment or decrement would overflow");
		return;
	}
	struct redis_key *key = redis_call_get(call, 1, REDIS_HASH);
	struct redis_item **at = redis_item_at(key, call->argv[2]);
	field = *at != NULL ? *at : redis_item_add(key, at, call->argv[2]);
	int length = snprintf(text, sizeof text, "%lld", (long long)sum);
	fake_bytes_set(&field->value, text, (size_t)length);
	redis_say_int(call, sum);
}

/* ---- by lot, but the same in each run */

static uint64_t draw(struct redis_data *data, uint64_t below)
{
	data->lot = data->lot * 6364136223846793005u + 1442695040888963407u;
	return (data->lot >> 33) % below;
}

static void say_drawn(struct redis_call *call, const struct redis_item *item, bool values)
{
	say_name(call, item);
	if (values)
		say_value(call, item);
}

/* So many different ones, in their order: each field is as likely as any other. */
static void draw_some(struct redis_call *call, const struct redis_key *key, int64_t count, bool values)
{
	int64_t left = key->count, wanted = count < left ? count : left;
	redis_say_array(call, values ? 2 * wanted : wanted);
	for (const struct redis_item *item = key->items; wanted > 0; item = item->next, left--)
		if ((int64_t)draw(call->data, (uint64_t)left) < wanted) {
			say_drawn(call, item, values);
			wanted--;
		}
}

static const struct redis_item *draw_one(struct redis_call *call, const struct redis_key *key)
{
	const struct redis_item *item = key->items;
	for (uint64_t skip = draw(call->data, (uint64_t)key->count); skip > 0; skip--)
		item = item->next;
	return item;
}

/* Below 0: so many, and one may come twice. */
static void do_hrandfield(struct redis_call *call)
{
	const struct redis_key *key = redis_call_find(call, 1);
	bool values = call->argc == 4 && redis_word_is(call->argv[3], "WITHVALUES");
	int64_t count = 0;
	if (call->argc > 2 && !redis_to_int(call->argv[2], &count)) {
		redis_say_error(call, REDIS_NO_INTEGER);
	} else if (call->argc > 4 || (call->argc == 4 && !values)) {
		redis_say_error(call, REDIS_SYNTAX);
	} else if (call->argc == 2 && key == NULL) {
		redis_say_nil(call);
	} else if (call->argc == 2) {
		say_name(call, draw_one(call, key));
	} else if (key == NULL) {
		redis_say_array(call, 0);
	} else if (count >= 0) {
		draw_some(call, key, count, values);
	} else {
		redis_say_array(call, values ? -2 * count : -count);
		for (; count < 0; count++)
			say_drawn(call, draw_one(call, key), values);
	}
}

/* ---- sets */

static void do_sadd(struct redis_call *call)
{
	int64_t added = 0;
	struct redis_key *key = redis_call_get(call, 1, REDIS_SET);
	for (int i = 2; i < call->argc; i++) {
		struct redis_item **at = redis_item_at(key, call->argv[i]);
		added += *at == NULL;
		if (*at == NULL)
			redis_item_add(key, at, call->argv[i]);
	}
	redis_say_int(call, added);
}

static void do_sismember(struct redis_call *call)
{
	redis_say_int(call, redis_item_find(redis_call_find(call, 1), call->argv[2]) != NULL);
}

static void do_smembers(struct redis_call *call)
{
	const struct redis_key *key = redis_call_find(call, 1);
	redis_say_array(call, key != NULL ? key->count : 0);
	for (const struct redis_item *item = key != NULL ? key->items : NULL; item != NULL; item = item->next)
		say_name(call, item);
}

/* clang-format off */
const struct redis_command redis_hashes[] = {
	{ "HSET", -4, REDIS_HASH, true, do_hset },
	{ "HGET", 3, REDIS_HASH, false, do_hget },
	{ "HMGET", -3, REDIS_HASH, false, do_hmget },
	{ "HGETALL", 2, REDIS_HASH, false, do_hgetall },
	{ "HSCAN", -3, REDIS_HASH, false, do_hscan },
	{ "HLEN", 2, REDIS_HASH, false, do_count },
	{ "HDEL", -3, REDIS_HASH, true, do_remove },
	{ "HINCRBY", 4, REDIS_HASH, true, do_hincrby },
	{ "HRANDFIELD", -2, REDIS_HASH, false, do_hrandfield },
	{ "SADD", -3, REDIS_SET, true, do_sadd },
	{ "SREM", -3, REDIS_SET, true, do_remove },
	{ "SCARD", 2, REDIS_SET, false, do_count },
	{ "SISMEMBER", 3, REDIS_SET, false, do_sismember },
	{ "SMEMBERS", 2, REDIS_SET, false, do_smembers },
	{ NULL, 0, REDIS_ANY, false, NULL },
};
/* clang-format on */
