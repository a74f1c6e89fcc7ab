/* SPDX-License-Identifier: BSD-2-Clause
 *
 * session: what is kept of one SMTP connection and of the message under way. Two lifetimes: the connection's and the
 * message's. Ending a message is idempotent; libmilter does not call abort after an answer of ours, and close may be
 * the only callback that comes.
 */
#ifndef PENSTOCK_SESSION_H
#define PENSTOCK_SESSION_H

#include "milter/message/body.h"
#include "milter/daemon/daemon.h"
#include "milter/pools/rests.h"
#include "milter/blocklist/rbl.h"
#include "milter/spf/spf.h"
#include "milter/message/reference.h"
#include "milter/message/anomaly.h"
#include "policy/base/arena.h"

enum {
	SESSION_ARENA_MAX = 4096,  /* bytes of HELO and the like */
	MESSAGE_ARENA_MAX = 65536, /* bytes of sender and header names */
	HELO_MAX = 255,
	FORGED_MAX = 100, /* of more the MTA would be asked to delete each, and looks for it from the beginning */
	REPLY_MAX = 480,  /* RFC 5321 section 4.5.3.1.5: a reply line has 512 bytes */
};

/* A header field of the client's that only we may write. */
struct forged {
	struct forged *next;
	char *name;
	int count; /* how often it came */
};

struct scan_text {
	char *bytes; /* owned; header and body for the scanners */
	size_t length, size, most;
};

enum { SPF_CHECKS_MAX = (OUTGOING_MAX + SPF_CLIENTS_MAX - 1) / SPF_CLIENTS_MAX };

/* Checks under way; gather_spf.c's. */
struct message_spf {
	struct spf_check *client;		      /* owned */
	struct spf_check *transports[SPF_CHECKS_MAX]; /* owned */
	bool asked;				      /* about the transports */
	int64_t client_until_ms, until_ms;	      /* clock_monotonic_ms() */
};

struct charge_ask;

struct message {
	struct arena arena;
	struct facts facts;
	struct verdict verdict;
	char from[ADDRESS_MAX + 1];	 /* envelope sender in idn_address()'s form; "" is <> */
	char only_rcpt[ADDRESS_MAX + 1]; /* the one outside this host, as it came; "": none, or several */
	char domain[ACCOUNT_MAX + 1];	 /* whose group it is counted in; "" : none */
	int64_t started_ms;		 /* clock_monotonic_ms() */
	uint64_t size;			 /* bytes of header and body */
	struct forged *forged;
	uint64_t forged_count;
	struct forged *replaced; /* fields of the client's that go where ours take their place */
	int replaced_count;
	char *sender;	 /* in the arena, as MAIL gave it; NULL: its arguments stay as they are */
	const char *ret; /* a constant: "RET=FULL ", "RET=HDRS ", "" */
	struct scan_text scan;
	struct message_spf spf;
	struct rcpts rcpts;
	struct rests_of_message rests; /* by whom its recipients' mail is received */
	uint64_t key[2];	       /* of hashes, as it stood at MAIL */
	unsigned char *known_bytes;    /* owned; of ... */
	struct known known_rcpts;      /* ... the recipients that the account knows beyond its habits */
	bool known;		       /* what it knows is known */
	struct anomaly_reader anomaly;
	int64_t deadline_ms;		   /* clock_monotonic_ms(); of all waiting at its end */
	struct charge_ask *charge;	   /* owned: one reference; NULL: it was not charged */
	bool rcpt_refused;		   /* one was refused for a limit */
	bool try_noted;			   /* it is over a limit, and whether it was before is known */
	int64_t rcpts_aliased;		   /* of the remote ones: an alias of this host sends on to them */
	char reference[REFERENCE_MAX + 1]; /* explain.h; "" : the message is not notable */
	bool explains;			   /* the reference is new: it needs an entry */
	char reply[REPLY_MAX + 1];	   /* what the client was told, codes included; "" : nothing */
	bool body_keyed;		   /* the key that the body is read with is the one that Redis has */
	struct body body;		   /* last: body_begin() clears what it needs of it */
};

struct network_ask;
struct client_origin_ask;

struct session {
	unsigned magic;
	struct setup *setup; /* one reference */
	struct arena arena;
	bool no_reply;	      /* the MTA agreed to get no answer where none is owed */
	bool answers_connect; /* but for connect, so that it is told at once */
	bool changes_sender;  /* it lets us change the sender's arguments */
	bool connected;	      /* the connect callback came */
	struct netaddr client;
	bool injected;
	bool encrypted;			 /* it came to STARTTLS, and to a HELO after it */
	bool proven;			 /* one of its messages had a login, or a network's account */
	char *helo;			 /* in the arena; NULL: none yet */
	struct rbl_question *listings;	 /* owned */
	struct network_ask *network;	 /* owned: one reference */
	struct client_origin_ask *place; /* owned: one reference */
	struct message *message;	 /* owned; NULL between messages */
};

/* NULL without memory. Counts the session. */
struct session *session_new(void);
void session_free(struct session **session);
/* Panics where `pointer` is not a session. */
struct session *session_of(void *pointer);

/* Begins a message, ending the one before. NULL without memory. */
struct message *session_begin(struct session *session);
void session_end(struct session *session);

/* Messages between MAIL and their end, in all sessions. Any thread. */
int session_messages(void);
/* When a session was opened, or began or ended a message, the last time: clock_monotonic_ms(). Any thread. */
int64_t session_last_ms(void);
/* From now on every new message is deferred: the daemon ends. */
void session_refuse_new(void);

void message_note_forged(struct message *message, const char *name);
void message_note_replaced(struct message *message, const char *name);
void message_keep(struct message *message, const char *bytes, size_t length);

#endif
