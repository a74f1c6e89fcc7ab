/* SPDX-License-Identifier: BSD-2-Clause
 *
 * history: what is remembered of an account from message to message, and how one message changes it. Redis holds its
 * bytes (redis-schema/account_record.h) and does no sums; the table of recent accounts goes on with it while Redis is
 * away, and replay keeps one for each account.
 */
#ifndef PENSTOCK_HISTORY_H
#define PENSTOCK_HISTORY_H

#include "policy/account.h"
#include "policy/habits.h"
#include "policy/level.h"
#include "policy/rate.h"
#include "policy/reputation.h"

enum {
	STATE_DOMAIN_MAX = 60, /* bytes of a domain that are kept */
};

struct history {
	struct rates rates;
	struct counters counters;
	enum level level;      /* LEVEL_UNKNOWN: never judged */
	int64_t level_since_s; /* Unix time */
	double score;	       /* at its last message, for people: rules add it up anew */
	int64_t first_s;       /* Unix time of the first message; 0: none yet */
	int64_t pardoned_s;    /* limits.password_changed_s of the last pardon; 0: none */
	char unauthorised[STATE_DOMAIN_MAX +
			  1]; /* a sender domain of his whose SPF record passes by none of our addresses */
	struct habits habits;
};

/* One message to be checked and charged. */
struct charge {
	char account[ACCOUNT_MAX + 1]; /* or a group's name, see account_group() */
	int64_t now_ms;		       /* the daemon's clock; Redis uses its own */
	struct limits limits;	       /* what holds, filled up from plans and the ramp */
	bool checked;		/* true: charge only where it is within the limits, or limits.over passes it anyway */
	bool quota;		/* false: a refused message: counters only */
	struct amounts amounts; /* negative: given back */
	uint64_t places[COUNTED_COUNT - COUNTED_SUMS]; /* of a group: hashes of the client's address, network and AS,
							* which its limits of distinct ones count; 0: unknown */
	double counts[COUNTER_COUNT];		       /* what it adds to the counters; negative: takes away */
	enum level level;			       /* LEVEL_UNKNOWN: leave it */
	double score;
	int64_t pardoned_s;			 /* 0: leave it */
	char unauthorised[STATE_DOMAIN_MAX + 1]; /* history's; "" leaves what is there, "-" forgets it */
	unsigned habits_changed;		 /* parts (enum habit_part) of ... */
	struct habits habits;			 /* ... these that take the place of what is there */
};

/* Does a message pass that is over a limit, by another way than usual? */
static inline bool over_passes(enum over over)
{
	return over == OVER_SLOW || over == OVER_HOLD || over == OVER_LOG;
}

/* How much it asks for: what is only shown hides nothing that acts. */
static inline int over_weight(enum over over)
{
	return over == OVER_LOG ? 1 : over == OVER_SLOW ? 2 : over == OVER_HOLD ? 3 : 4;
}

static inline bool charge_passes(const struct charge *charge)
{
	return over_passes(charge->limits.over);
}

/* Does the limit that was passed turn the message away? Then nothing of it is used up. */
static inline bool charge_turned_away(const struct charge *charge, const struct breach *breach)
{
	return charge->checked && breach->window != WINDOW_COUNT && !over_passes(breach->over);
}

/* Makes it the charge of a message that a limit of that scope turned away: it did not leave, so it is no habit either,
 * and where the limit is the account's own it is a breach. */
void charge_turn_away(struct charge *charge, enum scope scope);

/* What takes back a charge whose message did not leave for another reason: what was used up, and that something was
 * sent. */
struct charge charge_given_back(const struct charge *charged);

/* Fills in what is to be said of the window that `breach` names, for the account's own limit; `rates` are rolled to now
 * and without the message. */
void charge_breach(const struct charge *charge, const struct rates *rates, struct breach *breach);

/* Checks all sums and charges them, or charges none; counters, level and habits change in any case. Returns the first
 * window that is passed, WINDOW_COUNT where there is none. A message that comes twice is charged twice: whatever would
 * tell a repetition from a new message, its sender can make (SECURITY). */
enum window history_charge(struct history *history, const struct charge *charge);

/* Something was learnt of mail that left: counters change, and nothing else but the time. */
void history_credit(struct history *history, int64_t now_ms, const double counts[COUNTER_COUNT]);

/* history_charge(), and what is to be said of the window that is passed; breach_none where there is none. */
struct breach history_judge(struct history *history, const struct charge *charge);

/* A charge that is to be made later: what `charge` did, where it was answered by `breach`. It is checked no more. */
struct charge charge_made(const struct charge *charge, const struct breach *breach, enum scope scope);
/* One charge in the place of two, `more` being the later one. Both are charge_made()'s. */
void charge_join(struct charge *to, const struct charge *more);

#endif
