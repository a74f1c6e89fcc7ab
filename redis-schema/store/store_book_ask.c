/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A book's requests, as long as their answers are waited for.
 */
#include "redis-schema/store/store_book_inside.h"

#include <string.h>

#include "policy/base/banned.h"

static void book_read_late(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	(void)end;
	(void)count;
	(void)answers;
	((struct account_book *)arg)->ended(arg, END_LOST); /* it is read again */
}

static void book_read_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct account_book *book = arg;
	book->ended(book, store_record_come(book->work, end, count, answers));
}

static void book_write_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct account_book *book = arg;
	book->ended(book, store_record_written(book->work, end, count, answers));
}

/* It could not even be sent. */
static void book_unsent(void *arg)
{
	((struct account_book *)arg)->ended(arg, END_LOST);
}

static int64_t book_deadline(const struct queue *queue, int64_t deadline_ms)
{
	for (const struct part *part = queue->first; part != NULL; part = part->next)
		deadline_ms = part->deadline_ms < deadline_ms ? part->deadline_ms : deadline_ms;
	return deadline_ms;
}

/* A write that goes again by itself keeps others waiting. */
static void book_send(struct account_book *book, enum book_phase phase, const struct request *request)
{
	struct store *store = book->store;
	int64_t deadline_ms = alarm_clock_ms() + store->settings.timeout_ms;
	bool writes = phase == BOOK_WRITES;
	book->phase = phase;
	deadline_ms = book_deadline(&book->waiting, book_deadline(&book->sent, deadline_ms));
	if (!store->serving ||
	    !wire_ask_until(store->wire, deadline_ms, request->command, request->count,
			    writes ? book_write_come : book_read_come, writes ? book_write_come : book_read_late, book))
		if (!alarm_soon(store->base, book_unsent, book))
			book_unsent(book);
}

void book_read(struct account_book *book)
{
	struct request request;
	store_record_ask(book->work, &request);
	book_send(book, BOOK_READS, &request);
}

/* The recipients that become known; 0: they stay as they are. */
static size_t book_add_known(struct account_book *book)
{
	size_t length = 0;
	for (const struct part *part = book->sent.first; part != NULL; part = part->next) {
		if (part->new_known_count == 0 || charge_turned_away(&part->charge, &part->breach))
			continue;
		unsigned char more[KNOWN_MAP_BYTES];
		struct known known = { book->work->known, book->work->known_length };
		length = known_add(&known, part->new_known, part->new_known_count, more);
		memcpy(book->work->known, more, length);
		book->work->known_length = length;
	}
	return length;
}

/* Sends what `sent` and `sent_debt` make of `base`. */
void book_write(struct account_book *book)
{
	struct request request;
	store_record_write(book->work, book_add_known(book), &request);
	book_send(book, BOOK_WRITES, &request);
}
