/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_book_inside: what store_book.c (what is to be charged, and what comes of an answer) and store_book_ask.c (the
 * requests) share. Nobody else includes it.
 */
#ifndef PENSTOCK_STORE_BOOK_INSIDE_H
#define PENSTOCK_STORE_BOOK_INSIDE_H

#include "redis-schema/store/store_inside.h"

enum book_phase { BOOK_RESTS, BOOK_READS, BOOK_WRITES, BOOK_PHASES };

struct queue {
	struct part *first, **last;
};

/* Charges whose messages were answered before Redis took them. */
struct debt {
	struct charge charge;
	uint64_t charges; /* 0: none */
};

struct account_book {
	struct store *store;
	struct recent_row *row; /* borrowed; it stays as long as its book */
	void (*ended)(struct account_book *book, enum record_end end);
	enum book_phase phase;
	bool late; /* the request under way had no answer in time */
	int tries;
	uint64_t number;	     /* of a write that may have been taken, or is under way; 0: none */
	struct queue sent, waiting;  /* in that write; for the next one */
	struct debt sent_debt, debt; /* likewise */
	struct record_work *work;    /* owned; NULL: it rests */
};

/* Asks what Redis holds; writes what `sent` and `sent_debt` made of `base`. Both end by book->ended(), never before
 * they return. */
void book_read(struct account_book *book);
void book_write(struct account_book *book);

#endif
