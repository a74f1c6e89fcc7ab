/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Refusals: the installed table, whose rows bring their tests along; what a reply is besides; what of a table is an
 * error; and by what name a receiver is counted.
 */
#include "milter/follow/receiver_name.h"
#include "milter/follow/replies.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct replies *installed;

static struct log_event event_of(const char *text)
{
	struct log_event event;
	memset(&event, 0, sizeof event);
	event.kind = LOG_DELIVERY;
	event.remote = true;
	event.status = text[0] == '5' ? LOG_STATUS_BOUNCED : LOG_STATUS_DEFERRED;
	event.text = (struct span){ text, strlen(text) };
	return event;
}

static void is_class(const char *receiver, const struct log_event *event, enum outcome outcome, bool known,
		     const char *list)
{
	struct reply_class class;
	replies_class(installed, receiver, event, &class);
	is_str(outcome_word(class.outcome), outcome_word(outcome), "%.70s", event->text.at);
	is_int(class.unknown_wording, !known, "... its wording is %s", known ? "known" : "unknown");
	is_int(class.row != NULL, known, "... by %s", class.row != NULL ? class.row : "no row");
	is_str(class.list, list, "... and names a list, or none");
}

/* clang-format off */
	static const struct {
		const char *receiver, *text;
		enum outcome outcome;
		const char *list;
	} known[] = {
		{ "", "550 USER  Unknown", OUTCOME_NO_USER, "" },
		{ "", "550-5.1.1 user 550 5.1.1 unknown", OUTCOME_NO_USER, "" },
		{ "", "450 4.1.1 <u@example.net>: user unknown, maybe", OUTCOME_OTHER_TEMPORARY, "" },
		{ "", "550 5.7.1 <user.unknown@example.net>: Relay access denied", OUTCOME_RELAY_DENIED, "" },
		{ "", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using 1.2.0.192.Zen.Example.Org.", OUTCOME_LISTED, "zen.example.org" },
		{ "", "554 5.7.1 blocked using 192.0.2.1, e.g., there; see https://www.bl.example.org/?x=mx.example.net", OUTCOME_LISTED, "bl.example.org" },
		{ "", "554 5.7.1 see https://bl.spamcop.net/1 for it", OUTCOME_LISTED, "bl.spamcop.net" },
		{ "yahoo", "553 5.7.1 [BL21] 192.0.2.1 is on a list of Spamhaus", OUTCOME_LISTED, "zen.spamhaus.org" },
		{ "yahoo", "550 5.1.1 user unknown", OUTCOME_NO_USER, "" },
		{ "google", "550-5.7.26 no 550-5.7.26 yes 550 5.7.26 spam looks like spam", OUTCOME_AUTHENTICATION, "" },
		{ "", "550 5.7.1 It looks like spam, and fails DMARC", OUTCOME_AUTHENTICATION, "" },
		{ "", "421 4.7.0 Greylisted", OUTCOME_GREYLISTED, "" },
		{ "", "553 5.1.8 the sender's domain does not exist", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 <bob@example.net>: message looks like spam", OUTCOME_CONTENT, "" },
		{ "", "550 5.1.1 Your IP 192.0.2.1 has been blocked", OUTCOME_REPUTATION, "" },
		{ "", "550 5.1.1 TLS required for this recipient", OUTCOME_TLS, "" },
		{ "", "550 5.1.1 Attachments of type .exe are not accepted", OUTCOME_VIRUS, "" },
		{ "", "550 5.1.1 Too many messages from your account, slow down", OUTCOME_RATE, "" },
		{ "", "550 5.1.1 You are not a member of this group", OUTCOME_POLICY, "" },
		{ "", "550 5.1.1 Syntax error in RCPT command", OUTCOME_PROTOCOL, "" },
		{ "", "550 5.1.1 Internal error, please contact postmaster", OUTCOME_RECEIVER_BROKEN, "" },
		{ "", "550 5.1.1 Mailbox does not exist", OUTCOME_NO_USER, "" },
		{ "", "550 5.1.1 Empfänger unbekannt", OUTCOME_NO_USER, "" },
		{ "", "550 5.1.1 destinataire inconnu", OUTCOME_NO_USER, "" },
		{ "", "550 5.1.1 unknown sender address", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 Sender verify failed: user unknown", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550-Callback verification failed: 550 User unknown", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 <a@example.com>: Sender address rejected: User unknown in virtual mailbox table", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 L'adresse de l'expéditeur n'existe pas", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 Die Absenderadresse ist unbekannt", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 La dirección del remitente no existe", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 Adresse d'expéditeur rejetée : utilisateur inconnu", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 Absenderadresse abgelehnt: Benutzer unbekannt", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 Remitente rechazado: usuario desconocido", OUTCOME_SENDER_REFUSED, "" },
		{ "", "550 5.1.1 user unknown in blacklist", OUTCOME_REPUTATION, "" },
		{ "", "550-Requested action not taken: mailbox unavailable 550 Mailbox disabled", OUTCOME_INACTIVE, "" },
		{ "", "550-5.1.1 User unknown 550-5.1.1 The user has moved to bob@example.org 550 5.1.1 bye", OUTCOME_MOVED, "" },
		{ "", "552-5.2.2 mailbox unavailable 552 5.2.2 user is over quota", OUTCOME_MAILBOX_FULL, "" },
		{ "", "550-User unknown 550 mailbox of the user is over its quota", OUTCOME_MAILBOX_FULL, "" },
		{ "", "550 5.7.1 Access denied by policy: relaying not permitted", OUTCOME_RELAY_DENIED, "" },
		{ "", "550 5.7.1 Relay access denied by local policy", OUTCOME_RELAY_DENIED, "" },
		{ "", "550 5.7.1 Access denied, unauthenticated sender", OUTCOME_AUTHENTICATION, "" },
		{ "", "550 5.7.1 Unauthenticated email rejected due to policy", OUTCOME_AUTHENTICATION, "" },
		{ "", "550 5.1.8 Access denied, bad outbound sender", OUTCOME_SENDER_REFUSED, "" },
		{ "", "554 Your message was rejected because it contains a link to example.org, which is on the list dbl.example.net", OUTCOME_CONTENT, "" },
		{ "", "550 5.7.1 Your domain example.com has a bad reputation", OUTCOME_SENDER_REPUTATION, "" },
		{ "", "554 5.7.1 Rejected for low reputation of domain example.com", OUTCOME_SENDER_REPUTATION, "" },
		{ "", "550 5.7.1 The reputation of the sender domain is poor", OUTCOME_SENDER_REPUTATION, "" },
		{ "", "550 User <bob@example.net> unknown", OUTCOME_NO_USER, "" },
		{ "", "550 User bob@example.net unknown", OUTCOME_NO_USER, "" },
		{ "", "550 5.1.1 User bob unknown", OUTCOME_NO_USER, "" },
		{ "", "550 User unknown.", OUTCOME_NO_USER, "" },
		{ "", "513 Invalid recipient", OUTCOME_NO_USER, "" },
		{ "", "550 Invalid recipient <bob@example.net>", OUTCOME_NO_USER, "" },
		{ "", "550 <bob@example.net>, Recipient unknown", OUTCOME_NO_USER, "" },
		{ "", "554 Ihre Nachricht wurde als Spam eingestuft", OUTCOME_CONTENT, "" },
		{ "", "554 Nachricht als Spam abgelehnt", OUTCOME_CONTENT, "" },
		{ "", "554 Nachricht enthält unerwünschten Inhalt", OUTCOME_CONTENT, "" },
		{ "", "554 Message refusé : contenu indésirable", OUTCOME_CONTENT, "" },
		{ "", "554 Votre message a été identifié comme spam", OUTCOME_CONTENT, "" },
		{ "", "554 Su mensaje ha sido rechazado por spam", OUTCOME_CONTENT, "" },
		{ "", "554 Contenido no permitido", OUTCOME_CONTENT, "" },
		{ "", "554 Supamu to minasaremashita", OUTCOME_CONTENT, "" },
		{ "", "450 Zu viele Nachrichten in kurzer Zeit", OUTCOME_RATE, "" },
		{ "", "450 Trop de messages, ralentissez", OUTCOME_RATE, "" },
		{ "", "450 Demasiados mensajes, intente mas tarde", OUTCOME_RATE, "" },
		{ "", "450 Setsuzoku ga oosugimasu", OUTCOME_RATE, "" },
		{ "", "421 Limite de connexions atteinte", OUTCOME_RATE, "" },
		{ "qq", "550 Ip frequency limited [AAA]", OUTCOME_RATE, "" },
		{ "", "554 Message blocked by content filter", OUTCOME_CONTENT, "" },
		{ "", "552 Blocked attachment: invoice.zip", OUTCOME_VIRUS, "" },
		{ "", "554 5.7.1 Executable attachment not permitted", OUTCOME_VIRUS, "" },
		{ "", "550 Attachment extension .js is forbidden", OUTCOME_VIRUS, "" },
		{ "", "451 4.7.1 Please try again in 300 seconds", OUTCOME_GREYLISTED, "" },
		{ "", "451 Try again in 5 minutes", OUTCOME_GREYLISTED, "" },
		{ "", "450 temporarily deferred first contact", OUTCOME_GREYLISTED, "" },
		{ "", "451 4.3.0 Temporarily deferred, first contact from this address", OUTCOME_GREYLISTED, "" },
		{ "", "450 4.7.1 Rate limit exceeded, try again in 60 seconds", OUTCOME_RATE, "" },
		{ "", "452 4.2.2 Mailbox full, try again in 60 minutes", OUTCOME_MAILBOX_FULL, "" },
		{ "", "550 5.1.1 Account closed", OUTCOME_INACTIVE, "" },
		{ "", "550 Mailbox has been closed", OUTCOME_INACTIVE, "" },
		{ "", "550 5.2.1 Mailbox disabled, not accepting messages", OUTCOME_INACTIVE, "" },
		{ "", "551 5.1.6 User has moved", OUTCOME_MOVED, "" },
		{ "", "550 5.1.1 Mailbox moved, see bob@example.org", OUTCOME_MOVED, "" },
		{ "microsoft", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient bob@example.net not found by SMTP address lookup", OUTCOME_NO_USER, "" },
		{ "gmx", "550-Requested action not taken: mailbox unavailable 550 For explanation visit https://postmaster.gmx.net/en/error", OUTCOME_NO_USER, "" },
		{ "gmx", "550-Requested action not taken: mailbox unavailable 550 Reject due to policy restrictions", OUTCOME_POLICY, "" },
		{ "", "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in relay recipient table", OUTCOME_NO_USER, "" },
		{ "", "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in local recipient table", OUTCOME_NO_USER, "" },
		{ "", "550 Unrouteable address", OUTCOME_NO_USER, "" },
		{ "", "550 No such person at this address", OUTCOME_NO_USER, "" },
		{ "", "550 Requested action not taken: mailbox not found", OUTCOME_NO_USER, "" },
	};
/* clang-format on */

/* What is known, by rows of any server or one; the rows' own tests were run when the table was read. */
static void test_known(void)
{
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct log_event event = event_of(known[i].text);
		bool by_row = known[i].outcome != OUTCOME_OTHER_TEMPORARY;
		is_class(known[i].receiver, &event, known[i].outcome, by_row, known[i].list);
	}
}

/* What no row knows is classed by its codes alone, and says so. */
static void test_unknown(void)
{
	static const struct {
		const char *text;
		enum outcome outcome;
	} rows[] = {
		{ "550 5.7.1 x", OUTCOME_POLICY },
		{ "550 5.1.1 Go away", OUTCOME_OTHER_PERMANENT },
		{ "550 5.1.1 It is not wanted here", OUTCOME_OTHER_PERMANENT },
		{ "550 5.2.1 Not today", OUTCOME_OTHER_PERMANENT },
		{ "550 5.1.1 Not here: https://example.net/blocked", OUTCOME_OTHER_PERMANENT },
		{ "550 5.1.1 Unknown user or you are banned", OUTCOME_OTHER_PERMANENT },
		{ "550 Unknown user, maybe", OUTCOME_OTHER_PERMANENT },
		{ "550 5.1.1", OUTCOME_NO_USER },
		{ "550 5.1.1 <bob@example.net>: Adresse", OUTCOME_NO_USER },
		{ "554 5.7.1 blocked using", OUTCOME_POLICY },
		{ "554 5.7.1 blocked using 192.0.2.1 ..... 4.4 x.y -.-", OUTCOME_POLICY },
		{ "554 5.7.1 it is listed in the book, not by us", OUTCOME_POLICY },
		{ "550 5.7.1", OUTCOME_POLICY },
		{ "550 no", OUTCOME_OTHER_PERMANENT },
		{ "550", OUTCOME_OTHER_PERMANENT },
		{ "550 dead, dead, dead", OUTCOME_OTHER_PERMANENT },
		{ "550 5.1.1 no", OUTCOME_NO_USER },
		{ "550 #5.1.1 no", OUTCOME_NO_USER },
		{ "550 5.1.1.1 no", OUTCOME_OTHER_PERMANENT },
		{ "550 5.1.1000 no", OUTCOME_OTHER_PERMANENT },
		{ "550 2.1.1 no", OUTCOME_OTHER_PERMANENT },
		{ "5501 5.1.1 no", OUTCOME_OTHER_PERMANENT },
		{ "450 4.2.0 later", OUTCOME_OTHER_TEMPORARY },
		{ "451 later", OUTCOME_OTHER_TEMPORARY },
		{ "999 nonsense", OUTCOME_OTHER_TEMPORARY },
		{ "", OUTCOME_OTHER_TEMPORARY },
		{ "550 <user unknown@example.net", OUTCOME_OTHER_PERMANENT },
		{ "550-5.1.0 a 550 5.1.1 b", OUTCOME_OTHER_PERMANENT },
		{ "550-a 550 5.1.1 user", OUTCOME_NO_USER },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct log_event event = event_of(rows[i].text);
		is_class("", &event, rows[i].outcome, false, "");
	}
	struct log_event event = event_of("550 5.1.1 user unknown");
	event.remote = false;
	is_class("", &event, OUTCOME_NO_USER, true, "");
	event = event_of("550 5.1.1 nobody");
	event.remote = false;
	is_class("", &event, OUTCOME_OTHER_PERMANENT, false, "");
	event = event_of("550 5.1.1 user unknown");
	event.stage_mail = true;
	is_class("", &event, OUTCOME_SENDER_REFUSED, true, "");
	event = event_of("550 5.1.1 no");
	event.stage_mail = true;
	is_class("", &event, OUTCOME_SENDER_REFUSED, false, "");
	event = event_of("554 go away");
	event.greeting = true;
	is_class("", &event, OUTCOME_REPUTATION, false, "");
	event = event_of("554 spam");
	event.stage_dot = true;
	is_class("t-online", &event, OUTCOME_CONTENT, true, "");
	event.stage_dot = false;
	is_class("t-online", &event, OUTCOME_OTHER_PERMANENT, false, "");
	memset(&event.text, 0, sizeof event.text);
	event.text = (struct span){ NULL, 0 };
	struct reply_class class;
	replies_class(installed, "", &event, &class);
	is_int(class.outcome, OUTCOME_OTHER_PERMANENT, "no text at all is one of its status");
}

static void test_status(void)
{
	struct log_event event = event_of("550 5.1.1 user unknown");
	struct reply_class class;
	event.suspended = true;
	replies_class(installed, "", &event, &class);
	is_int(class.outcome, OUTCOME_SUSPENDED, "another message's reply is no outcome");
	event.suspended = false;
	event.status = LOG_STATUS_SENT;
	replies_class(installed, "", &event, &class);
	ok(class.outcome == OUTCOME_SENT && !class.unknown_wording, "what was sent was sent, whatever was said");
	event.kind = LOG_EXPIRED;
	replies_class(installed, "", &event, &class);
	ok(class.outcome == OUTCOME_EXPIRED && class.row == NULL, "what expired expired");
}

static struct replies *load_bytes(const char *bytes, size_t length, char error[500])
{
	char name[40];
	int fd = memfd_create("replies", 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	error[0] = '\0';
	struct replies *replies = write(fd, bytes, length) == (ssize_t)length ? replies_load(name, error, 500) : NULL;
	close(fd);
	return replies;
}

#define X50 "01234567890123456789012345678901234567890123456789"
#define X250 X50 X50 X50 X50 X50
#define GOOD "no_user * 550 * user unknown\n  test: 550 user unknown\n"
static void test_errors(void)
{
	/* clang-format off */
	static const struct {
		const char *bytes, *part; /* of the error; "": it is read */
	} rows[] = {
		{ GOOD, "" },
		{ "# a note\n\nreceiver google google.com\nno_user\tgoogle  550,5xx,4xx/dot x.1.x  a ... b  \r\n\ttest: 550 5.1.9 a c b (in reply to end of DATA command)", "" },
		{ "", ":1: ends, and there was no row" },
		{ "  test: 550 x\n" GOOD, ":1: is \"test: 550 x\", expected \"test: \" and a reply, below a row" },
		{ GOOD "  tset: 550 x\n", ":3: is \"tset: 550 x\"" },
		{ "no_user * 550 * a\n" GOOD, ":1: has no test" },
		{ GOOD "no_user * 550 * a\n", ":3: has no test" },
		{ GOOD "virus * 550 * user\n test: 550 user unknown\n", ":4: is a test that the row of line 1 classes, expected that of line 3" },
		{ GOOD "virus * 550 * zzz\n test: 550 user\n", ":4: is a test that no row classes, expected that of line 3" },
		{ "dead * 550 * a\n", ":1: has the class \"dead\", expected receiver, listed=DOMAIN or one of no_user, " },
		{ "sent * 250 * a\n", ":1: has the class \"sent\"" },
		{ "virus=bl.example.org * 550 * a\n", ":1: has the class \"virus=bl.example.org\"" },
		{ "listed=x * 550 * a\n", ":1: has the class \"listed=x\"" },
		{ "listed=bl.example.org * 550 * a\n test: 550 a", "" },
		{ "virus google 550 * a\n", ":1: has the receiver \"google\", expected * or one that a receiver line further up names" },
		{ "virus * 250 * a\n", ":1: has the codes \"250\", expected *, mta, a code of 4 or 5" },
		{ "virus * 5 * a\n", ":1: has the codes \"5\"" },
		{ "virus * 5501 * a\n", ":1: has the codes \"5501\"" },
		{ "virus * 550, * a\n", ":1: has the codes \"550,\"" },
		{ "virus * 550,551,552,553,554,555,556 * a\n", ":1: has the codes \"550,551,552,553,554,555,556\"" },
		{ "virus * 550/x * a\n", ":1: has the codes \"550/x\"" },
		{ "virus * 550 5.1 a\n", ":1: has the enhanced code \"5.1\", expected * or such as" },
		{ "virus * 550 2.1.1 a\n", ":1: has the enhanced code \"2.1.1\"" },
		{ "virus * 550 5.1.1000 a\n", ":1: has the enhanced code \"5.1.1000\"" },
		{ "virus * mta 5.1.1 a\n", ":1: has the enhanced code \"5.1.1\", expected *: a text of the MTA's own has none" },
		{ "virus * 550 *\n", ":1: has the words \"\", expected * or up to 1500 bytes in lower case" },
		{ "virus * 550 * A\n", ":1: has the words \"A\"" },
		{ "virus * 550 * a  b\n", ":1: has the words \"a  b\"" },
		{ "virus * 550 * a\tb\n", ":1: has the words" },
		{ "virus * 550 * a ...\n", ":1: has the words \"a ...\"" },
		{ "virus * 550 * a...b...c...d...e...f...g...h...i\n", ":1: has the words" },
		{ "virus * 550 * " X250 X250 X250 X250 X250 X250 X250 "\n", ":1: has the words \"0123" },
		{ "virus * 550 * {a|b} * c ... d\n test: 550 b x c e d", "" },
		{ "virus * 550 * {a|b} * c ... d\n test: 550 b x y c d", ":2: is a test that no row classes" },
		{ "virus * 550 * {a|b\n", ":1: has the words \"{a|b\", expected" },
		{ "virus * 550 * a}\n", ":1: has the words \"a}\"" },
		{ "virus * 550 * a|b\n", ":1: has the words \"a|b\"" },
		{ "virus * 550 * {a{b}\n", ":1: has the words" },
		{ "plain a1\n", ":1: has the word \"a1\", expected up to 23 letters" },
		{ "plain\n", ":1: has the word \"\"" },
		{ "turn sent a\n", ":1: turns \"sent\", expected a class such as no_user" },
		{ "turn no_user *\n", ":1: has the word \"*\"" },
		{ "turn no_user spam*\n" GOOD "no_user * 550 * b\n test: 550 b spammer\n", ":5: is a test that no row classes" },
		{ "general\n" GOOD "virus * 550 * user\n test: 550 user\n", "" },
		{ "virus\n", ":1: has the receiver \"\"" },
		{ "receiver Google google.com\n", ":1: has the receiver \"Google\", expected a name of lower case letters" },
		{ "receiver google\n", ":1: has no hosts for the receiver google" },
		{ "receiver google com\n", ":1: has the host \"com\", expected a domain in lower case" },
		{ "receiver google .com\n", ":1: has the host \".com\"" },
		{ "receiver a example.com\nreceiver b mx.example.com\n", ":2: has the host \"mx.example.com\", which is the receiver a's already" },
		{ "# " X250 X250 X250 X250 X250 X250 X250 X250 "\n", ":1: is too long a line, expected at most 2000 bytes" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char error[500];
		struct replies *replies = load_bytes(rows[i].bytes, strlen(rows[i].bytes), error);
		is_int(replies != NULL, rows[i].part[0] == '\0', "%.60s", rows[i].bytes);
		ok(strstr(error, rows[i].part) != NULL && (replies == NULL) == (error[0] != '\0'), "... %s", error);
		replies_free(&replies);
	}
	char error[500];
	ok(replies_load("/nonexistent/replies.conf", error, sizeof error) == NULL, "a file that is not there");
	is_str(error, "/nonexistent/replies.conf cannot be read: No such file or directory", "... is an error");
}

static void test_too_many(void)
{
	size_t size = 0, room = 200000;
	char error[500], *bytes = malloc(room);
	for (int i = 0; i <= REPLIES_ROWS_MAX; i++)
		size += (size_t)snprintf(bytes + size, room - size, "virus * 550 * v%d.\n test: 550 v%d.\n", i, i);
	struct replies *replies = load_bytes(bytes, size, error);
	ok(replies == NULL && strstr(error, ":4001: is more than fits: expected at most 2000 rows") != NULL, "%s",
	   error);
	replies_free(&replies);
	free(bytes);
}

static void test_receivers(void)
{
	static const struct {
		const char *host, *name;
	} rows[] = {
		{ "aspmx.l.google.com", "google" },
		{ "ASPMX.L.Google.COM.", "google" },
		{ "google.com", "google" },
		{ "notgoogle.com", "notgoogle.com" },
		{ "google.com.example.net", "example.net" },
		{ "x.mail.protection.outlook.com", "microsoft" },
		{ "x.olc.protection.outlook.com", "outlook" },
		{ "mx1.mail.example.co.uk", "example.co.uk" },
		{ "mx.example.net", "example.net" },
		{ "co.uk", "" },
		{ "localhost", "" },
		{ "local", "" },
		{ "192.0.2.1", "" },
		{ "2001:db8::1", "" },
		{ "", "" },
		{ ".", "" },
		{ "mx exa.net", "" },
		{ "x." X50 X50 ".net", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[RECEIVER_NAME_MAX + 1];
		struct log_event event = event_of("");
		event.relay_host = (struct span){ rows[i].host, strlen(rows[i].host) };
		receiver_name(installed, &event, name);
		is_str(name, rows[i].name, "%.40s", rows[i].host);
	}
	char name[RECEIVER_NAME_MAX + 1] = "x";
	struct log_event event = event_of("");
	receiver_name(installed, &event, name);
	is_str(name, "", "no relay is no receiver");
}

int main(void)
{
	char file[1000], error[500] = "";
	const char *top = getenv("srcdir");
	snprintf(file, sizeof file, "%s/etc/replies.conf", top != NULL ? top : ".");
	installed = replies_load(file, error, sizeof error);
	ok(installed != NULL, "the installed table is read, and each row classes its tests: %s", error);
	if (installed == NULL)
		return done_testing();
	test_known();
	test_unknown();
	test_status();
	test_errors();
	test_too_many();
	test_receivers();
	replies_free(&installed);
	return done_testing();
}
