/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A book's requests, and what their answers say.
 */
#include "redis-schema/store/store_book_inside.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/script.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { DAY_MS = 86400000 };

static void book_read_late(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	(void)end;
	(void)count;
	(void)answers;
	((struct account_book *)arg)->ended(arg, END_LOST); /* it is read again */
}

static void book_say_foreign(const struct account_book *book, enum record_kind kind)
{
	store_say_account(book->store, book->row->account,
			  kind == RECORD_OTHER ? "record is of another version of Penstock; it is left alone, and this "
						 "daemon counts by itself"
					       : "record is none of Penstock's; it is left alone, and this daemon "
						 "counts by itself");
}

/* False: the record is not ours to change. */
static bool book_take_record(struct account_book *book, const char *bytes, size_t length)
{
	enum record_kind kind = record_read(bytes, length, &book->work->base);
	if (kind == RECORD_NONE || kind == RECORD_FINE)
		return true;
	book_say_foreign(book, kind);
	return false;
}

static void book_take_known(struct account_book *book, const char *bytes, size_t length)
{
	book->work->known_length = bytes != NULL && known_fits(length) ? length : 0;
	if (book->work->known_length > 0)
		memcpy(book->work->known, bytes, book->work->known_length);
}

static void book_read_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	static const enum book_end ends[] = {
		[HEARD_SCRIPT] = END_ERROR, [HEARD_ERROR] = END_ERROR, [HEARD_LATE] = END_LATE, [HEARD_LOST] = END_LOST
	};
	struct account_book *book = arg;
	enum heard heard = store_heard(book->store, "GET of a record", end, count, answers);
	if (heard != HEARD_ANSWER && heard != HEARD_KEY) {
		book->ended(book, ends[heard]);
		return;
	}
	if (answers[0].list || answers[1].list) {
		store_bad_shape(book->store, "GET of a record");
		book->ended(book, END_ERROR);
		return;
	}
	if (answers[0].blame == BLAME_KEY)
		book_say_foreign(book, RECORD_BROKEN);
	if (answers[0].blame == BLAME_KEY || !book_take_record(book, answers[0].text[0], answers[0].length[0])) {
		book->ended(book, END_FOREIGN);
		return;
	}
	/* one of another type is written anew */
	bool fine = answers[1].blame == BLAME_NOBODY;
	book_take_known(book, fine ? answers[1].text[0] : NULL, fine ? answers[1].length[0] : 0);
	book->ended(book, END_THERE);
}

/* Its record is written all the same. */
static void book_say_not_shown(const struct account_book *book, const char *error)
{
	char line[200], shown[120];
	struct text text = text_over(line, sizeof line);
	text_copy(shown, sizeof shown, error);
	text_add(&text, "state, which panels read, cannot be written: redis says \"");
	text_add_word(&text, shown);
	text_add(&text, "\"");
	store_say_account(book->store, book->row->account, line);
}

static enum book_end book_read_written(struct account_book *book, const struct wire_answer *answer)
{
	if (answer->list && answer->count == 1 && answer->text[0] != NULL) {
		if (answer->text[0][0] < '0' || answer->text[0][0] > '9')
			book_say_not_shown(book, answer->text[0]);
		return END_TAKEN;
	}
	if (!answer->list || answer->count != 2) {
		store_bad_shape(book->store, "EVALSHA of compare_and_set.lua");
		return END_ERROR;
	}
	if (!book_take_record(book, answer->text[0], answer->length[0]))
		return END_FOREIGN;
	book_take_known(book, answer->text[1], answer->length[1]);
	return END_THERE;
}

static enum book_end book_end_of_write(struct account_book *book, enum heard heard, const struct wire_answer *answers)
{
	switch (heard) {
	case HEARD_ANSWER:
		return book_read_written(book, answers);
	case HEARD_KEY:
		book_say_foreign(book, RECORD_BROKEN);
		return END_FOREIGN;
	case HEARD_SCRIPT:
		if (!book->by_text)
			return END_SCRIPT;
		store_bad_shape(book->store, "EVAL of compare_and_set.lua");
		return END_ERROR;
	case HEARD_LATE:
		return END_LATE;
	case HEARD_LOST:
		return END_LOST;
	default:
		return END_ERROR;
	}
}

static void book_write_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct account_book *book = arg;
	enum heard heard = store_heard(book->store, "EVALSHA of compare_and_set.lua", end, count, answers);
	book->ended(book, book_end_of_write(book, heard, answers));
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
	request_begin(&request);
	request_command(&request, "GET");
	store_key(&request, book->store, book->row->account, KEY_PART_RECORD);
	request_command(&request, "GET");
	store_key(&request, book->store, book->row->account, KEY_PART_KNOWN);
	book_send(book, BOOK_READS, &request);
}

/* What panels read, where it changes, and all of it once a day, for the time to live. */
static void book_add_shown(struct request *request, const struct history *before, const struct history *after)
{
	bool all = before->rates.at_ms / DAY_MS != after->rates.at_ms / DAY_MS;
	char was[32], is[32];
	snprintf(was, sizeof was, "%.2f", before->score);
	snprintf(is, sizeof is, "%.2f", after->score);
	if (all || after->level != before->level || after->level_since_s != before->level_since_s) {
		request_word(request, "level");
		request_word(request, after->level == LEVEL_UNKNOWN ? "" : level_word(after->level));
		request_word(request, "since");
		request_number(request, after->level_since_s);
	}
	if (all || strcmp(was, is) != 0) {
		request_word(request, "score");
		request_text(request, "%s", is);
	}
	/* what an older version left there is none of the record's */
	bool named = all && (after->unauthorised[0] != '\0' || before->rates.at_ms == 0);
	if (named || strcmp(before->unauthorised, after->unauthorised) != 0) {
		request_word(request, "spf");
		request_word(request, after->unauthorised);
	}
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
	struct store *store = book->store;
	struct request request;
	char head[RECORD_HEAD], bytes[RECORD_MAX];
	const char *account = book->row->account;
	size_t head_length = record_head(&book->work->base, head);
	size_t length = record_write(&book->work->next, bytes);
	size_t known = book_add_known(book);
	request_begin(&request);
	request_command(&request, book->by_text ? "EVAL" : "EVALSHA");
	request_word(&request, book->by_text ? script_text : store->sha);
	request_word(&request, "3");
	store_key(&request, store, account, KEY_PART_RECORD);
	store_key(&request, store, account, KEY_PART_STATE);
	store_key(&request, store, account, KEY_PART_KNOWN);
	request_bytes(&request, head, head_length);
	request_bytes(&request, bytes, length);
	request_number(&request, store->settings.state_ttl_s);
	request_bytes(&request, book->work->known, known);
	book_add_shown(&request, &book->work->base.history, &book->work->next.history);
	book_send(book, BOOK_WRITES, &request);
}
