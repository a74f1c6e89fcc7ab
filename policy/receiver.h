/* SPDX-License-Identifier: BSD-2-Clause
 *
 * receiver: how a receiver ("google", or the registered domain of its hosts) takes what leaves by one of our
 * transports, and whether the transport rests for it.
 *
 * A receiver that refuses an address says so in its replies: not of the message, not of the recipient, but of where it
 * came from. One such reply means little; where they are a good share of its newest answers, mail that goes to this
 * receiver alone leaves by other transports of the pool. The rest lasts an hour at first; then a few messages try, and
 * where the refusals go on, the next rest lasts twice as long. All other receivers see no change.
 *
 * Whoever has a mail server of his own can let it say whatever he likes of our addresses, and may be the only one who
 * writes to it. So a rest wants the word of two senders where two write to the receiver, and a receiver to whom few
 * senders write says nothing of an address in general. A sender is a customer, or an account that is nobody's.
 *
 * Pure: `now_ms` is Unix time, of the lines of the log; one that goes back a little is taken for the newest seen. Where
 * it goes back by days the clock was wrong before, and what was learnt then is forgotten.
 */
#ifndef PENSTOCK_RECEIVER_H
#define PENSTOCK_RECEIVER_H

#include "policy/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an answer was: id, word, what it says against the address (0: nothing; below 0: the receiver hears it) */
#define RECEIVER_COUNT_ROWS(ROW) \
	ROW(DELIVERED, "delivered", -1) \
	ROW(REPUTATION, "reputation", 1) /* of the address */ \
	ROW(LISTED, "listed", 3)	 /* a list has the address */ \
	ROW(RATE, "rate", 0)		 /* put off for too much mail */ \
	ROW(GREYLISTED, "greylisted", 0) \
	ROW(DEFERRED, "deferred", 0) /* put off for another reason */ \
	ROW(CONTENT, "content", 0) \
	ROW(AUTHENTICATION, "authentication", 0) /* SPF, DKIM or DMARC */ \
	ROW(OTHER, "other", -1)			 /* refused for the recipient: the rest is heard */ \
	ROW(UNSAID, "unsaid", 0)		 /* refused, and not said for what */

/* clang-format off */
enum receiver_count {
#define RECEIVER_COUNT_ENUM(id, word, against) RECEIVER_##id,
	RECEIVER_COUNT_ROWS(RECEIVER_COUNT_ENUM)
#undef RECEIVER_COUNT_ENUM
	RECEIVER_COUNTS /* nothing that is counted */
};
/* clang-format on */

/* id, word */
#define RECEIVER_STATE_ROWS(ROW) \
	ROW(FREE, "free") \
	ROW(RESTS, "rests") \
	ROW(TRIES, "tries") /* the rest is over: one message in RECEIVER_TRIES_ONE_IN goes by it */

/* clang-format off */
enum receiver_state {
#define RECEIVER_STATE_ENUM(id, word) RECEIVER_##id,
	RECEIVER_STATE_ROWS(RECEIVER_STATE_ENUM)
#undef RECEIVER_STATE_ENUM
	RECEIVER_STATES
};
/* clang-format on */

enum {
	RECEIVER_NAME_MAX = 63, /* bytes of a receiver's name */
	RECEIVER_WORDING_MAX = 160,
	RECEIVER_TRIES_ONE_IN = 10,
	RECEIVER_REST_FIRST_S = 3600,
	RECEIVER_REST_MOST_S = 24 * 3600,
	RECEIVER_TRIES_MOST_S = 24 * 3600, /* a receiver that gets no mail meanwhile is tried no longer */
	RECEIVER_SENDERS = 4,		   /* are remembered of a row: those that were heard of last */
	RECEIVER_SENDERS_SPEAK = 3,	   /* write to a receiver that says something of an address in general */
	RECEIVER_BACK_MOST_S = 2 * 86400,  /* time that goes back further was wrong */
};

/* One who writes to the receiver. */
struct receiver_sender {
	uint64_t who;	    /* a hash of his name; 0: nobody */
	int64_t heard_ms;   /* when the newest answer to him came */
	int64_t refused_ms; /* ... that was against the address, since the state began; 0: none */
};

/* One transport's row of one receiver. Plain data; zeroed: nothing is known. */
struct receiver_row {
	int64_t at_ms;				/* of the newest answer: counts are as of then */
	double counts[RECEIVER_COUNTS];		/* half of it is forgotten in 12 hours; for people */
	double against, for_it;			/* of the newest answers, some twenty: what the rest is decided by */
	int64_t worded_ms;			/* the newest answer that was no delivery; 0: none */
	char wording[RECEIVER_WORDING_MAX + 1]; /* ... in printable ASCII, cut */
	enum receiver_state state;
	int64_t since_ms;      /* of the state; 0: since ever */
	int64_t until_ms;      /* RESTS: when it ends; TRIES: when it is FREE if nothing comes */
	int rests;	       /* how many followed each other; 0: none for long */
	double tried, refused; /* TRIES: answers since it began */
	struct receiver_sender senders[RECEIVER_SENDERS];
};

struct receiver_answer {
	enum receiver_count count; /* RECEIVER_COUNTS: nothing */
	bool final;	     /* false: the message is put off, and tried again: half as much against the address */
	uint64_t sender;     /* a hash of whose message it is answered; 0: not known, and counted for nobody */
	const char *wording; /* any bytes; NULL: none. Kept unless it is a delivery */
	size_t wording_length;
};

/* True: the state is another one now. */
bool receiver_hear(struct receiver_row *row, const struct receiver_answer *answer, int64_t now_ms);

/* How many senders were heard of within the last month, RECEIVER_SENDERS at most. */
int receiver_senders(const struct receiver_row *row, int64_t now_ms);

/* Time alone: counts are forgotten, rests end. True: the state is another one now. */
bool receiver_pass(struct receiver_row *row, int64_t now_ms);

/* Whether, and how, the transport rests for the receiver at that time; receiver_pass() need not have been called. */
enum receiver_state receiver_rests(const struct receiver_row *row, int64_t now_ms);

/* Share of the newest answers that are against the address, 0..1, as it is judged: few answers say little. */
double receiver_refused_share(const struct receiver_row *row);

/* Counts at now_ms, and how many answers they are together. */
double receiver_volume(const struct receiver_row *row, int64_t now_ms, double counts_out[RECEIVER_COUNTS]);

/* What of a transport is known for the receiver of one message. */
struct receiver_rest {
	enum receiver_state state;
	double refused_share;
};

/* Marks in `states` (by index) those of the pool's transports that rest for the message's receiver; `rests` by their
 * place in the pool; `tries`: this message may try one whose rest is over. Never all that serve: where none were left,
 * the one that is refused least goes on, and is returned (else NULL). */
const struct transport *receiver_withhold(const struct pool *pool, const struct receiver_rest *rests, bool tries,
					  struct transport_state *states);

/* Per cent of its share of all mail that a transport loses where so many receivers, each of RECEIVER_SENDERS_SPEAK
 * senders at least, refuse it at a time. Never all. */
int receiver_withheld(int receivers_resting);

const char *receiver_count_word(enum receiver_count count);
const char *receiver_state_word(enum receiver_state state);

#endif
