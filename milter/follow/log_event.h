/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_event: what one line of a mail log says. Postfix 3.7 to 3.10 under any syslog_name, Sendmail 8.17, Penstock and
 * journald; whatever else stands there is LOG_UNKNOWN, and never an error.
 *
 * Each line is read from the left and no further than to the words of a stranger (a reply, a login, an address), so
 * that what he says is never taken for a field. One pass, no allocation, no state.
 */
#ifndef PENSTOCK_LOG_EVENT_H
#define PENSTOCK_LOG_EVENT_H

#include "milter/follow/line.h"

/* <syslog.h>, which <systemd/sd-journal.h> includes, has a macro of this name. It is 5, and so is the row here, so that
 * both mean the same whichever header comes first. */
#undef LOG_NOTICE

/* id, word */
/* clang-format off */
#define LOG_KIND_ROWS(ROW)                                                                                  \
	ROW(LOG_UNKNOWN, "unknown")	      /* no row knows it: counted and sampled */                    \
	ROW(LOG_IGNORED, "ignored")	      /* known, and says nothing that is followed */                \
	ROW(LOG_VERDICT, "verdict")	      /* Penstock's own line of an end of message: queue_id account \
						 transport reference level sender client rcpts size action  \
						 customer */                                                \
	ROW(LOG_CLIENT, "client")	      /* smtpd: queue_id client login; orig_id where it is a        \
						 filter's or a proxy's */                                   \
	ROW(LOG_MESSAGE_ID, "message_id")     /* cleanup: queue_id message_id */                            \
	ROW(LOG_NOTICE, "notice")	      /* bounce: a notification: queue_id, other_id is its own;     \
						 text: which, "sender non-delivery notification" */         \
	ROW(LOG_QUEUED, "queued")	      /* qmgr; Sendmail's from=: queue_id sender size rcpts         \
						 (Sendmail's: message_id too) */                            \
	ROW(LOG_DELIVERY, "delivery")	      /* smtp, lmtp, error, local, virtual, pipe, discard;          \
						 Sendmail's stat=: queue_id rcpt orig_to relay_host         \
						 relay_address status dsn text transport */                 \
	ROW(LOG_EXPIRED, "expired")	      /* qmgr: queue_id sender status; text: what became of it */   \
	ROW(LOG_REMOVED, "removed")	      /* qmgr, postsuper: it left the queue: queue_id */            \
	ROW(LOG_REQUEUED, "requeued")	      /* pickup after postsuper -r: queue_id is the new one,        \
						 orig_id the old */                                         \
	ROW(LOG_HELD, "held")		      /* postsuper -h, milter-hold, hold, quarantine */             \
	ROW(LOG_RELEASED, "released")	      /* postsuper -H, Sendmail's unquarantine */                   \
	ROW(LOG_REJECTED, "rejected")	      /* cleanup, smtpd: milter-reject, reject: client text;        \
						 queue_id where there was one; gone */                      \
	ROW(LOG_SESSION_END, "session_end")   /* smtpd: disconnect: client quit authenticated; without QUIT \
						 text, or stage_dot: where it was, if a hang-up there has   \
						 no line of its own */                                      \
	ROW(LOG_HANGUP, "hangup")	      /* smtpd, Sendmail: lost connection, timeout, too many        \
						 errors: text is the stage, client */                       \
	ROW(LOG_LOGIN_FAILED, "login_failed") /* login (a stranger's text), client, text: why */            \
	ROW(LOG_POSTSCREEN, "postscreen")     /* text: the first words, "PREGREET"; client */               \
	ROW(LOG_LOST, "lost")		      /* journald, rsyslog, Penstock: count; text: whose,           \
						 "postfix.service" */                                       \
	ROW(LOG_CONNECT, "connect")	      /* smtpd: client */                                           \
	ROW(LOG_PROTOCOL, "protocol")	      /* smtpd: it spoke before its turn, or no SMTP: client */

/* id, word in the log */
#define LOG_STATUS_ROWS(ROW)              \
	ROW(NONE, "none")                 \
	ROW(SENT, "sent")                 \
	ROW(DEFERRED, "deferred")         \
	ROW(BOUNCED, "bounced")           \
	ROW(EXPIRED, "expired")           \
	ROW(SOFTBOUNCE, "SOFTBOUNCE")     \
	ROW(DELIVERABLE, "deliverable")   \
	ROW(UNDELIVERABLE, "undeliverable")

#define LOG_KIND_ENUM(id, word) id,
enum log_kind { LOG_KIND_ROWS(LOG_KIND_ENUM) LOG_KINDS };
#undef LOG_KIND_ENUM
#define LOG_STATUS_ENUM(id, word) LOG_STATUS_##id,
enum log_status { LOG_STATUS_ROWS(LOG_STATUS_ENUM) LOG_STATUS_COUNT };
#undef LOG_STATUS_ENUM
/* clang-format on */
_Static_assert(LOG_NOTICE == 5, "as <syslog.h> has it");

const char *log_kind_word(enum log_kind kind);
const char *log_status_word(enum log_status status);

/* Spans point into the line. Addresses are without their angle brackets, quoted ones with their quotes, and "" (`at` is
 * not NULL) is the null sender. */
struct log_event {
	enum log_kind kind;
	enum log_status status;
	int64_t time_us; /* Unix; of the line */
	struct span queue_id, orig_id, other_id;
	struct span rcpt; /* Sendmail: maybe several; log_event_rcpt() walks them */
	struct span orig_to, sender;
	struct span account; /* Penstock's word for it: account_of_word() of policy/account.h makes the name of it */
	struct span login;   /* of who sent it, or tried to */
	struct span customer, transport, reference, message_id;
	struct span client; /* address alone, without host name, brackets and port; "unknown" where Postfix says so */
	struct span relay_host;	   /* NULL for relay=none */
	struct span relay_address; /* without brackets and port */
	struct span dsn, action, level;
	struct span text;	    /* of a delivery: the reply, without "host X[ip] said: " and "(in reply to ..)" */
	int64_t size, rcpts, count; /* -1: not said */
	bool suspended;		    /* "delivery temporarily suspended: ...": no outcome */
	bool remote;	    /* text is a remote server's own words (said:, refused to talk to me:), not Postfix's */
	bool greeting;	    /* refused to talk to me; of postscreen: before it had spoken itself */
	bool stage_mail;    /* in reply to MAIL FROM command (no recipient was named yet) */
	bool stage_dot;	    /* in reply to end of DATA command (content was seen); of a session: it left one behind */
	bool quit;	    /* the client said it */
	bool timeout;	    /* a hang-up of our own side: nothing came in time */
	bool list;	    /* rcpt is a list of Sendmail's */
	bool authenticated; /* the line says so, whether it names the login or not */
	bool waits;	    /* Penstock's: held until its session ends with QUIT */
	bool gone;	    /* the whole message was refused, or thrown away: it comes into no queue */
};

/* Reads one message into *event_out. Never fails. head->program e.g. "postfix/clean-1/smtp", "sendmail", "sm-mta",
 * "penstock", "systemd-journald".
 *
 * The transport of a delivery is the word between the first and the last part of the program: "postfix/clean-1/smtp" is
 * clean-1, "postfix/smtp" has none; Sendmail's is its mailer. */
void log_event_read(const struct log_head *head, struct log_event *event_out);

/* The recipients of a delivery, one after the other, without brackets. Begin with rest = event->rcpt. False: no more.
 */
bool log_event_rcpt(const struct log_event *event, struct span *rest, struct span *rcpt_out);

/* The text of a delivery as a person reads it: of a reply of several lines ("550-5.1.1 No such 550 5.1.1 user") the
 * first code is kept and those inside are left out. Cut to `size` (1 or more, NUL added); false where it was cut. */
bool log_event_text(const struct log_event *event, char *to, size_t size);

#endif
