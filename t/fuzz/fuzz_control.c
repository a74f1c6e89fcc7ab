/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A request of the control socket, from its bytes to Redis's commands, and to its answer. The input's first line is the
 * request, what follows an empty line is what Redis answers (t/fuzz/world.h).
 */
#include "milter/control/control_request.h"
#include "policy/base/text.h"

#include "t/fuzz/fuzz.h"
#include "t/fuzz/world.h"

enum { PREFIX = sizeof "penstock:" - 1 };

/* "penstock:{ACCOUNT}:PART": no account is part of another's key, or of another part's. One `as_typed` is looked for
 * alone. */
static void check_key(const char *key, bool as_typed)
{
	char account[400], *end;
	if (key[PREFIX] != '{' || as_typed)
		return;
	snprintf(account, sizeof account, "%s", key + PREFIX + 1);
	end = strchr(account, '}');
	MUST(end != NULL && end[1] == ':' && strchr(end + 1, '}') == NULL);
	*end = '\0';
	must_be_account(account);
}

/* HSET of limits: each is one. */
static void check_fields(void)
{
	const char *expected = "";
	struct limits limits;
	MUST(world_word_count % 2 == 0);
	for (int i = 2; i < world_word_count; i += 2) {
		limits = limits_unset;
		MUST(limits_set(&limits, world_words[i], world_words[i + 1], &expected));
	}
}

static void check_note(void)
{
	int64_t seconds;
	MUST(world_word_count == 3 || world_word_count == 5);
	MUST(world_words[2][0] != '\0' && strlen(world_words[2]) < NOTE_MAX);
	if (world_word_count == 5)
		MUST(strcmp(world_words[3], "EX") == 0 && text_to_int(world_words[4], 1, 315360000, &seconds));
}

static void check_command(void)
{
	static const char *const all[] = { "DBSIZE",	"DEL",	 "EXISTS",	  "GET",  "HDEL", "HGETALL",
					   "HMGET",	"HSCAN", "HSET",	  "PTTL", "SCAN", "SET",
					   "XREVRANGE", "ZCARD", "ZRANGEBYSCORE", "ZREM" };
	bool known = world_word_count == 0;
	if (world_word_count == 0)
		return;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		known |= strcmp(all[i], world_words[0]) == 0;
	MUST(known);
	if (strcmp(world_words[0], "DBSIZE") != 0 && strcmp(world_words[0], "SCAN") != 0)
		check_key(world_words[1], strcmp(world_words[0], "EXISTS") == 0);
	if (strcmp(world_words[0], "HSET") == 0)
		check_fields();
	if (strcmp(world_words[0], "SET") == 0)
		check_note();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct exchange_call call = { .answers = 0 };
	const uint8_t *end = memchr(data, '\n', size);
	size_t length = end != NULL ? (size_t)(end - data) : size, rest = size - length;
	if (!started)
		world_start();
	started = true;
	world_begin((const char *)data + length + (rest > 0), rest - (rest > 0));
	char *line = string_of(data, length);
	control_serve(&call, line, length);
	check_command();
	free(line); /* the answer may not need it */
	world_run();
	check_command();
	MUST(call.answers == 1);
	json_decref(call.answer);
	return 0;
}
