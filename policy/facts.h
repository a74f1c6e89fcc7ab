/* SPDX-License-Identifier: BSD-2-Clause
 *
 * facts: all that is known of one message when it is judged. Plain data, gathered by the milter, read by the rules.
 * A fact that nobody filled in is zero, and zero says "unknown", never "no".
 */
#ifndef PENSTOCK_FACTS_H
#define PENSTOCK_FACTS_H

#include "policy/account.h"
#include "policy/level.h"
#include "policy/limit.h"
#include "policy/listing.h"
#include "policy/pool.h"
#include "policy/rate.h"
#include "policy/reputation.h"

enum stage {
	STAGE_MAIL = 1,
	STAGE_RCPT = 2,
	STAGE_MESSAGE = 4,	/* end of message */
};

/* How sure we are of a thing that was asked of somebody else. */
enum knowledge {
	KNOWLEDGE_NONE,		/* not asked, not answered in time, or an error */
	KNOWLEDGE_LOCAL,	/* from this daemon's own memory, Redis being away */
	KNOWLEDGE_FULL,
};

enum {
	NOTE_MAX = 200,
	STATE_DOMAIN_MAX = 60,	/* bytes of a domain that are kept in Redis: a listpack takes strings of up to 64 */
};

/* What Redis holds of an account; see redis-schema/README.md. */
struct account_state {
	enum knowledge known;
	struct limits limits;	/* the account's own; unset fields come from its plan */
	struct rates rates;
	struct counters counters;
	enum level level;	/* LEVEL_UNKNOWN: never judged */
	int64_t level_since_s;	/* Unix time */
	double score;		/* at its last message, for people: rules add it up anew */
	int64_t first_s;	/* Unix time of the first message; 0: none yet */
	char unauthorised[STATE_DOMAIN_MAX + 1];	/* a sender domain of his whose SPF record passes by none of our addresses */
	char block[NOTE_MAX];	/* why an admin blocked it; "" : he did not */
	char exempt[NOTE_MAX];	/* why an admin exempted it from limits and levels; "" : he did not */
};

struct content {
	enum knowledge known;
	bool spam;		/* the scanner's own word */
	double score, threshold;
	char scanner[32];
	char rules[NOTE_MAX];	/* the scanner's reasons, for the log */
};

/* SPF of the client of a message without login, and of the sender's domain for our own transports. */
enum spf_ours {
	SPF_OURS_UNKNOWN,
	SPF_OURS_FINE,		/* it passes by one of our addresses at least, or the domain has no record */
	SPF_OURS_NONE_PASSES,	/* the domain has a record, and it passes by none of them */
};

struct spf_facts {
	enum spf_answer client;
	enum spf_ours ours;
	const char *domain;	/* of the sender (of HELO where the sender is empty); borrowed; NULL: none was asked about */
};

struct facts {
	int64_t now_ms;			/* Unix time */
	char account[ACCOUNT_MAX + 1];
	enum source source;
	enum client_kind client;	/* what a listing of its address means depends on it */
	bool authenticated;		/* by login, certificate, network or on this host: the client is no stranger */
	bool injected;			/* on the host, not by SMTP: may be judged at the end of the message only */
	bool overloaded;		/* the daemon is at its session limit */
	bool memory_spent;		/* a cap of ours on the message's bookkeeping was reached */
	struct account_state state;
	struct limits limits;		/* what holds: the account's, then its plan's, then the default plan's */
	struct listings listings;
	struct spf_facts spf;
	struct transport_state transports[TRANSPORTS_ALL_MAX];	/* by their index */
	int64_t rcpts_remote;		/* accepted recipients that leave this host, the one at hand included */
	int64_t rcpts_local;
	int64_t rcpts_unknown_mailer;	/* of the remote ones: the MTA did not say by which mailer */
	struct content content;
	bool charged;			/* Redis (or the local table) has checked and charged this message ... */
	enum window charge_over;	/* ... and this limit is passed; WINDOW_COUNT: none */
};

#endif
