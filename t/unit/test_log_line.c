/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/log_event.h"

#include "t/unit/log_fixture.h"
#include "t/unit/tap.h"

#include <stdlib.h>

/* -- one line each -- */

static FILE *open_log(const char *name)
{
	char path[400];
	const char *top = getenv("srcdir");
	snprintf(path, sizeof path, "%s/t/unit/mail_log/%s", top != NULL ? top : ".", name);
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
	return file;
}

static void test_row(char *line, const char *want)
{
	char shown[SHOWN_MAX];
	char *message = strstr(line, ": ");
	struct log_event event;
	*message = '\0';
	message += 2;
	char *copy = malloc(strlen(message)); /* without a NUL, so that a read behind its end shows */
	memcpy(copy, message, strlen(message));
	read_event(line, copy, strlen(message), &event);
	show_event(&event, shown);
	is_str(shown, want, "%.30s: %.100s", line, message);
	free(copy);
}

static void test_rows(void)
{
	FILE *file = open_log("rows.txt");
	char line[4096], want[4096];
	int count = 0;
	while (fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		bool read = fgets(want, sizeof want, file) != NULL && want[0] == '\t';
		want[strcspn(want, "\n")] = '\0';
		test_row(line, read ? want + 1 : "");
		count++;
	}
	fclose(file);
	ok(count > 100, "there are rows");
}

/* -- whole logs -- */

struct counts {
	int kinds[LOG_KINDS], status[LOG_STATUS_COUNT], lines, no_head, suspended, remote, rcpts, pool;
};

static void count_line(struct counts *counts, struct span line)
{
	struct log_head head;
	struct log_event event;
	counts->lines++;
	if (!line_head(line.at, line.length, NEW_YEAR_2026, &head)) {
		counts->no_head++;
		return;
	}
	log_event_read(&head, &event);
	counts->kinds[event.kind]++;
	counts->status[event.status]++;
	counts->suspended += event.suspended;
	counts->remote += event.remote;
	counts->pool += span_is(event.transport, "clean-1");
	struct span rest = event.rcpt, rcpt;
	while (event.kind == LOG_DELIVERY && log_event_rcpt(&event, &rest, &rcpt))
		counts->rcpts++;
}

static struct counts count_log(const char *name, size_t piece)
{
	FILE *file = open_log(name);
	struct counts counts = { .lines = 0 };
	static struct line_split split;
	char *bytes = malloc(piece);
	memset(&split, 0, sizeof split);
	for (size_t length; (length = fread(bytes, 1, piece, file)) > 0;) {
		struct span chunk = { bytes, length }, line;
		while (line_split(&split, &chunk, &line))
			count_line(&counts, line);
	}
	fclose(file);
	free(bytes);
	return counts;
}

static void test_pieces(const char *name, const struct counts *whole)
{
	static const size_t pieces[] = { 1, 7, 100, 4096, 1 << 20 };
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct counts counts = count_log(name, pieces[i]);
		ok(memcmp(&counts, whole, sizeof counts) == 0, "%s says the same in pieces of %zu bytes", name,
		   pieces[i]);
	}
}

/* The numbers are those of grep. */
static void test_postfix_log(void)
{
	struct counts counts = count_log("postfix.txt", 65536);
	static const int want[LOG_KINDS] = {
		[LOG_IGNORED] = 130,	[LOG_CLIENT] = 80,    [LOG_MESSAGE_ID] = 114,  [LOG_NOTICE] = 38,
		[LOG_QUEUED] = 175,	[LOG_DELIVERY] = 236, [LOG_EXPIRED] = 11,      [LOG_REMOVED] = 103,
		[LOG_REQUEUED] = 1,	[LOG_HELD] = 7,	      [LOG_RELEASED] = 1,      [LOG_REJECTED] = 94,
		[LOG_SESSION_END] = 51, [LOG_HANGUP] = 31,    [LOG_LOGIN_FAILED] = 42, [LOG_POSTSCREEN] = 45,
		[LOG_CONNECT] = 51,	[LOG_PROTOCOL] = 1,
	};
	for (int i = 0; i < LOG_KINDS; i++)
		is_int(counts.kinds[i], want[i], "postfix.txt: lines that are %s", log_kind_word((enum log_kind)i));
	is_int(counts.lines, 1211, "of so many");
	is_int(counts.no_head, 0, "each has a head");
	is_int(counts.status[LOG_STATUS_SENT], 94, "sent");
	is_int(counts.status[LOG_STATUS_DEFERRED], 111, "deferred");
	is_int(counts.status[LOG_STATUS_BOUNCED], 31, "bounced");
	is_int(counts.status[LOG_STATUS_EXPIRED], 11, "expired");
	is_int(counts.suspended, 68, "suspended");
	is_int(counts.pool, 17, "by clean-1");
	is_int(counts.rcpts, 236, "a recipient each");
	test_pieces("postfix.txt", &counts);
}

static void test_sendmail_log(void)
{
	struct counts counts = count_log("sendmail.txt", 65536);
	static const int want[LOG_KINDS] = {
		[LOG_IGNORED] = 121,  [LOG_CLIENT] = 4, [LOG_VERDICT] = 44, [LOG_NOTICE] = 46, [LOG_QUEUED] = 54,
		[LOG_DELIVERY] = 127, [LOG_HELD] = 2,	[LOG_REJECTED] = 8, [LOG_HANGUP] = 8,  [LOG_LOGIN_FAILED] = 6,
	};
	for (int i = 0; i < LOG_KINDS; i++)
		is_int(counts.kinds[i], want[i], "sendmail.txt: lines that are %s", log_kind_word((enum log_kind)i));
	is_int(counts.no_head, 0, "each has a head");
	is_int(counts.status[LOG_STATUS_SENT], 55, "sent");
	is_int(counts.status[LOG_STATUS_DEFERRED], 7, "deferred");
	is_int(counts.status[LOG_STATUS_BOUNCED], 65, "bounced");
	is_int(counts.pool, 44, "verdicts for clean-1");
	is_int(counts.rcpts, 139, "recipients");
	test_pieces("sendmail.txt", &counts);
}

/* -- recipients and texts -- */

static void test_rcpts(void)
{
	static const struct {
		const char *program, *to, *want;
	} rows[] = {
		{ "postfix/smtp", "<\"a,b\"@example.net>", "[\"a,b\"@example.net]" },
		{ "postfix/smtp", "<\"x\\\\\\\"y,z\"@example.net>", "[\"x\\\\\\\"y,z\"@example.net]" },
		{ "postfix/smtp", "<a.penstock>", "[a.penstock]" },
		{ "sendmail", "<a@example.net>", "[a@example.net]" },
		{ "sendmail", "a@example.net,b@example.net", "[a@example.net][b@example.net]" },
		{ "sendmail", "<\"a,b\"@example.net>,<\"q\\\\\"q\"@example.net>,<\"x>y\"@example.net>",
		  "[\"a,b\"@example.net][\"q\\\\\"q\"@example.net][\"x>y\"@example.net]" },
		{ "sendmail", "<\"q\\\\\\\\\"@example.net>,b", "[\"q\\\\\\\\\"@example.net][b]" },
		{ "sendmail", "<a@example.net.clean-1.penstock>,<b@example.net.clean-1.penstock.>",
		  "[a@example.net][b@example.net]" },
		{ "sendmail", "\"|/usr/bin/filter -a, -b\",/dev/null", "[\"|/usr/bin/filter -a, -b\"][/dev/null]" },
		{ "sendmail", "<>,<a>", "[][a]" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[400], got[400] = "";
		struct log_event event;
		bool postfix = rows[i].program[0] == 'p';
		snprintf(line, sizeof line, "6ASGs0eI003288: to=%s, relay=none, dsn=2.0.0, %s", rows[i].to,
			 postfix ? "status=sent (250 ok)" : "stat=Sent");
		memcpy(line, postfix ? "4jcGLw5KVnz1cm" : "6ASGs0eI003288", 14);
		read_event(rows[i].program, line, strlen(line), &event);
		is_int(event.kind, LOG_DELIVERY, "to=%s is a delivery", rows[i].to);
		struct span rest = event.rcpt, rcpt;
		while (log_event_rcpt(&event, &rest, &rcpt))
			snprintf(got + strlen(got), sizeof got - strlen(got), "[%.*s]", (int)rcpt.length, rcpt.at);
		is_str(got, rows[i].want, "and these are its recipients");
	}
}

static void test_texts(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "550 5.1.1 no", "550 5.1.1 no" },
		{ "550-5.1.1 The account 550-5.1.1 does not exist. 550 5.1.1 Sorry - gsmtp",
		  "550 5.1.1 The account does not exist. Sorry - gsmtp" },
		{ "550-no 550-such 550 user", "550 no such user" },
		{ "550-5.1.1 a 550 5.1.1 b 550 5.1.1 c", "550 5.1.1 a b 550 5.1.1 c" },
		{ "550-a 5505 551-b 550 c", "550 a 5505 551-b c" },
		{ "550 rejected 550-times 550 and more", "550 rejected 550-times 550 and more" },
		{ "550-", "550 " },
		{ "999", "999" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[200];
		struct log_event event = { .remote = true, .text = { rows[i].text, strlen(rows[i].text) } };
		ok(log_event_text(&event, text, sizeof text), "'%s'", rows[i].text);
		is_str(text, rows[i].want, "is read as");
	}
	char text[8];
	struct log_event event = { .remote = true, .text = { "550-5.1.1 long", 14 } };
	ok(!log_event_text(&event, text, sizeof text), "one that does not fit is cut");
	is_str(text, "550 5.1", "to what fits");
}

/* Doubles of a line take twice the steps: a line of a megabyte is read at once, or this test never ends. */
static void test_huge(void)
{
	static const char *const heads[] = { "4jcGLw5KVnz1cmxX: to=<", "4jcGLw5KVnz1cmxX: from=<", "warning: ", "" };
	static const char *const fills[] = { ">", "\"",	  "\\", ", ", ": ", " orig_id=", "[", " (in reply to ",
					     "<", "550-", "\0" };
	static const char *const programs[] = { "postfix/smtp",	  "postfix/smtpd",  "postfix/qmgr",
						"postfix/pickup", "postfix/bounce", "postfix/postscreen",
						"sendmail",	  "penstock" };
	enum { HUGE_BYTES = 1 << 20 };
	char *line = malloc(HUGE_BYTES);
	int kinds = 0;
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		for (size_t j = 0; j < sizeof fills / sizeof fills[0]; j++) {
			size_t head = strlen(heads[i]), fill = fills[j][0] == '\0' ? 1 : strlen(fills[j]);
			for (size_t at = 0; at < HUGE_BYTES; at++)
				line[at] = at < head ? heads[i][at] : fills[j][(at - head) % fill];
			for (size_t k = 0; k < sizeof programs / sizeof programs[0]; k++) {
				struct log_event event;
				read_event(programs[k], line, HUGE_BYTES, &event);
				kinds += event.kind == LOG_UNKNOWN || event.kind == LOG_IGNORED;
			}
		}
	free(line);
	ok(kinds > 0, "lines of a megabyte are read");
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	for (int i = 0; i < LOG_KINDS; i++)
		ok(log_kind_word((enum log_kind)i)[0] != '\0', "kind %d has a word", i);
	test_rows();
	test_postfix_log();
	test_sendmail_log();
	test_rcpts();
	test_texts();
	test_huge();
	return done_testing();
}
