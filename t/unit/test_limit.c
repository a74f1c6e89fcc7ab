/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/limit.h"

#include "t/unit/tap.h"

static void test_numbers(void)
{
	static const struct {
		const char *value;
		bool good;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "500", true, 500 },
		{ "1000000000", true, LIMIT_MAX },
		{ "1000000001", false, 0 },
		{ "-1", false, 0 },
		{ "-0", true, 0 },
		{ "", false, 0 },
		{ "many", false, 0 },
		{ "500/h", false, 0 },
		{ "5e3", false, 0 },
		{ "5.5", false, 0 },
		{ " 500", false, 0 },
		{ "500\n", false, 0 },
		{ "+500", false, 0 },
		{ "0x1f4", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "-99999999999999999999999", false, 0 },
		{ "nan", false, 0 },
		{ "\xff", false, 0 },
	};
	for (int window = 0; window <= WINDOW_COUNT; window++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			struct limits limits = limits_unset;
			const char *field = window < WINDOW_COUNT ? window_word((enum window)window)
								  : "rcpts_per_message";
			const int64_t *number = window < WINDOW_COUNT ? &limits.window[window]
								      : &limits.rcpts_per_message;
			const char *expected = NULL;
			bool good = limits_set(&limits, field, rows[i].value, &expected);
			ok(good == rows[i].good, "%s '%s' is %sgood", field, rows[i].value,
			   rows[i].good ? "" : "no ");
			is_int(*number, rows[i].good ? rows[i].want : LIMIT_UNSET, "%s '%s': what is set", field,
			       rows[i].value);
			if (!good)
				ok(expected != NULL && strstr(expected, "number") != NULL, "and says what was expected");
		}
}

static void test_words(void)
{
	static const struct {
		const char *field, *value;
		bool good;
		enum over over;
		const char *plan;
	} rows[] = {
		{ "over", "defer", true, OVER_DEFER, "" },
		{ "over", "reject", true, OVER_REJECT, "" },
		{ "over", "hold", true, OVER_HOLD, "" },
		{ "over", "slow", true, OVER_SLOW, "" },
		{ "over", "", false, OVER_UNSET, "" },
		{ "over", "Defer", false, OVER_UNSET, "" },
		{ "over", "drop", false, OVER_UNSET, "" },
		{ "plan", "gold", true, OVER_UNSET, "gold" },
		{ "plan", "", true, OVER_UNSET, "" },
		{ "plan", "012345678901234567890123456789012345678901234567890123456789012", true, OVER_UNSET,
		  "012345678901234567890123456789012345678901234567890123456789012" },
		{ "plan", "0123456789012345678901234567890123456789012345678901234567890123", false, OVER_UNSET, "" },
		{ "note", "of a panel's own", true, OVER_UNSET, "" },
		{ "", "", true, OVER_UNSET, "" },
		{ "RCPTS_PER_HOUR", "5", true, OVER_UNSET, "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct limits limits = limits_unset;
		const char *expected = NULL;
		bool good = limits_set(&limits, rows[i].field, rows[i].value, &expected);
		ok(good == rows[i].good, "%s '%s' is %sgood", rows[i].field, rows[i].value, rows[i].good ? "" : "no ");
		is_int(limits.over, rows[i].over, "over");
		is_str(limits.plan, rows[i].plan, "plan");
		is_int(limits.window[WINDOW_RCPTS_PER_HOUR], LIMIT_UNSET, "no other field is touched");
		ok(good || (expected != NULL && expected[0] != '\0'), "what was expected is said");
	}
}

static void test_have(void)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		ok(limits_have(window_word((enum window)i)), "%s is ours", window_word((enum window)i));
	static const char *const ours[] = { "rcpts_per_message", "plan", "over" };
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		ok(limits_have(ours[i]), "%s is ours", ours[i]);
	static const char *const others[] = { "", "note", "rcpts_per_hou", "rcpts_per_hours", "Plan" };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ok(!limits_have(others[i]), "'%s' is not", others[i]);
}

static void test_fill(void)
{
	struct limits own = limits_unset, plan = limits_unset;
	own.window[WINDOW_RCPTS_PER_HOUR] = 0;
	own.over = OVER_SLOW;
	plan.window[WINDOW_RCPTS_PER_HOUR] = 500;
	plan.window[WINDOW_MSGS_PER_DAY] = 2000;
	plan.rcpts_per_message = 100;
	plan.over = OVER_REJECT;
	limits_fill(&own, &plan);
	is_int(own.window[WINDOW_RCPTS_PER_HOUR], 0, "a limit of nought is a limit: nothing may leave");
	is_int(own.window[WINDOW_MSGS_PER_DAY], 2000, "what is unset comes from the plan");
	is_int(own.window[WINDOW_MSGS_PER_MINUTE], LIMIT_UNSET, "what both leave open stays open");
	is_int(own.rcpts_per_message, 100, "the cap too");
	is_int(own.over, OVER_SLOW, "the account's own word on `over` holds");
	own = limits_unset;
	limits_fill(&own, &plan);
	is_int(own.over, OVER_REJECT, "else the plan's");
}

static void test_rows(void)
{
	for (int i = 0; i < WINDOW_COUNT; i++) {
		enum window window = (enum window)i;
		const char *word = window_word(window), *said = window_said(window);
		bool messages = strncmp(word, "msgs_", 5) == 0;
		is_int(window_counted(window), messages ? COUNTED_MESSAGES : COUNTED_RECIPIENTS, "%s counts", word);
		ok(strstr(said, messages ? "messages" : "recipients") != NULL, "%s is said as '%s'", word, said);
		int64_t seconds = strstr(word, "minute") != NULL ? 60 : strstr(word, "hour") != NULL ? 3600 : 86400;
		is_int(window_seconds(window), seconds, "%s: its length", word);
		is_int(limits_unset.window[i], LIMIT_UNSET, "%s: unset at first", word);
	}
	is_str(over_word(OVER_SLOW), "slow", "the words of `over`");
	is_str(over_word(OVER_UNSET), "", "none where it is unset");
}

int main(void)
{
	test_numbers();
	test_words();
	test_have();
	test_fill();
	test_rows();
	return done_testing();
}
