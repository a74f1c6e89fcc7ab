/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the user of redis.username may do, and what the server knows: each command that the daemon sends is tried once a
 * connection, on keys of the probe's own that go within a minute. Without those that charge and read accounts Redis
 * counts as away; without the others something is not kept, which is said.
 */
#include "redis-schema/script.h"
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* needed, command, part of the key behind the tag ("" : none), words behind it */
/* clang-format off */
#define PROBE_ROWS(ROW)                             \
	ROW(true, "SET", "s", "1 EX 60")            \
	ROW(true, "GET", "s", "")                   \
	ROW(true, "MGET", "s", "")                  \
	ROW(true, "GETRANGE", "s", "0 10")          \
	ROW(true, "SETBIT", "s", "0 0")             \
	ROW(true, "GETBIT", "s", "0")               \
	ROW(true, "HSET", "h", "a 1")               \
	ROW(true, "HINCRBY", "h", "a 1")            \
	ROW(true, "HGET", "h", "a")                 \
	ROW(true, "HMGET", "h", "a b")              \
	ROW(true, "HGETALL", "h", "")               \
	ROW(true, "HLEN", "h", "")                  \
	ROW(true, "HRANDFIELD", "h", "3 WITHVALUES") \
	ROW(true, "HDEL", "h", "b")                 \
	ROW(true, "EXPIRE", "h", "60")              \
	ROW(true, "SADD", "e", "a")                 \
	ROW(true, "SISMEMBER", "e", "a")            \
	ROW(true, "SCARD", "e", "")                 \
	ROW(true, "SREM", "e", "a")                 \
	ROW(false, "EXISTS", "s", "")               \
	ROW(false, "PTTL", "s", "")                 \
	ROW(false, "HSCAN", "h", "0")               \
	ROW(false, "XADD", "x", "MAXLEN ~ 1 * a 1") \
	ROW(false, "XRANGE", "x", "- + COUNT 1")    \
	ROW(false, "XREVRANGE", "x", "+ - COUNT 1") \
	ROW(false, "ZADD", "z", "1 a")              \
	ROW(false, "ZRANGEBYSCORE", "z", "0 1")     \
	ROW(false, "ZCARD", "z", "")                \
	ROW(false, "ZREM", "z", "a")                \
	ROW(false, "SCAN", "", "0 COUNT 1")         \
	ROW(false, "DBSIZE", "", "")
/* clang-format on */

static const struct probe_row {
	bool needed;
	const char *command, *part, *words;
} rows[] = {
#define PROBE_ROW(needed, command, part, words) { needed, command, part, words },
	PROBE_ROWS(PROBE_ROW)
#undef PROBE_ROW
};

enum { ROWS = sizeof rows / sizeof rows[0], WORDS_BYTES = 40 };

#define KEY_OF_PROBE "%s:{probe-%010" PRIx64 "}:%s" /* prefix, the daemon's writer, part */

static void probe_key(struct request *request, const struct store *store, const char *part)
{
	request_text(request, KEY_OF_PROBE, store->settings.prefix, store->writer, part);
}

static void probe_add_row(struct request *request, const struct store *store, const struct probe_row *row)
{
	char words[WORDS_BYTES], *rest = words;
	request_command(request, row->command);
	if (*row->part != '\0')
		probe_key(request, store, row->part);
	text_copy(words, sizeof words, row->words);
	for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		request_text(request, "%s", word);
}

/* The second one finds the record of the first. */
static void probe_add_script(struct request *request, const struct store *store, const char *command,
			     const char *script)
{
	request_command(request, command);
	request_word(request, script);
	request_word(request, "3");
	probe_key(request, store, "record");
	probe_key(request, store, "h");
	probe_key(request, store, "known");
	request_word(request, ""); /* there is no record */
	request_word(request, "1");
	request_word(request, "60");
	request_word(request, "1");
	request_word(request, "a");
	request_word(request, "1");
}

void store_probe(struct store *store, wire_done *done)
{
	struct request request;
	request_begin(&request);
	for (size_t i = 0; i < ROWS; i++)
		probe_add_row(&request, store, &rows[i]);
	probe_add_script(&request, store, "EVALSHA", store->sha);
	probe_add_script(&request, store, "EVAL", script_text);
	request_command(&request, "DEL");
	static const char *const parts[] = { "s", "h", "e", "x", "z", "record", "known" };
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		probe_key(&request, store, parts[i]);
	if (!wire_ask(store->wire, request.command, request.count, done, NULL, store))
		wire_disconnect(store->wire, "the probe of commands cannot be sent");
}

/* The name of a row, or of what comes behind them. */
static const char *probe_name(int at)
{
	static const char *const behind[] = { "EVALSHA", "EVAL", "DEL" };
	return at < ROWS ? rows[at].command : behind[at - ROWS];
}

static bool probe_needs(int at)
{
	return at >= ROWS || rows[at].needed;
}

/* "the user penstock may not HINCRBY, EVALSHA" */
static bool probe_refused(const struct store *store, int count, const struct wire_answer *answers, bool needed,
			  struct text *text)
{
	int refused = 0;
	const char *user = store->settings.username;
	for (int i = 0; i < count; i++)
		if (answers[i].error != NULL && answers[i].blame != BLAME_SERVER && probe_needs(i) == needed) {
			if (refused++ == 0)
				text_addf(text, "the user %s may not ", *user != '\0' ? user : "default");
			else
				text_add(text, ", ");
			text_add(text, probe_name(i));
			if (answers[i].blame != BLAME_USER) {
				char shown[80];
				text_copy(shown, sizeof shown, answers[i].error);
				text_add(text, " (");
				text_add_word(text, shown);
				text_add(text, ")");
			}
		}
	return refused > 0;
}

static const char *probe_server_error(int count, const struct wire_answer *answers)
{
	for (int i = 0; i < count; i++)
		if (answers[i].blame == BLAME_SERVER)
			return answers[i].error;
	return NULL;
}

bool store_probe_passed(struct store *store, int count, const struct wire_answer *answers, char *why, size_t why_size)
{
	char line[600];
	struct text needed = text_over(why, why_size), optional = text_over(line, sizeof line);
	const char *error = probe_server_error(count, answers);
	if (error != NULL) {
		char shown[160];
		text_copy(shown, sizeof shown, error);
		text_addf(&needed, "redis says \"%s\"", shown);
		return false;
	}
	if (probe_refused(store, count, answers, true, &needed)) {
		text_add(&needed, ", without which no limit can be kept (penstock(7), REDIS)");
		return false;
	}
	text_addf(&optional, "redis %s: ", store->settings.server);
	bool less = probe_refused(store, count, answers, false, &optional);
	text_add(
		&optional,
		": what is kept by these commands (explanations, events, held messages, lists of accounts) is missing; "
		"penstock(7), REDIS, has the commands");
	pthread_mutex_lock(&store->lock);
	store->stats.forbidden = less;
	pthread_mutex_unlock(&store->lock);
	if (less)
		store_say_seldom(store, line);
	return true;
}
