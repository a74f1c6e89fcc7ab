/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expectations. Some things come a little later, by other threads: those are waited for.
 */
#include "t/scenario/play.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/pools/sender.h"
#include "policy/base/text.h"
#include "policy/group.h"
#include "redis-schema/account_record.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"
#include "t/fake/fake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* True where it is so. Otherwise `came` says what is. */
typedef bool expectation(struct play *play, const struct line *line, struct text *came);

/* What the MTA answered, in the words of a scenario. */
static const char *answer_word(const struct mta_answer *answer)
{
	switch (answer->status) {
	case SMFIS_CONTINUE:
	case SMFIS_ACCEPT:
		return "accept";
	case SMFIS_TEMPFAIL:
		return "defer";
	case SMFIS_REJECT:
		return "reject";
	default:
		return "nonsense";
	}
}

static void add_answer(const struct play *play, struct text *came)
{
	const struct mta_answer *answer = &play->answer;
	text_add(came, answer_word(answer));
	if (answer->code[0] != '\0')
		text_addf(came, ": %s %s %s", answer->code, answer->enhanced, answer->text);
}

static bool expect_answer(struct play *play, const struct line *line, struct text *came)
{
	add_answer(play, came);
	return strcmp(answer_word(&play->answer), line->words[1]) == 0;
}

static bool expect_reply(struct play *play, const struct line *line, struct text *came)
{
	add_answer(play, came);
	bool fine =
		strcmp(play->answer.code, line->words[2]) == 0 && strcmp(play->answer.enhanced, line->words[3]) == 0;
	for (int i = 4; i < line->count; i++)
		fine = fine && strstr(play->answer.text, line->words[i]) != NULL;
	return fine;
}

static bool expect_header(struct play *play, const struct line *line, struct text *came)
{
	char name[200];
	int count = 0;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(line->words[2], ":"), line->words[2]);
	const char *value = play->mta != NULL ? mta_find_header(play->mta, name, &count) : NULL;
	text_addf(came, "%d of that name", count);
	if (count > 0)
		text_addf(came, ", the first is \"%.200s\"", value);
	char wanted[LINE_LONGEST] = "";
	struct text text = text_over(wanted, sizeof wanted);
	for (int i = 3; i < line->count; i++)
		text_addf(&text, i > 3 ? " %s" : "%s", line->words[i]);
	return count == 1 && strcmp(value, wanted) == 0;
}

static bool expect_quarantine(struct play *play, const struct line *line, struct text *came)
{
	const char *reason = play->mta != NULL ? mta_quarantine(play->mta) : NULL;
	text_addf(came, "%s", reason != NULL ? reason : "no quarantine");
	return reason != NULL && (line->count < 3 || strstr(reason, line->words[2]) != NULL);
}

static bool expect_log(struct play *play, const struct line *line, struct text *came)
{
	bool fine = true;
	(void)play;
	for (int i = 2; i < line->count; i++) {
		bool there = fake_log_find(line->words[i]);
		if (!there)
			text_addf(came, "no \"%.200s\" in the log:", line->words[i]);
		fine = fine && there;
	}
	return fine;
}

static bool expect_logged(struct play *play, const struct line *line, struct text *came)
{
	int64_t wanted = -1;
	(void)play;
	text_to_int(line->words[2], 0, INT32_MAX, &wanted);
	int count = fake_log_count(line->words[3]);
	text_addf(came, "%d times", count);
	return count == wanted;
}

/* ---- what must not be: asked once */

static bool expect_no(struct play *play, const struct line *line, struct text *came)
{
	const char *what = line->words[2];
	int count = 0;
	if (strcmp(what, "quarantine") == 0) {
		const char *reason = mta_quarantine(play->mta);
		text_addf(came, "%s", reason != NULL ? reason : "");
		return reason == NULL;
	}
	if (strcmp(what, "header") == 0 && line->count == 4) {
		mta_find_header(play->mta, line->words[3], &count);
		text_addf(came, "%d of them", count);
		return count == 0;
	}
	if (strcmp(what, "log") == 0 && line->count == 4) {
		text_add(came, "it is there:");
		return !fake_log_find(line->words[3]);
	}
	if (strcmp(what, "control") == 0 && line->count == 4) {
		text_addf(came, "%s", play->control);
		return strstr(play->control, line->words[3]) == NULL;
	}
	text_add(came,
		 "expected: expect no quarantine, expect no header NAME, expect no log TEXT, expect no control TEXT");
	return false;
}

/* ---- what Redis holds */

/* The sums of a group: this period's and those of the one before. */
static void sums_of(const char *group, int64_t now_ms, struct rates *rates)
{
	static const char *const fields[] = { [COUNTED_MESSAGES] = "messages",
					      [COUNTED_RECIPIENTS] = "rcpts",
					      [COUNTED_KBYTES] = "kbytes",
					      [COUNTED_NEW_RCPTS] = "new_rcpts" };
	rates->at_ms = now_ms;
	for (int i = 0; i < WINDOW_SUMS; i++) {
		int64_t length = window_seconds((enum window)i);
		const char *span = length == 60 ? "minute" : length == 3600 ? "hour" : "day";
		for (int back = 0; back < 2; back++) {
			char key[KEY_MAX];
			struct fake_reply reply;
			snprintf(key, sizeof key, KEY_OF_SUMS, "penstock", group, span,
				 (long long)(now_ms / 1000 / length - back));
			fake_redis_command(3, (const char *[]){ "HGET", key, fields[window_counted((enum window)i)] },
					   &reply);
			double sum = reply.count == 1 && reply.items[0] != NULL ? strtod(reply.items[0], NULL) : 0;
			*(back == 0 ? &rates->present[i] : &rates->before[i]) = sum;
			fake_reply_free(&reply);
		}
	}
}

static void history_of(const char *account, struct history *history)
{
	char key[KEY_MAX];
	struct fake_reply reply;
	struct account_record record = { 0 };
	if (account_is_group(account)) {
		*history = (struct history){ 0 };
		sums_of(account, fake_clock_redis_ms(), &history->rates);
		return;
	}
	snprintf(key, sizeof key, KEY_OF_ACCOUNT, "penstock", account, KEY_PART_RECORD);
	fake_redis_command(2, (const char *[]){ "GET", key }, &reply);
	if (reply.count == 1)
		record_read(reply.items[0], reply.lengths[0], &record);
	fake_reply_free(&reply);
	*history = record.history;
	rates_roll(&history->rates, clock_now_ms());
	counters_decay(&history->counters, clock_now_ms());
}

/* A window or a counter of the account, as Redis has it now. */
static bool find_number(const struct history *history, const char *word, double *number_out)
{
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (strcmp(word, window_word((enum window)i)) == 0) {
			*number_out = rates_used(&history->rates, (enum window)i);
			return true;
		}
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (strcmp(word, counter_word((enum counter)i)) == 0) {
			*number_out = history->counters.value[i];
			return true;
		}
	return false;
}

static bool expect_redis(struct play *play, const struct line *line, struct text *came)
{
	struct history history;
	double number = 0;
	const char *what = line->words[3], *wanted = line->words[4];
	if (!play_catch_up(play))
		return false;
	history_of(line->words[2], &history);
	if (strcmp(what, "level") == 0) {
		text_add(came, level_word(history.level));
		return strcmp(level_word(history.level), wanted) == 0;
	}
	if (!find_number(&history, what, &number)) {
		text_add(came, "expected a window, a counter or \"level\"");
		return false;
	}
	text_addf(came, "%.3f", number);
	return fabs(number - strtod(wanted, NULL)) < 0.02;
}

/* ---- the daemon's inner numbers */

static bool expect_number(const struct line *line, double number, struct text *came)
{
	text_addf(came, "%g", number);
	return fabs(number - strtod(line->words[2], NULL)) < 0.001;
}

static bool expect_pending(struct play *play, const struct line *line, struct text *came)
{
	(void)play;
	return expect_number(line, (double)store_stats(the_daemon.store).pending, came);
}

static bool expect_dropped(struct play *play, const struct line *line, struct text *came)
{
	(void)play;
	return expect_number(line, (double)store_stats(the_daemon.store).dropped, came);
}

static bool expect_questions(struct play *play, const struct line *line, struct text *came)
{
	(void)play;
	return expect_number(line, fake_dns_questions(), came);
}

static bool expect_rcpts(struct play *play, const struct line *line, struct text *came)
{
	return expect_number(line, play->accepted, came);
}

static bool expect_scanned(struct play *play, const struct line *line, struct text *came)
{
	(void)play;
	int64_t bytes;
	if (line->count == 4 && text_to_int(line->words[2], 0, INT32_MAX, &bytes))
		return expect_number(line, (double)fake_scanner_length(), came);
	text_addf(came, "not in the %zu bytes that were scanned", fake_scanner_length());
	return fake_scanner_saw(line->words[2]);
}

/* What the socketmap `transport` would answer from the table of senders. */
static bool expect_route(struct play *play, const struct line *line, struct text *came)
{
	char transport[TRANSPORT_NAME_MAX + 1] = "none";
	(void)play;
	sender_find(line->words[2], clock_monotonic_ms(), transport);
	text_add(came, transport);
	return strcmp(transport, line->words[3]) == 0;
}

/* `expect webhook N PART...`, `expect admin-mail N PART...`: so many were taken that hold each part. */
static bool expect_post(struct play *play, const struct line *line, struct text *came)
{
	bool mail = strcmp(line->words[1], "admin-mail") == 0;
	int64_t wanted;
	int count = fake_post_count(mail, (const char *const *)line->words + 3, line->count - 3);
	(void)play;
	text_addf(came, "%d of %d, %d tried", count, fake_post_count(mail, NULL, 0), fake_post_tried(mail));
	return text_to_int(line->words[2], 0, INT32_MAX, &wanted) && count == wanted;
}

static bool expect_post_tried(struct play *play, const struct line *line, struct text *came)
{
	int64_t wanted;
	int count = fake_post_tried(strcmp(line->words[1], "mail-tries") == 0);
	(void)play;
	text_addf(came, "%d", count);
	return text_to_int(line->words[2], 0, INT32_MAX, &wanted) && count == wanted;
}

static bool expect_control(struct play *play, const struct line *line, struct text *came)
{
	bool fine = true;
	text_addf(came, "%s", play->control);
	for (int i = 2; i < line->count; i++)
		fine = fine && strstr(play->control, line->words[i]) != NULL;
	return fine;
}

/* The newest line of the facts file. */
static bool expect_facts(struct play *play, const struct line *line, struct text *came)
{
	char path[120], newest[LINE_LONGEST] = "";
	bool fine = true;
	snprintf(path, sizeof path, "%s/facts", play->folder);
	FILE *file = fopen(path, "r");
	while (file != NULL && fgets(newest, sizeof newest, file) != NULL)
		continue;
	if (file != NULL)
		fclose(file);
	text_add(came, newest);
	for (int i = 2; i < line->count; i++)
		fine = fine && strstr(newest, line->words[i]) != NULL;
	return fine;
}

/* ---- the table */

static const struct {
	const char *word;
	int least;
	expectation *run;
	bool waits; /* it may come a little later */
	bool shows_log;
} rows[] = {
	{ "accept", 2, expect_answer, false, true },
	{ "defer", 2, expect_answer, false, true },
	{ "reject", 2, expect_answer, false, true },
	{ "reply", 4, expect_reply, false, true },
	{ "header", 4, expect_header, false, true },
	{ "quarantine", 2, expect_quarantine, false, true },
	{ "log", 3, expect_log, true, true },
	{ "logged", 4, expect_logged, true, true },
	{ "no", 3, expect_no, false, true },
	{ "redis", 5, expect_redis, true, false },
	{ "pending", 3, expect_pending, true, false },
	{ "dropped", 3, expect_dropped, true, false },
	{ "questions", 3, expect_questions, false, false },
	{ "rcpts", 3, expect_rcpts, false, false },
	{ "scanned", 3, expect_scanned, false, false },
	{ "route", 4, expect_route, false, false },
	{ "facts", 3, expect_facts, true, false },
	{ "control", 3, expect_control, false, false },
	{ "webhook", 3, expect_post, true, true },
	{ "admin-mail", 3, expect_post, true, true },
	{ "webhook-tries", 3, expect_post_tried, true, true },
	{ "mail-tries", 3, expect_post_tried, true, true },
};

struct waiting {
	struct play *play;
	const struct line *line;
	expectation *run;
	char came[CAME_MAX];
};

static bool holds(void *arg)
{
	struct waiting *waiting = arg;
	struct text came = text_over(waiting->came, sizeof waiting->came);
	return waiting->run(waiting->play, waiting->line, &came);
}

bool command_expect(struct play *play, const struct line *line)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct waiting waiting = { play, line, rows[i].run, "" };
		if (strcmp(line->words[1], rows[i].word) != 0)
			continue;
		if (line->count < rows[i].least)
			return play_fail(play, "expect %s: more words are expected", rows[i].word);
		if (rows[i].waits ? play_wait(holds, &waiting) : holds(&waiting))
			return true;
		printf("# %s:%d: expected: %.*s\n# %s:%d: but came: %s\n", play->file, play->line,
		       (int)strcspn(line->rest, "\n"), line->rest, play->file, play->line, waiting.came);
		if (rows[i].shows_log)
			fake_log_show("#   log: ");
		play->failures++;
		return true;
	}
	return play_fail(play, "expect %s: there is no such expectation", line->words[1]);
}
