/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/json_read.h"

#include "t/unit/tap.h"

#include <stdlib.h>

static void test_texts(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *error;	/* NULL: it is read; else part of what is said */
	} rows[] = {
		{ "{}", NULL },
		{ "{\"a\":[1,{\"b\":null}]}\n", NULL },
		{ "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", NULL },
		{ "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\"}", NULL },
		{ "{\"a\":\"\\\\\",\"b\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		  "32 levels" },
		{ "{\"a\":1,\"a\":2}", "it is not JSON: duplicate" },
		{ "", "it is not JSON: " },
		{ "{", "it is not JSON: " },
		{ "]]]]{}", "it is not JSON: " },
		{ "{\"a\\", "it is not JSON: " },
		{ "[]", "another kind of value" },
		{ "7", "it is not JSON: " },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char error[300] = "";
		json_t *json = json_read(JSON_OF_CLIENT, rows[i].text, strlen(rows[i].text), error, sizeof error);
		is_int(json != NULL, rows[i].error == NULL, "%s", rows[i].text);
		ok(rows[i].error == NULL ? error[0] == '\0' : strstr(error, rows[i].error) != NULL, "... %s", error);
		json_decref(json);
	}
	char error[300];
	json_t *json = json_read(JSON_OF_CLIENT, "{\"a\":\"\0\"}", 9, error, sizeof error);
	ok(json == NULL, "a NUL is no end: %s", error);
}

/* {"a":[[...]]} of so many levels, with so many bytes of blanks behind it. */
static bool is_read(enum json_source source, int levels, size_t bytes)
{
	char error[300], *text = malloc(bytes);
	int at = snprintf(text, bytes, "{\"a\":");
	memset(text + at, '[', (size_t)levels - 1);
	memset(text + at + levels - 1, ']', (size_t)levels - 1);
	at += 2 * (levels - 1);
	text[at++] = '}';
	memset(text + at, ' ', bytes - (size_t)at);
	json_t *json = json_read(source, text, bytes, error, sizeof error);
	bool fine = json != NULL;
	json_decref(json);
	free(text);
	return fine;
}

static void test_limits(void)
{
	static const struct {
		int levels;
		size_t bytes;
	} limits[] = {
#define LIMIT(source, bytes, levels) { levels, bytes },
		JSON_SOURCE_ROWS(LIMIT)
	};
	for (int i = 0; i < JSON_SOURCE_COUNT; i++) {
		enum json_source source = (enum json_source)i;
		ok(is_read(source, limits[i].levels, limits[i].bytes), "source %d: all that it may have", i);
		ok(!is_read(source, limits[i].levels + 1, limits[i].bytes), "... a level more");
		ok(!is_read(source, 1, limits[i].bytes + 1), "... a byte more");
	}
	ok(!is_read(JSON_OF_DAEMON, 100000, 1000000), "a hundred thousand levels");
}

int main(void)
{
	test_texts();
	test_limits();
	return done_testing();
}
