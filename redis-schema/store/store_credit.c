/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Credits: what a mail log says of an account, added to its record by the same compare and set as charges, and by the
 * number of its line once.
 *
 * The record has the number of the last credit of each log. Credits come in the order of their numbers, so all up to it
 * are in the record, and none above it: what is to be added is the same whoever asks, whether an answer was lost, a
 * write of a process that was killed comes late, or the log is read again. No write of another's keeps anything of
 * this: at each conflict, and at each new question, the numbers are judged anew on what Redis has.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* Conflicts with daemons that write the same record, until somebody else is asked first. */
enum { CREDIT_TRIES_MAX = 256 };

/* Behind the answers of store_record_ask(). A follower asks for nothing else, and its own clock may have stood still
 * with its host, or Redis' may have been set: windows of a record that is much newer would be thrown away. */
enum { CREDIT_TIME = 2 };

struct credit_ask {
	struct store *store;
	store_credit_done *done;
	void *arg;
	uint64_t writer;
	const struct store_credit *credits; /* borrowed until `done` */
	int count, added, tries;
	struct record_work *work; /* owned */
	char account[ACCOUNT_MAX + 1];
};

static void credit_end(struct credit_ask *ask, enum credit_end end)
{
	store_credit_done *done = ask->done;
	void *arg = ask->arg;
	int added = end == CREDIT_TAKEN ? ask->added : 0;
	free(ask->work);
	free(ask);
	done(arg, end, added);
}

static void credit_end_unknown(void *arg)
{
	credit_end(arg, CREDIT_UNKNOWN);
}

/* Redis did not do it, or did not say so. */
static void credit_give_up(struct credit_ask *ask, enum record_end end)
{
	struct store *store = ask->store;
	credit_end(ask, end == END_FOREIGN ? CREDIT_FOREIGN : CREDIT_UNKNOWN);
	if (end == END_ERROR)
		store_untaken(store);
}

/* What the record that is there does not have. */
static void credit_judge(struct credit_ask *ask, double counts[COUNTER_COUNT])
{
	uint64_t last = record_last(&ask->work->base, ask->writer);
	ask->added = 0;
	for (int i = 0; i < ask->count; i++) {
		if (ask->credits[i].number <= last)
			continue;
		ask->added++;
		for (int counter = 0; counter < COUNTER_COUNT; counter++)
			counts[counter] += ask->credits[i].counts[counter];
	}
}

static void credit_write_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers);

static void credit_write(struct credit_ask *ask)
{
	struct store *store = ask->store;
	struct record_work *work = ask->work;
	struct request request;
	double counts[COUNTER_COUNT] = { 0 };
	credit_judge(ask, counts);
	if (ask->added == 0) {
		credit_end(ask, CREDIT_TAKEN);
		return;
	}
	work->next = work->base;
	history_credit(&work->next.history, store_now_ms(store, work->base.history.rates.at_ms), counts);
	record_sign(&work->next, (struct record_write){ ask->writer, ask->credits[ask->count - 1].number });
	record_sign(&work->next, (struct record_write){ store->credit_writer, ++store->credit_number });
	store_record_write(work, 0, &request);
	if (!store_send(store, &request, credit_write_come, NULL, ask))
		credit_end(ask, CREDIT_UNKNOWN);
}

static void credit_write_again(struct credit_ask *ask)
{
	store_count(ask->store, &ask->store->stats.conflicts);
	if (++ask->tries < CREDIT_TRIES_MAX)
		credit_write(ask);
	else
		credit_end(ask, CREDIT_UNKNOWN);
}

static void credit_write_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct credit_ask *ask = arg;
	enum record_end ended = store_record_written(ask->work, end, count, answers);
	switch (ended) {
	case END_TAKEN:
		ask->store->untaken = 0;
		store_taken(ask->store);
		credit_end(ask, CREDIT_TAKEN);
		return;
	case END_THERE:
		credit_write_again(ask);
		return;
	case END_SCRIPT:
		ask->work->by_text = true;
		credit_write(ask);
		return;
	default:
		credit_give_up(ask, ended);
	}
}

static void credit_read_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct credit_ask *ask = arg;
	enum record_end ended = store_record_come(ask->work, end, count, answers);
	if (ended == END_THERE) {
		store_take_time(ask->store, &answers[CREDIT_TIME]);
		credit_write(ask);
	} else
		credit_give_up(ask, ended);
}

static struct credit_ask *credit_ask_new(struct store *store, const char *account)
{
	struct credit_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return NULL;
	text_copy(ask->account, sizeof ask->account, account);
	ask->store = store;
	ask->work = store_record_work(store, ask->account, "what the mail log says of it is not counted");
	if (ask->work == NULL) {
		free(ask);
		return NULL;
	}
	ask->work->by_text = store->sha[0] == '\0';
	return ask;
}

void store_credit(struct store *store, const char *account, uint64_t writer, const struct store_credit *credits,
		  int count, store_credit_done *done, void *arg)
{
	struct request request;
	struct credit_ask *ask = credit_ask_new(store, account);
	MUST(count > 0);
	store_count(store, &store->stats.commands);
	if (ask == NULL) {
		done(arg, CREDIT_UNKNOWN, 0);
		return;
	}
	ask->done = done;
	ask->arg = arg;
	ask->writer = record_follower(writer);
	ask->credits = credits;
	ask->count = count;
	store_record_ask(ask->work, &request);
	request_command(&request, "TIME");
	if (!store_send(store, &request, credit_read_come, NULL, ask) &&
	    !alarm_soon(store->base, credit_end_unknown, ask))
		credit_end_unknown(ask);
}
