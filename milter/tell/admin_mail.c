/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/admin_mail.h"

#include "milter/daemon/daemon.h"
#include "milter/tell/http_client.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { ADMIN_MAIL_MAX = 8192, ADMINS_MAX = 8, TIMEOUT_MS = 30000 };

bool admin_mail_wanted(const struct notice *event)
{
	return event->kind != EVENT_DELISTED && event->kind != EVENT_REST_ENDED &&
	       (event->kind != EVENT_LEVEL || event->to > event->from);
}

/* ---- the parts of it; all that comes from outside goes through one of these two */

/* One line of printable ASCII. */
static void add_plain(struct text *text, const char *string)
{
	for (; *string != '\0'; string++)
		text_add_bytes(text, *string < ' ' || *string > '~' ? "?" : string, 1);
}

/* One word of a shell, whatever is in it: it is there to be copied. */
static void admin_mail_add_quoted(struct text *text, const char *string)
{
	text_add(text, "'");
	for (; *string != '\0'; string++) {
		if (*string == '\'')
			text_add(text, "'\\''");
		else
			text_add_bytes(text, *string < ' ' || *string > '~' ? "?" : string, 1);
	}
	text_add(text, "'");
}

/* RFC 5322 section 3.3, in UTC and never in the locale's words. */
static void admin_mail_add_date(struct text *text, int64_t unix_s)
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

static void admin_mail_add_who(struct text *text, const struct notice *event)
{
	if (event->account[0] != '\0') {
		text_add(text, "account ");
		add_plain(text, event->account);
	} else if (event->pool[0] != '\0') {
		text_add(text, "pool ");
		add_plain(text, event->pool);
	} else if (event->kind == EVENT_GUESSER) {
		text_add(text, "client ");
		add_plain(text, event->address);
	} else if (event->transport[0] == '\0') {
		text_add(text, "host ");
		add_plain(text, the_daemon.node);
	} else {
		text_add(text, "transport ");
		add_plain(text, event->transport);
		text_add(text, event->address[0] != '\0' ? " (" : "");
		add_plain(text, event->address);
		text_add(text, event->address[0] != '\0' ? ")" : "");
	}
}

static void admin_mail_add_what(struct text *text, const struct notice *event)
{
	switch (event->kind) {
	case EVENT_LEVEL:
		text_addf(text, " is %s now, and was %s", level_word(event->to), level_word(event->from));
		break;
	case EVENT_BLOCK:
		text_add(text, event->from == LEVEL_UNKNOWN ? " is blocked, and tries to send" : " is blocked now");
		break;
	case EVENT_LIMIT:
		text_add(text, " passed its limit");
		if (event->limit.window != WINDOW_COUNT)
			text_addf(text, " of %lld %s", (long long)event->limit.limit,
				  window_said(event->limit.window, event->limit.limit));
		break;
	case EVENT_LISTED:
		text_add(text, event->pool[0] != '\0' ? " has only transports that are listed" : " is listed");
		break;
	case EVENT_DELISTED:
		text_add(text, " is no longer listed");
		break;
	case EVENT_REST:
		text_add(text, " is refused by receivers");
		break;
	case EVENT_REST_ENDED:
		text_add(text, " is no longer refused by a receiver");
		break;
	case EVENT_HELD:
		text_add(text, " has held mail past its date");
		break;
	case EVENT_COMPLAINT:
		text_add(text, " has a complaint about its mail");
		break;
	case EVENT_OPT_OUT:
		text_add(text, " has a recipient who wants no more of its mail");
		break;
	case EVENT_HANGUPS:
		text_add(text, " has another share of sessions without QUIT");
		break;
	case EVENT_GUESSER:
		text_add(text, event->account[0] != '\0' ? " was logged into by a client that tries passwords"
							 : " tries passwords of many accounts");
		break;
	case EVENT_ATTACKED:
		text_add(text, " is tried by many clients that have no password");
		break;
	case EVENT_COUNT:
		break;
	}
}

static void admin_mail_add_head(struct text *text, const struct notice *event,
				const struct admin_mail_settings *settings)
{
	text_add(text, "From: Penstock <");
	add_plain(text, settings->from);
	if (settings->from[0] == '\0') {
		text_add(text, "penstock@");
		add_plain(text, settings->host);
	}
	text_add(text, ">\r\nTo: ");
	add_plain(text, settings->to);
	text_add(text, "\r\nSubject: [penstock] ");
	admin_mail_add_who(text, event);
	admin_mail_add_what(text, event);
	text_add(text, "\r\nDate: ");
	admin_mail_add_date(text, settings->now_s);
	text_add(text, "\r\nMessage-ID: <");
	add_plain(text, event->id);
	text_add(text, "@");
	add_plain(text, settings->host);
	text_add(text, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		       "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
}

static void admin_mail_add_row(struct text *text, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	text_addf(text, "%-11s", name);
	add_plain(text, value);
	text_add(text, "\r\n");
}

static void admin_mail_add_commands(struct text *text, const struct notice *event)
{
	text_add(text, "\r\nTo look further:\r\n\r\n");
	if (event->kind == EVENT_HELD) {
		text_add(text, "    penstockctl held list\r\n    systemctl status penstock-release.timer\r\n");
		return;
	}
	if (event->kind == EVENT_GUESSER || event->kind == EVENT_ATTACKED)
		text_add(text, "    penstockctl logins report\r\n");
	if (event->kind == EVENT_GUESSER && event->account[0] == '\0') {
		text_add(text, "    penstockctl client show ");
		admin_mail_add_quoted(text, event->address);
		text_add(text, "\r\n");
		return;
	}
	if (event->account[0] == '\0') {
		text_add(text, "    penstockctl pool list\r\n");
		if (event->address[0] != '\0') {
			text_add(text, "    penstockctl rbl ");
			admin_mail_add_quoted(text, event->address);
			text_add(text, "\r\n");
		}
		return;
	}
	text_add(text, "    penstockctl account show ");
	admin_mail_add_quoted(text, event->account);
	text_add(text, "\r\n    penstockctl explain ");
	admin_mail_add_quoted(text, event->reference[0] != '\0' ? event->reference : event->account);
	text_add(text, "\r\n");
	if (event->kind == EVENT_BLOCK || event->kind == EVENT_LEVEL) {
		text_add(text, "\r\nOnce its password is changed:\r\n\r\n    penstockctl account reset ");
		admin_mail_add_quoted(text, event->account);
		text_add(text, "\r\n");
	}
}

char *admin_mail_of(const struct notice *event, const struct admin_mail_settings *settings)
{
	char *memory = malloc(ADMIN_MAIL_MAX);
	if (memory == NULL)
		return NULL;
	struct text text = text_over(memory, ADMIN_MAIL_MAX);
	char when[40];
	struct text date = text_over(when, sizeof when);
	admin_mail_add_date(&date, event->time_s);
	admin_mail_add_head(&text, event, settings);
	text_add(&text, "The ");
	admin_mail_add_who(&text, event);
	admin_mail_add_what(&text, event);
	text_add(&text, ".\r\n\r\n");
	admin_mail_add_row(&text, "when", when);
	admin_mail_add_row(&text, "why", event->reason);
	admin_mail_add_row(&text, "done", event->done);
	admin_mail_add_row(&text, "reference", event->reference);
	admin_mail_add_row(&text, "told by", settings->host);
	admin_mail_add_commands(&text, event);
	text_add(&text, "\r\nNo more mail of this kind about it for the next hours (admin.mail_period_hours);\r\n"
			"all events: penstockctl events\r\n");
	return memory;
}

/* ---- sending */

/* Cuts the list of recipients into its addresses. */
static void admin_mail_cut_list(char *list, const char *to[ADMINS_MAX + 1])
{
	int count = 0;
	char *rest = NULL;
	for (char *one = strtok_r(list, ", ", &rest); one != NULL && count < ADMINS_MAX;
	     one = strtok_r(NULL, ", ", &rest))
		to[count++] = one;
	to[count] = NULL;
}

static enum courier_said meaning_of(const struct http_client_answer *answer)
{
	if (answer->whole && answer->status < 400)
		return COURIER_TAKEN;
	return answer->status >= 500 && answer->status < 600 ? COURIER_NEVER : COURIER_LATER;
}

static enum courier_said admin_mail_send_by(const struct settings *set, const struct parcel *parcel,
					    const atomic_bool *stop, struct courier_answer *answer_out)
{
	char url[300], list[1024];
	const char *to[ADMINS_MAX + 1];
	text_copy(list, sizeof list, set->admin_mail_to);
	admin_mail_cut_list(list, to);
	snprintf(url, sizeof url, "smtp://%s", set->admin_smtp);
	struct http_client_request post = {
		.url = url,
		.ca_file = "",
		.timeout_ms = TIMEOUT_MS,
		.mail_from = set->admin_mail_from,
		.mail_to = to,
		.body = parcel->text,
		.length = parcel->length,
		.stop = stop,
	};
	struct http_client_answer answer;
	http_client_send(&post, &answer);
	if (answer.status >= 400)
		snprintf(answer_out->why, sizeof answer_out->why, "answers %ld", answer.status);
	else
		snprintf(answer_out->why, sizeof answer_out->why, "does not take it: %s", answer.error);
	return meaning_of(&answer);
}

enum courier_said admin_mail_send(const struct parcel *parcel, const atomic_bool *stop,
				  struct courier_answer *answer_out)
{
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	enum courier_said said = COURIER_NEVER;
	text_copy(answer_out->whom, sizeof answer_out->whom, set->admin_smtp);
	if (set->admin_mail_to[0] != '\0')
		said = admin_mail_send_by(set, parcel, stop, answer_out);
	else
		text_copy(answer_out->why, sizeof answer_out->why, "is not asked: admin.mail_to is empty now");
	setup_drop(&setup);
	return said;
}
