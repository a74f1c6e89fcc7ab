/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Redis in memory: hashes, strings and their time-outs, and the commands that panels and the daemon use. Time is
 * the scenario's.
 */
#include "policy/base/text.h"
#include "t/fake/fake.h"
#include "t/fake/redis_keys.h"
#include "t/fake/redis_lists.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static struct key *keys;

static char *copy(const char *string)
{
	char *made = strdup(string);
	if (made == NULL)
		abort();
	return made;
}

static void *make(size_t size)
{
	void *made = calloc(1, size);
	if (made == NULL)
		abort();
	return made;
}

/* ---- keys */

static void free_fields(struct key *key)
{
	for (struct field *field = key->fields, *next; field != NULL; field = next) {
		next = field->next;
		free(field->name);
		free(field->value);
		free(field);
	}
	key->fields = NULL;
}

static void remove_key(struct key **at)
{
	struct key *key = *at;
	*at = key->next;
	free_fields(key);
	free(key->name);
	free(key->string);
	free(key);
}

static struct key **place_of(const char *name)
{
	struct key **at = &keys;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at != NULL && (*at)->ends_ms != 0 && (*at)->ends_ms <= fake_clock_redis_ms())
		remove_key(at);
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

struct key *fake_find_key(const char *name)
{
	return *place_of(name);
}

struct key *fake_get_key(const char *name)
{
	struct key **at = place_of(name);
	if (*at == NULL) {
		*at = make(sizeof **at);
		(*at)->name = copy(name);
	}
	return *at;
}

const struct field *fake_find_field(const struct key *key, const char *name)
{
	const struct field *field = key != NULL ? key->fields : NULL;
	while (field != NULL && strcmp(field->name, name) != 0)
		field = field->next;
	return field;
}

const char *fake_field_text(const struct key *key, const char *name)
{
	const struct field *field = fake_find_field(key, name);
	return field != NULL ? field->value : NULL;
}

void fake_set_bytes(struct key *key, const char *name, const char *value, size_t length)
{
	struct field **at = &key->fields;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = make(sizeof **at);
		(*at)->name = copy(name);
	}
	free((*at)->value);
	(*at)->value = make(length + 1);
	memcpy((*at)->value, value, length);
	(*at)->length = length;
}

void fake_set_field(struct key *key, const char *name, const char *value)
{
	fake_set_bytes(key, name, value, strlen(value));
}

void fake_remove_field(struct key *key, const char *name)
{
	struct field **at = &key->fields;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	struct field *gone = *at;
	*at = gone->next;
	free(gone->name);
	free(gone->value);
	free(gone);
}

/* ---- commands */

static void add_item(struct fake_reply *reply, const char *item)
{
	char **more = realloc(reply->items, (size_t)(reply->count + 1) * sizeof reply->items[0]);
	if (more == NULL)
		abort();
	reply->items = more;
	reply->items[reply->count++] = item != NULL ? copy(item) : NULL;
}

void fake_reply_add(struct fake_reply *reply, const char *item)
{
	add_item(reply, item);
}

static void do_hset(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = fake_get_key(argv[1]);
	for (int i = 2; i + 1 < argc; i += 2)
		fake_set_field(key, argv[i], argv[i + 1]);
	add_item(reply, "1");
}

static void do_hincrby(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = fake_get_key(argv[1]);
	const char *before = fake_field_text(key, argv[2]);
	int64_t number = 0, more = 0;
	char sum[24];
	(void)argc;
	if (before != NULL)
		text_to_int(before, INT64_MIN / 2, INT64_MAX / 2, &number);
	text_to_int(argv[3], INT64_MIN / 2, INT64_MAX / 2, &more);
	snprintf(sum, sizeof sum, "%lld", (long long)(number + more));
	fake_set_field(key, argv[2], sum);
	add_item(reply, sum);
}

static void do_expire(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = fake_find_key(argv[1]);
	int64_t seconds;
	(void)argc;
	if (key != NULL && text_to_int(argv[2], 1, INT32_MAX, &seconds))
		key->ends_ms = fake_clock_redis_ms() + seconds * 1000;
	add_item(reply, key != NULL ? "1" : "0");
}

static void do_hdel(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = fake_find_key(argv[1]);
	for (int i = 2; key != NULL && i < argc; i++)
		fake_remove_field(key, argv[i]);
	if (key != NULL && key->fields == NULL)
		remove_key(place_of(argv[1]));
	add_item(reply, "1");
}

static void do_hmget(int argc, const char *const *argv, struct fake_reply *reply)
{
	for (int i = 2; i < argc; i++)
		add_item(reply, fake_field_text(fake_find_key(argv[1]), argv[i]));
}

static void do_hgetall(int argc, const char *const *argv, struct fake_reply *reply)
{
	const struct key *key = fake_find_key(argv[1]);
	(void)argc;
	for (const struct field *field = key != NULL ? key->fields : NULL; field != NULL; field = field->next) {
		add_item(reply, field->name);
		add_item(reply, field->value);
	}
}

static void do_set(int argc, const char *const *argv, struct fake_reply *reply)
{
	int64_t seconds = 0;
	if (argc >= 4 && strcmp(argv[argc - 1], "NX") == 0 && fake_find_key(argv[1]) != NULL) {
		add_item(reply, NULL);
		return;
	}
	struct key *key = fake_get_key(argv[1]);
	free_fields(key);
	free(key->string);
	key->string = copy(argv[2]);
	if (argc >= 5 && strcmp(argv[3], "EX") == 0)
		text_to_int(argv[4], 1, INT32_MAX, &seconds);
	key->ends_ms = seconds > 0 ? fake_clock_redis_ms() + seconds * 1000 : 0;
	add_item(reply, "OK");
}

static void do_get(int argc, const char *const *argv, struct fake_reply *reply)
{
	const struct key *key = fake_find_key(argv[1]);
	(void)argc;
	add_item(reply, key != NULL ? key->string : NULL);
}

static void do_del(int argc, const char *const *argv, struct fake_reply *reply)
{
	bool there = fake_find_key(argv[1]) != NULL;
	(void)argc;
	if (there)
		remove_key(place_of(argv[1]));
	add_item(reply, there ? "1" : "0");
}

static void do_exists(int argc, const char *const *argv, struct fake_reply *reply)
{
	(void)argc;
	add_item(reply, fake_find_key(argv[1]) != NULL ? "1" : "0");
}

static void do_pttl(int argc, const char *const *argv, struct fake_reply *reply)
{
	const struct key *key = fake_find_key(argv[1]);
	char text[24];
	(void)argc;
	long long left = key == NULL ? -2 : key->ends_ms == 0 ? -1 : (long long)(key->ends_ms - fake_clock_redis_ms());
	snprintf(text, sizeof text, "%lld", left);
	add_item(reply, text);
}

/* SCAN CURSOR MATCH PATTERN COUNT n: three keys a piece, so that there are several; the cursor is how many were seen.
 */
static void do_scan(int argc, const char *const *argv, struct fake_reply *reply)
{
	enum { PIECE = 3 };
	int64_t at = 0, skip = 0;
	const struct key *key = keys;
	char cursor[24];
	(void)argc;
	text_to_int(argv[1], 0, INT32_MAX, &skip);
	for (; key != NULL && at < skip; key = key->next)
		at++;
	const struct key *first = key;
	for (int i = 0; key != NULL && i < PIECE; i++, at++)
		key = key->next;
	snprintf(cursor, sizeof cursor, "%lld", key == NULL ? 0 : (long long)at);
	add_item(reply, cursor);
	for (; first != key; first = first->next)
		if (fnmatch(argv[3], first->name, 0) == 0)
			add_item(reply, first->name);
}

static void do_hscan(int argc, const char *const *argv, struct fake_reply *reply)
{
	add_item(reply, "0");
	do_hgetall(argc, argv, reply);
}

static void do_dbsize(int argc, const char *const *argv, struct fake_reply *reply)
{
	int64_t count = 0;
	char text[24];
	(void)argc;
	(void)argv;
	for (const struct key *key = keys; key != NULL; key = key->next)
		count++;
	snprintf(text, sizeof text, "%lld", (long long)count);
	add_item(reply, text);
}

/* clang-format off */
static const struct {
	const char *word;
	int least;	/* words, its own included */
	enum { ANY, HASH, STRING } type;
	void (*run)(int argc, const char *const *argv, struct fake_reply *reply);
} commands[] = {
	{ "HSET", 4, HASH, do_hset },	    { "HDEL", 3, HASH, do_hdel },   { "HMGET", 3, HASH, do_hmget },
	{ "HGET", 3, HASH, do_hmget },	    { "HGETALL", 2, HASH, do_hgetall }, { "SET", 3, ANY, do_set },
	{ "GET", 2, STRING, do_get },	    { "DEL", 2, ANY, do_del },
	{ "HINCRBY", 4, HASH, do_hincrby }, { "EXPIRE", 3, ANY, do_expire },
	{ "EXISTS", 2, ANY, do_exists },    { "PTTL", 2, ANY, do_pttl },    { "SCAN", 6, ANY, do_scan },
	{ "HSCAN", 3, HASH, do_hscan },	    { "DBSIZE", 1, ANY, do_dbsize },
};
/* clang-format on */

static void run(int argc, const char *const *argv, struct fake_reply *reply)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcasecmp(argv[0], commands[i].word) != 0 || argc < commands[i].least)
			continue;
		const struct key *key = argc > 1 ? fake_find_key(argv[1]) : NULL;
		bool string = key != NULL && key->string != NULL;
		if (key != NULL && ((commands[i].type == HASH && string) || (commands[i].type == STRING && !string)))
			text_copy(reply->error, sizeof reply->error,
				  "WRONGTYPE Operation against a key holding the wrong kind of value");
		else
			commands[i].run(argc, argv, reply);
		return;
	}
	if (fake_lists_command(argc, argv, reply))
		return;
	snprintf(reply->error, sizeof reply->error, "ERR unknown command '%s', or too few words", argv[0]);
}

void fake_redis_command(int argc, const char *const *argv, struct fake_reply *reply_out)
{
	*reply_out = (struct fake_reply){ .error = "" };
	pthread_mutex_lock(&fake_lock);
	run(argc, argv, reply_out);
	pthread_mutex_unlock(&fake_lock);
}

void fake_reply_free(struct fake_reply *reply)
{
	for (int i = 0; i < reply->count; i++)
		free(reply->items[i]);
	free(reply->items);
	*reply = (struct fake_reply){ .error = "" };
}

void fake_redis_clear(void)
{
	pthread_mutex_lock(&fake_lock);
	while (keys != NULL)
		remove_key(&keys);
	fake_lists_clear();
	pthread_mutex_unlock(&fake_lock);
}
