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
		{ .name = "clean-1", .weight = 1 },   { .name = "clean-2", .weight = 1 },
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

static void number(struct transport *transports, int count)
{
	for (int i = 0; i < count; i++)
		transports[i].index = i;
}

/* Each row: what is withheld of transport 1, of four that are alike; how much of its accounts move, to whom ever. */
static void test_withheld(void)
{
	static const struct {
		int withheld;
		double moved;
	} rows[] = { { 0, 0 }, { 50, 0.43 }, { 90, 0.87 }, { 100, 1 } }; /* 1 - 4 f / (3 + f), f being what it has */
	struct transport all[4] = { { .name = "a", .weight = 1 },
				    { .name = "b", .weight = 1 },
				    { .name = "c", .weight = 1 },
				    { .name = "d", .weight = 1 } };
	struct pool pool = { .name = "clean", .transports = all, .transport_count = 4 };
	bool before[ACCOUNTS] = { 0 }; /* moved by the row before */
	number(all, 4);
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		struct transport_state states[4] = { [1] = { .withheld = (unsigned char)rows[row].withheld } };
		int had = 0, moved = 0, strangers = 0, back = 0, to[4] = { 0 };
		for (int i = 0; i < ACCOUNTS; i++) {
			char name[64];
			account(i, name);
			const struct transport *was = pool_pick(&pool, name, NULL),
					       *is = pool_pick(&pool, name, states);
			had += was == &all[1];
			strangers += was != &all[1] && was != is;
			back += before[i] && was == is;
			before[i] = was != is;
			if (was != is) {
				moved++;
				to[is - all]++;
			}
		}
		is_int(strangers, 0, "%d %% withheld: no account of another transport moves", rows[row].withheld);
		is_int(back, 0, "and those that moved for less stay away");
		is_near((double)moved / had,
			1 - 4 * (1 - rows[row].withheld / 100.0) / (4 - rows[row].withheld / 100.0), 0.02,
			"a share of its own moves");
		is_near((double)moved / had, rows[row].moved, 0.025, "namely this");
		ok(moved == 0 || (to[0] > 0 && to[2] > 0 && to[3] > 0), "and spread over all others");
	}
	struct transport_state out[4] = {
		{ .withheld = 100 }, { .withheld = 100 }, { .withheld = 100 }, { .withheld = 100 }
	};
	int differ = 0;
	for (int i = 0; i < ACCOUNTS; i++) {
		char name[64];
		account(i, name);
		differ += pool_pick(&pool, name, NULL) != pool_pick(&pool, name, out);
	}
	is_int(differ, 0, "where all are out each serves as ever");
	pool.transport_count = 1;
	ok(pool_pick(&pool, "alice", out) == &all[0], "a pool of one gives that, even if it is out");
}

/* Of two transports bob has the first by its score. What SPF says of each, what is withheld of each; who gets him. */
static void test_spf(void)
{
	struct transport both[2] = { { .name = "clean-1", .weight = 1 }, { .name = "clean-2", .weight = 1 } };
	struct pool pool = { .name = "clean", .transports = both, .transport_count = 2 };
	/* clang-format off */
	static const struct {
		const char *name;
		struct transport_state states[2];
		int want;
		bool moved;
	} rows[] = {
		{ "nothing known", { { 0 } }, 0, false },
		{ "his passes", { { .spf = SPF_ANSWER_PASS }, { .spf = SPF_ANSWER_PASS } }, 0, false },
		{ "fail", { { .spf = SPF_ANSWER_FAIL }, { .spf = SPF_ANSWER_PASS } }, 1, true },
		{ "softfail", { { .spf = SPF_ANSWER_SOFTFAIL }, { .spf = SPF_ANSWER_PASS } }, 1, true },
		{ "neutral", { { .spf = SPF_ANSWER_NEUTRAL }, { .spf = SPF_ANSWER_PASS } }, 1, true },
		{ "permerror", { { .spf = SPF_ANSWER_PERMERROR }, { .spf = SPF_ANSWER_PASS } }, 1, true },
		{ "temperror is no word "
		  "against it", { { .spf = SPF_ANSWER_TEMPERROR }, { .spf = SPF_ANSWER_PASS } }, 0, false },
		{ "nor is none", { { .spf = SPF_ANSWER_NONE }, { .spf = SPF_ANSWER_PASS } }, 0, false },
		{ "nor no answer", { { .spf = SPF_ANSWER_UNKNOWN }, { .spf = SPF_ANSWER_PASS } }, 0, false },
		{ "both fail", { { .spf = SPF_ANSWER_FAIL }, { .spf = SPF_ANSWER_FAIL } }, 0, false },
		{ "the other is not known", { { .spf = SPF_ANSWER_FAIL }, { .spf = SPF_ANSWER_UNKNOWN } }, 0, false },
		{ "the other passes, and "
		  "is out", { { .spf = SPF_ANSWER_FAIL }, { .withheld = 100, .spf = SPF_ANSWER_PASS } }, 0,
		  false },
		{ "the other passes, and "
		  "returns", { { .spf = SPF_ANSWER_FAIL }, { .withheld = 90, .spf = SPF_ANSWER_PASS } }, 1,
		  true },
		{ "his is out, the "
		  "other fails", { { .withheld = 100, .spf = SPF_ANSWER_PASS }, { .spf = SPF_ANSWER_FAIL } }, 1,
		  false },
		{ "both are out", { { .withheld = 100, .spf = SPF_ANSWER_FAIL }, { .withheld = 100, .spf = SPF_ANSWER_PASS } }, 1,
		  true },
		{ "his is out: the other for that reason", { { .withheld = 100, .spf = SPF_ANSWER_FAIL },
							     { .spf = SPF_ANSWER_PASS } }, 1, false },
	};
	/* clang-format on */
	number(both, 2);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct transport *picked = pool_pick(&pool, "bob@example.com", rows[i].states);
		is_str(picked->name, both[rows[i].want].name, "SPF: %s", rows[i].name);
		ok(pool_spf_moved(&pool, "bob@example.com", rows[i].states, picked) == rows[i].moved,
		   "moved by SPF: %s", rows[i].moved ? "yes" : "no");
	}
	/* who moves spreads over all that pass */
	struct transport four[4] = { { .name = "a", .weight = 1 },
				     { .name = "b", .weight = 1 },
				     { .name = "c", .weight = 1 },
				     { .name = "d", .weight = 1 } };
	struct pool more = { .name = "clean", .transports = four, .transport_count = 4 };
	struct transport_state states[4] = { { .spf = SPF_ANSWER_FAIL },
					     { .spf = SPF_ANSWER_PASS },
					     { .spf = SPF_ANSWER_PASS },
					     { .spf = SPF_ANSWER_SOFTFAIL } };
	int to[4] = { 0 };
	number(four, 4);
	for (int i = 0; i < ACCOUNTS; i++) {
		char name[64];
		account(i, name);
		to[pool_pick(&more, name, states) - four]++;
	}
	is_int(to[0] + to[3], 0, "nobody leaves where SPF fails");
	is_near((double)to[1] / ACCOUNTS, 0.5, 0.02, "and those that pass share all");
}

static void test_sticks(void)
{
	struct transport forth[3] = {
		{ .name = "a", .weight = 1 },
		{ .name = "b", .weight = 1 },
		{ .name = "c", .weight = 1 },
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

/* All accounts of the one that rests move, and none of the others. */
static void test_rests(void)
{
	struct transport transports[3] = { { .name = "a", .weight = 1 },
					   { .name = "b", .weight = 1 },
					   { .name = "c", .weight = 1 } };
	struct pool pool = { .name = "clean", .transports = transports, .transport_count = 3 };
	struct transport_state states[3] = { { 0 }, { .rests = true }, { 0 } };
	int wrong = 0, unrested = 0, moved = 0;
	number(transports, 3);
	for (int i = 0; i < ACCOUNTS; i++) {
		char name[64];
		account(i, name);
		const struct transport *own = pool_pick(&pool, name, NULL), *picked = pool_pick(&pool, name, states);
		wrong += picked == &transports[1] || (own != &transports[1] && picked != own);
		moved += own != picked;
		unrested += pool_pick_unrested(&pool, name, states) != own;
	}
	is_int(wrong, 0, "nobody leaves by one that rests, and nobody else moves");
	ok(moved > ACCOUNTS / 4, "its own accounts do");
	is_int(unrested, 0, "by whom they would have left is known");
}

int main(void)
{
	test_removal();
	test_weights();
	test_withheld();
	test_spf();
	test_sticks();
	test_rests();
	test_for_ever();
	test_find();
	return done_testing();
}
