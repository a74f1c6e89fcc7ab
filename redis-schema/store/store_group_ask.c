/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys of groups, and the commands on them.
 */
#include "redis-schema/store/store_group_inside.h"

#include "policy/base/text.h"
#include "redis-schema/keys.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SPANS = 3, DAY_S = 86400, NONE = -1 };

static const struct {
	const char *word;
	int64_t seconds;
} spans[SPANS] = { { "minute", 60 }, { "hour", 3600 }, { "day", DAY_S } };

static const char *const fields[COUNTED_SUMS] = { "messages", "rcpts", "kbytes", "new_rcpts" };
static const char *const kinds[KINDS] = { "addresses", "networks", "ases" };

static int group_span_of(enum window window)
{
	int span = 0;
	while (spans[span].seconds != window_seconds(window))
		span++;
	return span;
}

static void group_key_of_sums(struct request *request, const struct store *store, const char *group, int span,
			      int64_t period)
{
	request_text(request, KEY_OF_SUMS, store->settings.prefix, group, spans[span].word, (long long)period);
}

static int64_t period_of(int span, int64_t now_ms)
{
	return now_ms / 1000 / spans[span].seconds;
}

/* The windows that are limited and that the message adds to. */
unsigned group_windows(const struct limits *limits, const struct amounts *amounts)
{
	unsigned set = 0;
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (limits->window[i] != LIMIT_UNSET && amounts->of[window_counted((enum window)i)] != 0)
			set |= 1U << i;
	return set;
}

unsigned group_kinds(const struct limits *limits, const struct charge *charge)
{
	unsigned set = 0;
	for (int i = 0; i < KINDS; i++)
		if (limits->window[WINDOW_SUMS + i] != LIMIT_UNSET && charge->places[i] != 0)
			set |= 1U << i;
	return set;
}

/* ---- commands */

static void group_add_increment(struct request *request, const struct store *store, const char *group,
				enum window window, int64_t now_ms, int64_t amount)
{
	int span = group_span_of(window);
	request_command(request, "HINCRBY");
	group_key_of_sums(request, store, group, span, period_of(span, now_ms));
	request_word(request, fields[window_counted(window)]);
	request_number(request, amount);
}

/* Two periods are looked at, and clocks of daemons may differ a little. */
static void group_add_expire(struct request *request, const struct store *store, const char *group, int span,
			     int64_t now_ms)
{
	request_command(request, "EXPIRE");
	group_key_of_sums(request, store, group, span, period_of(span, now_ms));
	request_number(request, 2 * spans[span].seconds + 60);
}

static void group_add_place_key(struct request *request, const struct store *store, const char *group, int kind,
				int64_t now_ms)
{
	request_text(request, KEY_OF_PLACES, store->settings.prefix, group, kinds[kind],
		     (long long)(now_ms / 1000 / DAY_S));
}

/* The sums of one span: increments, then the counts of the period before. */
static void group_ask_span(struct request *request, struct group_ask *ask, int span)
{
	const struct part *part = ask->part;
	const char *group = part->charge.account;
	int before = NONE, field = 0;
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (ask->asked >> i & 1 && group_span_of((enum window)i) == span) {
			ask->at_sum[i] = request->count;
			group_add_increment(request, part->store, group, (enum window)i, ask->now_ms,
					    part->charge.amounts.of[window_counted((enum window)i)]);
		}
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (ask->asked >> i & 1 && group_span_of((enum window)i) == span) {
			if (before == NONE) {
				before = request_command(request, "HMGET");
				group_key_of_sums(request, part->store, group, span, period_of(span, ask->now_ms) - 1);
			}
			request_word(request, fields[window_counted((enum window)i)]);
			ask->at_before[i] = before;
			ask->at_field[i] = field++;
		}
	/* in the same piece: behind its answer the connection may have ended, and nobody comes to the key again */
	if (before != NONE && period_of(span, ask->heard_ms) != period_of(span, ask->now_ms))
		group_add_expire(request, part->store, group, span, ask->now_ms);
}

static void group_ask_places(struct request *request, struct group_ask *ask)
{
	const struct part *part = ask->part;
	for (int i = 0; i < KINDS; i++) {
		if (((ask->asked_places | ask->added) >> i & 1) == 0)
			continue;
		ask->at_place[i] = request_command(request, ask->added >> i & 1 ? "SADD" : "SISMEMBER");
		group_add_place_key(request, part->store, part->charge.account, i, ask->now_ms);
		request_bytes(request, &part->charge.places[i], sizeof part->charge.places[i]);
		request_command(request, "SCARD");
		group_add_place_key(request, part->store, part->charge.account, i, ask->now_ms);
		if ((ask->added >> i & 1) == 0)
			continue;
		request_command(request, "EXPIRE");
		group_add_place_key(request, part->store, part->charge.account, i, ask->now_ms);
		request_number(request, DAY_S);
	}
}

bool group_ask(struct group_ask *ask, unsigned windows, unsigned places, unsigned added, wire_done *done)
{
	struct store *store = ask->part->store;
	const char *group = ask->part->charge.account;
	struct request request;
	request_begin(&request);
	ask->asked = windows;
	ask->asked_places = places;
	ask->added = added;
	ask->turns++;
	request_command(&request, "HGETALL");
	store_key(&request, store, group, KEY_PART_LIMITS);
	request_command(&request, "GET");
	store_key(&request, store, group, KEY_PART_BLOCK);
	request_command(&request, "GET");
	store_key(&request, store, group, KEY_PART_EXEMPT);
	for (int span = 0; span < SPANS; span++)
		group_ask_span(&request, ask, span);
	group_ask_places(&request, ask);
	return store->serving &&
	       wire_ask_until(store->wire, ask->part->deadline_ms, request.command, request.count, done, done, ask);
}

void group_let_expire(const struct group_ask *ask)
{
	const struct part *part = ask->part;
	struct request request;
	request_begin(&request);
	for (int span = 0; span < SPANS; span++)
		for (int i = 0; i < WINDOW_SUMS; i++)
			if (ask->asked >> i & 1 && group_span_of((enum window)i) == span &&
			    ask->after[i] == part->charge.amounts.of[window_counted((enum window)i)]) {
				group_add_expire(&request, part->store, part->charge.account, span, ask->now_ms);
				break;
			}
	store_send_behind(part->store, &request);
}

void group_add_increments(struct request *request, const struct store *store, const char *group, unsigned windows,
			  const struct amounts *amounts, int64_t now_ms)
{
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (windows >> i & 1) {
			group_add_increment(request, store, group, (enum window)i, now_ms,
					    amounts->of[window_counted((enum window)i)]);
			group_add_expire(request, store, group, group_span_of((enum window)i), now_ms);
		}
}

void group_give_back_places(const struct group_ask *ask, unsigned set)
{
	const struct part *part = ask->part;
	struct request request;
	request_begin(&request);
	for (int i = 0; i < KINDS; i++)
		if (set >> i & 1) {
			request_command(&request, "SREM");
			group_add_place_key(&request, part->store, part->charge.account, i, ask->now_ms);
			request_bytes(&request, &part->charge.places[i], sizeof part->charge.places[i]);
		}
	store_send_behind(part->store, &request);
}

void group_give_back(const struct group_ask *ask)
{
	const struct part *part = ask->part;
	const char *group = part->charge.account;
	struct amounts back;
	struct request request;
	for (int i = 0; i < COUNTED_SUMS; i++)
		back.of[i] = -part->charge.amounts.of[i];
	request_begin(&request);
	group_add_increments(&request, part->store, group, ask->windows, &back, ask->now_ms);
	store_send_behind(part->store, &request);
	group_give_back_places(ask, ask->came);
}

/* ---- answers */

static int64_t group_number(const struct wire_answer *answer, int item)
{
	int64_t number = 0;
	if (item < answer->count && answer->text[item] != NULL)
		text_to_int(answer->text[item], INT64_MIN / 2, INT64_MAX / 2, &number);
	return number;
}

static bool group_is(const struct wire_answer *answer, bool list)
{
	return answer->blame != BLAME_NOBODY || answer->list == list;
}

bool group_shape_fits(const struct group_ask *ask, const struct wire_answer *answers)
{
	bool fits = group_is(&answers[0], true) && group_is(&answers[1], false) && group_is(&answers[2], false);
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (ask->asked >> i & 1)
			fits = fits && group_is(&answers[ask->at_sum[i]], false) &&
			       group_is(&answers[ask->at_before[i]], true) &&
			       (answers[ask->at_sum[i]].blame != BLAME_NOBODY ||
				answers[ask->at_sum[i]].text[0] != NULL);
	for (int i = 0; i < KINDS; i++)
		if ((ask->asked_places | ask->added) >> i & 1)
			fits = fits && group_is(&answers[ask->at_place[i]], false) &&
			       group_is(&answers[ask->at_place[i] + 1], false);
	return fits;
}

bool group_read_sums(struct group_ask *ask, const struct wire_answer *answers)
{
	for (int i = 0; i < WINDOW_SUMS; i++) {
		if ((ask->asked >> i & 1) == 0)
			continue;
		if (answers[ask->at_sum[i]].blame != BLAME_NOBODY || answers[ask->at_before[i]].blame != BLAME_NOBODY)
			return false;
		ask->after[i] = group_number(&answers[ask->at_sum[i]], 0);
		ask->before[i] = group_number(&answers[ask->at_before[i]], ask->at_field[i]);
	}
	for (int i = 0; i < KINDS; i++) {
		unsigned kind = 1U << i;
		if (((ask->asked_places | ask->added) & kind) == 0)
			continue;
		if (answers[ask->at_place[i]].blame != BLAME_NOBODY)
			return false;
		bool yes = group_number(&answers[ask->at_place[i]], 0) != 0, added = (ask->added & kind) != 0;
		ask->came |= yes && added ? kind : 0;
		ask->there |= yes || added ? kind : 0;
		ask->place_count[i] =
			group_number(&answers[ask->at_place[i] + 1], 0) + ((ask->there & kind) == 0 ? 1 : 0);
	}
	ask->windows |= ask->asked;
	ask->places |= ask->asked_places;
	return true;
}

/* ---- for who looks */

void store_group_ask_sums(struct request *request, const struct store *store, const char *group, int64_t now_ms)
{
	for (int span = 0; span < SPANS; span++)
		for (int before = 0; before <= 1; before++) {
			request_command(request, "HMGET");
			group_key_of_sums(request, store, group, span, period_of(span, now_ms) - before);
			for (int i = 0; i < COUNTED_SUMS; i++)
				request_word(request, fields[i]);
		}
}

void store_group_read_sums(const struct wire_answer *answers, int count, int64_t now_ms, struct rates *rates_out)
{
	*rates_out = (struct rates){ .at_ms = now_ms };
	for (int i = 0; i < WINDOW_SUMS; i++) {
		int at = 2 * group_span_of((enum window)i), item = (int)window_counted((enum window)i);
		if (at + 1 >= count || answers[at].blame != BLAME_NOBODY || answers[at + 1].blame != BLAME_NOBODY)
			continue;
		rates_out->present[i] = fmax((double)group_number(&answers[at], item), 0);
		rates_out->before[i] = fmax((double)group_number(&answers[at + 1], item), 0);
	}
}

void store_group_add_keys(struct request *request, const struct store *store, const char *group, int64_t now_ms)
{
	for (int span = 0; span < SPANS; span++)
		for (int before = 0; before <= 1; before++)
			group_key_of_sums(request, store, group, span, period_of(span, now_ms) - before);
	for (int i = 0; i < KINDS; i++)
		group_add_place_key(request, store, group, i, now_ms);
}
