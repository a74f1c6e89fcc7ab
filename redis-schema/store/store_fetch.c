/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of an account: its record, and what admins and panels wrote, by plain commands in one piece.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/reply.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct fetch {
	struct store *store;
	store_fetch_done *done;
	void *arg;
	bool looks; /* the table of recent accounts stays as it is */
	char account[ACCOUNT_MAX + 1];
};

static const struct known no_known = { NULL, 0 };

static void fetch_local(void *arg)
{
	struct fetch *fetch = arg;
	struct store *store = fetch->store;
	struct account_state state = { .known = KNOWLEDGE_NONE, .limits = limits_unset };
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_find(store->recent, fetch->account);
	if (row != NULL) {
		state = row->state;
		state.known = KNOWLEDGE_LOCAL;
	}
	store_count_answer(store, true);
	pthread_mutex_unlock(&store->lock);
	fetch->done(fetch->arg, &state, &no_known);
	free(fetch);
}

/* Where the answers to a fetch stand. */
enum { AT_TIME, AT_RECORD, AT_BLOCK, AT_EXEMPT, AT_LIMITS, AT_KNOWN, AT_SUMS, FETCHED = AT_SUMS };

static const char *const parts[FETCHED] = {
	[AT_RECORD] = KEY_PART_RECORD, [AT_BLOCK] = KEY_PART_BLOCK, [AT_EXEMPT] = KEY_PART_EXEMPT,
	[AT_LIMITS] = KEY_PART_LIMITS, [AT_KNOWN] = KEY_PART_KNOWN,
};

/* Names the keys that hold another type than they should. */
static int fetch_say_wrong_types(struct store *store, const char *account, const struct wire_answer *answers)
{
	char line[300];
	int wrong = 0;
	struct text text = text_over(line, sizeof line);
	text_add(&text, "wrong type of key in part ");
	for (int i = AT_RECORD; i < FETCHED; i++)
		if (answers[i].blame == BLAME_KEY)
			text_addf(&text, "%s%s", wrong++ > 0 ? "+" : "", parts[i]);
	text_add(&text,
		 " (limits is a hash, the others are strings); it is left alone and read as if it were not there");
	if (wrong > 0)
		store_say_account(store, account, line);
	return wrong > 0;
}

static void fetch_read_record(struct store *store, const char *account, const struct wire_answer *answer,
			      struct account_record *record, struct account_state *state)
{
	bool there = answer->blame == BLAME_NOBODY;
	enum record_kind kind = record_read(there ? answer->text[0] : NULL, there ? answer->length[0] : 0, record);
	state->history = record->history;
	state->unreadable = !there || kind == RECORD_OTHER || kind == RECORD_BROKEN;
	if (kind == RECORD_OTHER || kind == RECORD_BROKEN)
		store_say_foreign(store, account, kind, "this daemon counts by itself until penstockctl account reset");
}

static void fetch_read_note(const struct wire_answer *answer, char note[NOTE_MAX])
{
	if (answer->blame == BLAME_NOBODY && answer->text[0] != NULL)
		text_copy(note, NOTE_MAX, answer->text[0]);
}

static void fetch_read_fetched(struct store *store, const char *account, const struct wire_answer *answers,
			       struct account_record *record, struct account_state *state)
{
	*state = (struct account_state){ .known = KNOWLEDGE_FULL, .limits = limits_unset };
	fetch_read_record(store, account, &answers[AT_RECORD], record, state);
	fetch_read_note(&answers[AT_BLOCK], state->block);
	fetch_read_note(&answers[AT_EXEMPT], state->exempt);
	state->useless += fetch_say_wrong_types(store, account, answers);
	if (answers[AT_LIMITS].blame == BLAME_NOBODY)
		state->useless += reply_read_limits(account, true, answers[AT_LIMITS].count, answers[AT_LIMITS].text,
						    store_say_of_account, store, &state->limits);
	state->useless += store_plan_missing(store, account, state->limits.plan);
}

/* Redis may not know yet what we do, or can take nothing of it: then the limits go on from here. */
static void fetch_take(struct store *store, struct recent_row *row, const struct account_record *record,
		       struct account_state *state)
{
	struct history history = row->state.history;
	if (store_book_owes(row) || state->unreadable) {
		int64_t since_s = state->history.level_since_s;
		state->history = history;
		if (!state->unreadable)
			state->history.level_since_s = since_s;
	}
	row->state = *state;
	if (row->group ? row->owed_charges > 0 : !store_book_take(row, record) || state->unreadable)
		row->state.history = history;
	if (state->unreadable)
		row->based = false;
	recent_count_useless(store->recent, row);
}

static void fetch_fine(struct fetch *fetch, int count, const struct wire_answer *answers)
{
	struct store *store = fetch->store;
	struct account_record record;
	struct account_state state;
	struct known known = { NULL, 0 };
	fetch_read_fetched(store, fetch->account, answers, &record, &state);
	if (count > FETCHED)
		store_group_read_sums(answers + FETCHED, count - FETCHED, store_now_ms(store, 0), &state.history.rates);
	const struct wire_answer *rcpts = &answers[AT_KNOWN];
	if (rcpts->blame == BLAME_NOBODY && rcpts->text[0] != NULL && known_fits(rcpts->length[0]))
		known = (struct known){ (const unsigned char *)rcpts->text[0], rcpts->length[0] };
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = fetch->looks ? recent_find(store->recent, fetch->account)
					      : recent_take(store->recent, fetch->account, 0);
	if (row != NULL)
		fetch_take(store, row, &record, &state);
	store_count_answer(store, false);
	pthread_mutex_unlock(&store->lock);
	fetch->done(fetch->arg, &state, &known);
	free(fetch);
}

static bool fetch_shape_fits(const struct wire_answer *answers)
{
	for (int i = AT_RECORD; i < FETCHED; i++)
		if (answers[i].blame == BLAME_NOBODY && answers[i].list != (i == AT_LIMITS))
			return false;
	return true;
}

static void fetch_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct fetch *fetch = arg;
	struct store *store = fetch->store;
	enum heard heard = store_heard(store, "the reading of an account", end, count, answers);
	bool fine = heard == HEARD_ANSWER || heard == HEARD_KEY;
	if (fine && !fetch_shape_fits(answers)) {
		store_bad_shape(store, "the reading of an account");
		fine = false;
	}
	if (!fine) {
		fetch_local(fetch);
		return;
	}
	store_take_time(store, &answers[AT_TIME]);
	fetch_fine(fetch, count, answers);
}

static bool fetch_send(struct fetch *fetch)
{
	struct store *store = fetch->store;
	struct request asked;
	request_begin(&asked);
	request_command(&asked, "TIME");
	for (int i = AT_RECORD; i < FETCHED; i++) {
		request_command(&asked, i == AT_LIMITS ? "HGETALL" : "GET");
		store_key(&asked, store, fetch->account, parts[i]);
	}
	if (account_is_group(fetch->account))
		store_group_ask_sums(&asked, store, fetch->account, store_now_ms(store, 0));
	return store_send(store, &asked, fetch_come, NULL, fetch);
}

static void store_fetch_state(struct store *store, const char *account, bool looks, store_fetch_done *done, void *arg)
{
	struct fetch *fetch = calloc(1, sizeof *fetch);
	store_count(store, &store->stats.fetches);
	if (fetch == NULL) {
		done(arg, &(struct account_state){ .known = KNOWLEDGE_NONE, .limits = limits_unset }, &no_known);
		return;
	}
	fetch->store = store;
	fetch->done = done;
	fetch->arg = arg;
	text_copy(fetch->account, sizeof fetch->account, account);
	fetch->looks = looks;
	if (!fetch_send(fetch) && !alarm_soon(store->base, fetch_local, fetch))
		fetch_local(fetch);
}

void store_fetch(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	store_fetch_state(store, account, false, done, arg);
}

void store_look(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	store_fetch_state(store, account, true, done, arg);
}
