/* SPDX-License-Identifier: BSD-2-Clause
 *
 * event: something happened that somebody wants to hear of: an account's level changed, a limit was passed, one of our
 * addresses is listed. Told once, to whoever is configured: a stream in Redis, a webhook, mail to the admin. None of
 * them is ever in mail's way: telling copies the event and returns.
 *
 * A notice is one of them (`struct event` is libevent's). The JSON of an event (event_json) is a contract: penstock.conf(5), "EVENTS".
 */
#ifndef PENSTOCK_EVENT_H
#define PENSTOCK_EVENT_H

#include "policy/facts.h"
#include "policy/verdict.h"

#include <jansson.h>

struct loop;
struct monitor_event;
struct session;

/* id, word, seconds for which this daemon does not tell the same of one account again (0: it always does) */
#define EVENT_ROWS(ROW)                                                                            \
	ROW(LEVEL, "level", 60)       /* an account's level changed, but for ... */                \
	ROW(BLOCK, "block", 3600)     /* ... it is blocked: by its score, or mail met an admin's block */ \
	ROW(LIMIT, "limit", 3600)     /* a message passed a limit */                               \
	ROW(LISTED, "listed", 0)      /* an address of ours leaves its pool, or all of a pool's are listed */ \
	ROW(DELISTED, "delisted", 0)  /* that has ended */                                         \
	ROW(HELD, "held", 3600)       /* mail that was held is past its date */

enum event_kind {
#define EVENT_ENUM(id, word, quiet_s) EVENT_##id,
	EVENT_ROWS(EVENT_ENUM)
#undef EVENT_ENUM
	EVENT_COUNT
};

enum {
	EVENT_VERSION = 1,	/* of the JSON: new members do not change it */
	EVENT_WAITING_MAX = 1024,
	EVENT_ID_MAX = 63,
	EVENT_TEXT_MAX = 400,
};

struct notice {
	enum event_kind kind;
	int64_t time_s;			/* Unix time; 0: now */
	char account[ACCOUNT_MAX + 1];	/* "" : of no account; without transport and pool, of this host */
	char transport[TRANSPORT_NAME_MAX + 1], address[64];	/* of LISTED and DELISTED; "" : none */
	char pool[64];			/* it is about all of the pool; `transport` is the one that goes on */
	enum level from, to;		/* LEVEL_UNKNOWN: it is not about levels */
	double score;
	bool judged;			/* there was a message: `action` is what became of it */
	enum action action;
	struct breach limit;		/* window WINDOW_COUNT: none */
	char reason[EVENT_TEXT_MAX];	/* why */
	char done[EVENT_TEXT_MAX];	/* what was done */
	char reference[64];		/* for `penstockctl explain`; "" : none */
	char id[EVENT_ID_MAX + 1];	/* event_tell's: the same where one is told twice */
};

const char *event_word(enum event_kind kind);
/* Words of kinds, parted by blanks or commas, as a set of 1 << kind; "" : all. False: *wrong_out is the word that is no
 * kind. */
bool event_kinds(const char *words, unsigned *set_out, char wrong_out[32]);

/* An event about nothing yet. */
void notice_init(struct notice *event, enum event_kind kind, const char *account);

/* Any thread; never waits. Where EVENT_WAITING_MAX wait to be handed on, it is counted as dropped. */
void event_tell(const struct notice *event);
/* The same for what a verdict and the monitor have to say. */
void event_note_verdict(const struct session *session, enum stage stage, const char *queue_id);
void event_note_listing(const struct monitor_event *listing, const char *sentence);

/* What a verdict says; returns how many of at most two events were made. `reference` is what explains it; NULL: nothing
 * does. Without a clock, a session or a lock. */
int event_of_verdict(const struct facts *facts, const struct verdict *verdict, enum stage stage, const char *reference,
		     struct notice events_out[2]);

/* event_text.c. A new reference; NULL: no memory. */
json_t *event_json(const struct notice *event);
const char *event_node(void);

/* Before the loop starts, with store and setup there; `node` is copied. Stop: before the loop stops, and waits for what is
 * being sent to give up; what still waits is counted in the log. */
void event_start(struct loop *loop, const char *node);
void event_stop(void);
/* With the loop stopped. */
void event_clear(void);
/* After a reload: what failed is tried again now. */
void event_hurry(void);

/* Any thread. */
struct event_sink_stats {
	uint64_t sent, retried, given_up, waiting;
	uint64_t lost;		/* of those given up: that would have been wanted, but too many waited, or they were too old */
	uint64_t failing_s;	/* for how long nothing has been taken although it was tried; 0: all is well */
	uint64_t refused;	/* in a row, that the other side does not want and has never again */
	int64_t failing_since_s;	/* Unix time of the first failure in the row; 0: all is well */
	char why[200];		/* the newest failure of the row: what follows "hooks.example.com "; "" : none is known */
};
struct event_stats {
	uint64_t told, quiet, dropped;	/* quiet: the same was told a moment ago */
	struct event_sink_stats stream, webhook, mail;
};
struct event_stats event_stats(void);

#endif
