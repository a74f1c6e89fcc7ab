/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What roster.c (the pieces, and account.list) and roster_check.c (account.check) share. Nobody else includes it.
 */
#ifndef PENSTOCK_ROSTER_INSIDE_H
#define PENSTOCK_ROSTER_INSIDE_H

#include "milter/control/roster.h"
#include "milter/daemon/daemon.h"
#include "redis-schema/store/store.h"

/* Which key of an account; of those that a list asks for the first one shows it. */
enum roster_part { ROSTER_PART_BLOCK, ROSTER_PART_EXEMPT, ROSTER_PART_STATE, ROSTER_PART_LIMITS, ROSTER_PARTS };

struct roster_key {
	enum roster_part part;
	const char *word; /* the part's */
	bool braces;	  /* the name stands in them */
	char name[ACCOUNT_MAX + 1];
};

struct roster {
	struct exchange_call *call; /* owes exchange_answer */
	struct setup *setup;	    /* held */
	struct evbuffer *line;	    /* owned */
	unsigned wanted;	    /* of account.list: a set of 1 << enum roster_want */
	const char *pattern;	    /* of keys, behind the prefix; a constant */
	void (*take)(struct roster *roster, const char *key);
	void (*behind)(struct roster *roster); /* what comes when all keys were looked at; NULL: nothing */
	char cursor[24];		       /* SCAN's */
	bool over;			       /* it has given its last piece */
	char **keys;			       /* owned: of the piece at hand */
	int key_count, key_at;
	int in_flight; /* questions to Redis that are not answered yet */
	void (*wake)(
		void *arg); /* a question in flight that waits for the client to read, or to have gone; NULL: none */
	void *wake_arg;
	bool going;	   /* roster_go_on() is at work */
	bool paused, gone; /* the client reads slowly; it has gone */
	int64_t all_keys, looked_at, told_at, found;
	char error[256]; /* "" : none */
};

/* NULL with a sentence in `error`. Begin it, or it is never freed. */
struct roster *roster_new(struct exchange_call *call, const char *word, char *error, size_t error_size);
void roster_begin(struct roster *roster);
/* To be called when a question was answered and in_flight counted down; the roster may be gone afterwards. */
void roster_go_on(struct roster *roster);
void roster_send(struct roster *roster, json_t *json); /* takes `json` */
void roster_fail(struct roster *roster, const char *error);
/* False: it is no key of these parts. */
bool roster_read_key(const struct roster *roster, const char *key, struct roster_key *key_out);

/* Is it a name that an account or group has, as it stands in keys? `right` is the one that was meant; where there is
 * none, `expected_out` says what was expected. */
bool roster_name_right(const char *name, char right[ACCOUNT_MAX + 1], const char **expected_out);

#endif
