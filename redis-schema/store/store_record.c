/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One account's record: the commands that read and write it, and what their answers say.
 */
#include "redis-schema/keys.h"
#include "redis-schema/script.h"
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { DAY_MS = 86400000 };

struct record_work *store_record_work(struct store *store, const char *account, const char *so)
{
	struct record_work *work = malloc(sizeof *work);
	if (work == NULL)
		return NULL;
	work->store = store;
	work->account = account;
	work->so = so;
	work->by_text = false;
	work->known_length = 0;
	return work;
}

void store_say_foreign(struct store *store, const char *account, enum record_kind kind, const char *so)
{
	char line[200];
	snprintf(line, sizeof line, "record is %s; it is left alone, and %s",
		 kind == RECORD_OTHER ? "of another version of Penstock" : "none of Penstock's", so);
	store_say_account(store, account, line);
}

/* False: the record is not ours to change. */
static bool record_take_base(struct record_work *work, const char *bytes, size_t length)
{
	enum record_kind kind = record_read(bytes, length, &work->base);
	if (kind == RECORD_NONE || kind == RECORD_FINE)
		return true;
	store_say_foreign(work->store, work->account, kind, work->so);
	return false;
}

static void record_take_known(struct record_work *work, const char *bytes, size_t length)
{
	work->known_length = bytes != NULL && known_fits(length) ? length : 0;
	if (work->known_length > 0)
		memcpy(work->known, bytes, work->known_length);
}

/* ---- reading */

void store_record_ask(const struct record_work *work, struct request *request)
{
	request_begin(request);
	request_command(request, "GET");
	store_key(request, work->store, work->account, KEY_PART_RECORD);
	request_command(request, "GET");
	store_key(request, work->store, work->account, KEY_PART_KNOWN);
}

enum record_end store_record_come(struct record_work *work, enum wire_end end, int count,
				  const struct wire_answer *answers)
{
	static const enum record_end ends[] = {
		[HEARD_SCRIPT] = END_ERROR, [HEARD_ERROR] = END_ERROR, [HEARD_LATE] = END_LATE, [HEARD_LOST] = END_LOST
	};
	enum heard heard = store_heard(work->store, "GET of a record", end, count, answers);
	if (heard != HEARD_ANSWER && heard != HEARD_KEY)
		return ends[heard];
	if (answers[0].list || answers[1].list) {
		store_bad_shape(work->store, "GET of a record");
		return END_ERROR;
	}
	if (answers[0].blame == BLAME_KEY)
		store_say_foreign(work->store, work->account, RECORD_BROKEN, work->so);
	if (answers[0].blame == BLAME_KEY || !record_take_base(work, answers[0].text[0], answers[0].length[0]))
		return END_FOREIGN;
	/* one of another type is written anew */
	bool fine = answers[1].blame == BLAME_NOBODY;
	record_take_known(work, fine ? answers[1].text[0] : NULL, fine ? answers[1].length[0] : 0);
	return END_THERE;
}

/* ---- writing */

/* What panels read, where it changes, and all of it once a day, for the time to live. */
static void record_add_shown(struct request *request, const struct history *before, const struct history *after)
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

void store_record_write(struct record_work *work, size_t known_length, struct request *request)
{
	const struct store *store = work->store;
	size_t head_length = record_head(&work->base, work->head);
	size_t length = record_write(&work->next, work->bytes);
	request_begin(request);
	request_command(request, work->by_text ? "EVAL" : "EVALSHA");
	request_word(request, work->by_text ? script_text : store->sha);
	request_word(request, "3");
	store_key(request, store, work->account, KEY_PART_RECORD);
	store_key(request, store, work->account, KEY_PART_STATE);
	store_key(request, store, work->account, KEY_PART_KNOWN);
	request_bytes(request, work->head, head_length);
	request_bytes(request, work->bytes, length);
	request_number(request, store->settings.state_ttl_s);
	request_bytes(request, work->known, known_length);
	record_add_shown(request, &work->base.history, &work->next.history);
}

/* Its record is written all the same. */
static void record_say_not_shown(const struct record_work *work, const char *error)
{
	char line[200], shown[120];
	struct text text = text_over(line, sizeof line);
	text_copy(shown, sizeof shown, error);
	text_add(&text, "state, which panels read, cannot be written: redis says \"");
	text_add_word(&text, shown);
	text_add(&text, "\"");
	store_say_account(work->store, work->account, line);
}

static enum record_end record_read_written(struct record_work *work, const struct wire_answer *answer)
{
	if (answer->list && answer->count == 1 && answer->text[0] != NULL) {
		if (answer->text[0][0] < '0' || answer->text[0][0] > '9')
			record_say_not_shown(work, answer->text[0]);
		return END_TAKEN;
	}
	if (!answer->list || answer->count != 2) {
		store_bad_shape(work->store, "EVALSHA of compare_and_set.lua");
		return END_ERROR;
	}
	if (!record_take_base(work, answer->text[0], answer->length[0]))
		return END_FOREIGN;
	record_take_known(work, answer->text[1], answer->length[1]);
	return END_THERE;
}

enum record_end store_record_written(struct record_work *work, enum wire_end end, int count,
				     const struct wire_answer *answers)
{
	switch (store_heard(work->store, "EVALSHA of compare_and_set.lua", end, count, answers)) {
	case HEARD_ANSWER:
		return record_read_written(work, answers);
	case HEARD_KEY:
		store_say_foreign(work->store, work->account, RECORD_BROKEN, work->so);
		return END_FOREIGN;
	case HEARD_SCRIPT:
		if (!work->by_text)
			return END_SCRIPT;
		store_bad_shape(work->store, "EVAL of compare_and_set.lua");
		return END_ERROR;
	case HEARD_LATE:
		return END_LATE;
	case HEARD_LOST:
		return END_LOST;
	default:
		return END_ERROR;
	}
}
