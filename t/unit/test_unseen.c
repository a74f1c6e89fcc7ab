/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much of a world that the code was not written from is read (log_event) and classed (replies): t/follow has the
 * lines and replies. Prints a table of confusion; UNSEEN_SHOW=1 shows the failing ones that are not sealed.
 */
#include "t/unit/tap.h"

#include "milter/follow/log_event.h"
#include "milter/follow/receiver_name.h"
#include "milter/follow/replies.h"
#include "policy/outcome.h"

#include <stdlib.h>

enum {
	LINE_MAX_BYTES = 4096,
	COLUMNS_MAX = 16,
	RIGHT_LEAST = 90, /* percent */
};

static const int64_t now_s = 1796083200; /* 2026-12-01 */

static int unseen_show;

static FILE *unseen_open(const char *name)
{
	const char *top = getenv("srcdir");
	char path[512];
	snprintf(path, sizeof path, "%s/t/follow/%s", top != NULL ? top : ".", name);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		printf("# cannot read %s\n", path);
	return file;
}

/* Parts the line at tabs, at most COLUMNS_MAX; the count. */
static int unseen_columns(char *line, char *columns[COLUMNS_MAX])
{
	int count = 0;
	line[strcspn(line, "\n")] = '\0';
	for (char *at = line; at != NULL && count < COLUMNS_MAX; count++) {
		columns[count] = at;
		at = strchr(at, '\t');
		if (at != NULL)
			*at++ = '\0';
	}
	return count;
}

/* The next line that is no comment, in columns; 0 at the end. */
static int unseen_next(FILE *file, char line[LINE_MAX_BYTES], char *columns[COLUMNS_MAX])
{
	while (fgets(line, LINE_MAX_BYTES, file) != NULL)
		if (line[0] != '#')
			return unseen_columns(line, columns);
	return 0;
}

/* Is `word` one of "a/b/c"? */
static bool unseen_among(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; at != NULL; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, word, length) == 0 && (at[length] == '/' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* ---- lines */

/* A line that gives a mail an end, or a name: what a forger wants. */
static bool line_tells(enum log_kind kind)
{
	return kind == LOG_DELIVERY || kind == LOG_EXPIRED || kind == LOG_REMOVED || kind == LOG_REQUEUED ||
	       kind == LOG_VERDICT || kind == LOG_LOST;
}

static struct span span_of(const char *word)
{
	return (struct span){ .at = word, .length = strlen(word) };
}

/* "-" is an absent span; the empty one is as absent for what is looked at here. */
static bool line_span_is(struct span got, const char *want)
{
	return strcmp(want, "-") == 0 ? got.length == 0 : span_is(got, want);
}

static bool line_rcpts_are(const struct log_event *event, char *const want[], int count)
{
	struct span rest = event->rcpt, rcpt;
	int found = 0;
	while (log_event_rcpt(event, &rest, &rcpt)) {
		if (found >= count || !span_is(rcpt, want[found]))
			return false;
		found++;
	}
	return found == count;
}

static bool line_flags_are(const struct log_event *event, const char *flags)
{
	bool sent = event->status == LOG_STATUS_SENT || event->status == LOG_STATUS_DELIVERABLE;
	if (event->suspended || strchr(flags, 'S') != NULL)
		return event->suspended == (strchr(flags, 'S') != NULL);
	return (sent || event->remote == (strchr(flags, 'R') != NULL)) &&
	       event->greeting == (strchr(flags, 'G') != NULL) &&
	       (sent || event->stage_dot == (strchr(flags, 'D') != NULL));
}

/* What of the line is read otherwise than expected; NULL: nothing. */
static const char *line_wrong(const struct log_event *event, char *const want[], int count)
{
	const char *kind = log_kind_word(event->kind);
	bool nothing = event->kind == LOG_UNKNOWN || event->kind == LOG_IGNORED;
	if (!unseen_among(want[0], nothing ? "none" : kind))
		return "kind";
	if (nothing || strcmp(want[0], kind) != 0)
		return NULL;
	if (event->status != LOG_STATUS_NONE || strcmp(want[1], "-") != 0)
		if (strcmp(log_status_word(event->status), want[1]) != 0)
			return "status";
	if ((event->kind == LOG_DELIVERY || event->kind == LOG_VERDICT) && !line_span_is(event->transport, want[2]) &&
	    !(event->transport.length == 1 && *event->transport.at == '-' && strcmp(want[2], "-") == 0))
		return "transport";
	if (strcmp(want[3], "-") != 0 && !line_span_is(event->queue_id, want[3]))
		return "queue id";
	if (event->kind == LOG_SESSION_END && event->quit != (strchr(want[4], 'Q') != NULL))
		return "quit";
	if (event->kind != LOG_DELIVERY)
		return NULL;
	if (!line_flags_are(event, want[4]))
		return "flags";
	return line_rcpts_are(event, want + 5, count - 5) ? NULL : "recipients";
}

static void test_lines(void)
{
	FILE *lines = unseen_open("unseen_lines.log"), *expected = unseen_open("unseen_lines.expected");
	if (!ok(lines != NULL && expected != NULL, "there are lines"))
		return;
	char line[LINE_MAX_BYTES], memory[LINE_MAX_BYTES], *want[COLUMNS_MAX];
	int total = 0, right = 0, forged = 0, false_status = 0;
	while (fgets(line, sizeof line, lines) != NULL) {
		int count = unseen_next(expected, memory, want);
		total++;
		if (count < 6 && !ok(false, "line %d has its expectation", total))
			break;
		line[strcspn(line, "\n")] = '\0';
		struct log_head head;
		struct log_event event = { .kind = LOG_UNKNOWN };
		if (line_head(line, strlen(line), now_s, &head))
			log_event_read(&head, &event);
		if (strcmp(want[5], "-") == 0)
			count = 5;
		const char *wrong = line_wrong(&event, want, count);
		right += wrong == NULL ? 1 : 0;
		if (wrong == NULL)
			continue;
		forged += strcmp(wrong, "kind") == 0 && line_tells(event.kind);
		false_status += strcmp(wrong, "status") == 0;
		if (unseen_show)
			printf("# %s of line %d: %s %s for %s %s: %s\n", wrong, total, log_kind_word(event.kind),
			       log_status_word(event.status), want[0], want[1], line);
	}
	printf("# lines: %d of %d as expected\n", right, total);
	ok(total >= 250, "there are many lines");
	is_int(forged, 0, "no forged line is taken for what Postfix, Sendmail or Penstock says");
	is_int(false_status, 0, "no forged status is taken");
	ok(right * 100 >= total * RIGHT_LEAST, "%d %% of the lines are read", RIGHT_LEAST);
	fclose(lines);
	fclose(expected);
}

/* ---- replies */

enum {
	OTHER = OUTCOME_COUNT, /* the column of what the words do not decide */
	CLASSES = OUTCOME_COUNT + 1,
};

struct reply_tally {
	int total, right, exact, honest, wrong, false_dead;
	int dead, dead_found;
	int others, others_claimed;
};

struct reply_case {
	char reply[LINE_MAX_BYTES];
	char host[128];
	struct log_event event;
	bool sealed;
};

/* What Postfix would have logged of this reply in this stage, as log_event_read() gives it. */
static void reply_event(struct reply_case *reply, const char *host, const char *stage, const char *words)
{
	struct log_event *event = &reply->event;
	*event = (struct log_event){ .kind = LOG_DELIVERY, .size = -1, .rcpts = -1, .count = -1 };
	snprintf(reply->reply, sizeof reply->reply, "%s", words);
	snprintf(reply->host, sizeof reply->host, "%s", host);
	event->text = span_of(reply->reply);
	event->queue_id = span_of("4jcGxl3Lvlz1cmxT");
	event->rcpt = span_of("reader@far.example");
	if (strcmp(host, "-") != 0)
		event->relay_host = span_of(reply->host);
	event->greeting = strcmp(stage, "greet") == 0 || strcmp(stage, "sm-greet") == 0;
	event->stage_dot = strcmp(stage, "dot") == 0;
	event->suspended = strncmp(stage, "suspended", 9) == 0;
	bool own = strncmp(stage, "own-", 4) == 0;
	event->remote = !own && !event->suspended && strcmp(stage, "sm-sent") != 0;
	char first = words[0];
	if (own || event->suspended || strcmp(stage, "sm-sent") == 0)
		first = strstr(stage, "sent") != NULL ? '2' : strstr(stage, "bounced") != NULL ? '5' : '4';
	if (event->greeting && strcmp(stage, "greet") == 0)
		first = '4';
	event->status = first == '2' ? LOG_STATUS_SENT : first == '4' ? LOG_STATUS_DEFERRED : LOG_STATUS_BOUNCED;
	event->dsn = span_of(first == '2' ? "2.0.0" : first == '4' ? "4.0.0" : "5.0.0");
	char code[LINE_MAX_BYTES];
	if (!own && sscanf(words, "%*3[0-9]%*1[- ]%15[0-9.]", code) == 1 && strchr(code, '.') != NULL) {
		char *at = strstr(reply->reply, code);
		event->dsn = (struct span){ .at = at, .length = strlen(code) };
	}
}

static bool reply_is_other(const char *want)
{
	return strncmp(want, "other_", 6) == 0;
}

static enum outcome reply_first(const char *want)
{
	char word[64];
	snprintf(word, sizeof word, "%.*s", (int)strcspn(want, "/"), want);
	return outcome_find(word);
}

static void reply_count(struct reply_tally *tally, const char *want, const struct reply_class *class)
{
	const char *got = outcome_word(class->outcome);
	bool among = unseen_among(want, got);
	bool unknown = class->unknown_wording || reply_is_other(got);
	tally->total++;
	/* a closed or deserted mailbox is none that is missing, but nobody is wronged by it either */
	bool gone = reply_first(want) == OUTCOME_INACTIVE || reply_first(want) == OUTCOME_MOVED;
	if (class->outcome == OUTCOME_NO_USER && !gone && !unseen_among(want, "no_user"))
		tally->false_dead++;
	if (reply_is_other(want)) {
		tally->others++;
		tally->others_claimed += !among && !unknown;
		return;
	}
	if (reply_first(want) == OUTCOME_NO_USER) {
		tally->dead++;
		tally->dead_found += class->outcome == OUTCOME_NO_USER;
	}
	tally->right += among || unknown;
	tally->exact += among;
	tally->honest += !among && unknown;
	tally->wrong += !among && !unknown;
}

static void reply_show(const struct reply_case *reply, const char *want, const struct reply_class *class)
{
	const char *got = outcome_word(class->outcome);
	if (!unseen_show || reply->sealed || unseen_among(want, got) || (reply_is_other(want) && reply_is_other(got)))
		return;
	printf("# %s%s for %s (%s): %s\n", got, class->unknown_wording ? ", unknown" : "", want,
	       class->row != NULL ? class->row : "no row", reply->reply);
}

static void reply_table(int table[OUTCOME_COUNT][CLASSES])
{
	printf("# what a postmaster says: what is found (how often), \"unknown\" where no row has the words\n");
	for (int want = 0; want < OUTCOME_COUNT; want++) {
		int sum = 0;
		for (int got = 0; got < CLASSES; got++)
			sum += table[want][got];
		if (sum == 0)
			continue;
		printf("# %-16s %3d:", outcome_word((enum outcome)want), sum);
		for (int got = 0; got < CLASSES; got++)
			if (table[want][got] > 0)
				printf(" %s %d", got == OTHER ? "unknown" : outcome_word((enum outcome)got),
				       table[want][got]);
		printf("\n");
	}
}

static void reply_tell(const char *which, const struct reply_tally *tally)
{
	int known = tally->total - tally->others;
	printf("# %s: %d replies, of which %d can be told: right %d, honestly unknown %d, wrong %d; of %d dead "
	       "mailboxes %d found; of %d that nobody can tell %d claimed; false dead %d\n",
	       which, tally->total, known, tally->exact, tally->honest, tally->wrong, tally->dead, tally->dead_found,
	       tally->others, tally->others_claimed, tally->false_dead);
	is_int(tally->false_dead, 0, "%s: no reply about something else is a dead mailbox", which);
	ok(tally->right * 100 >= known * RIGHT_LEAST, "%s: %d %% are right or honestly unknown", which, RIGHT_LEAST);
}

static struct replies *replies_of_tree(void)
{
	const char *top = getenv("srcdir");
	char path[512], error[512] = "";
	snprintf(path, sizeof path, "%s/etc/replies.conf", top != NULL ? top : ".");
	struct replies *replies = replies_load(path, error, sizeof error);
	if (!ok(replies != NULL, "the table is read"))
		printf("# %s\n", error);
	return replies;
}

static void test_replies(void)
{
	FILE *file = unseen_open("unseen_replies.txt");
	struct replies *replies = replies_of_tree();
	if (!ok(file != NULL, "there are replies") || replies == NULL)
		return;
	static struct reply_case reply;
	static int table[OUTCOME_COUNT][CLASSES];
	struct reply_tally tallies[2] = { 0 };
	char line[LINE_MAX_BYTES], *columns[COLUMNS_MAX];
	int count;
	while ((count = unseen_next(file, line, columns)) != 0) {
		int number = tallies[0].total + tallies[1].total;
		if (count != 5 || reply_first(columns[1]) == OUTCOME_COUNT) {
			ok(false, "reply %d is one", number + 1);
			continue;
		}
		reply.sealed = strcmp(columns[0], "sealed") == 0;
		reply_event(&reply, columns[2], columns[3], columns[4]);
		char receiver[RECEIVER_NAME_MAX + 1];
		receiver_name(replies, &reply.event, receiver);
		struct reply_class class;
		replies_class(replies, receiver, &reply.event, &class);
		reply_count(&tallies[reply.sealed], columns[1], &class);
		bool unknown = class.unknown_wording && !unseen_among(columns[1], outcome_word(class.outcome));
		enum outcome want =
			unseen_among(columns[1], outcome_word(class.outcome)) ? class.outcome : reply_first(columns[1]);
		table[want][unknown ? OTHER : (int)class.outcome]++;
		reply_show(&reply, columns[1], &class);
	}
	fclose(file);
	ok(tallies[0].total + tallies[1].total >= 300, "there are many replies");
	reply_table(table);
	reply_tell("open", &tallies[0]);
	reply_tell("sealed", &tallies[1]);
	replies_free(&replies);
}

int main(void)
{
	unseen_show = getenv("UNSEEN_SHOW") != NULL;
	test_lines();
	test_replies();
	return done_testing();
}
