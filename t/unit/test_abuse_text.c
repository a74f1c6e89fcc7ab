/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reports of abuse: who gets one, by a record that a stranger wrote, and what stands in it.
 */
#include "milter/clients/abuse_text.h"

#include "t/unit/tap.h"

#include <stdlib.h>

static void test_contacts(void)
{
	static const struct {
		const char *text, *to;
	} rows[] = {
		{ "abuse@isp.example", "abuse@isp.example" },
		{ "  abuse@isp.example, noc@isp.example", "abuse@isp.example" },
		{ "contact: <abuse+tag@net.isp.example>", "abuse+tag@net.isp.example" },
		{ "x@y, abuse@isp.example", "abuse@isp.example" },
		{ "", "" },
		{ "none", "" },
		{ "@isp.example", "" },
		{ "abuse@", "" },
		{ "abuse@localhost", "" },
		{ "abuse@.example", "" },
		{ "abuse@isp..example", "" },
		{ "abuse@isp.example.", "" },
		{ "abuse@-isp.example", "" },
		{ "abuse@isp.example-", "" },
		{ ".abuse@isp.example", "" },
		{ "-oQ/tmp@isp.example", "" },
		{ "a@b@isp.example", "" },
		{ "abuse@isp.example\r\nRCPT", "" },
		{ "abuse@isp.example\nBcc:x@y.example", "" },
		{ "ab\xc3\xbcse@isp.example", "" },
		{ "abuse@[192.0.2.1]", "" },
		{ "abuse(x)@isp.example", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char to[ABUSE_ADDRESS_MAX + 1] = "";
		bool found = abuse_text_contact(rows[i].text, strlen(rows[i].text), to);
		is_int(found, rows[i].to[0] != '\0', "row %zu", i);
		is_str(to, rows[i].to, "... the address");
	}
	char to[ABUSE_ADDRESS_MAX + 1], many[600];
	static const char with_nul[] = "a\0b@isp.example";
	ok(!abuse_text_contact(with_nul, sizeof with_nul - 1, to), "a NUL is no letter");
	memset(many, 'a', sizeof many);
	memcpy(many + 50, "@", 1);
	memcpy(many + 300, ".b", 2);
	ok(!abuse_text_contact(many, sizeof many, to), "one that is too long is none");
}

static struct abuse_report report_of(const char *client, enum client_code code)
{
	struct abuse_report report = {
		.entry = { .code = code, .since_s = 1764483108, .seen_s = 1764486708 },
		.now_s = 1764490308,
		.from = "abuse@example.com",
		.to = "abuse@isp.example",
		.host = "mail.example.com",
	};
	netaddr_parse(client, &report.entry.client);
	report.counts.value[CLIENT_EVENT_AUTH_FAILURE] = 41.6F;
	report.counts.value[CLIENT_EVENT_SPAM] = 3;
	return report;
}

static void has(const char *text, const char *part)
{
	ok(strstr(text, part) != NULL, "it says \"%s\"", part);
}

/* Each line ends by CRLF, is ASCII and not too long. */
static void test_lines(const char *text)
{
	int wrong = 0;
	size_t length = 0;
	for (const char *at = text; *at != '\0'; at++) {
		wrong += (*at == '\n') != (at > text && at[-1] == '\r') || (*at < ' ' && *at != '\r' && *at != '\n') ||
			 *at > '~';
		length = *at == '\n' ? 0 : length + 1;
		wrong += length > 200;
	}
	is_int(wrong, 0, "each line is one");
	ok(strlen(text) > 10 && strcmp(text + strlen(text) - 4, "--\r\n") == 0, "and the last one ends it");
}

int main(void)
{
	test_contacts();
	struct abuse_report mail = report_of("192.0.2.7", CLIENT_CODE_MAIL);
	struct abuse_report logins = report_of("2001:db8:1:2::", CLIENT_CODE_LOGINS);
	char *arf = abuse_text_of(&mail), *xarf = abuse_text_of(&logins);
	if (arf == NULL || xarf == NULL)
		return 1;
	test_lines(arf);
	has(arf, "From: <abuse@example.com>\r\nTo: <abuse@isp.example>\r\n");
	has(arf, "Subject: Abuse report: 192.0.2.7 sends unwanted mail\r\n");
	has(arf, "Content-Type: multipart/report; report-type=feedback-report; boundary=\"C-");
	has(arf, "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Penstock/");
	has(arf, "\r\nVersion: 1\r\nSource-IP: 192.0.2.7\r\nReporting-MTA: dns; mail.example.com\r\nIncidents: 3\r\n"
		 "Arrival-Date: Sun, 30 Nov 2025 07:11:48 +0000\r\n");
	has(arf,
	    "Content-Type: text/rfc822-headers\r\n\r\nReceived: from [192.0.2.7] by mail.example.com; Sun, 30 Nov");
	has(arf, "          42  failed logins");
	test_lines(xarf);
	has(xarf, "Subject: Abuse report: 2001:db8:1:2:: tries passwords\r\n");
	has(xarf, "\r\nX-XARF: PLAIN\r\nContent-Type: multipart/mixed;");
	has(xarf, "---\r\nReported-From: 'abuse@example.com'\r\nCategory: abuse\r\nReport-Type: login-attack\r\n");
	has(xarf, "\r\nSource-Type: ipv6\r\nSource: '2001:db8:1:2::'\r\nOccurrences: 42\r\n");
	free(arf);
	free(xarf);
	return done_testing();
}
