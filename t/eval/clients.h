/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients: what the files of the program share: kinds of clients, what they do, what is expected of their standing,
 * and what became of them.
 */
#ifndef PENSTOCK_EVAL_CLIENTS_H
#define PENSTOCK_EVAL_CLIENTS_H

#include "policy/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MANNERS_MOST = 4, CLIENTS_NO_TARGET = 1000000 };

enum clients_side { CLIENTS_INNOCENT, CLIENTS_ATTACKER, CLIENTS_CUNNING };

/* From a low value to a high one; each client draws its own. Only the low one: all have it. */
struct clients_range {
	double low, high;
};

/* What a client does for a while. It may have several manners at a time: behind one address are many. */
struct clients_manner {
	double from_h, to_h; /* hours of its life; 0, 0: all of it */
	struct clients_range per_day;
	struct clients_range quit;    /* share of sessions that end with QUIT */
	struct clients_range mails;   /* messages a session, on average; at most 1: the chance of one */
	struct clients_range spam;    /* share of them that a scanner marks */
	struct clients_range refused; /* commands that are refused in a session, on average */
	double listed;		      /* share of sessions that meet somebody else's block list */
	double protocol;	      /* share that speak no SMTP */
	double gives_up;	      /* share that hang up where they are made to wait */
	double fails;		      /* failed logins a session, on average ... */
	int names;		      /* ... under so many names */
	bool elsewhere;		      /* at IMAP or submission, where nobody is slowed and no QUIT is counted */
	bool unproven;		      /* ... whose sender may be forged, as SIP's */
	double login;		      /* share that show a login of ours; what they send is the account's */
	bool attack;		      /* is it what we want to be rid of? */
	bool regular;		      /* by the clock, not by chance */
	bool weekdays;
};

/* Who else is in its network and its AS. */
struct clients_around {
	double bots, servers;
};

/* What is asked for, stated before the first run. 0: as all of its side, see clients_targets(); CLIENTS_NO_TARGET:
 * nothing is. */
struct clients_target {
	double poor;	     /* share of clients that may ever be poor or bad */
	double bad;	     /* times that one may become bad in 10,000 days of clients */
	double held;	     /* share of good messages that may meet a hold or the block list */
	double lost;	     /* ... that may be refused, or held and dropped */
	double slow_last;    /* share that may still be slowed at the end */
	double poor_after_h; /* hours that 99 of 100 may be poor, and bad, after the cause has ended */
	double bad_after_h;
	double within;	   /* bad sessions until 95 of 100 attackers are poor */
	double poor_first; /* least share that is poor before it has done anything: its network did */
	double bad_least;  /* least share that is bad in the end */
	double good_last;  /* share that may be good at the end */
};

struct clients_kind {
	const char *name, *what;
	enum clients_side side;
	int worlds, clients, networks; /* each world is an AS of its own */
	int days;		       /* 0: 30 */
	struct clients_range start_h;  /* when it comes first */
	double life_h;		       /* 0: it stays */
	double cause_ended_h;	       /* of its life; 0: there is no cause that ends */
	struct clients_around network, as;
	struct clients_manner manner[MANNERS_MOST];
	struct clients_target target;
};

/* The kinds, each list ends with one without a name. */
extern const struct clients_kind clients_innocents[], clients_attackers[], clients_cunning[];

/* One client's record. Times in seconds of its life, below 0: never. */
struct clients_fate {
	int64_t sessions, bad_sessions;
	bool slowed_first, slowed_tenth, slowed_last;
	bool poor_first, poor_last, bad_last, good_last;
	int64_t poor_s, bad_s, good_s;	   /* first time */
	int64_t poor_until_s, bad_until_s; /* last time that it was seen so */
	int64_t poor_sum_s, bad_times;	   /* seconds in all; times that it became bad */
	int64_t bad_sessions_to_poor;	   /* -1: never */
	int64_t bad_sessions_to_bad;
	int64_t good_mails, held, lost, refused; /* held: in all; lost of them by want of QUIT; refused by the list */
	int64_t spam_sent, spam_free;		 /* of an attack: taken, and taken while it stood good */
	double terms[CLIENT_TERM_COUNT];	 /* when it was first poor */
	double terms_bad[CLIENT_TERM_COUNT];	 /* when it was first bad */
	double days;
};

struct clients_dice {
	uint64_t state;
};
double clients_chance(struct clients_dice *dice);

/* Plays a kind; the fates of all its clients, world for world, owned by the caller. */
struct clients_fate *clients_play(const struct clients_kind *kind, uint64_t seed, size_t *count_out);
_Noreturn void clients_die(const char *why);

#endif
