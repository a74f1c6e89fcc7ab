/* SPDX-License-Identifier: BSD-2-Clause
 *
 * standing: what block lists think of one of our own addresses, over time, and how much of its share a transport that
 * leaves by it therefore has.
 *
 * Listed by lists that weigh enough together, it is out. No longer listed, it waits, then returns little by little:
 * receivers have memories of their own, and a burst from an address that was just delisted is how it gets listed again.
 * One that is listed again soon after its return waits twice as long, and twice again, so that it does not flap.
 *
 * Pure: `now_ms` is any clock that never goes back.
 */
#ifndef PENSTOCK_STANDING_H
#define PENSTOCK_STANDING_H

#include "policy/listing.h"
#include "policy/pool.h"

#include <stdbool.h>
#include <stdint.h>

/* id, word, the transport serves */
#define STANDING_ROWS(ROW) \
	ROW(UNKNOWN, "unknown", true) /* no check has said anything yet */ \
	ROW(CLEAN, "clean", true) \
	ROW(LISTED, "listed", false) \
	ROW(WAITING, "waiting", false)	  /* no longer listed */ \
	ROW(RETURNING, "returning", true) /* with a part of its share */

/* clang-format off */
enum standing_state {
#define STANDING_ENUM(id, word, serves) STANDING_##id,
	STANDING_ROWS(STANDING_ENUM)
#undef STANDING_ENUM
	STANDING_COUNT
};
/* clang-format on */

enum {
	STANDING_LISTS_MAX = 24,    /* named; more are counted by their weight only */
	STANDING_RETURNS_WITH = 10, /* per cent of its share, at first */
	STANDING_WAIT_MOST = 8,	    /* times the wait of the settings */
	STANDING_FORGETS_DAYS = 30, /* clean for so long, it waits no longer than others */
	STANDING_SILENT_HOURS = 24, /* a list that is silent is held to its word for so long */
	STANDING_ALL_LEAST = 8,	    /* from so many lists on, a "yes" of all is nobody's word */
};

struct standing_settings {
	double weight;	   /* from which on it is listed; above 0 */
	int64_t wait_ms;   /* from its delisting until it returns */
	int64_t return_ms; /* from then until it has its full share */
};

struct standing_list {
	char name[LIST_NAME_MAX + 1];
	char removal[LIST_WEB_MAX + 1]; /* "" : not known */
	enum list_kind kind;
	double weight;	 /* as it counts: 0 for a list that says nothing against the address, or whose data another
			  * list that names it has in it */
	int64_t said_ms; /* when the list itself said so last */
};

/* What one check said. Zeroed, then told of each list by standing_hear. */
struct standing_check {
	int answered, silent;
	int yes;	/* of those that answered, of any kind */
	bool lies;	/* an answer outside 127/8: a resolver that rewrites them */
	double unnamed; /* weight of listings for which there was no room */
	int list_count;
	struct {
		struct standing_list row;
		const struct list *list; /* borrowed until standing_judge */
	} lists[STANDING_LISTS_MAX];
};

struct standing {
	enum standing_state state;
	int64_t since_ms;   /* of the state */
	int64_t checked_ms; /* the last check that said something */
	double weight;	    /* at that check */
	int wait_times;	    /* 1..STANDING_WAIT_MOST; 0: not listed for long */
	int withheld;	    /* per cent of its share, TRANSPORT_OUT: all */
	int list_count;	    /* at that check */
	struct standing_list lists[STANDING_LISTS_MAX];
};

enum standing_said { STANDING_NO_ANSWER, STANDING_SAYS_NO, STANDING_SAYS_YES };

/* One list's word of the address of `before`; `kind` where it says yes. Of a list without an answer its last word
 * holds, for a day: a list that falls silent has taken nobody off. */
void standing_hear(struct standing_check *check, const struct standing *before, const struct list *list,
		   enum standing_said said, enum list_kind kind, int64_t now_ms);

/* After all lists were heard. False: the check said nothing (most lists gave no answer, or they cannot be believed),
 * and nothing changes; but what is listed by those that answered is. */
bool standing_judge(struct standing *standing, const struct standing_settings *settings, struct standing_check *check,
		    int64_t now_ms);

/* When the state ends if nothing comes in between: of WAITING and RETURNING; else 0. */
int64_t standing_ends_ms(const struct standing *standing, const struct standing_settings *settings);

/* Fills the `withheld` of the pool's transports. `standings` by index of the transport; NULL: not watched, it serves.
 * Where all are out the one with the least weight against it goes on, the first of several; it is returned. NULL: not
 * all are out. */
const struct transport *standing_withhold(const struct pool *pool, const struct standing *const *standings,
					  struct transport_state *states);
/* All of them are listed now, not only out. */
bool standing_all_listed(const struct pool *pool, const struct standing *const *standings);

const char *standing_word(enum standing_state state);

#endif
