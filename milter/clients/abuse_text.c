/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/abuse_text.h"

#include "milter/base/version.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { ABUSE_TEXT_MAX = 8192 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* ---- whose network it is */

/* How many of the bytes are such. */
static size_t abuse_text_span(const char *bytes, size_t length, const char *besides)
{
	size_t count = 0;
	while (count < length && bytes[count] != '\0' &&
	       (strchr(letters, bytes[count]) != NULL || strchr(besides, bytes[count]) != NULL))
		count++;
	return count;
}

static bool abuse_text_is_domain(const char *domain, size_t length)
{
	bool dot = false;
	for (size_t i = 0; i < length; i++) {
		bool edge = i == 0 || i + 1 == length || domain[i - 1] == '.' || domain[i + 1] == '.';
		if (edge && (domain[i] == '.' || domain[i] == '-'))
			return false;
		dot |= domain[i] == '.';
	}
	return dot;
}

bool abuse_text_contact(const char *text, size_t length, char to[ABUSE_ADDRESS_MAX + 1])
{
	static const char between[] = " ,;<>\"\t";
	for (size_t at = 0; at < length;) {
		size_t word = 0;
		while (at + word < length && (text[at + word] == '\0' || strchr(between, text[at + word]) == NULL))
			word++;
		size_t local = abuse_text_span(text + at, word, ".!#$%&'*+-/=?^_`{|}~");
		bool fine = local > 0 && local <= 64 && local < word && text[at + local] == '@' && text[at] != '.' &&
			    text[at] != '-' && word <= ABUSE_ADDRESS_MAX;
		size_t domain = fine ? word - local - 1 : 0;
		fine = fine && abuse_text_span(text + at + local + 1, domain, "-.") == domain &&
		       abuse_text_is_domain(text + at + local + 1, domain);
		if (fine) {
			memcpy(to, text + at, word);
			to[word] = '\0';
			return true;
		}
		at += word + 1;
	}
	return false;
}

/* ---- the report */

/* RFC 5322 section 3.3, in UTC and never in the locale's words. */
static void abuse_text_add_date(struct text *text, int64_t unix_s)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	text_addf(text, "%s, %02d %s %d %02d:%02d:%02d +0000", days[utc.tm_wday], utc.tm_mday, months[utc.tm_mon],
		  utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

static void abuse_text_add_head(struct text *text, const struct abuse_report *report, const char *client,
				const char *reference, bool logins)
{
	text_addf(text, "From: <%s>\r\nTo: <%s>\r\n", report->from, report->to);
	text_addf(text, "Subject: Abuse report: %s %s\r\nDate: ", client,
		  logins ? "tries passwords" : "sends unwanted mail");
	abuse_text_add_date(text, report->now_s);
	text_addf(text,
		  "\r\nMessage-ID: <%s.%lld@%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n%s"
		  "Content-Type: %s; boundary=\"%s\"\r\n\r\n",
		  reference, (long long)report->now_s, report->host, logins ? "X-XARF: PLAIN\r\n" : "",
		  logins ? "multipart/mixed" : "multipart/report; report-type=feedback-report", reference);
}

static void abuse_text_add_count(struct text *text, const struct abuse_report *report, enum client_event event)
{
	if (report->counts.value[event] >= 0.5F)
		text_addf(text, "    %8.0f  %s\r\n", (double)report->counts.value[event], client_event_help(event));
}

/* For people: what it did, and what to do about this mail. */
static void abuse_text_add_words(struct text *text, const struct abuse_report *report, const char *client,
				 const char *reference)
{
	static const enum client_event told[] = {
		CLIENT_EVENT_AUTH_FAILURE, CLIENT_EVENT_SPAM,	 CLIENT_EVENT_LISTED,
		CLIENT_EVENT_REFUSED,	   CLIENT_EVENT_NO_QUIT, CLIENT_EVENT_PROTOCOL
	};
	text_addf(text,
		  "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		  "The host %s, which is in your network, misuses our mail servers. What we counted lately, with old "
		  "events\r\n"
		  "fading out:\r\n\r\n",
		  reference, client);
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
		abuse_text_add_count(text, report, told[i]);
	text_addf(text, "\r\n%s is on our block list since ", client);
	abuse_text_add_date(text, report->entry.since_s);
	text_addf(text,
		  ", reference %s.\r\nIt leaves the list by itself once this has ended.\r\n\r\n"
		  "We report a network at most once a day. People read %s.\r\n\r\n",
		  reference, report->from);
}

/* RFC 5965 section 3. The third part is the header of a message; we have kept none, and say what we know of it. */
static void abuse_text_add_arf(struct text *text, const struct abuse_report *report, const char *client,
			       const char *reference)
{
	text_addf(text,
		  "--%s\r\nContent-Type: message/feedback-report\r\n\r\n"
		  "Feedback-Type: abuse\r\nUser-Agent: Penstock/%s\r\nVersion: 1\r\nSource-IP: %s\r\nReporting-MTA: "
		  "dns; %s\r\n",
		  reference, PENSTOCK_VERSION, client, report->host);
	double incidents = (double)report->counts.value[CLIENT_EVENT_SPAM] +
			   (double)report->counts.value[CLIENT_EVENT_LISTED] +
			   (double)report->counts.value[CLIENT_EVENT_REFUSED];
	text_addf(text, "Incidents: %.0f\r\nArrival-Date: ", incidents < 1 ? 1 : incidents);
	abuse_text_add_date(text, report->entry.seen_s);
	text_addf(text, "\r\n\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\nReceived: from [%s%s] by %s; ",
		  reference, report->entry.client.family == NETADDR_V6 ? "IPv6:" : "", client, report->host);
	abuse_text_add_date(text, report->entry.seen_s);
	text_addf(text, "\r\n\r\n--%s--\r\n", reference);
}

static void abuse_text_add_xarf(struct text *text, const struct abuse_report *report, const char *client,
				const char *reference)
{
	text_addf(text,
		  "--%s\r\nContent-Type: text/plain; charset=utf-8; name=\"report.txt\"\r\n"
		  "Content-Disposition: attachment; filename=\"report.txt\"\r\n\r\n"
		  "---\r\nReported-From: '%s'\r\nCategory: abuse\r\nReport-Type: login-attack\r\nService: "
		  "mail\r\nPort: 25\r\n"
		  "Version: 0.2\r\nUser-Agent: Penstock/%s\r\nReport-ID: '%s.%lld@%s'\r\nDate: '",
		  reference, report->from, PENSTOCK_VERSION, reference, (long long)report->now_s, report->host);
	abuse_text_add_date(text, report->entry.seen_s);
	text_addf(text,
		  "'\r\nSource-Type: ip%s\r\nSource: '%s'\r\nOccurrences: %.0f\r\nAttachment: none\r\n"
		  "Schema-URL: http://www.x-arf.org/schema/abuse_login-attack_0.1.2.json\r\n\r\n--%s--\r\n",
		  report->entry.client.family == NETADDR_V6 ? "v6" : "v4", client,
		  (double)report->counts.value[CLIENT_EVENT_AUTH_FAILURE], reference);
}

char *abuse_text_of(const struct abuse_report *report)
{
	char *memory = malloc(ABUSE_TEXT_MAX), client[NETADDR_TEXT_MAX], reference[ZONE_REFERENCE_MAX + 1];
	if (memory == NULL)
		return NULL;
	struct text text = text_over(memory, ABUSE_TEXT_MAX);
	bool logins = report->entry.code == CLIENT_CODE_LOGINS;
	netaddr_text(&report->entry.client, client);
	zone_reference(&report->entry, reference);
	abuse_text_add_head(&text, report, client, reference, logins);
	abuse_text_add_words(&text, report, client, reference);
	if (logins)
		abuse_text_add_xarf(&text, report, client, reference);
	else
		abuse_text_add_arf(&text, report, client, reference);
	return memory;
}
