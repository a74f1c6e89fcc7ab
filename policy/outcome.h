/* SPDX-License-Identifier: BSD-2-Clause
 *
 * outcome: what became of a message at one recipient, whose doing that is, and what it says of the account that sent it
 * and of the address of ours that it left by.
 */
#ifndef PENSTOCK_OUTCOME_H
#define PENSTOCK_OUTCOME_H

#include "policy/reputation.h"

#include <stdbool.h>

/* Whose doing it is: id, word. */
#define OUTCOME_BLAME_ROWS(ROW) \
	ROW(NOBODY, "nobody") \
	ROW(ACCOUNT, "account")	    /* who sent it */ \
	ROW(ADDRESS, "address")	    /* of ours, that it left by */ \
	ROW(MESSAGE, "message")	    /* its form, size, or sender's domain */ \
	ROW(RECIPIENT, "recipient") /* or the mailbox there */ \
	ROW(RECEIVER, "receiver")   /* the server there */

/* clang-format off */
enum outcome_blame {
#define OUTCOME_BLAME_ENUM(id, word) OUTCOME_BLAME_##id,
	OUTCOME_BLAME_ROWS(OUTCOME_BLAME_ENUM)
#undef OUTCOME_BLAME_ENUM
	OUTCOME_BLAME_COUNT
};
/* clang-format on */

/* id, word (log, metric label, class in etc/replies.conf), blame, a sentence for people. */
#define OUTCOME_ROWS(ROW) \
	ROW(SENT, "sent", NOBODY, "The server there took the message.") \
	ROW(NO_USER, "no_user", RECIPIENT, "The recipient does not exist.") \
	ROW(MAILBOX_FULL, "mailbox_full", RECIPIENT, "The recipient's mailbox is full.") \
	ROW(INACTIVE, "inactive", RECIPIENT, "The recipient's mailbox is closed or suspended.") \
	ROW(MOVED, "moved", RECIPIENT, "The recipient has another address now.") \
	ROW(CONTENT, "content", ACCOUNT, "The server there takes the message for spam or fraud.") \
	ROW(VIRUS, "virus", ACCOUNT, "The server there finds a virus, or a forbidden attachment.") \
	ROW(REPUTATION, "reputation", ADDRESS, \
	    "The server there thinks ill of the address or the name that the message left by.") \
	ROW(SENDER_REPUTATION, "sender_reputation", MESSAGE, "The server there thinks ill of the sender's domain.") \
	ROW(LISTED, "listed", ADDRESS, "The address that the message left by is on a block list.") \
	ROW(POLICY, "policy", RECEIVER, "A rule of the server there forbids it, and it does not say which.") \
	ROW(RATE, "rate", ADDRESS, "The server there gets too much mail from us, and asks us to wait.") \
	ROW(AUTHENTICATION, "authentication", MESSAGE, \
	    "SPF, DKIM or DMARC of the sender's domain do not let this server send for it.") \
	ROW(GREYLISTED, "greylisted", NOBODY, "The server there wants a second try, as with each new sender.") \
	ROW(UNREACHABLE, "unreachable", RECEIVER, "No server for the recipient's domain can be reached.") \
	ROW(TLS, "tls", RECEIVER, "The two servers cannot agree on encryption.") \
	ROW(TOO_BIG, "too_big", MESSAGE, "The message is too big for the server there.") \
	ROW(RELAY_DENIED, "relay_denied", RECEIVER, "The server there is not responsible for the recipient's domain.") \
	ROW(PROTOCOL, "protocol", MESSAGE, "The server there does not understand the message or a command.") \
	ROW(SENDER_REFUSED, "sender_refused", MESSAGE, "The server there does not accept the sender's address.") \
	ROW(RECEIVER_BROKEN, "receiver_broken", RECEIVER, "The server there has trouble of its own.") \
	ROW(EXPIRED, "expired", NOBODY, "The message could not be delivered in time, and goes back.") \
	ROW(SUSPENDED, "suspended", NOBODY, "It waits, because the server there failed with another message.") \
	ROW(UNSURE, "unsure", NOBODY, "The connection broke at the end: the message may have arrived.") \
	ROW(OTHER_TEMPORARY, "other_temporary", NOBODY, \
	    "The server there says \"later\", for a reason not known here.") \
	ROW(OTHER_PERMANENT, "other_permanent", NOBODY, "The server there says \"no\", for a reason not known here.")

/* clang-format off */
enum outcome {
#define OUTCOME_ENUM(id, word, blame, plain) OUTCOME_##id,
	OUTCOME_ROWS(OUTCOME_ENUM)
#undef OUTCOME_ENUM
	OUTCOME_COUNT
};
/* clang-format on */

const char *outcome_word(enum outcome outcome);
const char *outcome_plain(enum outcome outcome);
enum outcome outcome_find(const char *word); /* OUTCOME_COUNT: none of that name */
enum outcome_blame outcome_blame(enum outcome outcome);
const char *outcome_blame_word(enum outcome_blame blame);

/* What one recipient's outcome adds to its account's counters; count 0: nothing. final: it will not be tried again. */
struct outcome_credit {
	enum counter counter;
	double count;
};
struct outcome_credit outcome_credit_of(enum outcome outcome, bool final);

/* A server's answer without its words, RFC 5321 section 4.2 and RFC 3463. */
struct outcome_code {
	int code;		    /* three digits; 0: there is none */
	int class, subject, detail; /* of the enhanced code; class 0: there is none */
	bool greeting;		    /* instead of a greeting, before any mail */
	bool final;		    /* what it is where there is no code */
	bool plain;		    /* its words, if any, only name a recipient and say "no" */
	bool of_sender;		    /* in reply to MAIL FROM */
};

/* What the codes alone say; words that nobody knows are never taken for more. What an account is charged for is not
 * believed of a code whose words may say something else. */
enum outcome outcome_by_code(const struct outcome_code *code);

/* What is said of a recipient (NO_USER, INACTIVE, ..) in reply to MAIL FROM is said of the sender. */
enum outcome outcome_of_mail(enum outcome outcome);

#endif
