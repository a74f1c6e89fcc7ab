/* SPDX-License-Identifier: BSD-2-Clause
 *
 * guesses_inside: the tables of guesses, for the files that tell of them and save them.
 */
#ifndef PENSTOCK_GUESSES_INSIDE_H
#define PENSTOCK_GUESSES_INSIDE_H

#include "milter/clients/guesses.h"
#include "policy/guess.h"

#include <pthread.h>

/* Rows of a side, and among how many of them one has its place. */
enum { GUESS_WAYS = 8, GUESS_BUCKETS = 1024, GUESS_ROWS = GUESS_WAYS * GUESS_BUCKETS, GUESS_SIDES = 2 };

/* Plain data: it is saved as it is. */
struct guess_entry {
	uint64_t hash; /* of the client or the name; its upper half picks the bucket. 0: free */
	uint64_t failures;
	int64_t first_s, last_s;
	int64_t told_s, got_in_s; /* 0: never */
	int64_t kept_back_hour;	  /* in which it was last counted as not told of */
	struct guess_set others;
	struct netaddr client;
	uint16_t services; /* 1 << enum client_service */
	uint8_t ours;
	char name[CLIENT_NOTE_NAME_MAX + 1]; /* see struct guess_row */
};

/* What is told; of each so many in an hour, so that nobody hides one kind among events of another. */
enum guess_news_kind { GUESS_NEWS_GUESSER, GUESS_NEWS_ATTACKED, GUESS_NEWS_GOT_IN, GUESS_NEWS_KINDS };

struct guess_hour {
	int64_t hour;
	int told;
};

struct guess_table {
	uint64_t key[2];
	struct guess_entry *rows[GUESS_SIDES]; /* owned, GUESS_ROWS each */
	struct guess_stats stats;
	struct guess_hour hour[GUESS_NEWS_KINDS]; /* events in the newest hour */
};

extern struct guess_table the_guesses;
extern pthread_mutex_t guesses_lock; /* for all of it */

/* With the lock: the GUESS_WAYS rows in one of which it stands. */
struct guess_entry *guesses_bucket(enum guess_side side, uint64_t hash);

/* What there is to tell after a note; made under the lock, told without it. */
struct guess_news {
	bool tell[GUESS_NEWS_KINDS], too_many[GUESS_NEWS_KINDS];
	struct guess_row row[GUESS_SIDES];
	char login[CLIENT_NOTE_NAME_MAX + 1]; /* as which it got in */
};

/* guesses_tell.c. Any thread, without the lock. */
void guesses_tell(const struct guess_news *news);

#endif
