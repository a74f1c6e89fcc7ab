/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_inside: what the files of the store share; the README has a line for each. Nobody else includes it.
 */
#ifndef PENSTOCK_STORE_INSIDE_H
#define PENSTOCK_STORE_INSIDE_H

#include "redis-schema/keys.h"
#include "redis-schema/plans.h"
#include "redis-schema/store/recent.h"
#include "redis-schema/store/request.h"
#include "redis-schema/store/store.h"
#include "redis-schema/wire/alarm.h"
#include "redis-schema/wire/wire.h"

#include <pthread.h>

enum { SAID_ROWS = 256, SAID_MOST = 100, SHA_SIZE = 41 };

struct store {
	struct event_base *base;
	struct store_settings settings; /* its strings live as long as the store */
	store_say *say;
	void *say_arg;
	struct wire *wire;
	struct alarm *retry, *tick;
	int64_t retry_ms;		       /* the next wait */
	int64_t failures;		       /* in a row */
	int64_t untaken;		       /* charges of accounts that ended in errors, in a row */
	char sha[SHA_SIZE];		       /* of the script; "" : not known, it is sent as text */
	uint64_t writer, number;	       /* of the writes of this daemon; see account_record.h */
	uint64_t credit_writer, credit_number; /* the passing names of its credits */
	bool said_away;
	bool plans_asked, secret_asked;
	bool secret_missing;  /* Redis has none: it is written at the next tick */
	bool refused;	      /* it greets us, and takes no charges: a replica, or full memory */
	bool serving;	      /* it greeted us, and may be asked */
	uint64_t said_key[2]; /* a stranger may choose account names: he cannot choose whose line is taken for said */
	struct {
		uint64_t line;
		int64_t at_s;
	} said[SAID_ROWS];
	int64_t accounts_said_from_s; /* of lines about accounts in these ten minutes: since when they are counted ...
				       */
	uint64_t accounts_said;	      /* ... and how many there were; SAID_MOST are written */
	long long buckets_period;     /* of campaigns: the period ... */
	unsigned char buckets[CAMPAIGN_BUCKETS / 8]; /* ... and its buckets that have their time to live, a bit each */
	pthread_mutex_t lock;			     /* of what follows; never held while somebody's `done` runs */
	struct recent *recent;
	struct plans *plans;
	uint64_t secret[2];
	bool secret_shared;	/* Redis has it */
	bool clock_known;	/* Redis told its time: it is ... */
	int64_t clock_ahead_ms; /* ... so much ahead of settings.steady_ms() */
	int64_t away_since_s;	/* CLOCK_MONOTONIC; 0: it is not away */
	struct store_stats stats;
};

/* ---- store_base.c */

void store_count(struct store *store, uint64_t *counter);
/* An answer was given, from the table of recent accounts or by Redis. The lock is held. */
void store_count_answer(struct store *store, bool local);
int64_t store_clock_s(void); /* CLOCK_MONOTONIC */
/* Redis's time as far as it is known, which steps with no clock of this host; until then `daemon_ms`. */
int64_t store_now_ms(const struct store *store, int64_t daemon_ms);
/* What TIME answered. */
void store_take_time(struct store *store, const struct wire_answer *answer);
/* The row of an account or group that is charged. While Redis answers each has one: what is under way is bounded.
 * Locked; NULL: none is to be had. */
struct recent_row *store_row(struct store *store, const char *account);
void store_key(struct request *request, const struct store *store, const char *account, const char *part);
bool store_send(struct store *store, const struct request *request, wire_done *done, wire_done *late, void *arg);

/* ---- store_say.c */

/* What a panel wrote is said once in ten minutes, not once a message. `arg` is the store. */
void store_say_seldom(void *arg, const char *line);
/* The same of one of very many accounts: of all of them SAID_MOST lines in that time, and how many there were more. */
void store_say_of_account(void *arg, const char *line);
/* "redis: account NAME: WHAT" */
void store_say_account(struct store *store, const char *account, const char *what);

/* ---- store_health.c */

/* What an answer to a question of ours says of Redis. */
enum heard {
	HEARD_ANSWER, /* what was asked, of use or not */
	HEARD_KEY,    /* a key of another type, or with a value that is none */
	HEARD_SCRIPT, /* it has to be sent as text */
	HEARD_ERROR,  /* nothing was done, as far as Redis says */
	HEARD_LATE,
	HEARD_LOST,
};
/* Of a request without which no message is judged and charged: the worst of its answers. Too many failures in a row, or
 * one error that is the server's, are an outage. `names` the request in the log. */
enum heard store_heard(struct store *store, const char *names, enum wire_end end, int count,
		       const struct wire_answer *answers);
/* An answer that is none to the question: the same as an error. */
void store_bad_shape(struct store *store, const char *names);
/* The same of any other request: an error about it says nothing about Redis. */
void store_noted(struct store *store, enum wire_end end);
/* Nobody waits for what is sent here, and nobody misses it; no command is nothing. */
void store_send_behind(struct store *store, const struct request *request);
/* Redis took a charge. */
void store_taken(struct store *store);
/* It answered an account's charge by an error: too many in a row are an outage, though it answers what else is asked.
 */
void store_untaken(struct store *store);
/* It is there again. */
void store_say_up(struct store *store);

/* ---- store_record.c: one account's record */

/* How a request about it ended. */
enum record_end {
	END_TAKEN,   /* the record is written */
	END_THERE,   /* work->base is what Redis holds: it was read, or another writer came first */
	END_FOREIGN, /* what is there is not ours to change, which was said */
	END_SCRIPT,  /* the script has to be sent as text */
	END_ERROR,
	END_LATE, /* it is still under way */
	END_LOST,
	RECORD_ENDS
};

/* What a request under way needs. */
struct record_work {
	struct store *store;
	const char *account;		      /* borrowed */
	const char *so;			      /* a constant: what comes of a record that is not ours */
	bool by_text;			      /* the write is sent as EVAL */
	struct account_record base, next;     /* on which the write is made; what it makes of it */
	unsigned char known[KNOWN_MAP_BYTES]; /* recipients beside `base`, where they were read */
	size_t known_length;
	char head[RECORD_HEAD], bytes[RECORD_MAX]; /* store_record_write()'s */
};

/* By malloc(); NULL: no memory. */
struct record_work *store_record_work(struct store *store, const char *account, const char *so);
/* The commands; of the write also its first `known_length` bytes of `known`, 0: they stay as they are. Its bytes are
 * borrowed until it is sent. */
void store_record_ask(const struct record_work *work, struct request *request);
void store_record_write(struct record_work *work, size_t known_length, struct request *request);
/* What came of them, the end of a wire_done. */
enum record_end store_record_come(struct record_work *work, enum wire_end end, int count,
				  const struct wire_answer *answers);
enum record_end store_record_written(struct record_work *work, enum wire_end end, int count,
				     const struct wire_answer *answers);
/* "record is none of Penstock's; it is left alone, and SO" */
void store_say_foreign(struct store *store, const char *account, enum record_kind kind, const char *so);

/* ---- store_charge.c: one message, in parts that end each by itself */

struct part;

/* Ends a part, and frees it. `known` FULL: by what Redis holds. Not locked. */
typedef void part_told(struct part *part, enum knowledge known, const struct rates *rates, const char *group_block);

/* A message's charge to its account or to a group. Whoever has it ends it by told(). */
struct part {
	struct part *next; /* in a book */
	struct store *store;
	part_told *told;
	void *message;	  /* told()'s; NULL: nobody waits */
	plan_fill *plans; /* of the message's sender, until told() is called; NULL: none */
	const void *plans_arg;
	int index;   /* of the message's parts */
	bool unkept; /* it has no row of its own and is not kept for Redis: nor is its giving back */
	enum scope scope;
	int64_t deadline_ms; /* alarm_clock_ms() by which it is answered */
	uint32_t *new_known; /* owned: recipients for the account's key of them; NULL: none */
	int new_known_count;
	struct breach breach; /* what it was answered, once it is judged */
	struct charge charge; /* its limits: those in force, as far as they are known here */
	struct limits given;  /* of a group: those of the plan that its user named */
};

/* ---- store_book.c */

void store_book_charge(struct part *part);
/* What the row owes goes to Redis, where nothing is under way. The lock is not held. */
void store_book_pay(struct store *store, struct recent_row *row);
/* Is more known here than Redis has? Locked, as the next one. */
bool store_book_owes(const struct recent_row *row);
/* A record was read for a message. False: something is under way, and the row's history stays as it is. */
bool store_book_take(struct recent_row *row, const struct account_record *record);
void store_book_free(struct recent_row *row);

/* ---- store_group.c */

void store_group_charge(struct part *part);
void store_group_pay(struct store *store, struct recent_row *row);
/* Asks for the sums of a group and the periods before, and reads the answers into rates. */
void store_group_ask_sums(struct request *request, const struct store *store, const char *group, int64_t now_ms);
void store_group_read_sums(const struct wire_answer *answers, int count, int64_t now_ms, struct rates *rates_out);
/* The keys of its sums and places of now. */
void store_group_add_keys(struct request *request, const struct store *store, const char *group, int64_t now_ms);

/* ---- store_campaign.c */

typedef void store_campaign_done(void *arg, const struct campaign *campaign);
/* False: nothing is asked, and nobody is called. */
bool store_campaign_ask(struct store *store, const struct message_charge *asked, store_campaign_done *done, void *arg);

/* ---- store_link.c */

/* Makes the wire and its timers, and lets it connect. False with a sentence in `error`. */
bool store_link_open(struct store *store, char *error, size_t error_size);
void store_link_close(struct store *store);

/* ---- store_probe.c */

/* Tries each command of ours; `done` gets the store. */
void store_probe(struct store *store, wire_done *done);
/* False: not one account can be read and charged, and why. */
bool store_probe_passed(struct store *store, int count, const struct wire_answer *answers, char *why, size_t why_size);

/* ---- store_plans.c */

/* Does the account's key name a plan that nobody defined? Then that is said: it has limits that nobody meant. */
bool store_plan_missing(struct store *store, const char *account, const char *plan);

void store_ask_plans(struct store *store);
void store_ask_secret(struct store *store);

#endif
