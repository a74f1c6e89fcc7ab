/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store: what Redis knows of accounts, and how it goes on while Redis is away.
 *
 * Loop thread only, but for the functions that say otherwise. Each `done` is called exactly once, at the latest when
 * the request's time-out has passed, and never before the call returns unless there is no memory for the request. See
 * README.md in the folder above for the keys.
 *
 * An account's record is read, judged on here, and written where nobody wrote it meanwhile; else it is judged anew on
 * what is there. While Redis is away, fetch and charge are answered from a table of recent accounts; what is charged
 * there is kept and handed to Redis when it returns.
 */
#ifndef PENSTOCK_STORE_H
#define PENSTOCK_STORE_H

#include "policy/facts.h"
#include "policy/known.h"
#include "policy/netaddr.h"
#include "policy/plan.h"
#include "redis-schema/say.h"
#include "redis-schema/settings.h"

struct event_base;
struct store;

enum {
	GROUPS_MAX = SCOPE_COUNT - 1, /* that one message is counted in beside its account */
};

/* A group's limits are its own key's, which is read with its sums; what that leaves open is the plan's that is given
 * here. */
struct group_charge {
	enum scope scope;
	char name[ACCOUNT_MAX + 1]; /* account_group()'s */
	struct limits limits;	    /* of its plan; limits.plan names it */
};

/* One message to be checked and charged: its account, and in the same pipeline what stands under other keys. */
struct message_charge {
	struct charge charge;
	uint64_t fingerprint;	   /* of its body, policy/fingerprint.h; 0: none is asked about */
	uint64_t who;		   /* a keyed hash of who sent it */
	bool bad;		   /* it counts as bad in its campaign */
	const uint32_t *new_known; /* recipients for the account's key of them; borrowed until the call returns */
	int new_known_count;	   /* 0: none, or its habits hold them all */
	plan_fill *plans; /* those that groups may name in their keys, as the sender of the message sees them ... */
	const void *plans_arg; /* ... borrowed until `done` is called; NULL: none */
	int group_count;
	struct group_charge groups[GROUPS_MAX];
};

struct charge_result {
	enum knowledge known;		   /* LOCAL: from the table of recent accounts */
	struct breach breach;		   /* window WINDOW_COUNT: within all limits, the groups' included */
	char group_block[GROUP_BLOCK_MAX]; /* where breach.blocked: facts.group_block */
	struct rates rates;		   /* the account's, after it */
	struct campaign campaign;
	int64_t charged_ms; /* the time of it: who gives it back later says so by charge.now_ms */
};

/* `known`: recipients that the account knows, borrowed until the call returns; without bytes: the state's habits hold
 * them all, or it is unknown. */
typedef void store_fetch_done(void *arg, const struct account_state *state, const struct known *known);
typedef void store_charge_done(void *arg, const struct charge_result *result);
/* `account` is NULL where no network of the map holds the address, or Redis did not say. */
typedef void store_network_done(void *arg, const char *account);
/* Answer of an admin's command: `error` NULL where it worked. `items` are the strings of a flat answer (NULL: nil). */
typedef void store_command_done(void *arg, const char *error, int count, const char *const *items);

/* NULL with a sentence in `error` where the settings are of no use. Connects by itself. */
struct store *store_new(struct event_base *base, const struct store_settings *settings, store_say *say, void *say_arg,
			char *error, size_t error_size);
void store_free(struct store **store);

void store_fetch(struct store *store, const char *account, store_fetch_done *done, void *arg);
/* The same for somebody who asks and sends nothing: an account that is not among the recent ones stays away. */
void store_look(struct store *store, const char *account, store_fetch_done *done, void *arg);
/* `done` may be NULL: nobody waits. A group that an admin blocked refuses: breach.blocked, with a window and a limit of
 * 0 that nobody set, and `over` OVER_REJECT. What goes into the key of known recipients is lost where Redis is away:
 * they are then learnt again. A message that a group refuses is given back to the account and the other groups before
 * `done` is called, without waiting. */
void store_charge(struct store *store, const struct message_charge *charge, store_charge_done *done, void *arg);
/* Something was learnt about an account's earlier mail: `count` more of `counter` (dead recipients, complaints, failed
 * logins, traps). Counted though Redis is away, like any charge. */
void store_feedback(struct store *store, const char *account, enum counter counter, double count, int64_t now_ms);

/* What a mail log says of an account's mail, learnt from one line of it. */
struct store_credit {
	uint64_t number; /* the line's: 1 to 2^40 - 1; rises from one credit of an account to the next */
	double counts[COUNTER_COUNT];
};
enum credit_end {
	CREDIT_TAKEN,	/* Redis has all of them */
	CREDIT_UNKNOWN, /* it did not say: ask again later, with the same ones and whatever came since */
	CREDIT_FOREIGN, /* the record is of another version, or none: it is left alone, which is said */
};
/* `added` of those that were TAKEN were added; the others were there already. */
typedef void store_credit_done(void *arg, enum credit_end end, int added);
/* Adds those of the credits whose number is above the last one that the record has of `writer`: each counts once,
 * whatever is asked again, by this process or the next one. `writer` names a mail log: 40 bits, drawn once and kept
 * with its place in the log, of which two are not looked at (record_follower()). The credits of one account come in the
 * order of their numbers, and one call for it at a time; they are borrowed until `done` is called. An account that has
 * no record, because it expired or was reset, gets one.
 *
 * Unlike a charge it is never answered from the table of recent accounts and nothing of it is kept here. It needs
 * nothing of the account's row and leaves it alone, so the same process may charge the account, too. */
void store_credit(struct store *store, const char *account, uint64_t writer, const struct store_credit *credits,
		  int count, store_credit_done *done, void *arg);

/* Longest match in the map of client networks. */
void store_network(struct store *store, const struct netaddr *address, store_network_done *done, void *arg);

/* A command on one key of an account, for penstockctl: argv[0] is the command, argv[1] the part of the key behind the
 * account ("limits", "block", "exempt", "state"), the rest as they are. */
void store_account_command(struct store *store, const char *account, int argc, const char *const *argv,
			   store_command_done *done, void *arg);
/* The same for a key that is no account's: argv[1] is the part of the key behind the prefix ("events", "explain").
 * Nested answers come as one flat list. `done` may be NULL. */
void store_key_command(struct store *store, int argc, const char *const *argv, store_command_done *done, void *arg);
/* Forgets the account's or group's history, here and in Redis; what an admin or a panel wrote stays. The answer is how
 * many keys went. */
void store_reset(struct store *store, const char *account, store_command_done *done, void *arg);
/* How many keys there are. */
void store_size(struct store *store, store_command_done *done, void *arg);
/* A piece of all keys, of which Redis looks at `count`: the answer is the next cursor ("0": that was the last piece)
 * and the keys, with the prefix, that match `pattern` behind it. Begins with cursor "0". */
void store_scan(struct store *store, const char *cursor, const char *pattern, int count, store_command_done *done,
		void *arg);

/* The key of the hashes that decide anything, which all daemons share through Redis (key `secret`). False: Redis has
 * not said yet, and it is this process's own. Any thread. */
bool store_secret(struct store *store, uint64_t key_out[2]);

/* Plans that panels write (hash `plans`), read every second. Any thread. False where there is none of that name. */
bool store_plan(struct store *store, const char *name, struct limits *limits_out);

/* Counts for /health, /metrics and penstockctl. Any thread. */
struct store_stats {
	bool up; /* connected and answering */
	bool breaker_open;
	bool secret_shared; /* store_secret() is the one that Redis has */
	uint64_t fetches, charges, commands, failures, timeouts;
	uint64_t away_s;	  /* since when it has not answered, or not taken charges; 0: it does */
	char why[160];		  /* ... why not, as it was last found; "": it is not away, or nothing was found yet */
	uint64_t local_answers;	  /* given from the table of recent accounts */
	double local_share;	  /* of the last answers, some hundred: 0 to 1 */
	uint64_t merged;	  /* charges handed to Redis later */
	uint64_t dropped;	  /* charges that were given up: the table was full, or the record is not ours */
	uint64_t pending;	  /* charges that wait for Redis */
	uint64_t shared;	  /* charges of accounts that had no row of their own */
	uint64_t conflicts;	  /* writes of a record that another daemon had written before */
	bool forbidden;		  /* the Redis user may not all that is not needed for limits */
	uint64_t recent;	  /* rows in use ... */
	uint64_t useless_limits;  /* ... of which have fields in their key `limits` that mean nothing */
	uint64_t foreign_records; /* ... whose record is of another version, or none of ours */
	uint64_t useless_plans;	  /* panels' plans that have such fields */
};
struct store_stats store_stats(struct store *store);

/* Recent accounts of this daemon for `penstockctl top`. Any thread. Fills at most `most` rows, returns how many. */
struct store_top_row {
	char account[ACCOUNT_MAX + 1];
	struct account_state state;
};
enum store_top_order { STORE_TOP_RCPTS, STORE_TOP_SCORE };
size_t store_top(struct store *store, enum store_top_order order, size_t most, struct store_top_row *rows);

#endif
