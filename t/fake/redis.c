/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Redis in memory: which commands there are, and those on any key and on the connection. It answers as Redis 7.0.
 */
#include "t/fake/redis_call.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/base/banned.h"

/* ---- words */

bool redis_word_is(struct fake_word word, const char *text)
{
	return word.length == strlen(text) && strncasecmp(word.at, text, word.length) == 0;
}

/* As strict as Redis: no blanks, no +, no 0 in front. */
bool redis_to_int(struct fake_word word, int64_t *number_out)
{
	bool below = word.length > 0 && word.at[0] == '-';
	size_t at = below ? 1 : 0;
	int64_t number = 0; /* counted down from nought: there is one more below than above */
	if (at == word.length || (word.at[at] == '0' && word.length > 1))
		return false;
	for (; at < word.length; at++) {
		int digit = word.at[at] - '0';
		if (digit < 0 || digit > 9 || number < (INT64_MIN + digit) / 10)
			return false;
		number = number * 10 - digit;
	}
	if (!below && number == INT64_MIN)
		return false;
	*number_out = below ? number : -number;
	return true;
}

struct redis_key *redis_call_find(const struct redis_call *call, int at)
{
	return redis_find(call->data, *call->database, call->argv[at]);
}

struct redis_key *redis_call_get(const struct redis_call *call, int at, enum redis_type type)
{
	return redis_get(call->data, *call->database, call->argv[at], type);
}

/* ---- answers */

void redis_say_status(struct redis_call *call, const char *text)
{
	fake_bytes_addf(call->out, "+%s\r\n", text);
}

void redis_say_error(struct redis_call *call, const char *format, ...)
{
	char text[900];
	va_list values;
	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	for (char *at = text; *at != '\0'; at++)
		if (*at == '\r' || *at == '\n')
			*at = ' ';
	fake_bytes_addf(call->out, "-%s\r\n", text);
}

void redis_say_int(struct redis_call *call, int64_t number)
{
	fake_bytes_addf(call->out, ":%lld\r\n", (long long)number);
}

void redis_say_bulk(struct redis_call *call, const void *bytes, size_t length)
{
	fake_bytes_addf(call->out, "$%zu\r\n", length);
	fake_bytes_add(call->out, bytes, length);
	fake_bytes_add(call->out, "\r\n", 2);
}

void redis_say_text(struct redis_call *call, const char *text)
{
	redis_say_bulk(call, text, strlen(text));
}

void redis_say_nil(struct redis_call *call)
{
	fake_bytes_addf(call->out, "$-1\r\n");
}

void redis_say_array(struct redis_call *call, int64_t count)
{
	fake_bytes_addf(call->out, "*%lld\r\n", (long long)count);
}

/* ---- any key */

static void do_del(struct redis_call *call)
{
	int64_t removed = 0;
	for (int i = 1; i < call->argc; i++) {
		const struct redis_key *key = redis_call_find(call, i);
		removed += key != NULL;
		if (key != NULL)
			redis_remove(call->data, key);
	}
	redis_say_int(call, removed);
}

static void do_exists(struct redis_call *call)
{
	int64_t count = 0;
	for (int i = 1; i < call->argc; i++)
		count += redis_call_find(call, i) != NULL;
	redis_say_int(call, count);
}

static void do_expire(struct redis_call *call)
{
	int64_t seconds;
	if (!redis_to_int(call->argv[2], &seconds)) {
		redis_say_error(call, REDIS_NO_INTEGER);
		return;
	}
	if (seconds > INT64_MAX / 2000 || seconds < -INT64_MAX / 2000) {
		redis_say_error(call, "ERR invalid expire time in 'expire' command");
		return;
	}
	struct redis_key *key = redis_call_find(call, 1);
	redis_say_int(call, key != NULL);
	if (key != NULL && seconds > 0)
		key->ends_ms = call->data->now_ms() + seconds * 1000;
	else if (key != NULL)
		redis_remove(call->data, key);
}

static void do_pttl(struct redis_call *call)
{
	const struct redis_key *key = redis_call_find(call, 1);
	int64_t left = key == NULL ? -2 : key->ends_ms == 0 ? -1 : key->ends_ms - call->data->now_ms();
	redis_say_int(call, left < 0 || call->argv[0].length == 4 ? left : (left + 500) / 1000);
}

static void do_type(struct redis_call *call)
{
	static const char *const words[] = { "none", "string", "hash", "set", "zset", "stream" };
	const struct redis_key *key = redis_call_find(call, 1);
	redis_say_status(call, words[key != NULL ? key->type : REDIS_ANY]);
}

static void do_dbsize(struct redis_call *call)
{
	int64_t count = 0;
	redis_remove_ended(call->data);
	for (const struct redis_key *key = call->data->keys; key != NULL; key = key->next)
		count += key->database == *call->database;
	redis_say_int(call, count);
}

/* What stands behind MATCH; NULL: nothing. COUNT is a wish that no answer depends on. */
static const char *find_pattern(const struct redis_call *call, int at)
{
	for (; at + 1 < call->argc; at += 2)
		if (redis_word_is(call->argv[at], "MATCH"))
			return call->argv[at + 1].at;
	return NULL;
}

/* Three keys a piece, so that there are several; the cursor is how many were seen. */
static void do_scan(struct redis_call *call)
{
	enum { PIECE = 3 };
	int64_t at = 0, skip, found = 0;
	char cursor[24];
	const char *pattern = find_pattern(call, 2);
	if (!redis_to_int(call->argv[1], &skip) || skip < 0) {
		redis_say_error(call, "ERR invalid cursor");
		return;
	}
	redis_remove_ended(call->data);
	const struct redis_key *key = call->data->keys, *first, *fits[PIECE];
	for (; key != NULL && at < skip; key = key->next)
		at++;
	first = key;
	for (int i = 0; key != NULL && i < PIECE; i++, at++)
		key = key->next;
	snprintf(cursor, sizeof cursor, "%lld", key == NULL ? 0 : (long long)at);
	for (; first != key; first = first->next)
		if (first->database == *call->database && (pattern == NULL || fnmatch(pattern, first->name.at, 0) == 0))
			fits[found++] = first;
	redis_say_array(call, 2);
	redis_say_text(call, cursor);
	redis_say_array(call, found);
	for (int i = 0; i < (int)found; i++)
		redis_say_bulk(call, fits[i]->name.at, fits[i]->name.length);
}

/* ---- the connection */

static void do_ping(struct redis_call *call)
{
	if (call->argc > 2)
		redis_say_error(call, "ERR wrong number of arguments for 'ping' command");
	else if (call->argc == 2)
		redis_say_bulk(call, call->argv[1].at, call->argv[1].length);
	else
		redis_say_status(call, "PONG");
}

static void do_select(struct redis_call *call)
{
	enum { DATABASES = 16 };
	int64_t database;
	if (!redis_to_int(call->argv[1], &database)) {
		redis_say_error(call, REDIS_NO_INTEGER);
	} else if (database < 0 || database >= DATABASES) {
		redis_say_error(call, "ERR DB index is out of range");
	} else {
		*call->database = database;
		redis_say_status(call, "OK");
	}
}

static void do_auth(struct redis_call *call)
{
	const char *password = call->data->password;
	struct fake_word given = call->argv[call->argc - 1];
	if (call->argc > 3) {
		redis_say_error(call, REDIS_SYNTAX);
		return;
	}
	if (call->argc == 2 && password == NULL) {
		redis_say_error(call, "ERR AUTH <password> called without any password configured for the default "
				      "user. Are you sure your configuration is correct?");
		return;
	}
	bool fits =
		password == NULL || (given.length == strlen(password) && memcmp(given.at, password, given.length) == 0);
	if ((call->argc == 3 && (call->argv[1].length != 7 || memcmp(call->argv[1].at, "default", 7) != 0)) || !fits) {
		redis_say_error(call, "WRONGPASS invalid username-password pair or user is disabled.");
		return;
	}
	*call->greeted = true;
	redis_say_status(call, "OK");
}

static void do_time(struct redis_call *call)
{
	char text[24];
	int64_t now_ms = call->data->now_ms();
	redis_say_array(call, 2);
	snprintf(text, sizeof text, "%lld", (long long)(now_ms / 1000));
	redis_say_text(call, text);
	snprintf(text, sizeof text, "%lld", (long long)(now_ms % 1000 * 1000));
	redis_say_text(call, text);
}

/* clang-format off */
static const struct redis_command others[] = {
	{ "DEL", -2, REDIS_ANY, true, do_del },
	{ "EXISTS", -2, REDIS_ANY, false, do_exists },
	{ "EXPIRE", 3, REDIS_ANY, true, do_expire },
	{ "PTTL", 2, REDIS_ANY, false, do_pttl },
	{ "TTL", 2, REDIS_ANY, false, do_pttl },
	{ "TYPE", 2, REDIS_ANY, false, do_type },
	{ "DBSIZE", 1, REDIS_ANY, false, do_dbsize },
	{ "SCAN", -2, REDIS_ANY, false, do_scan },
	{ "PING", -1, REDIS_ANY, false, do_ping },
	{ "SELECT", 2, REDIS_ANY, false, do_select },
	{ "AUTH", -2, REDIS_ANY, false, do_auth },
	{ "TIME", 1, REDIS_ANY, false, do_time },
	{ NULL, 0, REDIS_ANY, false, NULL },
};
/* clang-format on */

/* ---- which is meant */

const struct redis_command *redis_command_find(struct fake_word name)
{
	const struct redis_command *const tables[] = { others, redis_strings, redis_hashes, redis_lists,
						       redis_scripts };
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		for (const struct redis_command *command = tables[i]; command->word != NULL; command++)
			if (redis_word_is(name, command->word))
				return command;
	return NULL;
}

static void say_unknown(struct redis_call *call)
{
	struct fake_bytes list = { 0 };
	fake_bytes_add(&list, "", 0);
	for (int i = 1; i < call->argc && list.length < 128; i++)
		fake_bytes_addf(&list, "'%.*s' ", 128 - (int)list.length, call->argv[i].at);
	redis_say_error(call, "ERR unknown command '%.128s', with args beginning with: %s", call->argv[0].at, list.at);
	fake_bytes_free(&list);
}

static void say_arity(struct redis_call *call)
{
	char name[32] = "";
	for (size_t i = 0; i < call->argv[0].length && i < sizeof name - 1; i++)
		name[i] = (char)tolower((unsigned char)call->argv[0].at[i]);
	redis_say_error(call, "ERR wrong number of arguments for '%s' command", name);
}

void redis_call_run(struct redis_call *call)
{
	const struct redis_command *command = redis_command_find(call->argv[0]);
	if (command == NULL) {
		say_unknown(call);
	} else if (command->arity > 0 ? call->argc != command->arity : call->argc < -command->arity) {
		say_arity(call);
	} else if (call->data->password != NULL && !*call->greeted && command->run != do_auth) {
		redis_say_error(call, "NOAUTH Authentication required.");
	} else {
		const struct redis_key *key = command->type != REDIS_ANY ? redis_call_find(call, 1) : NULL;
		if (key != NULL && key->type != command->type)
			redis_say_error(call, REDIS_WRONG_TYPE);
		else
			command->run(call);
	}
}
