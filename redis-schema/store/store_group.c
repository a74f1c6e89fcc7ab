/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups have many writers: their sums are counters of whole periods, which everybody increments first and reads in the
 * same breath, and gives back where the sum says over. So nobody lets out more than the limit; where several come at
 * once to its edge, some may be refused that had just fitted. Only windows that are limited are counted.
 *
 * Places are looked at first, and one that is new is added where it has room: whoever could add one that is taken out
 * again would let others through beside it, who find it there. Where several new ones come at once to the edge, more
 * are there for a moment than may be; then all are refused, those that were there before, too.
 *
 * An increment whose answer was lost is made again: it may count twice, never not at all. For the same reason what is
 * given back is not given back again where Redis may have taken it: it may stay counted until the period ends.
 */
#include "redis-schema/store/store_group_inside.h"

#include "policy/base/text.h"
#include "policy/plan.h"
#include "redis-schema/keys.h"
#include "redis-schema/reply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- here */

/* The limits of the plan that the group names, as the message's sender has it. False: he has none of that name. */
static bool group_take_plan(struct part *part, const char *plan)
{
	return plan_of_group(plan, &part->given, part->plans, part->plans_arg, &part->charge.limits);
}

/* What holds for a group as far as it is remembered; whether it is blocked, and why. Not locked. */
static bool group_take_limits(struct part *part, char block[NOTE_MAX])
{
	struct store *store = part->store;
	struct limits own = limits_unset;
	bool exempt = false;
	block[0] = '\0';
	pthread_mutex_lock(&store->lock);
	const struct recent_row *row = recent_find(store->recent, part->charge.account);
	if (row != NULL) {
		own = row->state.limits;
		exempt = row->state.exempt[0] != '\0';
		text_copy(block, NOTE_MAX, row->state.block);
	}
	pthread_mutex_unlock(&store->lock);
	group_take_plan(part, own.plan);
	const struct limits plan = part->charge.limits;
	plan_group_limits(&own, &plan, part->charge.now_ms, &part->charge.limits);
	return exempt;
}

/* Empty where there is no reason. */
static void group_block_text(const char *group, const char *why, char text[GROUP_BLOCK_MAX])
{
	struct text said = text_over(text, GROUP_BLOCK_MAX);
	if (*why != '\0')
		text_addf(&said, "%s: %s", group, why);
}

/* What is given back takes from what is owed, and no more: the rest Redis has in a period that may have ended when it
 * is told, and it stays counted there. The lock is held. */
static void group_owe(struct store *store, struct recent_row *row, const struct part *part)
{
	row->windows |= group_windows(&part->charge.limits, &part->charge.amounts);
	for (int i = 0; i < COUNTED_SUMS; i++) {
		int64_t owed = row->owed.of[i] + part->charge.amounts.of[i];
		row->owed.of[i] = owed > 0 ? owed : 0;
	}
	row->owed_charges++;
	store->stats.pending++;
}

/* Judges it by what is known here; `owes`: Redis does not have it. Returns whether it was let out. */
static bool group_judge_here(struct part *part, bool owes, struct rates *rates_out, char block[GROUP_BLOCK_MAX])
{
	struct store *store = part->store;
	char why[NOTE_MAX];
	bool exempt = group_take_limits(part, why), blocked = part->charge.checked && why[0] != '\0';
	struct charge charge = part->charge;
	if (exempt)
		charge.limits = limits_unset;
	group_block_text(part->charge.account, blocked ? why : "", block);
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = store_row(store, part->charge.account);
	struct history shared = { .rates = *recent_shared(store->recent, part->charge.account) };
	struct history *history = row != NULL ? &row->state.history : &shared;
	part->breach = blocked ? breach_blocked : history_judge(history, &charge);
	bool out = !charge_turned_away(&part->charge, &part->breach);
	*rates_out = history->rates;
	if (row == NULL) {
		*recent_shared(store->recent, part->charge.account) = shared.rates;
		store->stats.shared++;
		store->stats.dropped += out && owes;
		part->unkept = owes;
	} else if (out && owes) {
		group_owe(store, row, part);
	}
	store_count_answer(store, true);
	pthread_mutex_unlock(&store->lock);
	return out;
}

static void group_answer_here(struct group_ask *ask, bool owes)
{
	struct part *part = ask->part;
	struct rates rates;
	char block[GROUP_BLOCK_MAX];
	group_judge_here(part, owes, &rates, block);
	part->told(part, KNOWLEDGE_LOCAL, &rates, block);
	free(ask);
}

static void group_answer_soon(void *arg)
{
	group_answer_here(arg, true);
}

/* ---- by Redis */

static void group_read_note(const struct wire_answer *answer, char note[NOTE_MAX])
{
	bool there = answer->blame == BLAME_NOBODY && answer->text[0] != NULL;
	text_copy(note, NOTE_MAX, there ? answer->text[0] : "");
}

/* What its own keys say, and its plan. */
static void group_read_limits(struct group_ask *ask, const struct wire_answer *answers)
{
	struct part *part = ask->part;
	struct store *store = part->store;
	const char *group = part->charge.account;
	ask->own = limits_unset;
	ask->useless = 0;
	for (int i = 0; i < 3; i++)
		if (answers[i].blame == BLAME_KEY) {
			store_say_account(
				store, group,
				"wrong type of key in part limits, block or exempt (limits is a hash, the others are "
				"strings); it is left alone and read as if it were not there");
			ask->useless = 1;
		}
	if (answers[0].blame == BLAME_NOBODY)
		ask->useless += reply_read_limits(group, true, answers[0].count, answers[0].text, store_say_of_account,
						  store, &ask->own);
	group_read_note(&answers[1], ask->block);
	group_read_note(&answers[2], ask->exempt);
	if (!group_take_plan(part, ask->own.plan) && ask->own.plan[0] != '\0')
		store_plan_missing(store, group, ask->own.plan);
	const struct limits plan = part->charge.limits;
	plan_group_limits(&ask->own, &plan, ask->now_ms, &part->charge.limits);
}

static struct rates group_rates(const struct group_ask *ask)
{
	struct rates rates = { .at_ms = ask->now_ms };
	for (int i = 0; i < WINDOW_SUMS; i++) {
		if ((ask->windows >> i & 1) == 0)
			continue;
		int64_t amount = ask->part->charge.amounts.of[window_counted((enum window)i)];
		rates.present[i] = fmax((double)(ask->after[i] - amount), 0);
		rates.before[i] = fmax((double)ask->before[i], 0);
	}
	return rates;
}

/* The local table follows what Redis said. */
static void group_follow(const struct group_ask *ask, const struct rates *rates, bool out)
{
	const struct part *part = ask->part;
	struct store *store = part->store;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = store_row(store, part->charge.account);
	if (row != NULL) {
		struct history *history = &row->state.history;
		rates_roll(&history->rates, ask->now_ms);
		if (out)
			rates_add(&history->rates, &part->charge.amounts);
		for (int i = 0; i < WINDOW_SUMS; i++)
			if (ask->windows >> i & 1) {
				history->rates.present[i] = out ? (double)ask->after[i] : rates->present[i];
				history->rates.before[i] = rates->before[i];
			}
		row->windows = group_windows(&part->charge.limits, &(struct amounts){ .of = { 1, 1, 1, 1 } });
		row->state.limits = ask->own;
		row->state.useless = ask->useless;
		text_copy(row->state.block, sizeof row->state.block, ask->block);
		text_copy(row->state.exempt, sizeof row->state.exempt, ask->exempt);
		recent_count_useless(store->recent, row);
	}
	store_count_answer(store, false);
	pthread_mutex_unlock(&store->lock);
}

static void group_answered(struct group_ask *ask)
{
	struct part *part = ask->part;
	struct rates rates = group_rates(ask);
	char block[GROUP_BLOCK_MAX] = "";
	part->charge.now_ms = ask->now_ms;
	part->breach = breach_none;
	if (ask->exempt[0] == '\0' && part->charge.checked)
		part->breach = plan_group_judge(&part->charge, &rates, ask->place_count);
	if (part->charge.checked && ask->block[0] != '\0') {
		part->breach = breach_blocked;
		group_block_text(part->charge.account, ask->block, block);
	}
	bool out = !charge_turned_away(&part->charge, &part->breach);
	group_follow(ask, &rates, out);
	if (!out) {
		group_give_back(ask);
	} else if (part->breach.window >= WINDOW_SUMS && part->breach.window != WINDOW_COUNT) {
		/* it passes all the same; what is kept is never more than the limit */
		group_give_back_places(ask, ask->came & 1U << (part->breach.window - WINDOW_SUMS));
	}
	store_taken(part->store);
	part->told(part, KNOWLEDGE_FULL, &rates, block);
	free(ask);
}

/* The message was judged here long ago. */
static void group_come_late(struct group_ask *ask, enum wire_end end, const struct wire_answer *answers)
{
	struct part *part = ask->part;
	struct store *store = part->store;
	bool out = !charge_turned_away(&part->charge, &part->breach);
	if (end == WIRE_OK && group_read_sums(ask, answers)) {
		group_let_expire(ask);
		if (!out)
			group_give_back(ask);
	} else if (out && !amounts_give_back(&part->charge.amounts)) {
		pthread_mutex_lock(&store->lock);
		struct recent_row *row = store_row(store, part->charge.account);
		if (row != NULL)
			group_owe(store, row, part);
		else
			store->stats.dropped++;
		pthread_mutex_unlock(&store->lock);
	}
	free(part->new_known);
	free(part);
	free(ask);
}

/* It is told now, and waits for what becomes of the request. */
static void group_is_late(struct group_ask *ask)
{
	struct part *told = ask->part, *part = malloc(sizeof *part);
	struct rates rates;
	char block[GROUP_BLOCK_MAX];
	if (part == NULL) { /* it is owed, though Redis may take it: counted twice, at the worst */
		ask->part = told;
		group_judge_here(told, true, &rates, block);
	} else {
		group_judge_here(told, false, &rates, block);
		*part = *told;
		part->plans = NULL;
		part->new_known = NULL;
	}
	ask->part = part;
	ask->late = true;
	told->told(told, KNOWLEDGE_LOCAL, &rates, block);
}

/* The kinds of place to look at. Those of who is not checked do not count. */
static unsigned group_looks(const struct group_ask *ask)
{
	const struct charge *charge = &ask->part->charge;
	return charge->checked ? group_kinds(&charge->limits, charge) & ~ask->places : 0;
}

/* Those that are new and have room, of a message that is let out. */
static unsigned group_adds(const struct group_ask *ask)
{
	const struct charge *charge = &ask->part->charge;
	struct rates rates = group_rates(ask);
	struct breach breach = plan_group_judge(charge, &rates, ask->place_count);
	unsigned set = 0;
	if (ask->exempt[0] == '\0' && charge_turned_away(charge, &breach))
		return 0;
	for (int i = 0; i < KINDS; i++)
		if (plan_has_place(&charge->limits, (enum window)(WINDOW_SUMS + i), ask->place_count[i]))
			set |= 1U << i;
	return set & ask->places & ~ask->there;
}

static void group_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct group_ask *ask = arg;
	if (ask->late) {
		if (ask->part != NULL)
			group_come_late(ask, end, answers);
		else
			free(ask);
		return;
	}
	struct part *part = ask->part;
	enum heard heard = store_heard(part->store, "HINCRBY of a group", end, count, answers);
	if (heard == HEARD_LATE) {
		group_is_late(ask);
		return;
	}
	bool heeded = heard == HEARD_ANSWER || heard == HEARD_KEY;
	if (heeded && !group_shape_fits(ask, answers)) {
		store_bad_shape(part->store, "HINCRBY of a group");
		heeded = false;
	}
	if (!heeded) {
		group_answer_here(ask, !amounts_give_back(&part->charge.amounts));
		return;
	}
	group_read_limits(ask, answers);
	if (!group_read_sums(ask, answers)) {
		store_say_account(
			part->store, part->charge.account,
			"what is counted of it is no number, or of another type; this daemon counts by itself");
		group_answer_here(ask, false);
		return;
	}
	group_let_expire(ask);
	unsigned windows = group_windows(&part->charge.limits, &part->charge.amounts) & ~ask->windows;
	unsigned places = group_looks(ask);
	unsigned added = (windows | places) == 0 ? group_adds(ask) : 0;
	if (ask->turns == TURNS_MAX || (windows | places | added) == 0 || ask->block[0] != '\0') {
		group_answered(ask);
		return;
	}
	if (!group_ask(ask, windows, places, added, group_come) &&
	    !alarm_soon(part->store->base, group_answer_soon, ask))
		group_answer_soon(ask);
}

/* ---- its users' side */

void store_group_charge(struct part *part)
{
	struct store *store = part->store;
	struct group_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL) {
		struct rates rates;
		char block[GROUP_BLOCK_MAX];
		group_judge_here(part, true, &rates, block);
		part->told(part, KNOWLEDGE_LOCAL, &rates, block);
		return;
	}
	ask->part = part;
	ask->now_ms = part->charge.now_ms; /* the period in which it was counted has it back */
	char block[NOTE_MAX];
	group_take_limits(part, block);
	pthread_mutex_lock(&store->lock);
	const struct recent_row *row = recent_find(store->recent, part->charge.account);
	ask->heard_ms = row != NULL ? row->state.history.rates.at_ms : 0;
	pthread_mutex_unlock(&store->lock);
	if (!group_ask(ask, group_windows(&part->charge.limits, &part->charge.amounts), group_looks(ask), 0,
		       group_come) &&
	    !alarm_soon(store->base, group_answer_soon, ask))
		group_answer_soon(ask);
}

/* ---- debts */

struct group_payment {
	struct store *store;
	struct recent_row *row; /* it stays while it pays */
	bool late;
};

/* Redis may have taken it or not. The lock is held. */
static void group_owe_again(struct recent_row *row)
{
	for (int i = 0; i < COUNTED_SUMS; i++)
		row->owed.of[i] += row->paying.of[i];
	row->owed_charges += row->paying_charges;
	row->paying_charges = 0;
}

static void group_paid(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct group_payment *payment = arg;
	struct store *store = payment->store;
	struct recent_row *row = payment->row;
	enum heard heard = store_heard(store, "HINCRBY of a group", end, count, answers);
	if (heard == HEARD_LATE && !payment->late) { /* it may still come */
		payment->late = true;
		return;
	}
	pthread_mutex_lock(&store->lock);
	if (heard == HEARD_ANSWER || heard == HEARD_KEY) {
		store->stats.pending -= row->paying_charges;
		*(heard == HEARD_ANSWER ? &store->stats.merged : &store->stats.dropped) += row->paying_charges;
		row->paying_charges = 0;
	} else {
		group_owe_again(row);
	}
	pthread_mutex_unlock(&store->lock);
	free(payment);
}

void store_group_pay(struct store *store, struct recent_row *row)
{
	struct group_payment *payment = NULL;
	struct request request;
	int64_t now_ms = store_now_ms(store, row->state.history.rates.at_ms);
	if (row->owed_charges == 0 || row->paying_charges > 0 || (payment = malloc(sizeof *payment)) == NULL)
		return;
	*payment = (struct group_payment){ store, row, false };
	request_begin(&request);
	group_add_increments(&request, store, row->account, row->windows, &row->owed, now_ms);
	pthread_mutex_lock(&store->lock);
	row->paying = row->owed;
	row->paying_charges = row->owed_charges;
	row->owed = (struct amounts){ .of = { 0 } };
	row->owed_charges = 0;
	pthread_mutex_unlock(&store->lock);
	if (request.count == 0) /* no window is limited any more */
		group_paid(payment, WIRE_OK, 0, NULL);
	else if (!store_send(store, &request, group_paid, group_paid, payment))
		group_paid(payment, WIRE_LOST, 0, NULL);
}
