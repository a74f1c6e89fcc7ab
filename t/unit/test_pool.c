/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/pool.h"

#include "t/unit/tap.h"

enum { ACCOUNTS = 20000 };

static void account(int number, char name[64])
{
	snprintf(name, 64, "user%d@example%d.test", number, number % 37);
}

static int index_of(const struct pool *pool, int number)
{
	char name[64];
	account(number, name);
	return (int)(pool_pick(pool, name, NULL) - pool->transports);
}

/* No account of the others moves, and those of the removed one spread over all that are left. */
static void test_removal(void)
{
	struct transport all[5] = {
		{ .name = "clean-1", .weight = 1 }, { .name = "clean-2", .weight = 1 },
		{ .name = "clean-3", .weight = 2.5 }, { .name = "clean-4", .weight = 0.5 },
		{ .name = "clean-5", .weight = 1 },
	};
	struct pool whole = { .name = "clean", .transports = all, .transport_count = 5 };
	for (int gone = 0; gone < 5; gone++) {
		struct transport rest[4];
		for (int i = 0, j = 0; i < 5; i++)
			if (i != gone)
				rest[j++] = all[i];
		struct pool less = { .name = "clean", .transports = rest, .transport_count = 4 };
		int moved = 0, to[4] = { 0 };
		for (int i = 0; i < ACCOUNTS; i++) {
			int before = index_of(&whole, i), after = index_of(&less, i);
			if (before == gone)
				to[after]++;
			else
				moved += strcmp(all[before].name, rest[after].name) != 0;
		}
		is_int(moved, 0, "without %s no account of another moves", all[gone].name);
		ok(to[0] > 0 && to[1] > 0 && to[2] > 0 && to[3] > 0, "its own spread over all that are left");
	}
}

/* Each row: weights; 0 ends it. Shares hold within one and a half percent of the accounts. */
static void test_weights(void)
{
	static const double weights[][8] = {
		{ 1, 1 }, { 1, 1, 1, 1 }, { 1, 2 }, { 1, 3, 6 }, { 0.1, 0.9 }, { 100, 300 }, { 1, 2, 3, 4, 5, 6, 7 },
	};
	for (size_t row = 0; row < sizeof weights / sizeof weights[0]; row++) {
		struct transport transports[8] = { 0 };
		int count = 0, got[8] = { 0 };
		double sum = 0;
		for (; weights[row][count] > 0; count++) {
			snprintf(transports[count].name, sizeof transports[count].name, "out-%d", count + 1);
			transports[count].weight = weights[row][count];
			sum += weights[row][count];
		}
		struct pool pool = { .transports = transports, .transport_count = count };
		for (int i = 0; i < ACCOUNTS; i++)
			got[index_of(&pool, i)]++;
		for (int i = 0; i < count; i++)
			is_near((double)got[i] / ACCOUNTS, weights[row][i] / sum, 0.015, "row %zu: share of weight %g",
				row, weights[row][i]);
	}
}

static void test_sticks(void)
{
	struct transport forth[3] = {
		{ .name = "a", .weight = 1 }, { .name = "b", .weight = 1 }, { .name = "c", .weight = 1 },
	};
	struct transport back[3] = { forth[2], forth[1], forth[0] };
	struct pool one = { .transports = forth, .transport_count = 3 };
	struct pool two = { .transports = back, .transport_count = 3 };
	int differ = 0;
	for (int i = 0; i < ACCOUNTS; i++) {
		char name[64];
		account(i, name);
		differ += strcmp(pool_pick(&one, name, NULL)->name, pool_pick(&two, name, NULL)->name) != 0;
	}
	is_int(differ, 0, "the order of the rows does not matter");

	struct pool none = { .transport_count = 0 };
	ok(pool_pick(&none, "alice", NULL) == NULL, "a pool without transports has none to give");
	struct pool single = { .transports = forth, .transport_count = 1 };
	ok(pool_pick(&single, "alice", NULL) == &forth[0], "a pool of one gives that");
	ok(pool_pick(&single, "", NULL) == &forth[0] && pool_pick(&one, "", NULL) != NULL, "to the empty name as well");
}

/* For ever: these were taken from the first release, and an account's source address hangs on them. */
static void test_for_ever(void)
{
	struct transport transports[2] = { { .name = "clean-1", .weight = 1 }, { .name = "clean-2", .weight = 1 } };
	struct pool pool = { .transports = transports, .transport_count = 2 };
	static const struct {
		const char *account, *want;
	} rows[] = {
		{ "alice@example.com", "clean-1" },
		{ "bob@example.com", "clean-1" },
		{ "carol@example.com", "clean-2" },
		{ "dave@example.com", "clean-2" },
		{ "alice", "clean-2" },
		{ "192.0.2.1", "clean-1" },
		{ "2001:db8::1", "clean-2" },
		{ "user%20name@example.com", "clean-1" },
		{ "", "clean-2" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_str(pool_pick(&pool, rows[i].account, NULL)->name, rows[i].want, "%s", rows[i].account);
}

static void test_find(void)
{
	struct pool pools[3] = {
		{ .name = "clean", .levels = { [LEVEL_GOOD] = true } },
		{ .name = "warm", .levels = { [LEVEL_NEW] = true } },
		{ .name = "suspect", .levels = { [LEVEL_SUSPECT] = true } },
	};
	is_str(pools_find(pools, 3, LEVEL_GOOD)->name, "clean", "good");
	is_str(pools_find(pools, 3, LEVEL_NEW)->name, "warm", "new");
	is_str(pools_find(pools, 3, LEVEL_SUSPECT)->name, "suspect", "suspect");
	is_str(pools_find(pools, 3, LEVEL_BLOCKED)->name, "suspect", "blocked leaves by suspect's");
	ok(pools_find(pools, 3, LEVEL_UNKNOWN) == NULL, "unknown has none");
	ok(pools_find(pools, 2, LEVEL_SUSPECT) == NULL, "a level that no pool names");
	ok(pools_find(pools, 2, LEVEL_BLOCKED) == NULL, "nor suspect's");
	ok(pools_find(NULL, 0, LEVEL_GOOD) == NULL, "no pools at all");
	pools[1].levels[LEVEL_BLOCKED] = true;
	is_str(pools_find(pools, 3, LEVEL_BLOCKED)->name, "warm", "where one names blocked, that");
}

int main(void)
{
	test_removal();
	test_weights();
	test_sticks();
	test_for_ever();
	test_find();
	return done_testing();
}
