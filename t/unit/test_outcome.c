/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What became of a message: whose doing it is, what it credits, and what codes say without words.
 */
#include "policy/outcome.h"

#include "policy/receiver_outcome.h"

#include "t/unit/tap.h"

static void test_words(void)
{
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		enum outcome outcome = (enum outcome)i;
		const char *plain = outcome_plain(outcome);
		is_int(outcome_find(outcome_word(outcome)), outcome, "%s is found", outcome_word(outcome));
		ok(strlen(plain) > 20 && plain[strlen(plain) - 1] == '.', "... in a sentence: %s", plain);
		ok(strlen(outcome_blame_word(outcome_blame(outcome))) > 0, "... and is somebody's or nobody's doing");
		enum receiver_count count = receiver_count_of(outcome, true);
		bool against = count == RECEIVER_REPUTATION || count == RECEIVER_LISTED || count == RECEIVER_RATE;
		is_int(against, outcome_blame(outcome) == OUTCOME_BLAME_ADDRESS,
		       "... against our address where it is to blame");
	}
	is_int(outcome_find("dead"), OUTCOME_COUNT, "no outcome has that name");
	is_int(receiver_count_of(OUTCOME_SENT, true), RECEIVER_DELIVERED, "mail that is taken speaks for our address");
	is_int(receiver_count_of(OUTCOME_SENDER_REPUTATION, true), RECEIVER_UNSAID,
	       "a customer's domain of ill repute says nothing of it");
}

static void test_credit(void)
{
	static const struct {
		enum outcome outcome;
		enum counter counter;
		double count;
	} rows[] = {
		{ OUTCOME_NO_USER, COUNTER_DEAD, 1 },
		{ OUTCOME_INACTIVE, COUNTER_DEAD, 0.5 },
		{ OUTCOME_CONTENT, COUNTER_REFUSED, 1 },
		{ OUTCOME_VIRUS, COUNTER_REFUSED, 1 },
		{ OUTCOME_SENT, 0, 0 },
		{ OUTCOME_MAILBOX_FULL, 0, 0 },
		{ OUTCOME_LISTED, 0, 0 },
		{ OUTCOME_REPUTATION, 0, 0 },
		{ OUTCOME_RATE, 0, 0 },
		{ OUTCOME_AUTHENTICATION, 0, 0 },
		{ OUTCOME_RELAY_DENIED, 0, 0 },
		{ OUTCOME_POLICY, 0, 0 },
		{ OUTCOME_EXPIRED, 0, 0 },
		{ OUTCOME_SUSPENDED, 0, 0 },
		{ OUTCOME_UNSURE, 0, 0 },
		{ OUTCOME_UNREACHABLE, 0, 0 },
		{ OUTCOME_OTHER_PERMANENT, 0, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct outcome_credit credit = outcome_credit_of(rows[i].outcome, true);
		is_near(credit.count, rows[i].count, 0, "%s credits so much", outcome_word(rows[i].outcome));
		if (rows[i].count > 0)
			is_int(credit.counter, rows[i].counter, "... of this");
		is_near(outcome_credit_of(rows[i].outcome, false).count, 0, 0,
			"... and nothing while it is tried again");
	}
}

static void test_codes(void)
{
	static const struct {
		int code, class, subject, detail;
		bool greeting, final, plain, mail;
		enum outcome outcome;
	} rows[] = {
		{ 550, 5, 1, 1, .plain = true, .outcome = OUTCOME_NO_USER },
		{ 550, 5, 1, 1, .outcome = OUTCOME_OTHER_PERMANENT },
		{ 550, 5, 1, 1, .mail = true, .outcome = OUTCOME_SENDER_REFUSED },
		{ 550, 5, 1, 10, .plain = true, .outcome = OUTCOME_NO_USER },
		{ 450, 4, 1, 1, .outcome = OUTCOME_OTHER_TEMPORARY },
		{ 550, 5, 1, 0, .outcome = OUTCOME_OTHER_PERMANENT },
		{ 550, 5, 1, 6, .outcome = OUTCOME_MOVED },
		{ 553, 5, 1, 8, .outcome = OUTCOME_SENDER_REFUSED },
		{ 550, .outcome = OUTCOME_OTHER_PERMANENT },
		{ 554, .outcome = OUTCOME_OTHER_PERMANENT },
		{ 550, 5, 7, 1, .outcome = OUTCOME_POLICY },
		{ 550, 5, 7, 26, .outcome = OUTCOME_AUTHENTICATION },
		{ 550, 5, 7, 25, .outcome = OUTCOME_REPUTATION },
		{ 421, 4, 7, 28, .outcome = OUTCOME_RATE },
		{ 550, 5, 7, 999, .outcome = OUTCOME_OTHER_PERMANENT },
		{ 550, 5, 2, 1, .plain = true, .outcome = OUTCOME_INACTIVE },
		{ 450, 4, 2, 1, .outcome = OUTCOME_OTHER_TEMPORARY },
		{ 452, 4, 2, 2, .outcome = OUTCOME_MAILBOX_FULL },
		{ 552, 5, 3, 4, .outcome = OUTCOME_TOO_BIG },
		{ 451, 4, 3, 0, .outcome = OUTCOME_RECEIVER_BROKEN },
		{ 451, .outcome = OUTCOME_OTHER_TEMPORARY },
		{ 421, .outcome = OUTCOME_OTHER_TEMPORARY },
		{ 500, .outcome = OUTCOME_PROTOCOL },
		{ 555, 5, 5, 4, .outcome = OUTCOME_PROTOCOL },
		{ 554, .greeting = true, .outcome = OUTCOME_REPUTATION },
		{ 554, 5, 1, 1, .greeting = true, .outcome = OUTCOME_REPUTATION },
		{ 421, .greeting = true, .outcome = OUTCOME_OTHER_TEMPORARY },
		{ 0, .final = true, .outcome = OUTCOME_OTHER_PERMANENT },
		{ 0, .final = false, .outcome = OUTCOME_OTHER_TEMPORARY },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct outcome_code code = { rows[i].code,     rows[i].class, rows[i].subject, rows[i].detail,
					     rows[i].greeting, rows[i].final, rows[i].plain,   rows[i].mail };
		is_str(outcome_word(outcome_by_code(&code)), outcome_word(rows[i].outcome), "%d %d.%d.%d%s", code.code,
		       code.class, code.subject, code.detail, code.greeting ? " as a greeting" : "");
	}
}

int main(void)
{
	test_words();
	test_credit();
	test_codes();
	return done_testing();
}
