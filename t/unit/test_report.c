/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/feedback/report.h"

#include "t/unit/tap.h"

#include <stdlib.h>

#define HEADER(type) \
	"Received: from mx.example.net by fbl.example.com\r\nFrom: Feedback <feedback@example.net>\r\n" \
	"To: fbl@example.com\r\nSubject: a report\r\nMIME-Version: 1.0\r\nContent-Type: " type "\r\n\r\n"
#define REPORT_OF(type) HEADER("multipart/report; report-type=" type ";\r\n\tboundary=\"=_b 1\"") "preamble\r\n"
#define NEXT(type) "--=_b 1\r\nContent-Type: " type "\r\n\r\n"
#define LAST "--=_b 1--\r\n"
#define TEXT NEXT("text/plain; charset=us-ascii") "This is a report.\r\n"
#define OURS "Return-Path: <alice@example.com>\r\nCFBL-Feedback-ID: pen1.OURS\r\nSubject: hello\r\n"
#define BODY "\r\nCFBL-Feedback-ID: pen1.THEIRS\r\n"

/* form, nested, type, token, recipient, source, statuses */
static const struct {
	const char *what, *message;
	enum report_form form;
	bool nested;
	const char *type, *token, *rcpt, *source, *statuses;
} rows[] = {
	{ "ARF",
	  REPORT_OF("feedback-report") TEXT NEXT(
		  "message/feedback-report") "Feedback-Type: abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n"
					     "Original-Mail-From: <alice@example.com>\r\nOriginal-Rcpt-To: "
					     "<bob@example.net>\r\n" NEXT("message/rfc822") OURS BODY LAST,
	  REPORT_COMPLAINT, false, "abuse", "pen1.OURS", "bob@example.net", "SomeGenerator/1.0", "" },
	{ "JMRP, thin",
	  REPORT_OF("feedback-report") TEXT
		  NEXT("message/feedback-report") "Feedback-Type: abuse\r\nUser-Agent: JMRP/1.0\r\nVersion: 1\r\n" NEXT(
			  "message/rfc822") OURS BODY LAST,
	  REPORT_COMPLAINT, false, "abuse", "pen1.OURS", "", "JMRP/1.0", "" },
	{ "JMRP, old: the message is attached",
	  HEADER("multipart/mixed; boundary=\"=_b 1\"") NEXT(
		  "message/rfc822") "X-HmXmrOriginalRecipient: <bob@example.net>\r\nX-Reporter-IP: 192.0.2.1\r\n" OURS
		  BODY LAST,
	  REPORT_FORWARDED, false, "", "pen1.OURS", "bob@example.net", "Feedback <feedback@example.net>", "" },
	{ "CFBL, with the header alone, and the identifier among the report's fields",
	  REPORT_OF("feedback-report")
		  TEXT NEXT("message/feedback-report") "Feedback-Type: opt-out\r\nUser-Agent: x\r\nVersion: "
						       "1\r\nCFBL-Feedback-ID: pen1.OURS\r\n\r\n" NEXT(
							       "text/rfc822-headers") "Subject: hello\r\n" LAST,
	  REPORT_COMPLAINT, false, "opt-out", "pen1.OURS", "", "x", "" },
	{ "folded fields, odd case, a comment",
	  REPORT_OF("feedback-report")
		  TEXT NEXT("Message/Feedback-Report") "feedback-type:\r\n Fraud (phishing)\r\nVersion: 1\r\n" NEXT(
			  "message/rfc822") "cfbl-feedback-id:\r\n\tpen1.OURS\r\n\r\n" LAST,
	  REPORT_COMPLAINT, false, "fraud", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "the message in base64",
	  REPORT_OF("feedback-report")
		  TEXT NEXT("message/feedback-report") "Feedback-Type: virus\r\n"
						       "--=_b 1\r\nContent-Type: "
						       "message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
						       "U3ViamVjdDogeApDRkJMLUZlZWRiYWNr\r\nLUlEOiBwZW4xLk9VUlMKCmJvZHk"
						       "K\r\n" LAST,
	  REPORT_COMPLAINT, false, "virus", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "the message quoted-printable",
	  REPORT_OF("feedback-report") TEXT NEXT(
		  "message/feedback-report") "Feedback-Type: not-spam\r\n"
					     "--=_b 1\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: "
					     "quoted-printable\r\n\r\n"
					     "Subject: =3D=\r\n=3D\r\nCFBL-Feedback-ID: pen1=2EOU=\r\nRS\r\n\r\n" LAST,
	  REPORT_COMPLAINT, false, "not-spam", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "a bounce: the client may have chosen the envelope's, not the header's",
	  REPORT_OF("delivery-status") TEXT NEXT(
		  "message/delivery-status") "Reporting-MTA: dns; mx.example.net\r\nOriginal-Envelope-Id: "
					     "pen1.CLIENT\r\n\r\n"
					     "Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: "
					     "5.1.1 (no such user)\r\n\r\n"
					     "Final-Recipient: rfc822; carol@example.net\r\nAction: delayed\r\nStatus: "
					     "4.2.2\r\n\r\n"
					     "Final-Recipient: rfc822; dave@example.net\r\nAction: failed\r\nStatus: "
					     "5.2.2\r\n" NEXT("text/rfc822-headers") OURS LAST,
	  REPORT_BOUNCE, false, "failed", "pen1.OURS", "bob@example.net", "mx.example.net", "5.1.1 5.2.2" },
	{ "a bounce by its envelope",
	  REPORT_OF("delivery-status") TEXT NEXT("message/delivery-status") "Original-Envelope-Id: pen1.OURS\r\n" NEXT(
		  "text/rfc822-headers") "CFBL-Feedback-ID: another's\r\n" LAST,
	  REPORT_BOUNCE, false, "", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "a forwarder's identifier stands above ours",
	  REPORT_OF("feedback-report") TEXT NEXT("message/feedback-report") "Feedback-Type: abuse\r\n" NEXT(
		  "message/rfc822") "CFBL-Feedback-ID: list-17\r\n" OURS "CFBL-Feedback-ID: pen1.THIRD\r\n" BODY LAST,
	  REPORT_COMPLAINT, false, "abuse", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "a bounce by the header it holds",
	  REPORT_OF("delivery-status")
		  TEXT NEXT("message/delivery-status") "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: "
						       "rfc822; bob@example.net\r\nAction: delayed\r\n"
						       "Status: 4.4.1\r\n" NEXT("message/rfc822-headers") OURS LAST,
	  REPORT_BOUNCE, false, "delayed", "pen1.OURS", "bob@example.net", "mx.example.net", "" },
	{ "the body of what it holds is its author's",
	  REPORT_OF("feedback-report") TEXT NEXT("message/feedback-report") "Feedback-Type: abuse\r\n" NEXT(
		  "message/rfc822") "Subject: x\r\n" BODY LAST,
	  REPORT_COMPLAINT, false, "abuse", "", "", "Feedback <feedback@example.net>", "" },
	{ "of a report",
	  REPORT_OF("feedback-report")
		  TEXT NEXT("message/feedback-report") "Feedback-Type: abuse\r\n" NEXT("message/rfc822") OURS
	  "Content-Type: multipart/report; report-type=feedback-report; boundary=c\r\n\r\n"
	  "--c\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: fraud\r\n--c--\r\n" LAST,
	  REPORT_COMPLAINT, true, "abuse", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "a second message is not looked at",
	  HEADER("multipart/mixed; boundary=\"=_b 1\"")
		  NEXT("message/rfc822") "Subject: a\r\n\r\n" NEXT("message/rfc822") OURS BODY LAST,
	  REPORT_FORWARDED, false, "", "", "", "Feedback <feedback@example.net>", "" },
	{ "forwarded in a text",
	  HEADER("text/plain") "Take this back!\r\n\r\n> From: alice\r\n> CFBL-Feedback-ID: pen1.OURS\r\n",
	  REPORT_FORWARDED, false, "", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "a read receipt",
	  REPORT_OF("disposition-notification") TEXT NEXT("message/disposition-notification") "Disposition: x\r\n" NEXT(
		  "text/rfc822-headers") OURS LAST,
	  REPORT_AUTOMATIC, false, "", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "a reply of a machine",
	  "Auto-Submitted: auto-replied (vacation)\r\n" HEADER("text/plain") "> CFBL-Feedback-ID: pen1.OURS\r\n",
	  REPORT_AUTOMATIC, false, "", "pen1.OURS", "", "Feedback <feedback@example.net>", "" },
	{ "something else", HEADER("text/plain") "Buy!\r\n", REPORT_JUNK, false, "", "", "",
	  "Feedback <feedback@example.net>", "" },
	{ "nothing", "", REPORT_JUNK, false, "", "", "", "", "" },
	{ "a report without an end",
	  REPORT_OF("feedback-report") NEXT("message/feedback-report") "Feedback-Type: abuse", REPORT_COMPLAINT, false,
	  "abuse", "", "", "Feedback <feedback@example.net>", "" },
};

static void show(const struct feedback_report *report, char *to, size_t size)
{
	char statuses[300] = "";
	size_t at = 0;
	for (int i = 0; i < report->status_count; i++)
		at += (size_t)snprintf(statuses + at, sizeof statuses - at, "%s%s", i > 0 ? " " : "",
				       report->status[i]);
	snprintf(to, size, "%d %d [%s] [%s] [%s] [%s] [%s]", report->form, report->nested, report->type, report->token,
		 report->rcpt, report->source, statuses);
}

static void test_rows(void)
{
	static struct report_reader reader;
	static char got[3000], expected[3000];
	static const size_t pieces[] = { 1, 7, 100000 };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
			size_t length = strlen(rows[i].message);
			report_begin(&reader, "CFBL-Feedback-ID");
			for (size_t at = 0; at < length; at += pieces[j])
				report_add(&reader, rows[i].message + at,
					   length - at < pieces[j] ? length - at : pieces[j]);
			show(report_end(&reader), got, sizeof got);
			snprintf(expected, sizeof expected, "%d %d [%s] [%s] [%s] [%s] [%s]", rows[i].form,
				 rows[i].nested, rows[i].type, rows[i].token, rows[i].rcpt, rows[i].source,
				 rows[i].statuses);
			is_str(got, expected, "%s, in pieces of %zu", rows[i].what, pieces[j]);
		}
}

static void test_own_header(void)
{
	static struct report_reader reader;
	static const char message[] = HEADER("message/rfc822") "X-Our-Id: pen1.OURS\n\nbody\n";
	report_begin(&reader, "X-Our-Id");
	report_add(&reader, message, strlen(message));
	is_str(report_end(&reader)->token, "pen1.OURS", "a header of another name, a message without parts");
}

static void test_bounds(void)
{
	static struct report_reader reader;
	static const char head[] = HEADER("multipart/mixed; boundary=\"=_b 1\""), part[] = NEXT("text/html"),
			  ours[] = NEXT("message/rfc822") OURS;
	report_begin(&reader, "CFBL-Feedback-ID");
	report_add(&reader, head, strlen(head));
	for (int i = 0; i < REPORT_PARTS_MAX; i++)
		report_add(&reader, part, strlen(part));
	report_add(&reader, ours, strlen(ours));
	is_int(report_end(&reader)->form, REPORT_JUNK, "behind so many parts nothing is looked at");
	char *much = malloc(1 << 20);
	memset(much, 'x', 1 << 20);
	report_begin(&reader, "CFBL-Feedback-ID");
	report_add(&reader, head, strlen(head));
	for (int i = 0; i < 50; i++)
		report_add(&reader, much, 1 << 20);
	report_add(&reader, "\r\n", 2);
	report_add(&reader, ours, strlen(ours));
	is_int(report_end(&reader)->form, REPORT_JUNK, "... nor behind so many bytes");
	report_begin(&reader, "CFBL-Feedback-ID");
	report_add(&reader, "Content-Type: message/rfc822\n\nCFBL-Feedback-ID: pen1.", 53);
	report_add(&reader, much, 5000);
	report_add(&reader, "\n\n", 2);
	is_int((long long)strlen(report_end(&reader)->token), REPORT_TOKEN_MAX, "a token that is too long is cut");
	free(much);
}

int main(void)
{
	test_rows();
	test_own_header();
	test_bounds();
	return done_testing();
}
