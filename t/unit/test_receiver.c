/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/receiver.h"

#include "policy/base/text.h"
#include "t/unit/tap.h"

#include <stdlib.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, STEPS = 9, TRANSPORTS = 3 };

#define START 1764000000000LL

/* d taken, r refused for its reputation, l for a list, p put off for its reputation, c content, g greylisted,
 * u unknown user, n not said for what, s sent too much */
static enum receiver_count count_of(char letter)
{
	static const char letters[] = "drlsg?c?un";
	if (letter == 'p')
		return RECEIVER_REPUTATION;
	return (enum receiver_count)(strchr(letters, letter) - letters);
}

static bool hear(struct receiver_row *row, enum receiver_count count, bool final, const char *wording, size_t length,
		 int64_t now_ms)
{
	const struct receiver_answer answer = {
		.count = count, .final = final, .wording = wording, .wording_length = length
	};
	return receiver_hear(row, &answer, now_ms);
}

/* One answer a minute. */
static int64_t hear_all(struct receiver_row *row, const char *answers, int64_t now_ms)
{
	for (const char *at = answers; *at != '\0'; at++, now_ms += MINUTE)
		hear(row, count_of(*at), *at != 'p', "550 5.7.1 no", 12, now_ms);
	return now_ms;
}

/* A number and a letter: "40d12r" */
static void spell(const char *short_form, char *to, size_t size)
{
	struct text text = text_over(to, size);
	for (char *at = NULL; *short_form != '\0'; short_form = at + 1)
		for (long left = strtol(short_form, &at, 10); left > 0; left--)
			text_add_bytes(&text, at, 1);
}

static void test_begins(void)
{
	static const struct {
		const char *name, *answers;
		enum receiver_state want;
	} rows[] = {
		{ "nothing", "0d", RECEIVER_FREE },
		{ "all is taken", "200d", RECEIVER_FREE },
		{ "one refusal in thirteen", "6d1r6d", RECEIVER_FREE },
		{ "one in thirteen, for long", "12d1r12d1r12d1r12d1r12d1r12d1r12d1r12d1r12d1r12d1r12d1r",
		  RECEIVER_FREE },
		{ "one refusal, and nothing else", "1r", RECEIVER_FREE },
		{ "one listing, and nothing else", "1l", RECEIVER_FREE },
		{ "two refusals, and nothing else", "2r", RECEIVER_FREE },
		{ "a few refusals, and nothing else", "8r", RECEIVER_RESTS },
		{ "a list that the receiver names counts sooner", "3l", RECEIVER_RESTS },
		{ "a busy address is blocked", "200d11r", RECEIVER_RESTS },
		{ "a busy address that a list has", "200d5l", RECEIVER_RESTS },
		{ "half of what is sent is refused", "1d1r1d1r1d1r1d1r1d1r1d1r1d1r1d1r1d1r1d1r", RECEIVER_RESTS },
		{ "one in ten is refused", "9d1r9d1r9d1r9d1r9d1r9d1r9d1r9d1r9d1r9d1r", RECEIVER_FREE },
		{ "what is put off counts half", "8p", RECEIVER_FREE },
		{ "put off for long", "20p", RECEIVER_RESTS },
		{ "content is the message's", "50c", RECEIVER_FREE },
		{ "users that are not there are the list's", "50u", RECEIVER_FREE },
		{ "refused, and not said for what", "50n", RECEIVER_FREE },
		{ "which is no word for the address", "10n8r", RECEIVER_RESTS },
		{ "greylisting is nobody's", "50g", RECEIVER_FREE },
		{ "too much at once is no refusal of the address", "50s", RECEIVER_FREE },
		{ "a receiver that answers of users hears the address", "20u4r20u", RECEIVER_FREE },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct receiver_row row = { .at_ms = 0 };
		char answers[300];
		spell(rows[i].answers, answers, sizeof answers);
		int64_t now_ms = hear_all(&row, answers, START);
		is_str(receiver_state_word(receiver_rests(&row, now_ms)), receiver_state_word(rows[i].want), "%s",
		       rows[i].name);
	}
}

static void test_is_forgotten(void)
{
	struct receiver_row row = { .at_ms = 0 };
	double counts[RECEIVER_COUNTS];
	for (int day = 0; day < 20; day++)
		hear_all(&row, "r", START + day * 24LL * HOUR);
	is_int(receiver_rests(&row, row.at_ms), RECEIVER_FREE, "a refusal a day moves nothing");
	row = (struct receiver_row){ .at_ms = 0 };
	hear_all(&row, "dddddddd", START);
	ok(receiver_volume(&row, row.at_ms, counts) > 7.9, "counted");
	ok(fabs(receiver_volume(&row, row.at_ms + 12LL * HOUR, counts) - 4) < 0.1, "half of it after twelve hours");
	ok(counts[RECEIVER_DELIVERED] > 3.9, "of its kind");
	double volume = receiver_volume(&row, row.at_ms - HOUR, counts);
	ok(volume < 8, "a clock that goes back makes nothing more of it");
	hear(&row, RECEIVER_DELIVERED, true, NULL, 0, START - 20LL * HOUR);
	is_int(row.at_ms, START + 7 * MINUTE, "nor does a line from before");
	ok(!hear(&row, RECEIVER_COUNTS, true, NULL, 0, START), "what is not counted changes nothing");
}

/* answers, hours to wait before them, what then is, for how many hours more (0: not asked) */
struct step {
	const char *answers;
	int hours;
	enum receiver_state want;
	int left;
};

static void test_rest(void)
{
	static const struct {
		const char *name;
		struct step steps[STEPS];
	} lines[] = {
		{ "it ends",
		  { { "8r", 0, RECEIVER_RESTS, 0 }, { "0d", 1, RECEIVER_TRIES, 0 }, { "8d", 0, RECEIVER_FREE, 0 } } },
		{ "nobody writes to them",
		  { { "8r", 0, RECEIVER_RESTS, 0 }, { "0d", 2, RECEIVER_TRIES, 0 }, { "0d", 24, RECEIVER_FREE, 0 } } },
		{ "it goes on, and the rests grow longer",
		  { { "8r", 0, RECEIVER_RESTS, 0 },
		    { "2r", 2, RECEIVER_RESTS, 2 },
		    { "2r", 3, RECEIVER_RESTS, 4 },
		    { "2r", 5, RECEIVER_RESTS, 8 },
		    { "2r", 9, RECEIVER_RESTS, 16 },
		    { "2r", 17, RECEIVER_RESTS, 24 },
		    { "2r", 25, RECEIVER_RESTS, 24 } } },
		{ "one refusal while it tries is not enough",
		  { { "8r", 0, RECEIVER_RESTS, 0 },
		    { "2d1r2d", 2, RECEIVER_TRIES, 0 },
		    { "3d", 0, RECEIVER_TRIES, 0 },
		    { "1d", 0, RECEIVER_FREE, 0 } } },
		{ "a list is", { { "8r", 0, RECEIVER_RESTS, 0 }, { "1l", 2, RECEIVER_RESTS, 2 } } },
		{ "old mail that is tried again during the rest makes it no longer",
		  { { "8r", 0, RECEIVER_RESTS, 0 }, { "30r", 0, RECEIVER_RESTS, 1 } } },
		{ "after three days it is like the first time",
		  { { "8r", 0, RECEIVER_RESTS, 0 },
		    { "2r", 2, RECEIVER_RESTS, 2 },
		    { "8d", 4, RECEIVER_FREE, 0 },
		    { "8r", 73, RECEIVER_RESTS, 1 } } },
		{ "after one day it is not",
		  { { "8r", 0, RECEIVER_RESTS, 0 }, { "8d", 2, RECEIVER_FREE, 0 }, { "8r", 24, RECEIVER_RESTS, 2 } } },
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct receiver_row row = { .at_ms = 0 };
		int64_t now_ms = START;
		for (int at = 0; at < STEPS && lines[i].steps[at].answers != NULL; at++) {
			const struct step *step = &lines[i].steps[at];
			char answers[100];
			spell(step->answers, answers, sizeof answers);
			now_ms = hear_all(&row, answers, now_ms + step->hours * (int64_t)HOUR);
			receiver_pass(&row, now_ms);
			if (!is_str(receiver_state_word(row.state), receiver_state_word(step->want), "%s: step %d",
				    lines[i].name, at) ||
			    step->left == 0)
				continue;
			is_int((row.until_ms - row.since_ms) / HOUR, step->left, "%s: step %d, hours", lines[i].name,
			       at);
		}
	}
}

static void test_pass(void)
{
	struct receiver_row row = { .at_ms = 0 };
	int64_t now_ms = hear_all(&row, "rrrrrrrr", START);
	ok(!receiver_pass(&row, now_ms), "time has not passed");
	is_int(receiver_rests(&row, now_ms + HOUR), RECEIVER_TRIES, "asked of a later time");
	is_int(receiver_rests(&row, now_ms + 25LL * HOUR), RECEIVER_FREE, "and a day later");
	ok(receiver_pass(&row, now_ms + 100LL * HOUR), "it has");
	is_int(row.state, RECEIVER_FREE, "both states at once");
}

/* Of each answer first whose message it was. */
static void test_senders(void)
{
	static const struct {
		const char *name, *answers;
		enum receiver_state want;
		int senders;
	} rows[] = {
		{ "one writes there, and is refused", "1l1l1l1l", RECEIVER_RESTS, 1 },
		{ "two write there, and one is refused", "2d1l1l1l1l1l1l1l1l1l1l1l1l1l1l1l1l", RECEIVER_FREE, 2 },
		{ "two write there, and both are", "2d1l1l1l1l2l", RECEIVER_RESTS, 2 },
		{ "many write there, and two are", "2d3d4d5d6d7d8d1l1l5l5l1l", RECEIVER_RESTS, 4 },
		{ "of whom nothing is known", "0l0l0l0l", RECEIVER_RESTS, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct receiver_row row = { .at_ms = 0 };
		int64_t now_ms = START;
		for (const char *at = rows[i].answers; *at != '\0'; at += 2, now_ms += MINUTE) {
			const struct receiver_answer answer = { .count = count_of(at[1]),
								.final = true,
								.sender = (uint64_t)(at[0] - '0') };
			receiver_hear(&row, &answer, now_ms);
		}
		is_str(receiver_state_word(receiver_rests(&row, now_ms)), receiver_state_word(rows[i].want), "%s",
		       rows[i].name);
		is_int(receiver_senders(&row, now_ms), rows[i].senders, "%s: senders", rows[i].name);
		is_int(receiver_senders(&row, now_ms + 31LL * 24 * HOUR), 0, "%s: nobody writes any more",
		       rows[i].name);
	}
}

static void test_wrong_clock(void)
{
	struct receiver_row row = { .at_ms = 0 };
	hear_all(&row, "rrrrrrrr", START + 100LL * 365 * 24 * HOUR);
	ok(receiver_pass(&row, START), "the clock was wrong");
	is_int(receiver_rests(&row, START), RECEIVER_FREE, "what came of it is forgotten");
	hear_all(&row, "rrrrrrrr", START + 100LL * 365 * 24 * HOUR);
	int64_t now_ms = hear_all(&row, "rrrrrrrr", START);
	is_int((row.until_ms - START) / HOUR, 1, "and what comes now counts");
	is_int(receiver_rests(&row, now_ms), RECEIVER_RESTS, "as ever");
}

static void test_wording(void)
{
	struct receiver_row row = { .at_ms = 0 };
	char large[1000];
	memset(large, 'x', sizeof large);
	hear(&row, RECEIVER_CONTENT, true, "a\x01\xc3\xa4z", 5, START);
	is_str(row.wording, "a???z", "one line of ASCII");
	hear(&row, RECEIVER_DELIVERED, true, "250 ok", 6, START);
	is_str(row.wording, "a???z", "a delivery says nothing");
	hear(&row, RECEIVER_RATE, false, large, sizeof large, START + 5);
	is_int((long long)strlen(row.wording), RECEIVER_WORDING_MAX, "cut");
	is_int(row.worded_ms, START + 5, "and when");
	hear(&row, RECEIVER_RATE, false, NULL, 0, START + 9);
	is_int(row.worded_ms, START + 5, "none is none");
}

static void test_pool(void)
{
	/* of each transport: f free, r rests, t tries, o out by another thing; who is in service afterwards */
	static const struct {
		const char *name, *states, *serve;
		bool tries;
		int best;
	} rows[] = {
		{ "nothing", "fff", "yyy", false, -1 },
		{ "one rests", "frf", "yny", false, -1 },
		{ "one is tried by others only", "ftf", "yny", false, -1 },
		{ "one is tried", "ftf", "yyy", true, -1 },
		{ "all rest: the one that is refused least goes on", "rrr", "nny", false, 2 },
		{ "all that are in service", "rro", "nyn", false, 1 },
		{ "the only one that does not rest is out", "ror", "nny", false, 2 },
		{ "all are out", "ooo", "nnn", false, -1 },
		{ "a tried one is better than the least refused one", "rtr", "nyn", true, -1 },
	};
	struct transport transports[TRANSPORTS] = { { .index = 4 }, { .index = 5 }, { .index = 6 } };
	struct pool pool = { .transports = transports, .transport_count = TRANSPORTS };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct receiver_rest rests[TRANSPORTS] = { { .state = RECEIVER_FREE } };
		struct transport_state states[8] = { { 0 } };
		char serve[TRANSPORTS + 1] = "";
		for (int j = 0; j < TRANSPORTS; j++) {
			char is = rows[i].states[j];
			rests[j].state = is == 'r' ? RECEIVER_RESTS : is == 't' ? RECEIVER_TRIES : RECEIVER_FREE;
			rests[j].refused_share = 0.9 - 0.1 * j;
			states[4 + j].withheld = is == 'o' ? TRANSPORT_OUT : 0;
		}
		const struct transport *best = receiver_withhold(&pool, rests, rows[i].tries, states);
		for (int j = 0; j < TRANSPORTS; j++)
			serve[j] = states[4 + j].withheld == TRANSPORT_OUT || states[4 + j].rests ? 'n' : 'y';
		is_str(serve, rows[i].serve, "%s", rows[i].name);
		is_int(best == NULL ? -1 : best - transports, rows[i].best, "%s: who goes on", rows[i].name);
	}
}

static void test_several_receivers(void)
{
	static const int want[] = { 0, 0, 0, 50, 50, 90, 90 };
	for (int i = 0; i < (int)(sizeof want / sizeof want[0]); i++)
		is_int(receiver_withheld(i), want[i], "%d receivers refuse it", i);
	ok(receiver_withheld(500) < TRANSPORT_OUT, "never all of its share");
}

int main(void)
{
	test_begins();
	test_is_forgotten();
	test_rest();
	test_pass();
	test_senders();
	test_wrong_clock();
	test_wording();
	test_pool();
	test_several_receivers();
	return done_testing();
}
