/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/campaign.h"

#include "t/unit/tap.h"

#define START INT64_C(1700006400) /* Unix time; a period begins here */
enum { PERIOD = CAMPAIGN_PERIOD_S };

/* messages, bad, accounts, both, bad_accounts */
/* clang-format off */
static const struct {
	const char *name;
	int64_t into_s; /* seconds into the period */
	struct campaign_counts present, before;
	double messages, bad, accounts, bad_accounts;
} rows[] = {
	{ "nobody sent it", 0, { 0 }, { 0 }, 0, 0, 0, 0 },
	{ "this period alone", 100, { 7, 2, 3, 0, 1 }, { 0 }, 7, 2, 3, 1 },
	{ "the one before, as it begins", 0, { 0 }, { 8, 4, 3, 0, 2 }, 8, 4, 3, 2 },
	{ "half of it later", PERIOD / 2, { 0 }, { 8, 4, 3, 0, 2 }, 4, 2, 3, 2 },
	{ "three quarters", PERIOD / 4 * 3, { 0 }, { 8, 4, 3, 0, 2 }, 2, 1, 3, 2 },
	{ "both", PERIOD / 2, { 10, 1, 4, 0, 1 }, { 8, 4, 3, 0, 2 }, 14, 3, 7, 2 },
	{ "two accounts of both", PERIOD / 2, { 10, 1, 4, 2, 3 }, { 8, 4, 3, 0, 2 }, 14, 3, 5, 3 },
	{ "all the same", PERIOD / 2, { 10, 1, 3, 3, 3 }, { 8, 4, 3, 0, 2 }, 14, 3, 3, 3 },
	{ "the one before was in both of its own", 0, { 0 }, { 8, 4, 3, 3, 2 }, 8, 4, 3, 2 },
	{ "more in both than there were before", 0, { 9, 0, 5, 4, 0 }, { 2, 0, 2, 0, 0 }, 11, 0, 5, 0 },
	{ "more in both than there are", 0, { 1, 0, 1, 9, 0 }, { 9, 0, 9, 0, 0 }, 10, 0, 9, 0 },
	{ "sums below nought", 0, { -5, -5, -5, -5, -5 }, { -5, -5, -5, -5, -5 }, 0, 0, 0, 0 },
	{ "some below nought", 0, { 3, 1, 2, -9, 1 }, { -5, -5, -5, -5, -5 }, 3, 1, 2, 1 },
};
/* clang-format on */

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct campaign got = campaign_of(&rows[i].present, &rows[i].before, START + rows[i].into_s);
		is_near(got.messages, rows[i].messages, 1e-9, "%s: messages", rows[i].name);
		is_near(got.bad, rows[i].bad, 1e-9, "%s: bad ones", rows[i].name);
		is_near(got.accounts, rows[i].accounts, 1e-9, "%s: accounts", rows[i].name);
		is_near(got.bad_accounts, rows[i].bad_accounts, 1e-9, "%s: bad ones of them", rows[i].name);
		is_int(got.known, KNOWLEDGE_FULL, "%s: it is known", rows[i].name);
	}
}

/* One message a minute: it is the same number whenever one looks. */
static void test_even(void)
{
	double worst = 0;
	for (int into_s = 0; into_s < PERIOD; into_s += 60) {
		struct campaign_counts before = { .messages = PERIOD / 60 }, present = { .messages = into_s / 60 };
		double off = fabs(campaign_of(&present, &before, START + into_s).messages - PERIOD / 60.0);
		worst = off > worst ? off : worst;
	}
	ok(worst < 1e-9, "an even stream is counted rightly (worst: %g)", worst);
	struct campaign_counts some = { .messages = 4 };
	is_near(campaign_of(&some, &some, -5).messages, 8, 0, "a clock before 1970 ends no period");
}

int main(void)
{
	test_rows();
	test_even();
	return done_testing();
}
