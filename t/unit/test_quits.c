/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What becomes of mail that waits for the end of its session; and the same after a restart behind each line.
 */
#include "milter/follow/quits.h"

#include "milter/follow/checkpoint.h"
#include "policy/base/text.h"
#include "t/unit/session_fixture.h"
#include "t/unit/tap.h"

#include <unistd.h>

enum { LINES_MOST = 8, DUE_MOST = 8, SHOWN_MOST = 1000 };

#define C "client.example.com[198.51.100.7]"
#define T "unknown[192.0.2.9]"
#define ONE "4jcGKx4Rzdz1cmxg"
#define TWO "4jcGKx4Rzdz1cmxh"
#define HELD(at, id) \
	at " 1 penstock: " id ": action=hold level=new account=ip:198.51.100.7 source=client client=198.51.100.7 " \
	   "from=<b@example.org> rcpts=0 local=1 size=54 score=0 pool=- transport=- content=- listed=- " \
	   "reasons=quit:poor ref=DC5G91-AK64KZ wait=quit redis=full ms=3 stage=eom"
#define PASSED(at, id) \
	at " 1 penstock: " id ": action=pass level=new account=ip:198.51.100.7 source=client client=198.51.100.7 " \
	   "from=<b@example.org> rcpts=0 local=1 size=54 score=0 pool=clean transport=clean-1 content=- listed=- " \
	   "reasons=- redis=full ms=3 stage=eom"
#define BEGIN(at, id) at " 7 postfix/smtpd: " id ": client=" C
#define QUIT(at) at " 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"
#define GONE(at) at " 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1 rcpt=1 data=1 commands=4"
#define LISTED " DC5G91-AK64KZ ip:198.51.100.7"

/* Lines, and what is due then: "ID WHY REFERENCE ACCOUNT, ...", then how many wait. */
static const struct row {
	const char *name, *lines[LINES_MOST], *due;
} rows[] = {
	{ "with QUIT", { BEGIN("0", ONE), HELD("1", ONE), QUIT("2") }, ONE " quit" LISTED "; 0" },
	{ "Penstock's line comes behind the end",
	  { BEGIN("0", ONE), QUIT("2"), HELD("2", ONE) },
	  ONE " quit" LISTED "; 0" },
	{ "Penstock's line comes first", { HELD("0", ONE), BEGIN("1", ONE), GONE("2") }, ONE " hung_up" LISTED "; 0" },
	{ "without QUIT", { BEGIN("0", ONE), HELD("1", ONE), GONE("2") }, ONE " hung_up" LISTED "; 0" },
	{ "without QUIT, and behind the end",
	  { BEGIN("0", ONE), GONE("2"), HELD("3", ONE) },
	  ONE " hung_up" LISTED "; 0" },
	{ "two messages of one session, one of which waits",
	  { BEGIN("0", ONE), PASSED("0", ONE), BEGIN("0", TWO), HELD("1", TWO), GONE("2") },
	  TWO " hung_up" LISTED "; 0" },
	{ "the session goes on", { BEGIN("0", ONE), HELD("1", ONE) }, "; 1" },
	{ "another process's end is none of it",
	  { BEGIN("0", ONE), HELD("1", ONE), "2 8 postfix/smtpd: disconnect from " C " ehlo=1 commands=1",
	    "2 7 postfix/submission/smtpd: disconnect from " C " ehlo=1 data=1 commands=1" },
	  "; 1" },
	{ "nor that of another client in the same process",
	  { BEGIN("0", ONE), HELD("1", ONE),
	    "2 7 postfix/smtpd: disconnect from " T " ehlo=1 data=1 quit=1 commands=1" },
	  "; 1" },
	{ "the server ends it",
	  { BEGIN("0", ONE), HELD("1", ONE),
	    "2 7 postfix/smtpd: NOQUEUE: milter-reject: MAIL from " C ": 421 4.3.2 later; from=<a@b.example>",
	    GONE("2") },
	  ONE " cut" LISTED "; 0" },
	{ "it left the queue by another hand",
	  { BEGIN("0", ONE), HELD("1", ONE), "1 2 postfix/postsuper: " ONE ": removed", GONE("2") },
	  "; 0" },
	{ "an admin released it",
	  { BEGIN("0", ONE), HELD("1", ONE), "1 2 postfix/postsuper: " ONE ": released from hold", GONE("2") },
	  "; 0" },
	{ "an admin took it to the queue's begin",
	  { BEGIN("0", ONE), HELD("1", ONE), "1 2 postfix/pickup: " TWO ": uid=106 from=<b@example.org> orig_id=" ONE,
	    GONE("2") },
	  "; 0" },
	{ "no end is seen within the hour",
	  { BEGIN("0", ONE), HELD("1", ONE), "3600 8 postfix/smtpd: connect from " T,
	    "3602 8 postfix/smtpd: connect from " T },
	  ONE " unseen" LISTED "; 0" },
	{ "no session is seen at all",
	  { HELD("1", ONE), "3602 8 postfix/smtpd: connect from " T },
	  ONE " unseen" LISTED "; 0" },
	{ "Penstock's line is much too late: its end is not known any more",
	  { BEGIN("0", ONE), GONE("2"), "303 8 postfix/smtpd: connect from " T, HELD("304", ONE) },
	  "; 1" },
	{ "a session with a login never waits",
	  { "0 7 postfix/smtpd: " ONE ": client=" C ", sasl_method=PLAIN, sasl_username=alice", GONE("1") },
	  "; 0" },
	{ "a stranger writes what looks like another's session",
	  { BEGIN("0", ONE), HELD("1", ONE), "1 8 postfix/smtpd: connect from " T,
	    "1 8 postfix/smtpd: NOQUEUE: reject: RCPT from " T ": 450 4.7.1 <x>: Helo command rejected; from=<\"" ONE
	    ": removed\"@b.example> to=<c@d.example> proto=ESMTP helo=<disconnect from " C " ehlo=1 data=1 commands=1>",
	    "1 8 postfix/smtpd: warning: " T ": SASL PLAIN authentication failed: no, sasl_username=disconnect from " C
	    " data=1",
	    "1 9 postfix/cleanup: " TWO ": message-id=<" ONE ": removed>",
	    "2 8 postfix/smtpd: disconnect from " T " ehlo=1 data=1 commands=1" },
	  "; 1" },
};

struct parts {
	struct sessions *sessions;
	struct quits *quits;
};

static void hear(const struct parts *parts, const char *line)
{
	struct log_head head = head_of(line);
	struct log_event event;
	struct session_news news;
	log_event_read(&head, &event);
	sessions_hear(parts->sessions, &head, &event, &news);
	quits_hear(parts->quits, &event, &news);
}

static bool take(void *arg, const struct checkpoint_row *row)
{
	const struct parts *parts = arg;
	return sessions_load(parts->sessions, row) || quits_load(parts->quits, row);
}

static void restart(struct parts *parts)
{
	char error[300], file[] = "/tmp/penstock-quits-XXXXXX";
	bool found;
	close(mkstemp(file));
	struct checkpoint *to = checkpoint_begin(file, error, sizeof error);
	sessions_save(parts->sessions, to);
	quits_save(parts->quits, to);
	checkpoint_commit(&to, error, sizeof error);
	sessions_free(&parts->sessions);
	quits_free(&parts->quits);
	*parts = (struct parts){ sessions_new(), quits_new(100) };
	if (!checkpoint_load(file, take, parts, &found, error, sizeof error))
		printf("# %s\n", error);
	unlink(file);
}

static void show(const struct quits *quits, char shown[SHOWN_MOST])
{
	struct quits_due due[DUE_MOST];
	struct text text = text_over(shown, SHOWN_MOST);
	for (int deletes = 0; deletes < 2; deletes++) {
		int count = quits_due(quits, deletes != 0, DUE_MOST, due);
		for (int i = 0; i < count; i++)
			text_addf(&text, "%s%s %s%s%s", text.length > 0 ? ", " : "", due[i].queue_id,
				  quits_why_word(due[i].why), due[i].listed[0] != '\0' ? " " : "", due[i].listed);
	}
	text_addf(&text, "; %zu", quits_counts(quits).waiting);
}

static void test_rows(bool restarts)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char shown[SHOWN_MOST];
		struct parts parts = { sessions_new(), quits_new(100) };
		for (int line = 0; line < LINES_MOST && rows[i].lines[line] != NULL; line++) {
			hear(&parts, rows[i].lines[line]);
			if (restarts)
				restart(&parts);
		}
		show(parts.quits, shown);
		is_str(shown, rows[i].due, "%s%s", rows[i].name, restarts ? ", with restarts" : "");
		sessions_free(&parts.sessions);
		quits_free(&parts.quits);
	}
}

static void test_done(void)
{
	char shown[SHOWN_MOST];
	struct parts parts = { sessions_new(), quits_new(100) };
	hear(&parts, BEGIN("0", ONE));
	hear(&parts, HELD("1", ONE));
	quits_done(parts.quits, ONE);
	hear(&parts, QUIT("2"));
	show(parts.quits, shown);
	is_str(shown, ONE " quit" LISTED "; 0", "what is not due yet is not done");
	hear(&parts, HELD("3", ONE));
	show(parts.quits, shown);
	is_str(shown, ONE " quit" LISTED "; 0", "a line that is read again changes nothing");
	quits_done(parts.quits, ONE);
	show(parts.quits, shown);
	is_str(shown, "; 0", "what was done is due no more");
	is_int((long long)quits_counts(parts.quits).messages, 0, "... and forgotten");
	sessions_free(&parts.sessions);
	quits_free(&parts.quits);
}

/* 100 of sessions that are open and have no line of Penstock's; then more that wait. */
static void test_full(void)
{
	char line[1000];
	struct parts parts = { sessions_new(), quits_new(100) };
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof line, "0 7 postfix/smtpd: AAAAAA%03d: client=" C, i);
		hear(&parts, line);
	}
	for (int i = 0; i < 150; i++) {
		snprintf(line, sizeof line, HELD("1", "BBBBBB%03d"), i);
		hear(&parts, line);
	}
	struct quits_counts counts = quits_counts(parts.quits);
	is_int((long long)counts.why[QUITS_FULL], (long long)counts.due, "what is too much is due at once");
	is_int((long long)(counts.waiting + counts.due), 150, "and nothing that waits is forgotten");
	ok(counts.messages <= 200, "the table is bounded");
	sessions_free(&parts.sessions);
	quits_free(&parts.quits);
}

int main(void)
{
	test_rows(false);
	test_rows(true);
	test_done();
	test_full();
	return done_testing();
}
