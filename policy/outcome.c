/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/outcome.h"

#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

static const struct {
	const char *word, *plain;
	enum outcome_blame blame;
} outcome_rows[OUTCOME_COUNT] = {
#define OUTCOME_ROW(id, word, blame, plain) [OUTCOME_##id] = { word, plain, OUTCOME_BLAME_##blame },
	OUTCOME_ROWS(OUTCOME_ROW)
#undef OUTCOME_ROW
};

const char *outcome_word(enum outcome outcome)
{
	return outcome_rows[outcome].word;
}

const char *outcome_plain(enum outcome outcome)
{
	return outcome_rows[outcome].plain;
}

enum outcome outcome_find(const char *word)
{
	int i = 0;
	while (i < OUTCOME_COUNT && strcmp(word, outcome_rows[i].word) != 0)
		i++;
	return (enum outcome)i;
}

enum outcome_blame outcome_blame(enum outcome outcome)
{
	return outcome_rows[outcome].blame;
}

const char *outcome_blame_word(enum outcome_blame blame)
{
	static const char *const words[OUTCOME_BLAME_COUNT] = {
#define OUTCOME_BLAME_WORD(id, word) [OUTCOME_BLAME_##id] = word,
		OUTCOME_BLAME_ROWS(OUTCOME_BLAME_WORD)
#undef OUTCOME_BLAME_WORD
	};
	return words[blame];
}

/* A closed mailbox was somebody's once: old lists are full of them, and so is a shop's own file of customers. */
#define INACTIVE_IS_DEAD 0.5

/* What is tried again counts when it is given up, or each try would. What is said of our address is said of all who
 * send by it, and what fails SPF is a matter of the domain's records: neither says anything of one account. */
struct outcome_credit outcome_credit_of(enum outcome outcome, bool final)
{
	static const struct {
		enum outcome outcome;
		struct outcome_credit credit;
	} rows[] = {
		{ OUTCOME_NO_USER, { COUNTER_DEAD, 1 } },
		{ OUTCOME_INACTIVE, { COUNTER_DEAD, INACTIVE_IS_DEAD } },
		{ OUTCOME_CONTENT, { COUNTER_REFUSED, 1 } },
		{ OUTCOME_VIRUS, { COUNTER_REFUSED, 1 } },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && final; i++)
		if (rows[i].outcome == outcome)
			return rows[i].credit;
	return (struct outcome_credit){ .count = 0 };
}

enum { ANY = -1 };

/* Enhanced codes that mean one thing whoever says them: RFC 3463, 5248, 7372, 7505, 8689. The first that fits. 5.7.1 is
 * said of everything. */
static const struct {
	int class, subject, detail;
	enum outcome outcome;
} enhanced_rows[] = {
	{ 5, 1, 1, OUTCOME_NO_USER },
	{ 5, 1, 10, OUTCOME_NO_USER },
	{ ANY, 1, 2, OUTCOME_UNREACHABLE },
	{ ANY, 1, 6, OUTCOME_MOVED },
	{ ANY, 1, 7, OUTCOME_SENDER_REFUSED },
	{ ANY, 1, 8, OUTCOME_SENDER_REFUSED },
	{ 5, 2, 1, OUTCOME_INACTIVE },
	{ ANY, 2, 2, OUTCOME_MAILBOX_FULL },
	{ ANY, 2, 3, OUTCOME_TOO_BIG },
	{ ANY, 3, 4, OUTCOME_TOO_BIG },
	{ ANY, 3, ANY, OUTCOME_RECEIVER_BROKEN },
	{ ANY, 4, ANY, OUTCOME_RECEIVER_BROKEN },
	{ ANY, 5, 3, OUTCOME_RATE },
	{ ANY, 5, ANY, OUTCOME_PROTOCOL },
	{ ANY, 6, ANY, OUTCOME_PROTOCOL },
	{ ANY, 7, 4, OUTCOME_TLS },
	{ ANY, 7, 10, OUTCOME_TLS },
	{ ANY, 7, 11, OUTCOME_TLS },
	{ ANY, 7, 20, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 21, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 22, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 23, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 24, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 25, OUTCOME_REPUTATION },
	{ ANY, 7, 26, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 27, OUTCOME_SENDER_REFUSED },
	{ ANY, 7, 28, OUTCOME_RATE },
	{ ANY, 7, 29, OUTCOME_AUTHENTICATION },
	{ ANY, 7, 30, OUTCOME_TLS },
	{ ANY, 7, 0, OUTCOME_POLICY },
	{ ANY, 7, 1, OUTCOME_POLICY },
	{ ANY, 7, 2, OUTCOME_POLICY },
};

static enum outcome outcome_by_enhanced(const struct outcome_code *code, enum outcome otherwise)
{
	for (size_t i = 0; i < sizeof enhanced_rows / sizeof enhanced_rows[0] && code->class != 0; i++)
		if ((enhanced_rows[i].class == ANY || enhanced_rows[i].class == code->class) &&
		    enhanced_rows[i].subject == code->subject &&
		    (enhanced_rows[i].detail == ANY || enhanced_rows[i].detail == code->detail))
			return enhanced_rows[i].outcome;
	return otherwise;
}

enum outcome outcome_of_mail(enum outcome outcome)
{
	bool recipient = outcome == OUTCOME_NO_USER || outcome == OUTCOME_INACTIVE || outcome == OUTCOME_MOVED;
	return recipient ? OUTCOME_SENDER_REFUSED : outcome;
}

static enum outcome outcome_by_any_code(const struct outcome_code *code)
{
	if (code->code >= 400 && code->code < 500)
		return outcome_by_enhanced(code, OUTCOME_OTHER_TEMPORARY);
	/* whoever refuses before he knows sender and recipient means the address that calls */
	if (code->greeting && code->code >= 500)
		return OUTCOME_REPUTATION;
	if ((code->code >= 500 && code->code <= 504) || code->code == 555)
		return outcome_by_enhanced(code, OUTCOME_PROTOCOL);
	if (code->code >= 500)
		return outcome_by_enhanced(code, OUTCOME_OTHER_PERMANENT);
	return code->final ? OUTCOME_OTHER_PERMANENT : OUTCOME_OTHER_TEMPORARY;
}

enum outcome outcome_by_code(const struct outcome_code *code)
{
	enum outcome outcome = outcome_by_any_code(code);
	if (code->of_sender)
		outcome = outcome_of_mail(outcome);
	bool charged = outcome_credit_of(outcome, true).count > 0;
	return charged && !code->plain ? OUTCOME_OTHER_PERMANENT : outcome;
}
