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
	for (int window = 0; window <= WINDOW_COUNT + 1; window++)
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			struct limits limits = limits_unset;
			const char *field = window < WINDOW_COUNT    ? window_word((enum window)window)
					    : window == WINDOW_COUNT ? "rcpts_per_message"
								     : "ramp_first_day";
			const int64_t *number = window < WINDOW_COUNT	 ? &limits.window[window]
						: window == WINDOW_COUNT ? &limits.rcpts_per_message
									 : &limits.ramp_first_day;
			const char *expected = NULL;
			bool good = limits_set(&limits, field, rows[i].value, &expected);
			ok(good == rows[i].good, "%s '%s' is %sgood", field, rows[i].value, rows[i].good ? "" : "no ");
			is_int(*number, rows[i].good ? rows[i].want : LIMIT_UNSET, "%s '%s': what is set", field,
			       rows[i].value);
			if (!good)
				ok(expected != NULL && strstr(expected, "number") != NULL,
				   "and says what was expected");
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
		{ "over", "log", true, OVER_LOG, "" },
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
	static const char *const ours[] = { "rcpts_per_message", "plan",  "over",    "ramp_first_day",	"ramp_growth",
					    "customer",		 "until", "created", "password_changed" };
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

static void test_growth(void)
{
	/* clang-format off */
	static const struct {
		const char *value;
		double want;	/* 0: refused */
	} rows[] = {
		{ "1", 1 }, { "1.4", 1.4 }, { "10", 10 }, { "2.125", 2.125 }, { "01.5", 1.5 },
		{ "0", 0 }, { "0.9", 0 }, { "10.001", 0 }, { "11", 0 }, { "1.", 0 }, { ".5", 0 }, { "1,4", 0 }, {
		  "1.4.1", 0 },
		{ "-2", 0 }, { "nan", 0 }, { "1e1", 0 }, { "", 0 }, { " 2", 0 }, { "1.0000", 0 }, { "100000000000", 0 },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct limits limits = limits_unset;
		const char *expected = NULL;
		bool good = limits_set(&limits, "ramp_growth", rows[i].value, &expected);
		ok(good == (rows[i].want > 0), "a growth of '%s' is %sgood", rows[i].value, good ? "" : "no ");
		is_near(limits.ramp_growth, rows[i].want, 1e-9, "and is set to it");
		ok(good || strstr(expected, "from 1 to 10") != NULL, "or what was expected is said");
	}
}

static void test_dates(void)
{
	/* clang-format off */
	static const struct {
		const char *value;
		int64_t want;	/* -1: refused */
	} rows[] = {
		{ "0", 0 }, { "1767225600", 1767225600 }, { "7258118399", INT64_C(7258118399) },
		{ "2026-01-01", 1767225600 }, { "1970-01-01", 0 }, { "2024-02-29", 1709164800 },
		{ "2026-01-01T01:02:03Z", 1767229323 }, { "2016-12-31T23:59:60Z", 1483228800 }, { "2199-12-31", INT64_C(7258032000) },
		{ "7258118400", -1 }, { "2200-01-01", -1 }, { "1969-12-31", -1 }, { "2026-02-29", -1 }, {
		  "2026-13-01", -1 },
		{ "2026-00-10", -1 }, { "2026-01-00", -1 }, { "2026-04-31", -1 }, { "2026-1-1", -1 }, {
		  "2026-01-01T", -1 },
		{ "2026-01-01T24:00:00Z", -1 }, { "2026-01-01T12:60:00Z", -1 }, { "2026-01-01T12:00:61Z", -1 },
		{ "2026-01-01T12:00:00", -1 }, { "2026-01-01T12:00:00+01:00", -1 }, { "2026-01-01 12:00:00Z", -1 },
		{ "2026-01-01T12:00:00Z ", -1 }, { "-5", -1 }, { "tomorrow", -1 }, { "", -1 }, { "31.12.2026", -1 },
		{ "1e9", -1 }, { "99999999999999999999", -1 },
	};
	/* clang-format on */
	static const char *const fields[] = { "until", "created", "password_changed" };
	for (size_t i = 0; i < 3 * (sizeof rows / sizeof rows[0]); i++) {
		struct limits limits = limits_unset;
		const int64_t *dates[] = { &limits.until_s, &limits.created_s, &limits.password_changed_s };
		const char *expected = NULL, *value = rows[i / 3].value;
		bool good = limits_set(&limits, fields[i % 3], value, &expected);
		ok(good == (rows[i / 3].want >= 0), "%s '%s' is %sgood", fields[i % 3], value, good ? "" : "no ");
		is_int(*dates[i % 3], good ? rows[i / 3].want : 0, "and is that moment");
		ok(good || strstr(expected, "YYYY-MM-DD") != NULL, "or what was expected is said");
	}
}

static void test_customers(void)
{
	char longest[CUSTOMER_MAX + 2];
	const char *expected = NULL;
	struct limits limits = limits_unset;
	memset(longest, 'x', sizeof longest);
	longest[CUSTOMER_MAX + 1] = '\0';
	ok(!limits_set(&limits, "customer", longest, &expected), "a name of 101 bytes is no customer");
	ok(strstr(expected, "1 to 100 bytes") != NULL, "as is said");
	ok(!limits_set(&limits, "customer", "", &expected), "nor is none");
	ok(limits_set(&limits, "customer", longest + 1, &expected), "one of 100 is");
	ok(limits_set(&limits, "customer", "Hotel {Adler}", &expected), "a name in other letters");
	is_str(limits.customer, "hotel%20%7Badler%7D", "is kept in the form of keys");
}

static void test_expire(void)
{
	struct limits limits = limits_unset;
	limits.window[WINDOW_RCPTS_PER_HOUR] = 20000;
	limits.window[WINDOW_ASES_PER_DAY] = 3;
	limits.over = OVER_SLOW;
	limits.ramp_first_day = 50;
	limits.ramp_growth = 2;
	limits.password_changed_s = 77;
	limits_set(&limits, "plan", "gold", &(const char *){ NULL });
	limits_set(&limits, "customer", "42", &(const char *){ NULL });
	limits_expire(&limits, 1000);
	is_int(limits.window[WINDOW_RCPTS_PER_HOUR], 20000, "without an end the numbers hold");
	limits.until_s = 1000;
	limits_expire(&limits, 999);
	is_int(limits.window[WINDOW_RCPTS_PER_HOUR], 20000, "and until their end");
	limits_expire(&limits, 1000);
	is_int(limits.window[WINDOW_RCPTS_PER_HOUR], LIMIT_UNSET, "not longer");
	is_int(limits.window[WINDOW_ASES_PER_DAY], LIMIT_UNSET, "none of them");
	is_int(limits.over, OVER_UNSET, "nor what happens over them");
	is_int(limits.ramp_first_day, LIMIT_UNSET, "nor the ramp");
	is_str(limits.plan, "gold", "the plan stays");
	is_str(limits.customer, "42", "and whose the account is");
	is_int(limits.password_changed_s, 77, "and when its password was changed");
}

static void test_rows(void)
{
	/* clang-format off */
	static const struct {
		const char *prefix, *said;
		enum counted counted;
	} kinds[] = {
		{ "msgs_", "messages", COUNTED_MESSAGES }, { "rcpts_", "recipients", COUNTED_RECIPIENTS },
		{ "kbytes_", "KiB", COUNTED_KBYTES }, { "new_rcpts_", "first-time recipients", COUNTED_NEW_RCPTS },
		{ "addresses_", "client addresses", COUNTED_ADDRESSES }, { "networks_", "client networks", COUNTED_NETWORKS },
		{ "ases_", "client ASes", COUNTED_ASES },
	};
	/* clang-format on */
	for (int i = 0; i < WINDOW_COUNT; i++) {
		enum window window = (enum window)i;
		const char *word = window_word(window), *said = window_said(window, 2);
		size_t kind = 0;
		while (strncmp(word, kinds[kind].prefix, strlen(kinds[kind].prefix)) != 0)
			kind++;
		is_int(window_counted(window), kinds[kind].counted, "%s counts", word);
		ok(strstr(said, kinds[kind].said) != NULL, "%s is said as '%s'", word, said);
		const char *one = window_said(window, 1);
		ok(window_counted(window) == COUNTED_KBYTES ? strcmp(one, said) == 0 : strlen(one) < strlen(said),
		   "... of 1 as '%s'", one);
		int64_t seconds = strstr(word, "minute") != NULL ? 60 : strstr(word, "hour") != NULL ? 3600 : 86400;
		is_int(window_seconds(window), seconds, "%s: its length", word);
		is_int(limits_unset.window[i], LIMIT_UNSET, "%s: unset at first", word);
		is_str(window_path(SCOPE_ACCOUNT, window), word, "%s: of an account", word);
		ok(strcmp(strchr(window_path(SCOPE_CUSTOMER, window), ':') + 1, word) == 0, "%s: of a customer", word);
	}
	is_str(window_path(SCOPE_SERVER, WINDOW_MSGS_PER_DAY), "server:msgs_per_day", "of all");
	is_str(window_path(SCOPE_DOMAIN, WINDOW_MSGS_PER_DAY), "domain:msgs_per_day", "of a domain");
	is_str(over_word(OVER_SLOW), "slow", "the words of `over`");
	is_str(over_word(OVER_UNSET), "", "none where it is unset");
}

/* A slip of the pen is told from a panel's own note. */
static void test_near(void)
{
	/* clang-format off */
	static const struct {
		const char *field, *near;
	} rows[] = {
		{ "rcpts_per_huor", "rcpts_per_hour" }, { "rcpt_per_hour", "rcpts_per_hour" }, { "RCPTS_PER_HOUR",
		  "rcpts_per_hour" },
		{ "rcpts-per-hour", "rcpts_per_hour" }, { "msg_per_day", "msgs_per_day" }, { "plans", "plan" }, {
		  "pan", "plan" },
		{ "ovre", "over" }, { "custommer", "customer" }, { "pasword_changed", "password_changed" },
		{ "messages_per_hour", "msgs_per_minute" }, { "note", NULL }, { "vat", NULL }, { "vip", NULL }, {
		  "domain", NULL },
		{ "", NULL }, { "quota", NULL }, { "a_very_long_note_of_somebody_about_nothing_at_all", NULL },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_str(limits_near(rows[i].field), rows[i].near, "'%s' is near to %s", rows[i].field,
		       rows[i].near != NULL ? rows[i].near : "nothing");
}

/* All that limits_set reads, each once. */
static void test_fields(void)
{
	const char *field, *expected;
	int count = 0;
	for (; (field = limits_field(count, &expected)) != NULL; count++) {
		struct limits limits = limits_unset;
		const char *why;
		ok(limits_have(field), "%s is a field", field);
		ok(*limits_meaning(count) != '\0', "... and means %s", limits_meaning(count));
		ok(!limits_set(&limits, field, "-", &why) ? strcmp(why, expected) == 0 : expected[0] == 'a', "%s: %s",
		   field, expected);
		ok(limits_empty(&limits) == (limits.plan[0] == '\0' && limits.customer[0] == '\0'),
		   "nothing is set by nonsense");
	}
	is_int(count, WINDOW_COUNT + 9, "so many there are");
	ok(limits_is_date("created") && !limits_is_date("plan") && !limits_is_date("msgs_per_day"), "dates are dates");
	is_str(limits_meaning(WINDOW_KBYTES_PER_DAY), "KiB a day", "a window's unit");
	is_str(limits_meaning(count - 1), "whose account it is", "the last field's meaning");
}

int main(void)
{
	test_near();
	test_fields();
	test_numbers();
	test_words();
	test_have();
	test_fill();
	test_growth();
	test_dates();
	test_customers();
	test_expire();
	test_rows();
	return done_testing();
}
