/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The book of one account: what is to be charged to it, and the one request that is under way for it. Redis takes a
 * record only where the one before is still there (compare_and_set.lua), and no second write is sent before the first
 * one is settled: so what Redis took of this daemon is always a beginning of what was charged, and charges that come
 * meanwhile go together in the next write.
 *
 * A write whose answer was lost keeps its number until a record was read: one that has the number, or a later one of
 * this daemon, has the write. Until then it is sent again with the same content, and can be taken once.
 */
#include "redis-schema/store/store_book_inside.h"

#include "policy/base/panic.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* Of N daemons that write one record without a pause, N - 1 lose each time. */
enum { TRIES_MAX = 256 };

/* ---- parts and debts */

static void queue_clear(struct queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void queue_add(struct queue *queue, struct part *part)
{
	part->next = NULL;
	*queue->last = part;
	queue->last = &part->next;
}

static void book_queue_move(struct queue *from, struct queue *to)
{
	if (from->first == NULL)
		return;
	*to->last = from->first;
	to->last = from->last;
	queue_clear(from);
}

/* The lock is held. */
static void book_owe(struct account_book *book, struct debt *debt, const struct part *part)
{
	struct charge made = charge_made(&part->charge, &part->breach, SCOPE_ACCOUNT);
	if (debt->charges++ == 0)
		debt->charge = made;
	else
		charge_join(&debt->charge, &made);
	book->row->based = false;
	book->store->stats.pending++;
}

/* The lock is held. */
static void book_forgive(struct account_book *book, struct debt *debt, uint64_t *counter)
{
	book->store->stats.pending -= debt->charges;
	*counter += debt->charges;
	debt->charges = 0;
}

static void book_tell(struct queue *queue, enum knowledge known, const struct rates *rates)
{
	for (struct part *part = queue->first, *next; part != NULL; part = next) {
		next = part->next;
		part->told(part, known, rates, NULL);
	}
}

/* Judges what waits by what is known here. Of a record that is not ours nothing is owed: it could never be paid. */
static void book_answer_here(struct account_book *book)
{
	struct store *store = book->store;
	struct history *history = &book->row->state.history;
	struct queue answered;
	queue_clear(&answered);
	pthread_mutex_lock(&store->lock);
	for (struct part *part = book->waiting.first; part != NULL; part = part->next) {
		part->charge.now_ms = store_now_ms(store, part->charge.now_ms);
		part->breach = history_judge(history, &part->charge);
		if (!book->row->state.unreadable)
			book_owe(book, &book->debt, part);
		store_count_answer(store, true);
	}
	struct rates rates = history->rates;
	book_queue_move(&book->waiting, &answered);
	pthread_mutex_unlock(&store->lock);
	book_tell(&answered, KNOWLEDGE_LOCAL, &rates);
}

/* The row has what the write makes of the record, and what was counted here since. The lock is held. */
static void book_follow(struct account_book *book)
{
	struct recent_row *row = book->row;
	row->state.history = book->work->next.history;
	row->based = book->debt.charges == 0;
	if (book->debt.charges > 0)
		history_charge(&row->state.history, &book->debt.charge);
}

/* Answers what was sent as it was judged; Redis may have taken it or not. */
static void book_answer_sent(struct account_book *book)
{
	struct store *store = book->store;
	struct queue answered;
	struct rates rates = book->work->next.history.rates;
	queue_clear(&answered);
	pthread_mutex_lock(&store->lock);
	book_follow(book);
	book->row->based = false;
	for (struct part *part = book->sent.first; part != NULL; part = part->next) {
		book_owe(book, &book->sent_debt, part);
		store_count_answer(store, true);
	}
	book_queue_move(&book->sent, &answered);
	pthread_mutex_unlock(&store->lock);
	book_tell(&answered, KNOWLEDGE_LOCAL, &rates);
}

/* Judges it all on `base`. */
static void book_judge(struct account_book *book)
{
	struct store *store = book->store;
	book->work->next = book->work->base;
	struct history *history = &book->work->next.history;
	if (book->sent_debt.charges > 0) {
		book->sent_debt.charge.now_ms = store_now_ms(store, book->sent_debt.charge.now_ms);
		history_charge(history, &book->sent_debt.charge);
	}
	for (struct part *part = book->sent.first; part != NULL; part = part->next) {
		part->charge.now_ms = store_now_ms(store, part->charge.now_ms);
		part->breach = history_judge(history, &part->charge);
	}
	record_sign(&book->work->next, (struct record_write){ store->writer, book->number });
}

/* ---- what comes of an end */

typedef void book_move(struct account_book *book);
static void book_rest(struct account_book *book);
static void book_move_owe(struct account_book *book);

/* Does the record that was read have the write whose answer was lost? */
static void book_settle(struct account_book *book)
{
	struct store *store = book->store;
	bool open = book->number != 0 && book->sent.first == NULL;
	if (!open || record_last(&book->work->base, store->writer) < book->number)
		return;
	book->number = 0;
	pthread_mutex_lock(&store->lock);
	book_forgive(book, &book->sent_debt, &store->stats.merged);
	pthread_mutex_unlock(&store->lock);
}

/* All that waits and is owed goes together, but for a write that may have been taken: it goes again by itself. */
static void book_move_write(struct account_book *book)
{
	struct store *store = book->store;
	pthread_mutex_lock(&store->lock);
	book->row->state.unreadable = false;
	recent_count_useless(store->recent, book->row);
	pthread_mutex_unlock(&store->lock);
	book_settle(book);
	if (book->number == 0) {
		book_queue_move(&book->waiting, &book->sent);
		book->sent_debt = book->debt;
		book->debt.charges = 0;
		if (book->sent.first != NULL || book->sent_debt.charges > 0)
			book->number = ++store->number;
	}
	if (book->number == 0) { /* it was settled, and there is no more */
		pthread_mutex_lock(&store->lock);
		book->row->state.history = book->work->base.history;
		memcpy(book->row->writes, book->work->base.writes, sizeof book->row->writes);
		book->row->earlier = book->work->base.earlier;
		book->row->based = true;
		pthread_mutex_unlock(&store->lock);
		book_rest(book);
		return;
	}
	book_judge(book);
	book_write(book);
}

static void book_move_write_again(struct account_book *book)
{
	pthread_mutex_lock(&book->store->lock);
	book->store->stats.conflicts++;
	pthread_mutex_unlock(&book->store->lock);
	if (++book->tries >= TRIES_MAX) {
		book->tries = 0;
		book_move_owe(book); /* the next tick tries again */
		return;
	}
	if (book->sent.first == NULL) { /* it was read for a write that may have been taken */
		book_move_write(book);
		return;
	}
	book_judge(book);
	book_write(book);
}

static void book_move_write_as_text(struct account_book *book)
{
	book->work->by_text = true;
	book_write(book);
}

static void book_move_taken(struct account_book *book)
{
	struct store *store = book->store;
	struct recent_row *row = book->row;
	struct rates rates = book->work->next.history.rates;
	struct queue answered;
	queue_clear(&answered);
	pthread_mutex_lock(&store->lock);
	book_follow(book);
	memcpy(row->writes, book->work->next.writes, sizeof row->writes);
	row->earlier = 0;
	for (const struct part *part = book->sent.first; part != NULL; part = part->next)
		store_count_answer(store, false);
	book_forgive(book, &book->sent_debt, &store->stats.merged);
	pthread_mutex_unlock(&store->lock);
	book_queue_move(&book->sent, &answered);
	book->number = 0;
	book->tries = 0;
	book->late = false;
	store->untaken = 0;
	store_taken(store);
	book_tell(&answered, KNOWLEDGE_FULL, &rates); /* while they are told, nothing begins */
	book_rest(book);
}

/* The record is of another version, or none: the account is counted by this daemon alone until somebody deletes it. */
static void book_move_alone(struct account_book *book)
{
	struct store *store = book->store;
	pthread_mutex_lock(&store->lock);
	book->row->state.unreadable = true;
	recent_count_useless(store->recent, book->row);
	book->row->based = false;
	book_forgive(book, &book->sent_debt, &store->stats.dropped);
	book_forgive(book, &book->debt, &store->stats.dropped);
	pthread_mutex_unlock(&store->lock);
	book->number = 0;
	book->late = false;
	book_queue_move(&book->waiting, &book->sent);
	book_queue_move(&book->sent, &book->waiting);
	book_answer_here(book);
	book_rest(book);
}

static void book_move_owe(struct account_book *book)
{
	if (book->phase == BOOK_WRITES && !book->late)
		book_answer_sent(book);
	book->late = false;
	book_answer_here(book);
	book_rest(book);
}

static void book_move_wait(struct account_book *book)
{
	if (book->phase == BOOK_WRITES)
		book_answer_sent(book);
	book->late = true;
	book_answer_here(book);
}

/* What came too late is known all the same; the next request reads what it left. */
static void book_move_late(struct account_book *book)
{
	book->late = false;
	book_settle(book);
	book_rest(book);
}

/* What a request's end leads to, by what was asked. */
static book_move *const moves[BOOK_PHASES][RECORD_ENDS] = {
	[BOOK_RESTS] = { NULL },
	[BOOK_READS] = {
		[END_TAKEN] = book_move_owe,
		[END_THERE] = book_move_write,
		[END_FOREIGN] = book_move_alone,
		[END_SCRIPT] = book_move_owe,
		[END_ERROR] = book_move_owe,
		[END_LATE] = book_move_wait,
		[END_LOST] = book_move_owe,
	},
	[BOOK_WRITES] = {
		[END_TAKEN] = book_move_taken,
		[END_THERE] = book_move_write_again,
		[END_FOREIGN] = book_move_alone,
		[END_SCRIPT] = book_move_write_as_text,
		[END_ERROR] = book_move_owe,
		[END_LATE] = book_move_wait,
		[END_LOST] = book_move_owe,
	},
};

/* The same where its messages were answered long ago. */
static book_move *const late_moves[RECORD_ENDS] = {
	[END_TAKEN] = book_move_taken, [END_THERE] = book_move_late, [END_FOREIGN] = book_move_alone,
	[END_SCRIPT] = book_move_late, [END_ERROR] = book_move_late, [END_LATE] = book_move_late,
	[END_LOST] = book_move_owe,
};

static void book_ended(struct account_book *book, enum record_end end)
{
	struct store *store = book->store;
	book_move *move = book->late ? late_moves[end] : moves[book->phase][end];
	MUST(move != NULL);
	move(book);
	if (end == END_ERROR)
		store_untaken(store);
}

/* ---- what begins */

static void book_free(struct account_book *book)
{
	book->row->book = NULL;
	free(book->work);
	free(book);
}

/* Has it to be read first? */
static bool book_reads(const struct account_book *book)
{
	bool reads = !book->row->based || book->number != 0 || book->debt.charges > 0;
	for (const struct part *part = book->waiting.first; part != NULL && !reads; part = part->next)
		reads = part->new_known_count > 0;
	return reads;
}

static void book_go(struct account_book *book)
{
	const struct recent_row *row = book->row;
	if (book->phase != BOOK_RESTS)
		return;
	if (book->work == NULL)
		book->work = store_record_work(book->store, row->account, "this daemon counts by itself");
	/* what is owed to a record that is not ours is given up when it is read once more */
	bool alone = row->state.unreadable && book->number == 0 && book->debt.charges == 0;
	if (book->work == NULL || !book->store->serving || alone) {
		book_answer_here(book);
		return;
	}
	book->work->by_text = book->store->sha[0] == '\0';
	if (book_reads(book)) {
		book_read(book);
		return;
	}
	book->work->base.history = row->state.history;
	memcpy(book->work->base.writes, row->writes, sizeof row->writes);
	book->work->base.earlier = row->earlier;
	book->work->known_length = 0;
	book_move_write(book);
}

/* Nothing is under way: what came meanwhile goes now, what is owed at the next tick, and where there is nothing the
 * book is closed. */
static void book_rest(struct account_book *book)
{
	book->phase = BOOK_RESTS;
	if (book->waiting.first != NULL)
		book_go(book);
	if (book->phase != BOOK_RESTS)
		return;
	free(book->work);
	book->work = NULL;
	if (book->waiting.first == NULL && book->number == 0 && book->debt.charges == 0)
		book_free(book);
}

/* The lock is held. */
static struct account_book *book_of(struct store *store, struct recent_row *row)
{
	if (row->book != NULL)
		return row->book;
	struct account_book *book = calloc(1, sizeof *book);
	if (book == NULL)
		return NULL;
	book->store = store;
	book->row = row;
	book->ended = book_ended;
	queue_clear(&book->sent);
	queue_clear(&book->waiting);
	row->book = book;
	return book;
}

/* There is no row for it: others share its counts, and Redis is not told. */
static void book_answer_shared(struct part *part)
{
	struct store *store = part->store;
	pthread_mutex_lock(&store->lock);
	struct rates *shared = recent_shared(store->recent, part->charge.account);
	struct history history = { .rates = *shared };
	part->charge.now_ms = store_now_ms(store, part->charge.now_ms);
	part->breach = history_judge(&history, &part->charge);
	*shared = history.rates;
	store_count_answer(store, true);
	store->stats.dropped++;
	store->stats.shared++;
	part->unkept = true;
	pthread_mutex_unlock(&store->lock);
	store_say_seldom(
		store,
		"redis: the table of recent accounts (redis.recent_accounts) is full of what Redis is owed: accounts "
		"without a row share counts, which refuses some early, and what they send is not kept for Redis");
	part->told(part, KNOWLEDGE_LOCAL, &history.rates, NULL);
}

static struct account_book *book_take(struct part *part)
{
	struct store *store = part->store;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = store_row(store, part->charge.account);
	struct account_book *book = row != NULL ? book_of(store, row) : NULL;
	pthread_mutex_unlock(&store->lock);
	return book;
}

/* Nothing is asked of Redis. In a later turn of the loop than the question. */
static void book_answer_soon(void *arg)
{
	struct part *part = arg;
	struct account_book *book = book_take(part);
	if (book == NULL) {
		book_answer_shared(part);
		return;
	}
	queue_add(&book->waiting, part);
	if (book->late)
		book_answer_here(book);
	else if (book->phase == BOOK_RESTS)
		book_rest(book);
}

void store_book_charge(struct part *part)
{
	struct store *store = part->store;
	struct account_book *book = book_take(part);
	if (book == NULL || book->late || !store->serving || book->row->state.unreadable) {
		if (!alarm_soon(store->base, book_answer_soon, part))
			book_answer_soon(part);
		return;
	}
	queue_add(&book->waiting, part);
	book_go(book);
}

void store_book_pay(struct store *store, struct recent_row *row)
{
	(void)store;
	if (row->book != NULL && row->book->phase == BOOK_RESTS)
		book_go(row->book);
}

bool store_book_owes(const struct recent_row *row)
{
	return row->book != NULL && (row->book->debt.charges > 0 || row->book->sent_debt.charges > 0);
}

bool store_book_take(struct recent_row *row, const struct account_record *record)
{
	if (row->book != NULL)
		return false;
	memcpy(row->writes, record->writes, sizeof row->writes);
	row->earlier = record->earlier;
	row->based = true;
	return true;
}

void store_book_free(struct recent_row *row)
{
	if (row->book != NULL)
		book_free(row->book);
}
