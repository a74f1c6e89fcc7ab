/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sessions: the SMTP sessions that the log shows, each known by the process that serves it: from `connect` to
 * `disconnect` of one smtpd, or all lines of one of Sendmail's, which says nothing of an end.
 *
 * Lines are one session's by program, process and the client's address, which the server wrote; nothing that a client
 * said is looked at. Bounded; where it is full the session that was silent for longest is forgotten. All times are the
 * log's.
 */
#ifndef PENSTOCK_FOLLOW_SESSIONS_H
#define PENSTOCK_FOLLOW_SESSIONS_H

#include "milter/follow/log_event.h"
#include "policy/client.h"
#include "policy/netaddr.h"

struct checkpoint;
struct checkpoint_row;
struct sessions;

enum {
	SESSIONS_MOST = 20000, /* each some 200 bytes */
	SESSIONS_SILENT_S =
		3600, /* one whose end was never seen is forgotten then: no client may be silent for so long */
};

enum session_end {
	SESSION_OPEN,
	SESSION_QUIT,
	SESSION_HUNG_UP, /* the client went, was silent for too long, or made too many errors */
	SESSION_CUT,	 /* the server ended it, and the client had no say */
};

/* What one line says of a session. */
struct session_news {
	uint64_t number; /* of the session, which no other has; 0: the line is of none */
	struct netaddr client;
	enum client_service service;
	bool logs_in;	    /* with this line, the first that says so */
	bool authenticated; /* it has by now */
	enum session_end end;
	enum client_stage stage; /* where it hung up */
};

struct sessions *sessions_new(void); /* NULL: no memory */
void sessions_free(struct sessions **sessions);

/* The next line. */
void sessions_hear(struct sessions *sessions, const struct log_head *head, const struct log_event *event,
		   struct session_news *news_out);

/* smtp or submission, by a syslog_name such as "postfix/submission". */
enum client_service session_service(struct span program);

struct sessions_counts {
	size_t open;	 /* now */
	uint64_t unseen; /* forgotten, or gone on with another client, before their end was seen */
};
struct sessions_counts sessions_counts(const struct sessions *sessions);

/* Rows of the checkpoint file. sessions_load() is false where the row is none of it. */
void sessions_save(const struct sessions *sessions, struct checkpoint *to);
bool sessions_load(struct sessions *sessions, const struct checkpoint_row *row);

#endif
