/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/behaviour.h"

#include "milter/follow/token.h"

#include <string.h>

#include "policy/base/banned.h"

/* ---- refusals */

/* Behind the codes: "550 5.7.1 ". */
static bool behaviour_skip_codes(struct span *text)
{
	int64_t number;
	struct span rest = *text, enhanced;
	if (!token_number(&rest, &number) || !token_skip(&rest, " "))
		return false;
	enhanced = rest;
	if (token_number(&enhanced, &number) && token_skip(&enhanced, ".") && token_number(&enhanced, &number) &&
	    token_skip(&enhanced, ".") && token_number(&enhanced, &number) && token_skip(&enhanced, " "))
		rest = enhanced;
	*text = rest;
	return true;
}

/* Words of Postfix's reject_rbl_client, of Sendmail's dnsbl and of our own, all of which name the address first. Those
 * about a sender, a HELO or a recipient say nothing of the address. */
static bool behaviour_is_listed(struct span text)
{
	struct span inside;
	if (!behaviour_skip_codes(&text))
		return false;
	if (token_skip(&text, "Service unavailable; Client host [") ||
	    token_skip(&text, "Service unavailable; Unverified Client host ["))
		return token_until(&text, "]", &inside) && token_skip(&text, " blocked using ");
	if (token_skip(&text, "[listed] client ["))
		return true;
	return token_skip(&text, "Rejected: ") && token_until(&text, " ", &inside) && token_skip(&text, "listed at ");
}

/* 4xx are nothing: who is asked to come back later has done nothing wrong. */
static enum client_event behaviour_of_refusal(const struct log_event *event)
{
	if (event->text.length < 3 || event->text.at[0] != '5')
		return CLIENT_EVENT_COUNT;
	return behaviour_is_listed(event->text) ? CLIENT_EVENT_LISTED : CLIENT_EVENT_REFUSED;
}

/* ---- logins */

/* A server that cannot ask anybody says so in the same line as of a wrong password; and who gives up has tried none. */
static enum client_event behaviour_of_login(const struct log_event *event)
{
	static const char *const broken[] = { "generic failure", "Temporary authentication failure",
					      "temporary failure", "Connection lost to authentication server",
					      "Internal authentication" };
	struct span why = event->text;
	if (why.length == 0)
		return CLIENT_EVENT_COUNT;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		if (token_skip(&why, broken[i]))
			return CLIENT_EVENT_COUNT;
	return CLIENT_EVENT_AUTH_FAILURE;
}

/* ---- postscreen, by the first words of its line */

static enum client_event behaviour_of_postscreen(const struct log_event *event, enum client_stage *stage)
{
	static const struct {
		const char *words;
		enum client_event event;
	} rows[] = {
		{ "PREGREET", CLIENT_EVENT_PROTOCOL },
		{ "COMMAND PIPELINING", CLIENT_EVENT_PROTOCOL },
		{ "NON-SMTP COMMAND", CLIENT_EVENT_PROTOCOL },
		{ "BARE NEWLINE", CLIENT_EVENT_PROTOCOL },
		{ "DNSBL", CLIENT_EVENT_LISTED }, /* its rank; a refusal that may follow is the same once more */
		{ "BLACKLISTED", CLIENT_EVENT_REFUSED },
		{ "DENYLISTED", CLIENT_EVENT_REFUSED },
		{ "HANGUP", CLIENT_EVENT_NO_QUIT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (span_is(event->text, rows[i].words)) {
			if (rows[i].event == CLIENT_EVENT_NO_QUIT)
				*stage = event->greeting ? CLIENT_STAGE_CONNECT : CLIENT_STAGE_HELO;
			return rows[i].event;
		}
	return CLIENT_EVENT_COUNT;
}

/* ---- */

static enum client_event behaviour_of_line(const struct log_event *event, const struct session_news *news,
					   enum client_stage *stage)
{
	switch (event->kind) {
	case LOG_REJECTED:
		return news->authenticated || event->authenticated ? CLIENT_EVENT_COUNT : behaviour_of_refusal(event);
	case LOG_PROTOCOL:
		return news->authenticated ? CLIENT_EVENT_COUNT : CLIENT_EVENT_PROTOCOL;
	case LOG_LOGIN_FAILED:
		return behaviour_of_login(event);
	case LOG_POSTSCREEN:
		return behaviour_of_postscreen(event, stage);
	default:
		break;
	}
	if (news->authenticated || (news->end != SESSION_QUIT && news->end != SESSION_HUNG_UP))
		return CLIENT_EVENT_COUNT;
	*stage = news->stage;
	return news->end == SESSION_QUIT ? CLIENT_EVENT_QUIT : CLIENT_EVENT_NO_QUIT;
}

static bool behaviour_client(const struct log_event *event, const struct session_news *news, struct netaddr *client_out)
{
	char address[NETADDR_TEXT_MAX];
	*client_out = news->client;
	return client_out->family != NETADDR_UNKNOWN ||
	       (event->client.at != NULL && span_copy(address, sizeof address, event->client) &&
		netaddr_parse(address, client_out));
}

int behaviour_of(const struct log_head *head, const struct log_event *event, const struct session_news *news,
		 struct client_note notes[BEHAVIOUR_MOST])
{
	int count = 0;
	struct client_note note = { .time_s = head->time_us / 1000000, .service = session_service(head->program) };
	if (!behaviour_client(event, news, &note.client))
		return 0;
	if (event->kind == LOG_LOGIN_FAILED || news->logs_in)
		client_note_name(&note, event->login.at != NULL ? event->login.at : "", event->login.length);
	if (news->logs_in) {
		note.event = CLIENT_EVENT_LOGIN;
		notes[count++] = note;
	}
	note.event = behaviour_of_line(event, news, &note.stage);
	if (note.event != CLIENT_EVENT_COUNT)
		notes[count++] = note;
	return count;
}
