/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one script that the Redis in memory knows, redis-schema/compare_and_set.lua, done once more in C. Its text is
 * compared without comments and blanks: who changes the script has to change this.
 */
#include "t/fake/redis_call.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/base/banned.h"

/* clang-format off */
static const char the_script[] =
	"ifredis.call('GETRANGE',KEYS[1],0,10)~=ARGV[1]then"
	"returnredis.call('MGET',KEYS[1],KEYS[3])"
	"end"
	"redis.call('SET',KEYS[1],ARGV[2],'EX',ARGV[3])"
	"ifARGV[4]~=''then"
	"redis.call('SET',KEYS[3],ARGV[4],'EX',ARGV[3])"
	"end"
	"localshown=1"
	"if#ARGV>4then"
	"shown=redis.pcall('HSET',KEYS[2],unpack(ARGV,5))"
	"redis.call('EXPIRE',KEYS[2],ARGV[3])"
	"redis.call('EXPIRE',KEYS[3],ARGV[3])"
	"end"
	"return{shown}";
/* clang-format on */

/* ---- scripts that were loaded */

static bool is_the_script(struct fake_word text)
{
	struct fake_bytes bare = { 0 };
	bool comment = false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];
		comment = c == '\n' ? false : comment || (c == '-' && i + 1 < text.length && text.at[i + 1] == '-');
		if (!comment && strchr(" \t\r\n", c) == NULL)
			fake_bytes_add(&bare, &c, 1);
	}
	bool same = fake_bytes_are(&bare, (struct fake_word){ the_script, sizeof the_script - 1 });
	fake_bytes_free(&bare);
	return same;
}

static void hash_text(struct fake_word text, char sha_out[41])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	if (EVP_Digest(text.at, text.length, digest, &length, EVP_sha1(), NULL) != 1 || length != 20)
		abort();
	for (unsigned i = 0; i < length; i++)
		snprintf(sha_out + (size_t)2 * i, 3, "%02x", digest[i]);
}

static const struct redis_script *script_find(const struct redis_data *data, struct fake_word sha)
{
	const struct redis_script *script = data->scripts;
	while (script != NULL && (sha.length != 40 || strncasecmp(sha.at, script->sha, 40) != 0))
		script = script->next;
	return script;
}

/* NULL: the error was said. */
static const struct redis_script *script_load(struct redis_call *call, struct fake_word text)
{
	char sha[41];
	for (const struct redis_script *loaded = call->data->scripts; loaded != NULL; loaded = loaded->next)
		if (fake_bytes_are(&loaded->text, text))
			return loaded;
	if (!is_the_script(text)) {
		redis_say_error(call, "ERR the fake Redis knows no script but compare_and_set.lua");
		return NULL;
	}
	hash_text(text, sha);
	struct redis_script *script = calloc(1, sizeof *script);
	if (script == NULL)
		abort();
	memcpy(script->sha, sha, sizeof sha);
	fake_bytes_set(&script->text, text.at, text.length);
	script->next = call->data->scripts;
	call->data->scripts = script;
	return script;
}

static void do_script(struct redis_call *call)
{
	if (call->argc == 3 && redis_word_is(call->argv[1], "LOAD")) {
		const struct redis_script *script = script_load(call, call->argv[2]);
		if (script != NULL)
			redis_say_text(call, script->sha);
	} else if (call->argc <= 3 && redis_word_is(call->argv[1], "FLUSH")) {
		while (call->data->scripts != NULL) {
			struct redis_script *gone = call->data->scripts;
			call->data->scripts = gone->next;
			fake_bytes_free(&gone->text);
			free(gone);
		}
		redis_say_status(call, "OK");
	} else if (call->argc > 2 && redis_word_is(call->argv[1], "EXISTS")) {
		redis_say_array(call, call->argc - 2);
		for (int i = 2; i < call->argc; i++)
			redis_say_int(call, script_find(call->data, call->argv[i]) != NULL);
	} else {
		redis_say_error(call, "ERR unknown subcommand or wrong number of arguments for '%s'. Try SCRIPT HELP.",
				call->argv[1].at);
	}
}

/* ---- what it does */

/* A script's run: its words from `keys` and `argv` on. */
struct script_run {
	struct redis_call *call;	   /* borrowed */
	const struct redis_script *script; /* borrowed */
	const struct fake_word *keys, *argv;
	int argc;
};

/* A command of the script's, whose answer goes to `out`. False: it is an error. */
static bool script_call(const struct script_run *run, int argc, const struct fake_word *argv, struct fake_bytes *out)
{
	struct redis_call call = *run->call;
	call.argc = argc;
	call.argv = argv;
	call.out = out;
	redis_call_run(&call);
	return out->at[0] != '-';
}

/* Redis ends the script, and says in which line of its text that was: the one with the `number`th `command`. */
static void script_fail(const struct script_run *run, struct fake_bytes *error, const char *command, int number)
{
	const char *text = run->script->text.at, *at = text;
	int line = 1;
	while (number-- > 0 && at != NULL)
		at = strstr(at + 1, command);
	for (const char *passed = text; passed < at; passed++)
		line += *passed == '\n';
	redis_say_error(run->call, "%.*s script: %s, on @user_script:%d.", (int)strcspn(error->at + 1, "\r\n"),
			error->at + 1, run->script->sha, line);
}

#define WORD(text) ((struct fake_word){ text, sizeof text - 1 })

/* True: the record is the one that was read. Else the script has answered. */
static bool script_compare(const struct script_run *run)
{
	struct fake_bytes head = { 0 }, wanted = { 0 };
	struct redis_call inside = *run->call;
	const struct fake_word getrange[] = { WORD("GETRANGE"), run->keys[0], WORD("0"), WORD("10") };
	const struct fake_word mget[] = { WORD("MGET"), run->keys[0], run->keys[2] };
	bool fine = script_call(run, 4, getrange, &head), same = false;
	inside.out = &wanted;
	redis_say_bulk(&inside, run->argv[0].at, run->argv[0].length);
	if (!fine)
		script_fail(run, &head, "redis.call('GETRANGE'", 1);
	else
		same = fake_bytes_are(&head, (struct fake_word){ wanted.at, wanted.length });
	if (fine && !same)
		script_call(run, 3, mget, run->call->out);
	fake_bytes_free(&head);
	fake_bytes_free(&wanted);
	return same;
}

static bool script_set(const struct script_run *run, int key, int value, int number)
{
	struct fake_bytes answer = { 0 };
	const struct fake_word set[] = { WORD("SET"), run->keys[key], run->argv[value], WORD("EX"), run->argv[2] };
	bool fine = script_call(run, 5, set, &answer);
	if (!fine)
		script_fail(run, &answer, "redis.call('SET'", number);
	fake_bytes_free(&answer);
	return fine;
}

/* Where state is of another type, it stays as it is, and the answer says so. */
static void script_state(const struct script_run *run)
{
	enum { WORDS_MAX = 256, HSET_LEAST = 4 };
	struct fake_bytes ignored = { 0 };
	struct fake_word words[WORDS_MAX] = { WORD("HSET"), run->keys[1] };
	int count = 2;
	for (int i = 4; i < run->argc && count < WORDS_MAX; i++)
		words[count++] = run->argv[i];
	if (count >= HSET_LEAST)
		script_call(run, count, words, run->call->out);
	else
		redis_say_error(run->call, "ERR Wrong number of args calling Redis command from script");
	script_call(run, 3, (struct fake_word[]){ WORD("EXPIRE"), run->keys[1], run->argv[2] }, &ignored);
	script_call(run, 3, (struct fake_word[]){ WORD("EXPIRE"), run->keys[2], run->argv[2] }, &ignored);
	fake_bytes_free(&ignored);
}

static void script_run(const struct script_run *run)
{
	if (!script_compare(run) || !script_set(run, 0, 1, 1))
		return;
	if (run->argv[3].length > 0 && !script_set(run, 2, 3, 2))
		return;
	redis_say_array(run->call, 1);
	if (run->argc > 4)
		script_state(run);
	else
		redis_say_int(run->call, 1);
}

/* NULL: the error was said. */
static const struct redis_script *script_named(struct redis_call *call)
{
	if (!redis_word_is(call->argv[0], "EVALSHA"))
		return script_load(call, call->argv[1]);
	const struct redis_script *script = script_find(call->data, call->argv[1]);
	if (script == NULL)
		redis_say_error(call, "NOSCRIPT No matching script. Please use EVAL.");
	return script;
}

static void do_eval(struct redis_call *call)
{
	enum { KEYS = 3, ARGV_LEAST = 4 };
	int64_t keys;
	struct script_run run = { .call = call, .keys = call->argv + 3, .argc = call->argc - 3 - KEYS };
	if (!redis_to_int(call->argv[2], &keys)) {
		redis_say_error(call, REDIS_NO_INTEGER);
	} else if (keys < 0) {
		redis_say_error(call, "ERR Number of keys can't be negative");
	} else if (keys > call->argc - 3) {
		redis_say_error(call, "ERR Number of keys can't be greater than number of args");
	} else if ((run.script = script_named(call)) == NULL) {
		return;
	} else if (keys != KEYS || run.argc < ARGV_LEAST) {
		redis_say_error(call, "ERR compare_and_set.lua takes 3 keys and at least 4 arguments");
	} else {
		run.argv = run.keys + KEYS;
		script_run(&run);
	}
}

/* clang-format off */
const struct redis_command redis_scripts[] = {
	{ "SCRIPT", -2, REDIS_ANY, false, do_script },
	{ "EVAL", -3, REDIS_ANY, true, do_eval },
	{ "EVALSHA", -3, REDIS_ANY, true, do_eval },
	{ NULL, 0, REDIS_ANY, false, NULL },
};
/* clang-format on */
