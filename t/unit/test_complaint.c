/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/complaint.h"

#include "t/unit/tap.h"

static void test_worth(void)
{
	static const struct {
		const char *word;
		enum counter counter;
		double count;
		bool told;
	} rows[] = {
		{ "abuse", COUNTER_COMPLAINTS, 1, true },
		{ "Fraud", COUNTER_COMPLAINTS, 3, true },
		{ "virus", COUNTER_COMPLAINTS, 2, true },
		{ "not-spam", COUNTER_COUNT, 0, false },
		{ "forwarded", COUNTER_COMPLAINTS, 1, true },
		{ "opt-out", COUNTER_COUNT, 0, true },
		{ "opt-out-list", COUNTER_COUNT, 0, true },
		{ "auth-failure", COUNTER_COUNT, 0, true },
		{ "failed", COUNTER_DEAD, 1, false },
		{ "delayed", COUNTER_COUNT, 0, false },
		{ "other", COUNTER_COUNT, 0, false },
		{ "abuses", COUNTER_COUNT, 0, false },
		{ "", COUNTER_COUNT, 0, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct complaint_worth worth = complaint_worth(complaint_find(rows[i].word));
		ok(worth.counter == rows[i].counter && worth.count == rows[i].count && worth.told == rows[i].told,
		   "what \"%s\" is worth", rows[i].word);
	}
	is_str(complaint_word(complaint_find("abuses")), "other", "an unknown type");
}

static void test_most(void)
{
	static const struct {
		enum complaint complaint;
		int rcpts, most;
	} rows[] = {
		{ COMPLAINT_ABUSE, 0, 0 },	 { COMPLAINT_ABUSE, 1, 1 },	    { COMPLAINT_ABUSE, 2, 2 },
		{ COMPLAINT_ABUSE, 4, 2 },	 { COMPLAINT_FRAUD, 5, 3 },	    { COMPLAINT_DEAD, 1000, 32 },
		{ COMPLAINT_ABUSE, 65535, 256 }, { COMPLAINT_OPT_OUT, 1000, 1000 }, { COMPLAINT_OPT_OUT, -1, -1 },
		{ COMPLAINT_ABUSE, -1, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(complaint_most(rows[i].complaint, rows[i].rcpts), rows[i].most, "%s of %d recipients",
		       complaint_word(rows[i].complaint), rows[i].rcpts);
}

static void test_words(void)
{
	static const struct {
		const char *word, *group;
		bool opts_out;
	} rows[] = {
		{ "abuse", "complaints", false },
		{ "fraud", "complaints", false },
		{ "not-spam", "not-spam", false },
		{ "failed", "dead", false },
		{ "delayed", "delayed", false },
		{ "opt-out", "opt-out", true },
		{ "opt-out-list", "opt-out-list", true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum complaint complaint = complaint_find(rows[i].word);
		is_str(complaint_group_word(complaint), rows[i].group, "with what \"%s\" is counted once",
		       rows[i].word);
		ok(complaint_opts_out(complaint) == rows[i].opts_out, "... whether somebody wants no more mail");
	}
	for (int i = 0; i < COMPLAINT_COUNT; i++)
		ok(strlen(complaint_says((enum complaint)i)) > 5, "%s, in plain words",
		   complaint_word((enum complaint)i));
}

static void test_status(void)
{
	static const struct {
		const char *status;
		enum complaint complaint;
	} rows[] = {
		{ "5.1.1", COMPLAINT_DEAD },	 { "5.1.10", COMPLAINT_DEAD },	 { "5.1.2", COMPLAINT_DEAD },
		{ "5.2.1", COMPLAINT_BOUNCED },	 { "5.2.2", COMPLAINT_BOUNCED }, { "5.7.1", COMPLAINT_BOUNCED },
		{ "5.1.11", COMPLAINT_BOUNCED }, { "", COMPLAINT_BOUNCED },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(complaint_of_status(rows[i].status), rows[i].complaint, "status \"%s\"", rows[i].status);
}

static void test_steps(void)
{
	/* of steady mail: complaints are remembered twice as long as recipients */
	static const struct {
		double complaints, rcpts;
		const char *word;
	} rows[] = {
		{ 0, 0, "fine" },     { 50, 90, "fine" },      { 1, 100, "fine" },	  { 1.9, 950, "fine" },
		{ 2, 1000, "watch" }, { 2, 1001, "fine" },     { 5.9, 1000, "watch" },	  { 6, 1000, "high" },
		{ 2, 110, "watch" },  { 3, 110, "high" },      { 9.9, 1000, "high" },	  { 10, 1000, "very high" },
		{ 4.9, 200, "high" }, { 5, 200, "very high" }, { 500, 100, "very high" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct counters counters = { .at_ms = 1 };
		counters.value[COUNTER_COMPLAINTS] = rows[i].complaints;
		counters.value[COUNTER_RCPTS] = rows[i].rcpts;
		is_str(complaint_step_word(complaint_step(&counters)), rows[i].word, "%g complaints, %g recipients",
		       rows[i].complaints, rows[i].rcpts);
		ok(complaint_share(&counters) <= 1, "... a share");
	}
}

/* An event is told when a step is reached, and none when one is left. */
static void test_passed(void)
{
	struct counters before = { .at_ms = 1 }, after = { .at_ms = 1 };
	before.value[COUNTER_RCPTS] = after.value[COUNTER_RCPTS] = 1000;
	before.value[COUNTER_COMPLAINTS] = 1.9;
	after.value[COUNTER_COMPLAINTS] = 2;
	ok(complaint_passed(&before, &after), "a step is reached");
	ok(!complaint_passed(&after, &before), "... left");
	ok(!complaint_passed(&after, &after), "... kept");
}

int main(void)
{
	test_worth();
	test_most();
	test_words();
	test_passed();
	test_status();
	test_steps();
	return done_testing();
}
