/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asterisk's security log. AccountID and SessionID are what a stranger sent, and so are Challenge and Response of an
 * answer to a challenge; a quote in them stands in the line as it is, so that each may look like fields that follow:
 * a line with two addresses that differ is about nobody. His newlines are only told from Asterisk's own where it writes
 * JSON, one object a line.
 *
 *   [2026-02-11 07:57:03] SECURITY[23736] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="2026-02-11T
 *     07:57:03.181+0000",Severity="Error",Service="PJSIP",EventVersion="2",AccountID="alice",SessionID="x@192.0.2.7",
 *     LocalAddress="IPV4/UDP/192.0.2.1/5060",RemoteAddress="IPV4/TLS/192.0.2.7/5066",Challenge="..."
 */
#include "milter/follow/service_log.h"

#include "milter/follow/token.h"

#include <string.h>

#include "policy/base/banned.h"

enum { SECOND_US = 1000000 };

/* Which events are failed logins. Where an account does not exist Asterisk says InvalidAccountID, and goes on to a
 * challenge of "<unknown>". */
static const char *const failures[] = { "InvalidPassword", "InvalidAccountID", "ChallengeResponseFailed" };

static bool asterisk_is_failure(struct span event)
{
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
		if (span_is(event, failures[i]))
			return true;
	return false;
}

/* Behind "SECURITY[23736] res_security_log.c:114 security_event_stasis_cb: ": what stands before it is Asterisk's. */
static bool asterisk_head(struct span *line)
{
	struct span before, where;
	if (token_skip(line, "SecurityEvent=\""))
		return true; /* the message of an object */
	return token_skip(line, "[") && token_until(line, "] SECURITY[", &before) &&
	       memchr(before.at, ']', before.length) == NULL && token_until(line, "SecurityEvent=\"", &where) &&
	       where.length < 100 && memchr(where.at, '"', where.length) == NULL &&
	       memchr(where.at, '=', where.length) == NULL;
}

/* "IPV4/UDP/192.0.2.7/5066" */
static bool asterisk_address(struct span value, struct client_note *note, bool *datagram_out)
{
	char text[NETADDR_TEXT_MAX];
	struct span transport, address;
	if ((!token_skip(&value, "IPV4/") && !token_skip(&value, "IPV6/")) || !token_until(&value, "/", &transport) ||
	    !token_until(&value, "/", &address) || !span_copy(text, sizeof text, address) ||
	    !netaddr_parse(text, &note->client))
		return false;
	*datagram_out = !span_is(transport, "TCP") && !span_is(transport, "TLS") && !span_is(transport, "WS") &&
			!span_is(transport, "WSS");
	return true;
}

/* Each address of the line; false: they differ, or none is there. */
static bool asterisk_client(struct span line, struct client_note *note, bool *datagram_out)
{
	struct span value;
	int found = 0;
	for (struct client_note other; token_until(&line, "RemoteAddress=\"", &value); found++) {
		bool datagram;
		struct span rest = line;
		if (!token_until(&rest, "\"", &value) || !asterisk_address(value, &other, &datagram))
			return false;
		if (found > 0 && (!netaddr_same(&other.client, &note->client) || datagram != *datagram_out))
			return false;
		note->client = other.client;
		*datagram_out = datagram;
	}
	return found > 0;
}

static enum client_service asterisk_service(struct span service, bool datagram)
{
	if (!span_is(service, "SIP") && !span_is(service, "PJSIP"))
		return CLIENT_SERVICE_OTHER;
	return datagram ? CLIENT_SERVICE_SIP : CLIENT_SERVICE_SIP_PROVEN;
}

/* "2026-02-11T07:57:03.181+0000"; of old versions something else: then it is now. */
static int64_t asterisk_time(struct span *line, int64_t now_s)
{
	int64_t time_us;
	struct span value;
	if (!token_skip(line, "\",EventTV=\"") || !token_until(line, "\"", &value) ||
	    !line_time(&value, now_s, &time_us))
		return now_s;
	return time_us / SECOND_US;
}

enum service_said asterisk_line(struct span line, int64_t now_s, struct service_login *login_out)
{
	struct client_note note = { .event = CLIENT_EVENT_AUTH_FAILURE };
	struct span event, service, account, before;
	bool datagram = true;
	if (!asterisk_head(&line))
		return SERVICE_NOTHING;
	struct span rest = line;
	if (!token_until(&rest, "\"", &event))
		return SERVICE_NOTHING;
	line = (struct span){ event.at + event.length, line.length - event.length };
	bool worked = span_is(event, "SuccessfulAuth");
	if (!worked && !asterisk_is_failure(event))
		return SERVICE_NOTHING;
	note.time_s = asterisk_time(&line, now_s);
	if (!token_until(&line, ",Service=\"", &before) || !token_until(&line, "\"", &service) ||
	    !token_until(&line, ",AccountID=\"", &before))
		return SERVICE_NOTHING;
	if (!asterisk_client(line, &note, &datagram))
		return SERVICE_UNCLEAR;
	if (!token_until(&line, "\",SessionID=\"", &account) || span_is(account, "<unknown>"))
		return SERVICE_NOTHING; /* told before, with the name */
	if (worked && !token_ends(line, ",UsingPassword=\"1\""))
		return SERVICE_NOTHING; /* known by its address alone */
	note.event = worked ? CLIENT_EVENT_LOGIN : CLIENT_EVENT_AUTH_FAILURE;
	note.service = asterisk_service(service, datagram);
	client_note_name(&note, account.at, account.length);
	login_out->note = note;
	return SERVICE_TOLD;
}
