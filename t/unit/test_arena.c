/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/base/arena.h"

#include "t/unit/tap.h"

#include <stdalign.h>
#include <stdint.h>

static void test_taking(void)
{
	struct arena arena;
	arena_init(&arena, 100000);
	bool aligned = true, zeroed = true, whole = true;
	unsigned char *taken[200];
	for (size_t i = 0; i < 200; i++) {
		size_t size = 1 + i * 2;
		taken[i] = arena_take(&arena, size);
		if (!ok(taken[i] != NULL, "take %zu bytes", size))
			return;
		aligned = aligned && (uintptr_t)taken[i] % alignof(max_align_t) == 0;
		for (size_t j = 0; j < size; j++)
			zeroed = zeroed && taken[i][j] == 0;
		memset(taken[i], (int)(i + 1), size);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t j = 0; j < 1 + i * 2; j++)
			whole = whole && taken[i][j] == (unsigned char)(i + 1);
	ok(aligned, "all of it is aligned for any type");
	ok(zeroed, "all of it was zero");
	ok(whole, "no piece overlaps another");
	ok(!arena.spent, "there is room left");
	arena_empty(&arena);
}

static void test_cap(void)
{
	struct arena arena;
	arena_init(&arena, 10000);
	ok(arena_take(&arena, 10001) == NULL, "more than the cap at once");
	ok(arena.spent, "is noted");
	arena_empty(&arena);
	ok(!arena.spent && arena.used == 0, "an emptied arena is as new");
	ok(arena_take(&arena, 10000) != NULL, "the cap itself fits");
	ok(!arena.spent, "and spends nothing");
	ok(arena_take(&arena, 1) == NULL && arena.spent, "one byte more does not");
	ok(arena_copy(&arena, "", 10) == NULL, "not even the NUL of an empty string");
	arena_empty(&arena);
	arena_empty(&arena);
	ok(arena_take(&arena, 10) != NULL, "emptying twice does no harm");
	arena_empty(&arena);

	arena_init(&arena, 0);
	ok(arena_take(&arena, 1) == NULL && arena.spent, "an arena without room gives nothing");
	arena_empty(&arena);

	arena_init(&arena, SIZE_MAX);
	ok(arena_take(&arena, SIZE_MAX) == NULL, "a size that cannot be rounded up is not given");
	ok(arena.spent, "and is noted");
	arena_empty(&arena);
}

static void test_copy(void)
{
	struct arena arena;
	arena_init(&arena, 1000);
	is_str(arena_copy(&arena, "alice@example.com", 100), "alice@example.com", "a copy");
	is_str(arena_copy(&arena, "alice@example.com", 5), "alice", "at most so many bytes");
	is_str(arena_copy(&arena, "alice", 0), "", "none");
	const char unended[3] = { 'a', 'b', 'c' };
	is_str(arena_copy(&arena, unended, 3), "abc", "it looks no further than told");
	arena_empty(&arena);
}

int main(void)
{
	test_taking();
	test_cap();
	test_copy();
	return done_testing();
}
