/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notice: something happened that somebody wants to hear of (`struct event` is libevent's): its kinds and their words,
 * and what of a verdict is one.
 */
#ifndef PENSTOCK_NOTICE_H
#define PENSTOCK_NOTICE_H

#include "policy/facts.h"
#include "policy/verdict.h"

/* id, word, seconds for which this daemon does not tell the same of one account again (0: it always does) */
#define EVENT_ROWS(ROW) \
	ROW(LEVEL, "level", 60)		 /* an account's level changed, but for ... */ \
	ROW(BLOCK, "block", 3600)	 /* ... it is blocked: by its score, or mail met an admin's block */ \
	ROW(LIMIT, "limit", 3600)	 /* a message passed a limit */ \
	ROW(LISTED, "listed", 0)	 /* an address of ours leaves its pool, or all of a pool's are listed */ \
	ROW(DELISTED, "delisted", 0)	 /* that has ended */ \
	ROW(REST, "rest", 0)		 /* a receiver refuses a transport, or several do */ \
	ROW(REST_ENDED, "rest_ended", 0) /* that has ended */ \
	ROW(HELD, "held", 3600)		 /* mail that was held is past its date */ \
	ROW(COMPLAINT, "complaint", 0)	 /* somebody complains about its mail */ \
	ROW(OPT_OUT, "opt_out", 0)	 /* somebody wants no more of it */ \
	ROW(HANGUPS, "hangups", 0)	 /* the share of sessions without QUIT has jumped, or that has ended */ \
	ROW(GUESSER, "guesser", 0)	 /* a client tries passwords of many accounts, or got into one so */ \
	ROW(ATTACKED, "attacked", 0)	 /* many clients try passwords of one account */

/* clang-format off */
enum event_kind {
#define EVENT_ENUM(id, word, quiet_s) EVENT_##id,
	EVENT_ROWS(EVENT_ENUM)
#undef EVENT_ENUM
	EVENT_COUNT
};
/* clang-format on */

enum {
	EVENT_VERSION = 1, /* of the JSON: new members do not change it */
	EVENT_ID_MAX = 63,
	EVENT_TEXT_MAX = 400,
};

struct notice {
	enum event_kind kind;
	int64_t time_s;		       /* Unix time; 0: now */
	char account[ACCOUNT_MAX + 1]; /* "" : of no account; without transport and pool, of this host */
	char transport[TRANSPORT_NAME_MAX + 1], address[64]; /* of LISTED, DELISTED; GUESSER: its own; "" : none */
	char pool[64];	     /* it is about all of the pool; `transport` is the one that goes on */
	enum level from, to; /* LEVEL_UNKNOWN: it is not about levels */
	double score;
	bool judged; /* there was a message: `action` is what became of it */
	enum action action;
	struct breach limit;		 /* window WINDOW_COUNT: none */
	char reason[EVENT_TEXT_MAX];	 /* why */
	char done[EVENT_TEXT_MAX];	 /* what was done */
	char recipient[ACCOUNT_MAX + 1]; /* of COMPLAINT and OPT_OUT: who; "": it is not told */
	char reference[64];		 /* for `penstockctl explain`; "" : none */
	char id[EVENT_ID_MAX + 1];	 /* event_tell's: the same where one is told twice */
};

const char *notice_word(enum event_kind kind);
/* Words of kinds, separated by blanks or commas, as a set of 1 << kind; "" : all. False: *wrong_out is the word that is
 * no kind. */
bool notice_kinds(const char *words, unsigned *set_out, char wrong_out[32]);

/* An event about nothing yet. */
void notice_init(struct notice *notice, enum event_kind kind, const char *account);

/* notice_verdict.c: what a verdict says; returns how many of at most two were made. `reference` is what explains it;
 * NULL: nothing does. */
int notice_of_verdict(const struct facts *facts, const struct verdict *verdict, enum stage stage, const char *reference,
		      struct notice notices_out[2]);

#endif
