/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of chains, and one list in the order in which sessions were heard of last: who is forgotten, and the rows
 * that are saved, go by that order and not by the table's, whose key is another one in each process.
 */
#include "milter/follow/sessions.h"

#include "milter/base/own_hash.h"
#include "milter/follow/checkpoint.h"
#include "milter/follow/token.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/base/banned.h"

#define SESSIONS_ROW "session"
#define SESSIONS_LAST_ROW "sessions"

enum { SESSION_PROGRAM_MAX = 63, SESSIONS_CHAINS = 8192, SESSIONS_PASSED_AT_ONCE = 2, SESSION_FIELDS = 8 };

/* What was seen of it. */
enum session_mark {
	SESSION_LOGGED_IN = 1 << 0,
	SESSION_LEFT = 1 << 1,	   /* a line said that the client is gone; `stage` is where */
	SESSION_SENT_OFF = 1 << 2, /* a reply ended it */
	SESSION_TOLD = 1 << 3,	   /* its end was told */
};

struct session_key {
	char program[SESSION_PROGRAM_MAX + 1];
	int64_t pid;
};

struct session_seen {
	struct session_key key;
	uint64_t number;
	int64_t heard_us;
	struct netaddr client;
	enum client_stage stage;
	int marks;
	struct session_seen *next;	    /* in its chain */
	struct session_seen *older, *newer; /* by heard_us */
};

struct sessions {
	struct session_seen *chains[SESSIONS_CHAINS]; /* owned */
	struct session_seen *oldest, *newest;
	uint64_t last; /* number that was given */
	struct sessions_counts counts;
};

/* ---- words */

static enum client_stage session_stage(struct span word)
{
	static const struct {
		const char *word;
		enum client_stage stage;
	} rows[] = {
		{ "CONNECT", CLIENT_STAGE_CONNECT },
		{ "startup", CLIENT_STAGE_CONNECT },
		{ "EHLO", CLIENT_STAGE_HELO },
		{ "HELO", CLIENT_STAGE_HELO },
		{ "STARTTLS", CLIENT_STAGE_STARTTLS },
		{ "AUTH", CLIENT_STAGE_AUTH },
		{ "MAIL", CLIENT_STAGE_MAIL },
		{ "RCPT", CLIENT_STAGE_RCPT },
		{ "DATA", CLIENT_STAGE_DATA },
		{ "BDAT", CLIENT_STAGE_DATA },
		{ "premature EOM: unexpected close", CLIENT_STAGE_DATA },
		{ "unexpected close", CLIENT_STAGE_DATA },
		{ "END-OF-MESSAGE", CLIENT_STAGE_DOT },
		{ "RSET", CLIENT_STAGE_RSET },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (word.length == strlen(rows[i].word) && strncasecmp(word.at, rows[i].word, word.length) == 0)
			return rows[i].stage;
	return CLIENT_STAGE_OTHER;
}

enum client_service session_service(struct span program)
{
	struct span rest = program, daemon;
	if (!token_behind_last(program, "/", &daemon))
		return CLIENT_SERVICE_SMTP;
	rest.length -= daemon.length + 1;
	struct span name = rest;
	token_behind_last(rest, "/", &name);
	bool submission = span_is(name, "submission") || span_is(name, "submissions") || span_is(name, "smtps");
	return submission ? CLIENT_SERVICE_SUBMISSION : CLIENT_SERVICE_SMTP;
}

static bool session_client(struct span text, struct netaddr *client_out)
{
	char address[NETADDR_TEXT_MAX];
	*client_out = (struct netaddr){ .family = NETADDR_UNKNOWN };
	return text.at != NULL && span_copy(address, sizeof address, text) && netaddr_parse(address, client_out);
}

/* ---- the table */

static struct session_seen **sessions_place(struct sessions *sessions, const struct session_key *key)
{
	uint64_t hash = own_hash_string(key->program, 's') + (uint64_t)key->pid * UINT64_C(0x9e3779b97f4a7c15);
	struct session_seen **place = &sessions->chains[(hash ^ hash >> 32) % SESSIONS_CHAINS];
	while (*place != NULL && ((*place)->key.pid != key->pid || strcmp((*place)->key.program, key->program) != 0))
		place = &(*place)->next;
	return place;
}

static void sessions_unlist(struct sessions *sessions, struct session_seen *session)
{
	*(session->older != NULL ? &session->older->newer : &sessions->oldest) = session->newer;
	*(session->newer != NULL ? &session->newer->older : &sessions->newest) = session->older;
}

static void sessions_list(struct sessions *sessions, struct session_seen *session)
{
	session->newer = NULL;
	session->older = sessions->newest;
	*(session->older != NULL ? &session->older->newer : &sessions->oldest) = session;
	sessions->newest = session;
}

static void sessions_remove(struct sessions *sessions, struct session_seen *session)
{
	struct session_seen **place = sessions_place(sessions, &session->key);
	*place = session->next;
	sessions_unlist(sessions, session);
	sessions->counts.open--;
	free(session);
}

static void sessions_forget(struct sessions *sessions, struct session_seen *session)
{
	if (strchr(session->key.program, '/') != NULL) /* of Sendmail's none is seen */
		sessions->counts.unseen++;
	sessions_remove(sessions, session);
}

/* NULL: no memory. */
static struct session_seen *sessions_add(struct sessions *sessions, const struct session_key *key)
{
	struct session_seen *session = calloc(1, sizeof *session);
	if (session == NULL)
		return NULL;
	if (sessions->counts.open == SESSIONS_MOST)
		sessions_forget(sessions, sessions->oldest);
	session->key = *key;
	session->number = ++sessions->last;
	*sessions_place(sessions, key) = session;
	sessions_list(sessions, session);
	sessions->counts.open++;
	return session;
}

static void sessions_pass(struct sessions *sessions, int64_t now_us)
{
	for (int i = 0; i < SESSIONS_PASSED_AT_ONCE && sessions->oldest != NULL; i++)
		if (now_us - sessions->oldest->heard_us > (int64_t)SESSIONS_SILENT_S * 1000000)
			sessions_forget(sessions, sessions->oldest);
}

/* ---- lines */

/* Is it said by the process that serves the client? */
static bool session_serves(const struct log_head *head, const struct log_event *event)
{
	switch (event->kind) {
	case LOG_CONNECT:
	case LOG_CLIENT:
	case LOG_SESSION_END:
	case LOG_HANGUP:
	case LOG_LOGIN_FAILED:
	case LOG_PROTOCOL:
		return head->pid > 0;
	case LOG_QUEUED: /* Sendmail's */
	case LOG_REJECTED:
		return head->pid > 0 && event->client.at != NULL;
	default:
		return false;
	}
}

/* Of that process and client; another one's is over. */
static struct session_seen *sessions_find(struct sessions *sessions, const struct session_key *key,
					  const struct netaddr *client, bool begins)
{
	struct session_seen *session = *sessions_place(sessions, key);
	bool known = client->family != NETADDR_UNKNOWN;
	bool other = session != NULL && known && session->client.family != NETADDR_UNKNOWN &&
		     !netaddr_same(&session->client, client);
	if (session != NULL && (begins || other)) {
		sessions_forget(sessions, session);
		session = NULL;
	}
	if (session == NULL)
		session = sessions_add(sessions, key);
	if (session != NULL && known)
		session->client = *client;
	return session;
}

static void session_mark_line(struct session_seen *session, const struct log_event *event, struct session_news *news)
{
	bool proves = event->authenticated || (event->kind == LOG_CLIENT && event->login.at != NULL);
	if (proves && (session->marks & SESSION_LOGGED_IN) == 0) {
		session->marks |= SESSION_LOGGED_IN;
		news->logs_in = true;
	}
	if (event->kind == LOG_HANGUP) {
		session->marks |= SESSION_LEFT;
		session->stage = session_stage(event->text);
	}
	struct span reply = event->text;
	if (event->kind == LOG_REJECTED && (token_skip(&reply, "421 ") || token_skip(&reply, "521 ")))
		session->marks |= SESSION_SENT_OFF;
}

/* smtpd's last line. */
static void session_ends(const struct session_seen *session, const struct log_event *event, struct session_news *news)
{
	if (event->quit) {
		news->end = SESSION_QUIT;
	} else if ((session->marks & SESSION_LEFT) != 0) {
		news->end = SESSION_HUNG_UP;
		news->stage = session->stage;
	} else if ((event->stage_dot || event->text.at != NULL) && (session->marks & SESSION_SENT_OFF) == 0) {
		news->end = SESSION_HUNG_UP;
		news->stage = event->stage_dot ? CLIENT_STAGE_DOT : session_stage(event->text);
	} else {
		news->end = SESSION_CUT;
	}
}

/* Sendmail has no line of an end: a message that came whole is as good as one, and a hang-up is one. */
static void session_ends_at_sendmail(struct session_seen *session, const struct log_event *event,
				     struct session_news *news)
{
	if ((session->marks & SESSION_TOLD) != 0 || session->client.family == NETADDR_UNKNOWN)
		return;
	if ((session->marks & SESSION_LEFT) != 0) {
		news->end = SESSION_HUNG_UP;
		news->stage = session->stage;
	} else if (event->kind == LOG_QUEUED && event->message_id.at != NULL) {
		news->end = SESSION_QUIT;
	}
	if (news->end != SESSION_OPEN)
		session->marks |= SESSION_TOLD;
}

void sessions_hear(struct sessions *sessions, const struct log_head *head, const struct log_event *event,
		   struct session_news *news_out)
{
	struct session_key key = { .pid = head->pid };
	struct netaddr client;
	*news_out = (struct session_news){ .number = 0 };
	sessions_pass(sessions, head->time_us);
	if (!session_serves(head, event) || !span_copy(key.program, sizeof key.program, head->program))
		return;
	bool known = session_client(event->client, &client);
	bool sendmail = memchr(head->program.at, '/', head->program.length) == NULL;
	if (!known && !sendmail)
		return; /* "unknown[unknown]": it was gone before anybody had asked who it is */
	struct session_seen *session = sessions_find(sessions, &key, &client, event->kind == LOG_CONNECT);
	if (session == NULL)
		return;
	session->heard_us = head->time_us;
	sessions_unlist(sessions, session);
	sessions_list(sessions, session);
	session_mark_line(session, event, news_out);
	news_out->number = session->number;
	news_out->service = session_service(head->program);
	if (sendmail)
		session_ends_at_sendmail(session, event, news_out);
	else if (event->kind == LOG_SESSION_END)
		session_ends(session, event, news_out);
	news_out->client = session->client;
	news_out->authenticated = (session->marks & SESSION_LOGGED_IN) != 0;
	if (event->kind == LOG_SESSION_END)
		sessions_remove(sessions, session);
}

struct sessions_counts sessions_counts(const struct sessions *sessions)
{
	return sessions->counts;
}

/* ---- life */

struct sessions *sessions_new(void)
{
	return calloc(1, sizeof(struct sessions));
}

void sessions_free(struct sessions **sessions)
{
	if (*sessions == NULL)
		return;
	while ((*sessions)->oldest != NULL)
		sessions_remove(*sessions, (*sessions)->oldest);
	free(*sessions);
	*sessions = NULL;
}

/* ---- the checkpoint */

void sessions_save(const struct sessions *sessions, struct checkpoint *to)
{
	checkpoint_row_begin(to, SESSIONS_LAST_ROW);
	checkpoint_add_int(to, (int64_t)sessions->last);
	checkpoint_add_int(to, (int64_t)sessions->counts.unseen);
	checkpoint_row_end(to);
	for (const struct session_seen *session = sessions->oldest; session != NULL; session = session->newer) {
		char client[NETADDR_TEXT_MAX];
		netaddr_text(&session->client, client);
		checkpoint_row_begin(to, SESSIONS_ROW);
		checkpoint_add_string(to, session->key.program);
		checkpoint_add_int(to, session->key.pid);
		checkpoint_add_int(to, (int64_t)session->number);
		checkpoint_add_int(to, session->heard_us);
		checkpoint_add_string(to, client);
		checkpoint_add_string(to, client_stage_word(session->stage));
		checkpoint_add_int(to, session->marks);
		checkpoint_row_end(to);
	}
}

static bool sessions_load_one(struct sessions *sessions, const struct checkpoint_row *row)
{
	struct session_key key = { .pid = 0 };
	int64_t number, heard_us, marks;
	enum client_stage stage = client_stage_find(checkpoint_string(row, 6));
	if (row->count != SESSION_FIELDS || !span_copy(key.program, sizeof key.program, row->fields[1]) ||
	    !checkpoint_int(row, 2, &key.pid) || !checkpoint_int(row, 3, &number) ||
	    !checkpoint_int(row, 4, &heard_us) || !checkpoint_int(row, 7, &marks) || stage == CLIENT_STAGE_COUNT ||
	    *sessions_place(sessions, &key) != NULL)
		return false;
	uint64_t last = sessions->last;
	struct session_seen *session = sessions_add(sessions, &key);
	if (session == NULL)
		return false;
	sessions->last = last;
	session->number = (uint64_t)number;
	session->heard_us = heard_us;
	session->stage = stage;
	session->marks = (int)(marks & 0xff);
	session_client(row->fields[5], &session->client);
	return true;
}

bool sessions_load(struct sessions *sessions, const struct checkpoint_row *row)
{
	int64_t last, unseen;
	if (span_is(row->fields[0], SESSIONS_ROW))
		return sessions_load_one(sessions, row);
	if (!span_is(row->fields[0], SESSIONS_LAST_ROW) || row->count != 3 || !checkpoint_int(row, 1, &last) ||
	    !checkpoint_int(row, 2, &unseen) || last < 0 || unseen < 0)
		return false;
	sessions->last = (uint64_t)last;
	sessions->counts.unseen = (uint64_t)unseen;
	return true;
}
