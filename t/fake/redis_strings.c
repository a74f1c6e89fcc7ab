/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings and bits of the Redis in memory.
 */
#include "t/fake/redis_call.h"

#include <string.h>

#include "policy/base/banned.h"

static void do_get(struct redis_call *call)
{
	const struct redis_key *key = redis_call_find(call, 1);
	if (key != NULL)
		redis_say_bulk(call, key->string.at, key->string.length);
	else
		redis_say_nil(call);
}

static void do_mget(struct redis_call *call)
{
	redis_say_array(call, call->argc - 1);
	for (int i = 1; i < call->argc; i++) {
		const struct redis_key *key = redis_call_find(call, i);
		if (key != NULL && key->type == REDIS_STRING)
			redis_say_bulk(call, key->string.at, key->string.length);
		else
			redis_say_nil(call);
	}
}

struct set_options {
	bool only_new, only_old, keeps;
	int64_t ms; /* 0: no end */
};

/* False: the error was said. */
static bool set_read(struct redis_call *call, struct set_options *options_out)
{
	*options_out = (struct set_options){ 0 };
	for (int i = 3; i < call->argc; i++) {
		bool seconds = redis_word_is(call->argv[i], "EX");
		if (redis_word_is(call->argv[i], "NX") && !options_out->only_old) {
			options_out->only_new = true;
		} else if (redis_word_is(call->argv[i], "XX") && !options_out->only_new) {
			options_out->only_old = true;
		} else if (redis_word_is(call->argv[i], "KEEPTTL") && options_out->ms == 0) {
			options_out->keeps = true;
		} else if ((seconds || redis_word_is(call->argv[i], "PX")) && options_out->ms == 0 &&
			   !options_out->keeps && i + 1 < call->argc) {
			int64_t number;
			if (!redis_to_int(call->argv[++i], &number)) {
				redis_say_error(call, REDIS_NO_INTEGER);
				return false;
			}
			if (number <= 0 || number > INT64_MAX / 2000) {
				redis_say_error(call, "ERR invalid expire time in 'set' command");
				return false;
			}
			options_out->ms = seconds ? number * 1000 : number;
		} else {
			redis_say_error(call, REDIS_SYNTAX);
			return false;
		}
	}
	return true;
}

static void do_set(struct redis_call *call)
{
	struct set_options options;
	if (!set_read(call, &options))
		return;
	const struct redis_key *before = redis_call_find(call, 1);
	if ((options.only_new && before != NULL) || (options.only_old && before == NULL)) {
		redis_say_nil(call);
		return;
	}
	int64_t ends_ms = before != NULL && options.keeps ? before->ends_ms : 0;
	if (before != NULL && before->type != REDIS_STRING)
		redis_remove(call->data, before);
	struct redis_key *key = redis_call_get(call, 1, REDIS_STRING);
	fake_bytes_set(&key->string, call->argv[2].at, call->argv[2].length);
	key->ends_ms = options.ms > 0 ? call->data->now_ms() + options.ms : ends_ms;
	redis_say_status(call, "OK");
}

static void do_getrange(struct redis_call *call)
{
	int64_t from, to;
	if (!redis_to_int(call->argv[2], &from) || !redis_to_int(call->argv[3], &to)) {
		redis_say_error(call, REDIS_NO_INTEGER);
		return;
	}
	const struct redis_key *key = redis_call_find(call, 1);
	int64_t length = key != NULL ? (int64_t)key->string.length : 0;
	bool backwards = from < 0 && to < 0 && from > to;
	from = from < 0 ? from + length : from;
	to = to < 0 ? to + length : to;
	from = from < 0 ? 0 : from;
	to = to < 0 ? 0 : to; /* the first byte is answered for an end in front of it */
	to = to >= length ? length - 1 : to;
	if (from > to || backwards || length == 0)
		redis_say_text(call, "");
	else
		redis_say_bulk(call, key->string.at + from, (size_t)(to - from + 1));
}

/* False: the error was said. */
static bool read_offset(struct redis_call *call, int64_t *offset_out)
{
	if (redis_to_int(call->argv[2], offset_out) && *offset_out >= 0 && *offset_out >> 3 < 512 << 20)
		return true;
	redis_say_error(call, "ERR bit offset is not an integer or out of range");
	return false;
}

static int bit_of(const struct redis_key *key, int64_t offset)
{
	size_t at = (size_t)(offset >> 3);
	if (key == NULL || at >= key->string.length)
		return 0;
	return (unsigned char)key->string.at[at] >> (7 - (offset & 7)) & 1;
}

static void do_getbit(struct redis_call *call)
{
	int64_t offset;
	if (read_offset(call, &offset))
		redis_say_int(call, bit_of(redis_call_find(call, 1), offset));
}

static void do_setbit(struct redis_call *call)
{
	int64_t offset, bit;
	if (!read_offset(call, &offset))
		return;
	if (!redis_to_int(call->argv[3], &bit) || (bit != 0 && bit != 1)) {
		redis_say_error(call, "ERR bit is not an integer or out of range");
		return;
	}
	struct redis_key *key = redis_call_get(call, 1, REDIS_STRING);
	redis_say_int(call, bit_of(key, offset));
	while (key->string.length <= (size_t)(offset >> 3))
		fake_bytes_add(&key->string, "", 1);
	char *byte = &key->string.at[offset >> 3];
	int mask = 1 << (7 - (offset & 7));
	*byte = (char)(bit == 1 ? *byte | mask : *byte & ~mask);
}

/* clang-format off */
const struct redis_command redis_strings[] = {
	{ "GET", 2, REDIS_STRING, false, do_get },
	{ "MGET", -2, REDIS_ANY, false, do_mget },
	{ "SET", -3, REDIS_ANY, true, do_set },
	{ "GETRANGE", 4, REDIS_STRING, false, do_getrange },
	{ "GETBIT", 3, REDIS_STRING, false, do_getbit },
	{ "SETBIT", 4, REDIS_STRING, true, do_setbit },
	{ NULL, 0, REDIS_ANY, false, NULL },
};
/* clang-format on */
