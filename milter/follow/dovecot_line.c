/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dovecot 2.3 and 2.4: one line a session, of the process that takes logins. Into the user's name goes whatever was
 * typed, but for control characters, so the line is read from its end: behind the name there is nothing of a
 * stranger's.
 *
 *   imap-login: Disconnected: Connection closed (auth failed, 3 attempts in 6 secs): user=<bob>, method=PLAIN,
 *     rip=192.0.2.7, lip=192.0.2.1, TLS, session=<qBlbjnhhvq1/AAAB>
 *   imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, mpid=27919, session=<T+Fijnhhxq1>
 */
#include "milter/follow/service_log.h"

#include "milter/follow/token.h"

#include <string.h>

#include "policy/base/banned.h"

enum { SECOND_US = 1000000 };

static const struct {
	const char *word;
	enum client_service service;
} dovecot_services[] = {
	{ "imap-login: ", CLIENT_SERVICE_IMAP },
	{ "pop3-login: ", CLIENT_SERVICE_POP3 },
	{ "submission-login: ", CLIENT_SERVICE_SUBMISSION },
	{ "managesieve-login: ", CLIENT_SERVICE_OTHER },
};

static bool dovecot_skip_service(struct span *rest, enum client_service *service_out)
{
	for (size_t i = 0; i < sizeof dovecot_services / sizeof dovecot_services[0]; i++)
		if (token_skip(rest, dovecot_services[i].word)) {
			*service_out = dovecot_services[i].service;
			token_skip(rest, "Info: ");
			return true;
		}
	return false;
}

/* By way of syslog "TIME host dovecot[pid]: imap-login: ", in a file of its own "Nov 30 06:31:13 imap-login: Info: ".
 * Leaves the message. */
static bool dovecot_head(struct span *line, int64_t now_s, struct client_note *note)
{
	struct log_head head;
	int64_t time_us;
	struct span own = *line;
	if (line_time(&own, now_s, &time_us) && token_skip(&own, " ") && dovecot_skip_service(&own, &note->service)) {
		note->time_s = time_us / SECOND_US;
		*line = own;
		return true;
	}
	if (!line_head(line->at, line->length, now_s, &head) || !span_is(head.program, "dovecot"))
		return false;
	note->time_s = head.time_us / SECOND_US;
	*line = head.message;
	return dovecot_skip_service(line, &note->service);
}

/* What `mark` stands last before; *before_out is without the mark. */
static bool dovecot_cut_last(struct span span, const char *mark, struct span *before_out, struct span *behind_out)
{
	if (!token_behind_last(span, mark, behind_out))
		return false;
	*before_out = (struct span){ span.at, span.length - behind_out->length - strlen(mark) };
	return true;
}

/* "user=<NAME>, method=PLAIN, rip=ADDRESS, lip=...", from behind. */
static bool dovecot_read_client(struct span line, struct client_note *note, struct span *before_out)
{
	char text[NETADDR_TEXT_MAX];
	struct span before, behind, address, name, method;
	if (!dovecot_cut_last(line, ", rip=", &before, &behind) || !token_until(&behind, ",", &address) ||
	    !span_copy(text, sizeof text, address) || !netaddr_parse(text, &note->client))
		return false;
	if (dovecot_cut_last(before, ">, method=", &name, &method) && memchr(method.at, ' ', method.length) == NULL)
		before = name;
	else if (!token_cut_end(&before, ">"))
		return false;
	if (!token_until(&before, "user=<", before_out)) /* the first: what stands before it is Dovecot's own */
		return false;
	client_note_name(note, before.at, before.length);
	return true;
}

enum service_said dovecot_line(struct span line, int64_t now_s, struct service_login *login_out)
{
	struct client_note note = { .stage = CLIENT_STAGE_NONE };
	struct span why, behind;
	int64_t attempts = 1;
	if (!dovecot_head(&line, now_s, &note) || !dovecot_read_client(line, &note, &why))
		return SERVICE_NOTHING;
	if (token_skip(&why, "Login: ") || token_skip(&why, "Logged in: "))
		note.event = CLIENT_EVENT_LOGIN;
	else if (token_behind_last(why, "(auth failed, ", &behind) && token_number(&behind, &attempts) && attempts > 0)
		note.event = CLIENT_EVENT_AUTH_FAILURE;
	else
		return SERVICE_NOTHING;
	login_out->note = note;
	login_out->more = (int)(attempts > SERVICE_FAILURES_MOST ? SERVICE_FAILURES_MOST : attempts - 1);
	return SERVICE_TOLD;
}
