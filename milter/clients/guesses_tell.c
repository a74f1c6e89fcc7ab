/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the log and events say of attacks on logins. Names are strangers' text: in the log as one word of printable
 * ASCII; an event's sinks escape what they send.
 */
#include "milter/clients/guesses_inside.h"

#include "milter/base/log.h"
#include "milter/tell/event.h"
#include "policy/base/text.h"

#include "policy/base/banned.h"

enum { LINE_BYTES = EVENT_TEXT_MAX, WORD_BYTES = CLIENT_NOTE_NAME_MAX + 1 };

static void guesses_tell_word(const char *name, char word[WORD_BYTES])
{
	struct text text = text_over(word, WORD_BYTES);
	text_add_word(&text, name);
}

/* "imap and submission" */
static void guesses_tell_services(struct text *text, unsigned services)
{
	const char *before = " over ";
	for (int i = 0; i < CLIENT_SERVICE_COUNT; i++)
		if ((services & 1u << i) != 0) {
			text_addf(text, "%s%s", before, client_service_word((enum client_service)i));
			before = ", ";
		}
}

static void guesses_tell_event(struct notice *event, const char *sentence, const char *done)
{
	text_copy(event->reason, sizeof event->reason, sentence);
	text_copy(event->done, sizeof event->done, done);
	log_line(SEVERITY_WARNING, "logins: %s; %s", sentence, done);
	event_tell(event);
}

static void guesses_tell_guesser(const struct guess_row *row)
{
	struct notice event;
	char line[LINE_BYTES];
	struct text text = text_over(line, sizeof line);
	notice_init(&event, EVENT_GUESSER, "");
	netaddr_text(&row->client, event.address);
	text_addf(&text, "client %s failed to log in as %.0f different names within a day", event.address, row->others);
	guesses_tell_services(&text, row->services);
	guesses_tell_event(&event, line, "its standing is worse by that");
}

static void guesses_tell_got_in(const struct guess_row *row, const char *login)
{
	struct notice event;
	char line[LINE_BYTES], word[WORD_BYTES];
	struct text text = text_over(line, sizeof line);
	notice_init(&event, EVENT_GUESSER, login);
	netaddr_text(&row->client, event.address);
	guesses_tell_word(login, word);
	text_addf(&text, "client %s logged in as %s, and had failed as %.0f different names within a day",
		  event.address, word, row->others);
	guesses_tell_services(&text, row->services);
	guesses_tell_event(&event, line, "mail that comes from there by that login is judged with it");
}

static void guesses_tell_attacked(const struct guess_row *row)
{
	struct notice event;
	char line[LINE_BYTES], word[WORD_BYTES];
	struct text text = text_over(line, sizeof line);
	notice_init(&event, EVENT_ATTACKED, row->name);
	guesses_tell_word(row->name, word);
	text_addf(&text, "%.0f different clients failed to log in as %s within a day", row->others, word);
	guesses_tell_services(&text, row->services);
	guesses_tell_event(&event, line, "nothing is held against the account");
}

void guesses_tell(const struct guess_news *news)
{
	static const char *const many[GUESS_NEWS_KINDS] = {
		[GUESS_NEWS_GUESSER] = "clients guess",
		[GUESS_NEWS_ATTACKED] = "accounts are attacked",
		[GUESS_NEWS_GOT_IN] = "clients that guess get in",
	};
	if (news->tell[GUESS_NEWS_GUESSER])
		guesses_tell_guesser(&news->row[GUESS_CLIENTS]);
	if (news->tell[GUESS_NEWS_GOT_IN])
		guesses_tell_got_in(&news->row[GUESS_CLIENTS], news->login);
	if (news->tell[GUESS_NEWS_ATTACKED])
		guesses_tell_attacked(&news->row[GUESS_NAMES]);
	for (int i = 0; i < GUESS_NEWS_KINDS; i++)
		if (news->too_many[i])
			log_line(SEVERITY_WARNING,
				 "logins: more than %d %s within an hour; no more is told of them till the next, and "
				 "penstockctl logins report has them all",
				 GUESS_TOLD_AN_HOUR, many[i]);
}
