/* SPDX-License-Identifier: BSD-2-Clause
 *
 * facts: all that is known of one message when it is judged. Plain data, gathered by the milter, read by the rules.
 * A fact that nobody filled in is zero, and zero says "unknown", never "no".
 */
#ifndef PENSTOCK_FACTS_H
#define PENSTOCK_FACTS_H

#include "policy/client.h"
#include "policy/history.h"
#include "policy/mail_class.h"
#include "policy/listing.h"
#include "policy/pool.h"
#include "policy/receiver.h"

enum stage {
	STAGE_MAIL = 1,
	STAGE_RCPT = 2,
	STAGE_MESSAGE = 4, /* end of message */
	STAGE_ACCOUNT = 8, /* no message is at hand: judge_account() */
};

/* How sure we are of a thing that was asked of somebody else. */
enum knowledge {
	KNOWLEDGE_NONE,	 /* not asked, not answered in time, or an error */
	KNOWLEDGE_LOCAL, /* from this daemon's own memory, Redis being away */
	KNOWLEDGE_FULL,
};

enum {
	NOTE_MAX = 200,
	GROUP_BLOCK_MAX = ACCOUNT_MAX + 2 + NOTE_MAX,
	FACT_HOSTS_MAX = 12, /* of a message's links */
	PLACE_TEXT_MAX = 63,
};

/* What Redis holds of an account; see redis-schema/README.md. */
struct account_state {
	enum knowledge known;
	bool unreadable;      /* its history stands in a form that is not ours: nothing of it is known */
	struct limits limits; /* the account's own; unset fields come from its plan */
	struct history history;
	int useless; /* how much of its keys means nothing: misspelt fields of `limits`, values, keys of another type */
	char block[NOTE_MAX];  /* why an admin blocked it; "" : he did not */
	char exempt[NOTE_MAX]; /* why an admin exempted it from limits and levels; "" : he did not */
};

/* Has it sent, or has an admin written of it? Of others every name is as good as the next. */
static inline bool account_noted(const struct account_state *state)
{
	return state->history.level != LEVEL_UNKNOWN || state->block[0] != '\0' || state->exempt[0] != '\0';
}

struct content {
	enum knowledge known;
	bool spam; /* the scanner's own word */
	double score, threshold;
	char scanner[32];
	char rules[NOTE_MAX]; /* the scanner's reasons, for the log */
};

/* Of several scanners the one is heard that says the worst. */
static inline void content_hear(struct content *content, const struct content *said)
{
	if (said->known != KNOWLEDGE_NONE && (content->known == KNOWLEDGE_NONE || said->score > content->score))
		*content = *said;
}

/* SPF of the client of a message without login, and of the sender's domain for our own transports. */
enum spf_ours {
	SPF_OURS_UNKNOWN,
	SPF_OURS_FINE,	      /* it passes by one of our transports at least, or the domain has no record */
	SPF_OURS_NONE_PASSES, /* the domain has a record, and it passes by none of them */
};

struct spf_facts {
	enum spf_answer client;
	enum spf_ours ours;
	const char
		*domain; /* of the sender (of HELO where the sender is empty); borrowed; NULL: none was asked about */
};

/* What is odd about HELO and header of a message: seen in bulk mailers and bots, seldom in people's programs.
 * id, word, weight in the sum of one message */
#define ANOMALY_ROWS(ROW) \
	ROW(HELO_BARE, "helo_bare", 0.5)	     /* HELO without a dot, of a client that is not in our networks */ \
	ROW(HELO_ADDRESS, "helo_address", 0.5)	     /* an address without brackets (RFC 5321 section 4.1.3) */ \
	ROW(NO_DATE, "no_date", 1.0)		     /* RFC 5322 section 3.6: it must be there */ \
	ROW(NO_FROM, "no_from", 1.0)		     /* likewise */ \
	ROW(NO_MESSAGE_ID, "no_message_id", 0.5)     /* should be there */ \
	ROW(FROM_DIFFERS, "from_differs", 0.5)	     /* header From is of another domain than the envelope sender */ \
	ROW(REPLY_ELSEWHERE, "reply_elsewhere", 0.5) /* Reply-To is of another domain than From */ \
	ROW(MANY_HIDDEN, "many_hidden", 0.5)	     /* ten recipients and more, none of them in To or Cc */ \
	ROW(NEW_MAILER, "new_mailer", 0.5)	     /* a program that the account never used; the judge's own */ \
	ROW(BULK_MAILER, "bulk_mailer", 1.0)	     /* its name is one of bulk mailers' */

/* clang-format off */
enum anomaly {
#define ANOMALY_ENUM(id, word, weight) ANOMALY_##id,
	ANOMALY_ROWS(ANOMALY_ENUM)
#undef ANOMALY_ENUM
	ANOMALY_COUNT
};
/* clang-format on */

/* What Redis knows of other messages with (nearly) this body, this one not counted. */
struct campaign {
	enum knowledge known;
	double messages;     /* within the last six hours, about */
	double accounts;     /* how many accounts sent them since the period before began */
	double bad;	     /* of the messages: how many were bad, see judge_campaign_bad() ... */
	double bad_accounts; /* ... and of how many accounts, about */
};

struct facts {
	int64_t now_ms; /* Unix time */
	char account[ACCOUNT_MAX + 1];
	enum source source;
	enum client_kind client; /* what a listing of its address means depends on it */
	bool authenticated;	 /* by login, certificate, network or on this host: the client is no stranger */
	bool client_ours;	 /* in one of our own networks, as a webmail host is, or on this host */
	bool injected;		 /* on the host, not by SMTP: may be judged at the end of the message only */
	bool overloaded;	 /* the daemon is at its session limit */
	bool tried_again;	 /* refused for a limit for which its account was refused within the last ten minutes */
	bool memory_spent;	 /* a cap of ours on the message's bookkeeping was reached */
	bool no_message;	 /* judge_account()'s own: what follows from the account's record alone is asked */
	struct account_state state;
	struct limits limits; /* what holds: the account's, then its plan's, then the default plan's */
	struct listings listings;
	struct spf_facts spf;
	struct transport_state transports[TRANSPORTS_ALL_MAX]; /* by their index */
	char receiver[RECEIVER_NAME_MAX + 1]; /* of all remote recipients; "" : several, or it is not known that a
						 transport rests for it */
	int64_t rcpts_remote;		      /* accepted recipients that leave this host, the one at hand included */
	int64_t rcpts_local;
	int64_t rcpts_unknown_mailer; /* of the remote ones: the MTA did not say by which mailer, or does not know yet
				       */
	struct content content;
	enum mail_class class;	/* LANE_ACCOUNT: mail of its own */
	bool forwarder;		/* the admin says that the client, or the account, forwards others' mail */
	int64_t kbytes;		/* KiB of header and body, rounded up */
	int64_t local_offset_s; /* of this host's time, seconds east of UTC */
	uint64_t client_address, client_network, client_as; /* hashes, see policy/habits.h; 0: unknown */
	uint64_t client_wide;				    /* likewise: of its /16 (IPv6: /32) */
	bool client_known;				    /* something is remembered of it, and it stands ... */
	enum client_standing client_standing;		    /* ... so */
	bool quit_watched;	 /* penstock-follow reads this host's log now, and hears how the session ends */
	double login_guesses;	 /* under how many other names logins from the client failed within about a day */
	uint64_t sender, mailer; /* hashes of the envelope sender and of the program's name; 0: none */
	bool sender_own;	 /* the sender is the account's name, or in the domain of its name */
	unsigned anomalies;	 /* a set of 1 << enum anomaly */
	int64_t rcpts_again;	 /* of the remote ones: the message names them a second time, or oftener */
	int64_t rcpts_new;	 /* of the different ones: the account never wrote to them ... */
	bool rcpts_new_known;	 /* ... where that is known */
	const uint32_t *rcpts;	 /* hashes of accepted remote ones, no two alike; borrowed from the message */
	int rcpt_count;		 /* of them, at most some 2,000; they may be known or new */
	int64_t rcpts_trapped;	 /* of all: spam traps */
	uint64_t fingerprint;	 /* of its text, policy/fingerprint.h; 0: none */
	uint64_t text;		 /* keyed hash of that and of what kinds of parts there are; 0: nothing can be seen */
	int64_t text_words;	 /* how long the text is */
	uint64_t hosts[FACT_HOSTS_MAX]; /* keyed hashes of the hosts that its links name, no two alike ... */
	int64_t host_count;		/* ... and how many; FACT_HOSTS_MAX + 1: more */
	struct campaign campaign;
	bool charged;			   /* Redis (or the local table) has checked and charged this message ... */
	struct breach breach;		   /* ... and this limit is passed; window WINDOW_COUNT: none */
	char group_block[GROUP_BLOCK_MAX]; /* where breach.blocked: "customer:42: REASON"; "" : unknown */
};

/* Who names a stranger three times writes to nobody whom he knows. */
static inline int64_t facts_different_rcpts(const struct facts *facts)
{
	return facts->rcpts_remote - facts->rcpts_again;
}

#endif
