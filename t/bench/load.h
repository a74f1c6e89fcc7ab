/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load: what the parts of mtaload share: options, counts, and sessions that play the MTA's side of the milter
 * protocol, version 6. One thread, one epoll.
 *
 * It writes as Postfix does: what needs no answer waits in the buffer and goes out together with the next command
 * that does.
 */
#ifndef PENSTOCK_LOAD_H
#define PENSTOCK_LOAD_H

#include "milter/base/endpoint.h"
#include "t/bench/load_packet.h"

#include <libmilter/mfdef.h>
#include <stdio.h>

struct load_options {
	const char *socket;
	int64_t sessions;    /* at once */
	int64_t messages;    /* in all */
	int64_t per_session; /* messages in one session */
	int64_t rcpts;	     /* of a message */
	int64_t size;	     /* bytes of body */
	int64_t accounts;    /* logins in turn */
	int64_t first_account;
	int64_t clients; /* client addresses in turn */
	int64_t port;	 /* of the first client; the next ones follow */
	int64_t idle;	 /* sessions that only said hello */
	int64_t hold;	 /* seconds that these stay after the run */
	int64_t timeout; /* seconds, of the run */
	bool json;
};

/* Answers that end the wait for one command: id, byte, word of the report */
#define REPLY_ROWS(ROW) \
	ROW(CONTINUE, SMFIR_CONTINUE, "continue") \
	ROW(ACCEPT, SMFIR_ACCEPT, "accept") \
	ROW(DISCARD, SMFIR_DISCARD, "discard") \
	ROW(REJECT, SMFIR_REJECT, "reject") \
	ROW(TEMPFAIL, SMFIR_TEMPFAIL, "tempfail") \
	ROW(REPLYCODE, SMFIR_REPLYCODE, "replycode") \
	ROW(SKIP, SMFIR_SKIP, "skip") \
	ROW(CONN_FAIL, SMFIR_CONN_FAIL, "connection_failure") \
	ROW(SHUTDOWN, SMFIR_SHUTDOWN, "shutdown")

enum { BODY_SPREAD = 78 << 14, BODY_STEP = 78 * 101 }; /* messages begin at the beginnings of lines */

/* Changes that a milter asks for before its answer to the end of a message */
#define EDIT_ROWS(ROW) \
	ROW(INSHEADER, SMFIR_INSHEADER, "insert_header") \
	ROW(ADDHEADER, SMFIR_ADDHEADER, "add_header") \
	ROW(CHGHEADER, SMFIR_CHGHEADER, "change_header") \
	ROW(QUARANTINE, SMFIR_QUARANTINE, "quarantine") \
	ROW(ADDRCPT, SMFIR_ADDRCPT, "add_rcpt") \
	ROW(ADDRCPT_PAR, SMFIR_ADDRCPT_PAR, "add_rcpt_par") \
	ROW(DELRCPT, SMFIR_DELRCPT, "delete_rcpt") \
	ROW(CHGFROM, SMFIR_CHGFROM, "change_from") \
	ROW(REPLBODY, SMFIR_REPLBODY, "replace_body")

/* What became of a message */
#define OUTCOME_ROWS(ROW) \
	ROW(PASSED, "passed") \
	ROW(DEFERRED, "deferred") \
	ROW(REJECTED, "rejected") \
	ROW(DISCARDED, "discarded") \
	ROW(HELD, "held") \
	ROW(LOST, "lost")

/* clang-format off */
enum reply {
#define REPLY_ENUM(id, byte, word) REPLY_##id,
	REPLY_ROWS(REPLY_ENUM)
#undef REPLY_ENUM
	REPLY_COUNT
};
enum edit {
#define EDIT_ENUM(id, byte, word) EDIT_##id,
	EDIT_ROWS(EDIT_ENUM)
#undef EDIT_ENUM
	EDIT_COUNT
};
enum outcome {
#define OUTCOME_ENUM(id, word) OUTCOME_##id,
	OUTCOME_ROWS(OUTCOME_ENUM)
#undef OUTCOME_ENUM
	OUTCOME_COUNT
};
/* clang-format on */

enum { INSERTED_MAX = 16, INSERTED_TEXT = 96 };

struct inserted {
	char text[INSERTED_TEXT]; /* "Name: value" */
	uint64_t count;
};

struct tally {
	uint64_t replies[REPLY_COUNT];
	uint64_t replies_4xx, replies_5xx; /* of the ones with a code of their own */
	uint64_t edits[EDIT_COUNT];
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t rcpts_accepted, rcpts_refused;
	uint64_t rcpts_passed; /* accepted ones of messages that passed */
	uint64_t protocol_errors;
	uint64_t connect_retries; /* the listen queue was full */
	uint64_t connect_failures;
	uint64_t idle_lost;
	struct inserted inserted[INSERTED_MAX]; /* different ones, the first to come */
	char first_refusal[200];
	char first_error[200];
	uint32_t steps_agreed, actions_agreed;
};

/* Where a milter may ask for macros of its own choice; the numbers are the protocol's. */
enum macro_place {
	PLACE_NONE = -1,
	PLACE_CONNECT,
	PLACE_HELO,
	PLACE_MAIL,
	PLACE_RCPT,
	PLACE_DATA,
	PLACE_EOM,
	PLACE_EOH,
	PLACE_COUNT
};

enum step {
	STEP_CLOSED,
	STEP_NEGOTIATE,
	STEP_CONNECT,
	STEP_HELO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_HEADER,
	STEP_EOH,
	STEP_BODY,
	STEP_EOM,
	STEP_IDLE, /* nothing to say until the end of the run */
	STEP_QUIT, /* flush and close */
};

enum { HEADER_COUNT = 10, CLIENT_TEXT = 32, USER_TEXT = 64, QUEUE_ID_TEXT = 32 };

struct session {
	struct load *load; /* borrowed */
	bool idle;	   /* one of those that only say hello */
	int fd;
	bool wants_write; /* what epoll was told */
	enum step step;
	enum step waiting; /* whose answer is owed; STEP_CLOSED: none */
	uint32_t flags;	   /* SMFIP_* agreed */
	int64_t number;	   /* of the session: picks account and client */
	int64_t left;	   /* messages still to begin in it */
	int64_t position;  /* recipient, header, or byte of the body that is next */
	int64_t accepted;  /* recipients */
	bool in_message;
	bool quarantined;
	int64_t message; /* its number */
	int64_t began_us;
	char client[CLIENT_TEXT], user[USER_TEXT], queue_id[QUEUE_ID_TEXT];
	struct buffer in, out;
	struct session *next; /* in the list of those to be opened */
};

struct load {
	struct load_options options;
	struct endpoint endpoint;
	int epoll;
	struct session *sessions; /* owned: `options.sessions`, then `options.idle` */
	struct session *to_open;  /* list, borrowed */
	bool refused;		  /* the last connection was: wait a little */
	int64_t start_s, process; /* whose messages they are: no two runs have an id in common */
	int64_t opened;		  /* sessions so far */
	int64_t begun, done;	  /* messages */
	int64_t idle_ready;
	uint32_t *latency_us; /* owned, one a message that got its answer */
	int64_t latency_count;
	char *body;		       /* owned; size and BODY_SPREAD bytes */
	char macros[PLACE_COUNT][512]; /* names, as the milter asked for them or Postfix's own */
	struct tally tally;
};

int64_t load_now_us(void);

/* load_session.c: a session's life. */
void session_open(struct session *session);
void session_ready(struct session *session, uint32_t events);
void session_close(struct session *session);
/* Gives the session its next work: connect, or nothing where all messages are begun. */
void session_want_open(struct session *session);

/* load_send.c: writes into session->out. */
void send_negotiate(struct session *session);
/* The macros of a step, then the step itself, at session->position. */
void send_macros(struct session *session, enum macro_place place);
void send_step(struct session *session);
void load_default_macros(struct load *load);

/* load_reply.c: reads what the milter sends. */
void session_read_packet(struct session *session, const struct packet *packet);
void load_protocol_error(struct session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* load_session.c, for load_reply.c */
void session_forward(struct session *session, bool whole_step);
void session_finish(struct session *session, enum outcome outcome, bool abort);
void session_hang_up(struct session *session);

/* load_report.c */
void load_report(struct load *load, double seconds, bool timed_out, FILE *to);

#endif
