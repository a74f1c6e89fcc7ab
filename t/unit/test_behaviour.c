/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What clients did, by the lines of sessions; and the same after a restart behind each of them.
 */
#include "milter/follow/behaviour.h"

#include "milter/follow/checkpoint.h"
#include "policy/base/text.h"
#include "t/unit/session_fixture.h"
#include "t/unit/tap.h"

#include <unistd.h>

enum { LINES_MOST = 8, SHOWN_MOST = 2000 };

#define C "client.example.com[198.51.100.7]"
#define T "unknown[192.0.2.9]"

/* Lines, and "EVENT@STAGE/SERVICE ADDRESS=NAME" of each note. */
static const struct row {
	const char *name, *lines[LINES_MOST], *notes;
} rows[] = {
	{ "a session with QUIT",
	  { "0 7 postfix/smtpd: connect from " C, "1 7 postfix/smtpd: disconnect from " C " ehlo=1 quit=1 commands=2" },
	  "quit@-/smtp 198.51.100.7" },
	{ "hung up at connect",
	  { "0 7 postfix/smtpd: connect from " C, "1 7 postfix/smtpd: lost connection after CONNECT from " C,
	    "1 7 postfix/smtpd: disconnect from " C " commands=0/0" },
	  "no_quit@connect/smtp 198.51.100.7" },
	{ "the same of 3.10",
	  { "0 7 postfix/smtpd: connect from " C, "1 7 postfix/smtpd: NOQUEUE: lost connection after CONNECT from " C,
	    "1 7 postfix/smtpd: disconnect from " C " commands=0/0" },
	  "no_quit@connect/smtp 198.51.100.7" },
	{ "hung up in the message, of 3.10",
	  { "0 7 postfix/smtpd: 4jcGKx4k1Wz1cn5k: client=" C,
	    "1 7 postfix/smtpd: 4jcGKx4k1Wz1cn5k: lost connection after DATA (29 bytes) from " C,
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4" },
	  "no_quit@data/smtp 198.51.100.7" },
	{ "hung up behind the last dot, of which there is no line",
	  { "0 7 postfix/smtpd: connect from " C,
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1 rcpt=1 data=1 commands=4" },
	  "no_quit@end_of_message/smtp 198.51.100.7" },
	{ "silent behind the last dot",
	  { "0 7 postfix/smtpd: connect from " C, "1 7 postfix/smtpd: timeout after END-OF-MESSAGE from " C,
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1 rcpt=1 data=1 commands=4" },
	  "no_quit@end_of_message/smtp 198.51.100.7" },
	{ "hung up in the handshake",
	  { "0 7 postfix/smtpd: SSL_accept error from " C ": lost connection",
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 starttls=0/1 commands=1/2" },
	  "no_quit@starttls/smtp 198.51.100.7" },
	{ "too many errors",
	  { "0 7 postfix/smtpd: too many errors after RCPT from " C,
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1 rcpt=0/20 commands=2/22" },
	  "no_quit@rcpt/smtp 198.51.100.7" },
	{ "the server ends it: nothing is held against the client",
	  { "0 7 postfix/smtpd: connect from " C,
	    "1 7 postfix/smtpd: NOQUEUE: milter-reject: MAIL from " C
	    ": 421 4.3.2 later; from=<a@b.example> proto=ESMTP",
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 mail=1/2 rcpt=1 data=1 commands=4/5" },
	  "" },
	{ "the server ends it, and says nothing",
	  { "0 7 postfix/smtpd: connect from " C, "1 7 postfix/smtpd: disconnect from " C " ehlo=1 commands=1" },
	  "" },
	{ "a login, and then no QUIT",
	  { "0 7 postfix/submission/smtpd: connect from " C ":4711",
	    "1 7 postfix/submission/smtpd: 4jcGKx4k1Wz1cn5k: client=" C
	    ":4711, sasl_method=PLAIN, sasl_username=al%ice",
	    "1 7 postfix/submission/smtpd: 4jcGKx4k1Wz1cn5l: client=" C
	    ":4711, sasl_method=PLAIN, sasl_username=al%ice",
	    "2 7 postfix/submission/smtpd: disconnect from " C ":4711 ehlo=2 auth=1 mail=1 rcpt=1 data=1 commands=6" },
	  "login@-/submission 198.51.100.7=al%ice" },
	{ "a login without mail",
	  { "2 7 postfix/smtps/smtpd: disconnect from " C ":4711 ehlo=2 auth=1/2 quit=1 commands=4/5" },
	  "login@-/submission 198.51.100.7" },
	{ "failed logins",
	  { "0 7 postfix/submissions/smtpd: warning: " C
	    ": SASL PLAIN authentication failed: authentication failure, sasl_username=a@b, quit=1 from x[192.0.2.1]",
	    "0 7 postfix/smtpd: warning: " C ": SASL LOGIN authentication failed: UGFzc3dvcmQ6" },
	  "auth_failure@-/submission 198.51.100.7=a@b, quit=1 from x[192.0.2.1], auth_failure@-/smtp 198.51.100.7" },
	{ "what is no failed login",
	  { "0 7 postfix/smtpd: warning: " C ": SASL PLAIN authentication failed: generic failure, sasl_username=a",
	    "0 7 postfix/smtpd: warning: " C
	    ": SASL PLAIN authentication failed: Temporary authentication failure, sasl_username=a",
	    "0 7 postfix/smtpd: warning: " C ": SASL LOGIN authentication aborted" },
	  "" },
	{ "refused by a list",
	  { "0 7 postfix/smtpd: NOQUEUE: reject: RCPT from " C ": 554 5.7.1 Service unavailable; Client host "
	    "[198.51.100.7] blocked using bl.example.org; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<x>" },
	  "listed@-/smtp 198.51.100.7" },
	{ "refused since a list has its sender, whose words are about lists",
	  { "0 7 postfix/smtpd: NOQUEUE: reject: RCPT from " C ": 554 5.7.1 Service unavailable; Sender address "
	    "[\"Client host [198.51.100.7] blocked using x\"@b.example] blocked using dbl.example.org; "
	    "from=<a@b.example>" },
	  "refused@-/smtp 198.51.100.7" },
	{ "refused by our own lists",
	  { "0 7 postfix/smtpd: NOQUEUE: milter-reject: RCPT from " C ": 550 5.7.1 [listed] client [198.51.100.7] is "
	    "listed by bl.example.org; ref X; from=<a@b.example>" },
	  "listed@-/smtp 198.51.100.7" },
	{ "refused for something else, and asked to come back",
	  { "0 7 postfix/smtpd: NOQUEUE: reject: RCPT from " C
	    ": 550 5.1.1 <x@y.example>: Recipient address rejected: no",
	    "0 7 postfix/smtpd: NOQUEUE: reject: RCPT from " C ": 450 4.2.0 <x@y.example>: Greylisted" },
	  "refused@-/smtp 198.51.100.7" },
	{ "who logged in is refused: that is nothing",
	  { "0 7 postfix/submission/smtpd: NOQUEUE: milter-reject: MAIL from " C
	    ":1: 550 5.7.1 [blocked] this account is "
	    "blocked; from=<a@b.example> proto=ESMTP helo=<x> sasl_username=<alice>" },
	  "login@-/submission 198.51.100.7" },
	{ "no SMTP",
	  { "0 7 postfix/smtpd: warning: non-SMTP command from " C ": GET / HTTP/1.1",
	    "0 7 postfix/smtpd: improper command pipelining after EHLO from " C ": MAIL FROM:<a@b.example>" },
	  "protocol@-/smtp 198.51.100.7, protocol@-/smtp 198.51.100.7" },
	{ "postscreen",
	  { "0 7 postfix/postscreen: PREGREET 15 after 0 from [192.0.2.9]:43521: HANGUP after 3 from [198.51.100.7]:1",
	    "0 7 postfix/postscreen: HANGUP after 0.3 from [192.0.2.9]:43521 in tests before SMTP handshake",
	    "0 7 postfix/postscreen: HANGUP after 3 from [192.0.2.9]:43521 in tests after SMTP handshake",
	    "0 7 postfix/postscreen: DNSBL rank 3 for [192.0.2.9]:43521",
	    "0 7 postfix/postscreen: NOQUEUE: reject: RCPT from [192.0.2.9]:1: 550 5.7.1 Service unavailable; client "
	    "[192.0.2.9] blocked using bl.example.org; from=<a@b.example>, to=<c@d.example>, proto=ESMTP, helo=<x>",
	    "0 7 postfix/postscreen: PASS NEW [192.0.2.9]:43521" },
	  "protocol@-/smtp 192.0.2.9, no_quit@connect/smtp 192.0.2.9, no_quit@helo/smtp 192.0.2.9, listed@-/smtp "
	  "192.0.2.9" },
	{ "two processes do not mix",
	  { "0 7 postfix/smtpd: connect from " C, "0 8 postfix/smtpd: connect from " T,
	    "1 8 postfix/smtpd: lost connection after EHLO from " T,
	    "1 7 postfix/smtpd: disconnect from " C " ehlo=1 quit=1 commands=2",
	    "1 8 postfix/smtpd: disconnect from " T " ehlo=1 commands=1" },
	  "quit@-/smtp 198.51.100.7, no_quit@helo/smtp 192.0.2.9" },
	{ "one process, and the line of the first session's end is lost",
	  { "0 7 postfix/smtpd: connect from " C, "1 7 postfix/smtpd: lost connection after EHLO from " C,
	    "2 7 postfix/smtpd: connect from " T, "3 7 postfix/smtpd: disconnect from " T " ehlo=1 commands=1" },
	  "" },
	{ "a stranger says what looks like another's session",
	  { "0 7 postfix/smtpd: connect from " T,
	    "1 7 postfix/smtpd: NOQUEUE: reject: RCPT from " T ": 450 4.7.1 <disconnect from " C
	    " commands=0/0>: Helo command rejected; from=<\"lost connection after DATA from " C
	    "\"@b.example> to=<c@d.example> proto=ESMTP helo=<disconnect from " C " ehlo=1 commands=1>",
	    "1 7 postfix/smtpd: warning: " T
	    ": SASL PLAIN authentication failed: no, sasl_username=x]: disconnect from " C " ehlo=1 commands=1",
	    "2 7 postfix/smtpd: disconnect from " T " ehlo=1 quit=1 commands=2" },
	  "auth_failure@-/smtp 192.0.2.9=x]: disconnect from client.example.com[198.51.100.7] ehlo=1 comm, quit@-/smtp "
	  "192.0.2.9" },
	{ "nobody knows who it was",
	  { "0 7 postfix/smtpd: connect from unknown[unknown]",
	    "1 7 postfix/smtpd: lost connection after CONNECT from unknown[unknown]",
	    "1 7 postfix/smtpd: disconnect from unknown[unknown] commands=0/0" },
	  "" },
	{ "Sendmail: a message that came whole",
	  { "0 7 sm-mta: 6ASGl3qh008351: from=<a@b.example>, size=49, class=0, nrcpts=1, msgid=<1@x>, proto=ESMTP, "
	    "daemon=MTA, relay=client.example.com [198.51.100.7]" },
	  "quit@-/smtp 198.51.100.7" },
	{ "Sendmail: hung up",
	  { "0 7 sm-mta: 6ASGpfMg014675: lost input channel from client.example.com [198.51.100.7] to MTA after mail",
	    "0 7 sm-mta: 6ASGpfMg014675: from=<bob@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, "
	    "relay=client.example.com [198.51.100.7]" },
	  "no_quit@mail/smtp 198.51.100.7" },
	{ "Sendmail: hung up in the message",
	  { "0 7 sm-mta: 6ASGpfet014679: collect: premature EOM: unexpected close",
	    "0 7 sm-mta: 6ASGpfet014679: from=<bob@example.org>, size=26, class=0, nrcpts=1, msgid=<1@x>, proto=ESMTP, "
	    "daemon=MTA, relay=client.example.com [198.51.100.7]" },
	  "no_quit@data/smtp 198.51.100.7" },
	{ "Sendmail: logins",
	  { "0 7 sendmail: AUTH=server, relay=client.example.com [198.51.100.7], authid=alice, mech=PLAIN, bits=0",
	    "0 7 sendmail: 6ASGl3qh008351: from=<a@b.example>, size=49, class=0, nrcpts=1, msgid=<1@x>, proto=ESMTPA, "
	    "daemon=MSA, relay=client.example.com [198.51.100.7]",
	    "0 8 sendmail: 6ASGpfgR014672: AUTH failure (PLAIN): authentication failure (-13) SASL(-13): x, user=bob, "
	    "relay=client.example.com [198.51.100.7]" },
	  "login@-/smtp 198.51.100.7=alice, auth_failure@-/smtp 198.51.100.7=bob" },
	{ "Sendmail: refused",
	  { "0 7 sm-mta: 6ASGs3Vr005472: ruleset=check_relay, arg1=x, arg2=198.51.100.7, relay=client.example.com "
	    "[198.51.100.7], reject=550 5.7.1 Rejected: 198.51.100.7 listed at bl.example.org",
	    "0 7 sm-mta: 6ASGs3Vr005472: ruleset=check_rcpt, arg1=<ok@example.net>, relay=client.example.com "
	    "[198.51.100.7], reject=550 5.7.1 <ok@example.net>... Relaying denied" },
	  "listed@-/smtp 198.51.100.7, refused@-/smtp 198.51.100.7" },
};

static void show_note(struct text *shown, const struct client_note *note)
{
	char address[NETADDR_TEXT_MAX];
	netaddr_text(&note->client, address);
	text_addf(shown, "%s%s@%s/%s %s", shown->length > 0 ? ", " : "", client_event_word(note->event),
		  client_stage_word(note->stage), client_service_word(note->service), address);
	if (note->name[0] != '\0')
		text_addf(shown, "=%s", note->name);
}

static void hear(struct sessions *sessions, const char *line, struct text *shown)
{
	struct log_head head = head_of(line);
	struct log_event event;
	struct session_news news;
	struct client_note notes[BEHAVIOUR_MOST];
	log_event_read(&head, &event);
	sessions_hear(sessions, &head, &event, &news);
	int count = behaviour_of(&head, &event, &news, notes);
	for (int i = 0; i < count; i++)
		show_note(shown, &notes[i]);
}

static bool take(void *arg, const struct checkpoint_row *row)
{
	return sessions_load(arg, row);
}

/* As after a restart. */
static void restart(struct sessions **sessions)
{
	char error[300], file[] = "/tmp/penstock-sessions-XXXXXX";
	bool found;
	close(mkstemp(file));
	struct checkpoint *to = checkpoint_begin(file, error, sizeof error);
	sessions_save(*sessions, to);
	checkpoint_commit(&to, error, sizeof error);
	sessions_free(sessions);
	*sessions = sessions_new();
	if (!checkpoint_load(file, take, *sessions, &found, error, sizeof error))
		printf("# %s\n", error);
	unlink(file);
}

static void test_rows(bool restarts)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char shown[SHOWN_MOST] = "";
		struct text text = text_over(shown, sizeof shown);
		struct sessions *sessions = sessions_new();
		for (int line = 0; line < LINES_MOST && rows[i].lines[line] != NULL; line++) {
			hear(sessions, rows[i].lines[line], &text);
			if (restarts)
				restart(&sessions);
		}
		is_str(shown, rows[i].notes, "%s%s", rows[i].name, restarts ? ", with restarts" : "");
		sessions_free(&sessions);
	}
}

static void test_bounds(void)
{
	char line[200], shown[SHOWN_MOST];
	struct text text = text_over(shown, sizeof shown);
	struct sessions *sessions = sessions_new();
	for (int i = 0; i < SESSIONS_MOST + 10; i++) {
		snprintf(line, sizeof line, "0 %d postfix/smtpd: connect from a[192.0.2.%d]", i + 1, i % 250);
		hear(sessions, line, &text);
	}
	is_int((long long)sessions_counts(sessions).open, SESSIONS_MOST, "so many sessions and no more");
	is_int((long long)sessions_counts(sessions).unseen, 10,
	       "the ends of the others are not seen, which is counted");
	hear(sessions, "3601 99999999 postfix/smtpd: connect from a[192.0.2.1]", &text);
	hear(sessions, "3601 99999999 postfix/smtpd: connect from a[192.0.2.1]", &text);
	is_int((long long)sessions_counts(sessions).open, SESSIONS_MOST - 3,
	       "those of an hour ago go, two with each line, so that a wrong date forgets few");
	sessions_free(&sessions);
}

int main(void)
{
	test_rows(false);
	test_rows(true);
	test_bounds();
	return done_testing();
}
