/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/standing.h"

#include "t/unit/tap.h"

enum { STEPS = 14, HOUR = 3600 * 1000, LISTS = 10 };

static const struct standing_settings settings = { .weight = 1.0, .wait_ms = 24 * HOUR, .return_ms = 72 * HOUR };

/* Ten lists. A check is a word of ten letters: y, n, or ? for no answer; "" in a time-line ends it. */
static const struct list lists[LISTS] = {
	{ .name = "one", .kind = LIST_SPAM, .weight = 1 },
	{ .name = "two", .kind = LIST_SPAM, .weight = 1 },
	{ .name = "half", .kind = LIST_EXPLOIT, .weight = 0.5 },
	{ .name = "other-half", .kind = LIST_POLICY, .weight = 0.5 },
	{ .name = "auth", .kind = LIST_AUTH, .weight = 1 },
	{ .name = "reputation", .kind = LIST_REPUTATION, .weight = 1 },
	{ .name = "allow", .kind = LIST_ALLOW, .weight = 1 },
	{ .zone = "nameless.test", .kind = LIST_SPAM, .weight = 0.25 },
	{ .name = "domain", .kind = LIST_DOMAIN, .weight = 1 },
	{ .name = "none", .kind = LIST_NONE, .weight = 1 },
};

#define NOWHERE "nnnnnnnnnn"
#define BY_ONE "ynnnnnnnnn"

static void check_of(const char *word, const struct standing *before, int64_t now_ms, struct standing_check *check)
{
	memset(check, 0, sizeof *check);
	for (int i = 0; i < LISTS; i++) {
		enum standing_said said = word[i] == 'y'   ? STANDING_SAYS_YES
					  : word[i] == 'n' ? STANDING_SAYS_NO
							   : STANDING_NO_ANSWER;
		standing_hear(check, before, &lists[i], said, lists[i].kind, now_ms);
	}
}

/* hours since the start, the check; what comes of it */
struct step {
	int hours;
	const char *check;
	enum standing_state state;
	int withheld;
};

/* clang-format off */
static const struct {
	const char *name;
	struct step steps[STEPS];
} lines[] = {
	{ "clean stays clean", { { 0, NOWHERE, STANDING_CLEAN, 0 }, { 1, NOWHERE, STANDING_CLEAN, 0 } } },
	{ "a list that counts", { { 0, BY_ONE, STANDING_LISTED, 100 }, { 1, BY_ONE, STANDING_LISTED, 100 } } },
	{ "two halves are one", { { 0, "nnynnnnnnn", STANDING_CLEAN, 0 }, { 1, "nnyynnnnnn", STANDING_LISTED, 100 } } },
	{ "half and a quarter are not", { { 0, "nnynnnnynn", STANDING_CLEAN, 0 } } },
	{ "kinds that say nothing of us", { { 0, "nnnnyyynyy", STANDING_CLEAN, 0 } } },
	{ "out, and the whole way back",
	  { { 0, NOWHERE, STANDING_CLEAN, 0 }, { 1, BY_ONE, STANDING_LISTED, 100 }, { 50, NOWHERE, STANDING_WAITING, 100 },
	    { 73, NOWHERE, STANDING_WAITING, 100 }, { 74, NOWHERE, STANDING_RETURNING, 90 },
	    { 82, NOWHERE, STANDING_RETURNING, 80 }, { 110, NOWHERE, STANDING_RETURNING, 45 },
	    { 145, NOWHERE, STANDING_RETURNING, 2 }, { 146, NOWHERE, STANDING_CLEAN, 0 } } },
	{ "relisted while it waits: it waits anew, as long",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 10, NOWHERE, STANDING_WAITING, 100 }, { 20, BY_ONE, STANDING_LISTED, 100 },
	    { 30, NOWHERE, STANDING_WAITING, 100 }, { 53, NOWHERE, STANDING_WAITING, 100 },
	    { 54, NOWHERE, STANDING_RETURNING, 90 } } },
	{ "relisted while it returns: it waits twice as long, and twice again",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 1, NOWHERE, STANDING_WAITING, 100 }, { 25, NOWHERE, STANDING_RETURNING, 90 },
	    { 30, BY_ONE, STANDING_LISTED, 100 }, { 31, NOWHERE, STANDING_WAITING, 100 },
	    { 78, NOWHERE, STANDING_WAITING, 100 }, { 79, NOWHERE, STANDING_RETURNING, 90 },
	    { 80, BY_ONE, STANDING_LISTED, 100 }, { 81, NOWHERE, STANDING_WAITING, 100 },
	    { 176, NOWHERE, STANDING_WAITING, 100 }, { 177, NOWHERE, STANDING_RETURNING, 90 } } },
	{ "relisted soon after: twice as long, too",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 1, NOWHERE, STANDING_WAITING, 100 }, { 25, NOWHERE, STANDING_RETURNING, 90 },
	    { 97, NOWHERE, STANDING_CLEAN, 0 }, { 97 + 29 * 24, BY_ONE, STANDING_LISTED, 100 },
	    { 800, NOWHERE, STANDING_WAITING, 100 }, { 847, NOWHERE, STANDING_WAITING, 100 },
	    { 848, NOWHERE, STANDING_RETURNING, 90 } } },
	{ "after thirty clean days it is forgotten",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 1, NOWHERE, STANDING_WAITING, 100 }, { 25, NOWHERE, STANDING_RETURNING, 90 },
	    { 97, NOWHERE, STANDING_CLEAN, 0 }, { 97 + 30 * 24, BY_ONE, STANDING_LISTED, 100 },
	    { 820, NOWHERE, STANDING_WAITING, 100 }, { 844, NOWHERE, STANDING_RETURNING, 90 } } },
	{ "nobody answers: nothing changes, and time alone brings nobody back",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 1, "??????????", STANDING_LISTED, 100 }, { 2, NOWHERE, STANDING_WAITING, 100 },
	    { 60, "??????????", STANDING_WAITING, 100 }, { 61, NOWHERE, STANDING_RETURNING, 90 },
	    { 200, "??????????", STANDING_RETURNING, 90 }, { 201, NOWHERE, STANDING_CLEAN, 0 } } },
	{ "never an answer", { { 0, "??????????", STANDING_UNKNOWN, 0 }, { 90, "??????????", STANDING_UNKNOWN, 0 } } },
	{ "most give no answer", { { 0, "n?????????", STANDING_UNKNOWN, 0 }, { 1, "nnnn??????", STANDING_UNKNOWN, 0 },
				   { 2, "nnnnn?????", STANDING_CLEAN, 0 } } },
	{ "most give no answer, one "
	  "lists it", { { 0, NOWHERE, STANDING_CLEAN, 0 }, { 1, "y?????????", STANDING_LISTED, 100 },
						 { 2, "??????????", STANDING_LISTED, 100 } } },
	{ "the list that named it falls silent: its word holds for a day",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 1, "?nnnnnnnnn", STANDING_LISTED, 100 },
	    { 23, "?nnnnnnnnn", STANDING_LISTED, 100 }, { 24, "?nnnnnnnnn", STANDING_WAITING, 100 } } },
	{ "and is renewed when it speaks again",
	  { { 0, BY_ONE, STANDING_LISTED, 100 }, { 20, "?nnnnnnnnn", STANDING_LISTED, 100 }, { 22, BY_ONE, STANDING_LISTED, 100 },
	    { 45, "?nnnnnnnnn", STANDING_LISTED, 100 }, { 46, "nnnnnnnnnn", STANDING_WAITING, 100 } } },
	{ "all say yes: a resolver "
	  "that lies", { { 0, NOWHERE, STANDING_CLEAN, 0 }, { 1, "yyyyyyyyyy", STANDING_CLEAN, 0 },
						 { 2, "yyyyyyyyy?", STANDING_CLEAN, 0 } } },
};
/* clang-format on */

static void test_lines(void)
{
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct standing standing = { 0 };
		for (const struct step *step = lines[i].steps; step->check != NULL; step++) {
			struct standing_check check;
			int64_t now_ms = 5000 + (int64_t)step->hours * HOUR;
			check_of(step->check, &standing, now_ms, &check);
			standing_judge(&standing, &settings, &check, now_ms);
			is_str(standing_word(standing.state), standing_word(step->state), "%s: at %d h", lines[i].name,
			       step->hours);
			is_int(standing.withheld, step->withheld, "%s: at %d h withheld", lines[i].name, step->hours);
		}
	}
}

/* It is listed and returns, ten times over: the wait doubles up to eight times. */
static void test_flapping(void)
{
	static const int want[] = { 1, 2, 4, 8, 8, 8 };
	struct standing standing = { 0 };
	struct standing_check check;
	int64_t now_ms = 0;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		check_of(BY_ONE, &standing, now_ms, &check);
		standing_judge(&standing, &settings, &check, now_ms);
		check_of(NOWHERE, &standing, now_ms, &check);
		standing_judge(&standing, &settings, &check, now_ms);
		is_int(standing_ends_ms(&standing, &settings) - now_ms, want[i] * settings.wait_ms,
		       "round %zu: its wait", i + 1);
		now_ms = standing_ends_ms(&standing, &settings);
		standing_judge(&standing, &settings, &check, now_ms);
		is_str(standing_word(standing.state), "returning", "then it returns");
		is_int(standing_ends_ms(&standing, &settings) - now_ms, settings.return_ms, "and takes its days");
	}
}

static void test_details(void)
{
	struct standing standing = { 0 };
	struct standing_check check;
	struct standing_settings at_once = { .weight = 1 };
	check_of("ynnnynnyny", &standing, 0, &check);
	ok(standing_judge(&standing, &settings, &check, 0), "a check that says something");
	is_int(standing.list_count, 3,
	       "lists that do not count are named all the same, but for those that mean nothing");
	is_str(standing.lists[1].name, "nameless.test", "one without a name by its zone");
	is_near(standing.weight, 1.25, 1e-9, "what counts is added up");
	check_of("??????????", &standing, 1, &check);
	ok(!standing_judge(&standing, &settings, &check, 1), "a check that says nothing");
	is_int(standing.list_count, 3, "leaves all as it was");
	check_of("nnnnnnnnnn", &standing, 1, &check);
	check.lies = true;
	ok(!standing_judge(&standing, &settings, &check, 1), "so does a resolver that lies");
	check_of(NOWHERE, &standing, 2, &check);
	standing_judge(&standing, &at_once, &check, 2);
	is_str(standing_word(standing.state), "clean", "without waits it is back at once");
	is_int(standing.withheld, 0, "with all of its share");
	memset(&check, 0, sizeof check);
	ok(!standing_judge(&standing, &settings, &check, 3), "no lists say nothing");

	struct list tenth = { .kind = LIST_SPAM, .weight = 0.1 };
	for (int i = 0; i < 40; i++) {
		snprintf(tenth.name, sizeof tenth.name, "list-%d", i);
		standing_hear(&check, &standing, &tenth, i < 30 ? STANDING_SAYS_YES : STANDING_SAYS_NO, LIST_SPAM, 4);
	}
	standing_judge(&standing, &settings, &check, 4);
	is_int(standing.list_count, STANDING_LISTS_MAX, "more lists than are named");
	is_near(standing.weight, 3.0, 1e-9, "count all the same");
	struct standing_settings three = { .weight = 3.0 };
	struct standing fresh = { 0 };
	standing_judge(&fresh, &three, &check, 4);
	is_str(standing_word(fresh.state), "listed", "thirty times a tenth is three");
}

/* A part of a list, and a part of that, are counted where the whole does not name the address, or not against it. */
static void test_parts(void)
{
	struct list whole = { .name = "whole", .weight = 1 };
	struct list part = { .name = "part", .weight = 1, .whole = &whole };
	struct list grain = { .name = "grain", .weight = 1, .whole = &part };
	const struct list *const all[] = { &grain, &whole, &part };
	static const struct {
		const char *name;
		enum list_kind kinds[3]; /* of grain, whole, part; NONE: says no */
		double want;
	} rows[] = {
		{ "the whole", { LIST_NONE, LIST_SPAM, LIST_NONE }, 1 },
		{ "the part", { LIST_NONE, LIST_NONE, LIST_SPAM }, 1 },
		{ "both", { LIST_NONE, LIST_SPAM, LIST_SPAM }, 1 },
		{ "all three", { LIST_SPAM, LIST_SPAM, LIST_SPAM }, 1 },
		{ "the whole and a part of its part", { LIST_SPAM, LIST_SPAM, LIST_NONE }, 1 },
		{ "the part and a part of it", { LIST_SPAM, LIST_NONE, LIST_SPAM }, 1 },
		{ "the part, and the whole for what is no news", { LIST_NONE, LIST_REPUTATION, LIST_SPAM }, 1 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct standing standing = { 0 };
		struct standing_check check = { 0 };
		int named = 0;
		for (int j = 0; j < 3; j++) {
			named += rows[i].kinds[j] != LIST_NONE;
			standing_hear(&check, &standing, all[j],
				      rows[i].kinds[j] == LIST_NONE ? STANDING_SAYS_NO : STANDING_SAYS_YES,
				      rows[i].kinds[j], 0);
		}
		standing_judge(&standing, &settings, &check, 0);
		is_near(standing.weight, rows[i].want, 1e-9, "%s: weight", rows[i].name);
		is_int(standing.list_count, named, "%s: each is named", rows[i].name);
	}
}

/* clang-format off */
#define LISTED(its_weight) { .state = STANDING_LISTED, .withheld = 100, .weight = its_weight }
/* clang-format on */
#define WAITS(its_weight) \
	{ \
		.state = STANDING_WAITING, .withheld = 100, .weight = its_weight \
	}

/* Three transports: how each stands (not watched where its state is STANDING_COUNT); who goes on though all are out. */
static void test_pools(void)
{
	struct transport three[3] = { { .name = "a", .index = 4 },
				      { .name = "b", .index = 5 },
				      { .name = "c", .index = 6 } };
	struct pool pool = { .name = "clean", .transports = three, .transport_count = 3 };
	/* clang-format off */
	static const struct {
		const char *name;
		struct standing is[3];
		int kept, withheld[3];
		bool all_listed;
	} rows[] = {
		{ "nothing known", { { 0 } }, -1, { 0, 0, 0 }, false },
		{ "one is out", { { 0 }, LISTED(1), { 0 } }, -1, { 0, 100, 0 }, false },
		{ "one is out, one "
		  "returns", { { .state = STANDING_RETURNING, .withheld = 90 }, LISTED(1), WAITS(0) }, -1,
		  { 90, 100, 100 }, false },
		{ "all are listed", { LISTED(2), LISTED(1), LISTED(3) }, 1, { 100, 0, 100 }, true },
		{ "all alike: the first", { LISTED(2), LISTED(2), LISTED(2) }, 0, { 0, 100, 100 }, true },
		{ "two alike", { LISTED(3), LISTED(2), LISTED(2) }, 1, { 100, 0, 100 }, true },
		{ "one waits: it goes on", { LISTED(2), LISTED(1), WAITS(0) }, 2, { 100, 100, 0 }, false },
		{ "all wait", { WAITS(0.5), WAITS(0), WAITS(0) }, 1, { 100, 0, 100 }, false },
		{ "one is not "
		  "watched", { LISTED(1), LISTED(1), { .state = STANDING_COUNT } }, -1, { 100, 100, 0 }, false },
		{ "the first is not "
		  "watched", { { .state = STANDING_COUNT }, LISTED(1), LISTED(1) }, -1, { 0, 100, 100 }, false },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct standing *standings[7] = { NULL };
		struct transport_state states[7] = { 0 };
		for (int j = 0; j < 3; j++)
			standings[4 + j] = rows[i].is[j].state == STANDING_COUNT ? NULL : &rows[i].is[j];
		const struct transport *kept = standing_withhold(&pool, standings, states);
		is_int(kept == NULL ? -1 : kept - three, rows[i].kept, "%s: who goes on", rows[i].name);
		for (int j = 0; j < 3; j++)
			is_int(states[4 + j].withheld, rows[i].withheld[j], "%s: withheld of %s", rows[i].name,
			       three[j].name);
		ok(standing_all_listed(&pool, standings) == rows[i].all_listed, "%s: all listed", rows[i].name);
	}
	pool.transport_count = 0;
	ok(standing_withhold(&pool, NULL, NULL) == NULL && !standing_all_listed(&pool, NULL), "an empty pool");
}

int main(void)
{
	test_lines();
	test_flapping();
	test_details();
	test_parts();
	test_pools();
	return done_testing();
}
