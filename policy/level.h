/* SPDX-License-Identifier: BSD-2-Clause
 *
 * level: what an account has earned. A level is entered at one score and left at a lower one (hysteresis), and is
 * kept for a least time, so that an account does not flutter between two pools.
 */
#ifndef PENSTOCK_LEVEL_H
#define PENSTOCK_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

/* In an account's record they go by their place: new ones go to the end. */
#define LEVEL_ROWS(ROW) \
	ROW(UNKNOWN, "unknown") /* nobody looked: never a level of a judged message */ \
	ROW(GOOD, "good") \
	ROW(NEW, "new") \
	ROW(SUSPECT, "suspect") \
	ROW(BLOCKED, "blocked")

/* clang-format off */
enum level {
#define LEVEL_ENUM(id, word) LEVEL_##id,
	LEVEL_ROWS(LEVEL_ENUM)
#undef LEVEL_ENUM
	LEVEL_COUNT
};
/* clang-format on */

struct level_settings {
	double suspect_enter, suspect_leave; /* scores, log-odds; enter > leave */
	double blocked_enter, blocked_leave;
	int64_t minimum_stay_s; /* a worse level is kept at least so long; a rise to a worse one is immediate */
	int64_t new_for_s;	/* age below which an account is new */
	int64_t new_messages;	/* messages, decayed, below which it is new */
};

/* A change of habits beside a scanner that erred once refuses nobody's mail: what only abuse brings has to come to so
 * much as well before an account is blocked. */
#define HARD_TO_BLOCK 3.5

struct level_facts {
	enum level before; /* LEVEL_UNKNOWN: the first message */
	int64_t before_s;  /* how long the account has had it */
	double score;
	double hard;	 /* the part of it that only abuse brings */
	int64_t age_s;	 /* since the account was made, or since its first message */
	double messages; /* its decayed count */
	int64_t seen_s;	 /* since its first message here */
	int days;	 /* on which it sent and behaved */
};

/* Is the account new? It is until it is old enough and has sent enough messages; where it sends few, its age is enough:
 * four times as much, of which it was seen here for as long as the others. And it has to behave on some days: an
 * account that was made long ago and not used may have been bought. */
bool level_young(const struct level_settings *settings, const struct level_facts *facts);

enum level level_next(const struct level_settings *settings, const struct level_facts *facts);

const char *level_word(enum level level);
/* LEVEL_UNKNOWN for a word that is no level. */
enum level level_find(const char *word);

#endif
