/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_group_inside: what store_group.c (a charge to a group, and what comes of its answers) and store_group_ask.c
 * (keys, commands, numbers) share. Nobody else includes it.
 */
#ifndef PENSTOCK_STORE_GROUP_INSIDE_H
#define PENSTOCK_STORE_GROUP_INSIDE_H

#include "redis-schema/store/store_inside.h"

enum {
	KINDS = WINDOW_COUNT - WINDOW_SUMS,
	TURNS_MAX = 3, /* requests of one charge: by the limits as they were remembered, by others, and its places */
};

/* One charge under way. */
struct group_ask {
	struct part *part;
	bool late;
	int turns;
	int64_t now_ms;
	int64_t heard_ms; /* when the group was charged last: in another period its keys may be new */
	unsigned windows; /* sums that were incremented ... */
	int64_t after[WINDOW_SUMS], before[WINDOW_SUMS];
	unsigned places, there, came;	     /* kinds of place that were looked at; that were there; that were added */
	int64_t place_count[KINDS];	     /* of the day, with the message's */
	unsigned asked, asked_places, added; /* by the request under way, and where its answers stand: */
	int at_sum[WINDOW_SUMS], at_before[WINDOW_SUMS], at_field[WINDOW_SUMS], at_place[KINDS];
	struct limits own;
	int useless;
	char block[NOTE_MAX], exempt[NOTE_MAX];
};

/* The windows that are limited and that the message adds to; the kinds of place. Sets of bits. */
unsigned group_windows(const struct limits *limits, const struct amounts *amounts);
unsigned group_kinds(const struct limits *limits, const struct charge *charge);

/* Its own keys, these sums, places that are looked at, and others that are added; `done` comes with ask->at_*. False:
 * it could not be sent. */
bool group_ask(struct group_ask *ask, unsigned windows, unsigned places, unsigned added, wire_done *done);
/* False: an answer is of another kind than its question has. */
bool group_shape_fits(const struct group_ask *ask, const struct wire_answer *answers);
/* False: a sum is no number, or of another type. */
bool group_read_sums(struct group_ask *ask, const struct wire_answer *answers);
/* Sums that nobody reads any more go by themselves. */
void group_let_expire(const struct group_ask *ask);
/* What does not leave. Where that is lost, it stays counted until the period ends. */
void group_give_back(const struct group_ask *ask);
void group_give_back_places(const struct group_ask *ask, unsigned set);
/* Increments of all `windows` at once. */
void group_add_increments(struct request *request, const struct store *store, const char *group, unsigned windows,
			  const struct amounts *amounts, int64_t now_ms);

#endif
