/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/verdict.h"

#include "t/unit/tap.h"

static void test_raise(void)
{
	for (int from = ACTION_PASS; from < ACTION_COUNT; from++)
		for (int to = ACTION_PASS; to < ACTION_COUNT; to++) {
			struct verdict verdict = { .action = ACTION_PASS };
			verdict_raise(&verdict, (enum action)from, REASON_LIMIT);
			verdict_raise(&verdict, (enum action)to, REASON_CONTENT);
			is_str(action_word(verdict.action), action_word((enum action)(to > from ? to : from)),
			       "%s, then %s", action_word((enum action)from), action_word((enum action)to));
			if (verdict.action != ACTION_PASS)
				is_str(reason_word(verdict.cause), to > from ? "content" : "limit",
				       "its cause is the first that reached it");
		}
}

static void test_refuses(void)
{
	static const struct {
		enum action action;
		bool refuses;
	} rows[] = {
		{ ACTION_PASS, false },
		{ ACTION_HOLD, false },
		{ ACTION_DEFER, true },
		{ ACTION_REJECT, true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict verdict = { .action = rows[i].action };
		ok(verdict_refuses(&verdict) == rows[i].refuses, "%s %s", action_word(rows[i].action),
		   rows[i].refuses ? "refuses" : "lets in");
	}
}

static void test_reasons(void)
{
	struct verdict verdict = { .action = ACTION_PASS };
	verdict_add(&verdict, REASON_CONTENT, 12.5, 8, "spamd");
	is_int(verdict.reason_count, 1, "a reason is noted");
	is_int(verdict.action, ACTION_PASS, "and is not an action");
	is_int(verdict.reasons[0].id, REASON_CONTENT, "which");
	is_near(verdict.reasons[0].value, 12.5, 0, "what was seen");
	is_near(verdict.reasons[0].limit, 8, 0, "what it was held against");
	is_str(verdict.reasons[0].detail, "spamd", "its detail");
	for (int i = 0; i < 3 * REASONS_MAX; i++)
		verdict_add(&verdict, REASON_LISTED, i, 0, NULL);
	is_int(verdict.reason_count, REASONS_MAX, "there is room for so many");
	is_near(verdict.reasons[REASONS_MAX - 1].value, REASONS_MAX - 2, 0, "the first are kept");
}

static void test_words(void)
{
	static const char *const actions[] = { "pass", "hold", "defer", "reject" };
	is_int(ACTION_COUNT, sizeof actions / sizeof actions[0], "the actions");
	for (int i = 0; i < ACTION_COUNT; i++)
		is_str(action_word((enum action)i), actions[i], "action %s", actions[i]);
	for (int i = 0; i < REASON_COUNT; i++)
		ok(reason_word((enum reason_id)i) != NULL, "reason %d has a word", i);
	for (int a = 0; a < REASON_COUNT; a++)
		for (int b = a + 1; b < REASON_COUNT; b++)
			if (strcmp(reason_word((enum reason_id)a), reason_word((enum reason_id)b)) == 0)
				ok(false, "two reasons have the word %s", reason_word((enum reason_id)a));
}

int main(void)
{
	test_raise();
	test_refuses();
	test_reasons();
	test_words();
	return done_testing();
}
