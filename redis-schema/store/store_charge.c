/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charges: a message is charged to its account and its groups, each by a request of its own in one pipeline, and its
 * answer is put together when all have ended. Each part ends for itself, by Redis or by the local table.
 */
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store_inside.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { PARTS_MAX = 1 + GROUPS_MAX };

/* What became of one part. */
struct charge_outcome {
	bool charged, refused;
	struct charge charge;
	struct charge_result result;
};

/* One message of the store's users. */
struct charge_message {
	struct store *store;
	store_charge_done *done; /* NULL: nobody waits */
	void *arg;
	plan_fill *plans; /* its sender's, until `done` is called; NULL: none */
	const void *plans_arg;
	int waiting; /* parts that have not ended, and the campaign */
	int parts;   /* the account's is the first */
	struct campaign campaign;
	struct charge_outcome part[PARTS_MAX]; /* filled when each ends */
};

struct part {
	struct store *store;
	struct charge_message *message; /* NULL: nobody waits */
	int index;			/* in message->part */
	enum scope scope;
	int64_t number;
	struct charge charge;	    /* its limits: those in force, as far as they are known here */
	struct limits given;	    /* of a group: those of the plan that its user named */
	bool asked_again;	    /* with another plan's limits */
	struct charge_result local; /* how the message was judged where Redis did not answer */
};

/* ---- the whole */

static void charge_part_send(struct part *part, const struct message_charge *message);

static void charge_give_back(struct store *store, const struct charge_outcome *outcome, enum scope scope)
{
	struct part *part = malloc(sizeof *part);
	if (part == NULL) {
		store_count(store, &store->stats.dropped);
		return;
	}
	*part = (struct part){ .store = store, .scope = scope, .charge = charge_given_back(&outcome->charge) };
	charge_part_send(part, NULL);
}

static bool is_heavier(const struct breach *a, const struct breach *b)
{
	bool passed = a->window != WINDOW_COUNT;
	return passed && (b->window == WINDOW_COUNT || over_weight(a->over) > over_weight(b->over));
}

static void charge_finish(struct charge_message *message)
{
	struct charge_result result = message->part[0].result;
	const struct charge_outcome *refuser = NULL;
	for (int i = message->parts - 1; i >= 0; i--)
		if (message->part[i].refused)
			refuser = &message->part[i];
	for (int i = 1; i < message->parts; i++)
		if (is_heavier(&message->part[i].result.breach, &result.breach))
			result.breach = message->part[i].result.breach;
	if (refuser != NULL) {
		result.breach = refuser->result.breach;
		memcpy(result.group_block, refuser->result.group_block, sizeof result.group_block);
	}
	if (refuser != NULL)
		for (int i = 0; i < message->parts; i++)
			if (message->part[i].charged && message->part[i].charge.quota)
				charge_give_back(message->store, &message->part[i],
						 i == 0 ? SCOPE_ACCOUNT : SCOPE_SERVER);
	result.campaign = message->campaign;
	if (message->done != NULL)
		message->done(message->arg, &result);
	free(message);
}

static void charge_told(const struct part *part, const struct charge_result *result)
{
	struct charge_message *message = part->message;
	if (message == NULL)
		return;
	struct charge_outcome *outcome = &message->part[part->index];
	outcome->charge = part->charge;
	outcome->result = *result;
	outcome->result.breach.scope = part->scope;
	outcome->refused = charge_turned_away(&part->charge, &result->breach);
	outcome->charged = !outcome->refused;
	if (--message->waiting == 0)
		charge_finish(message);
}

/* ---- here */

/* What holds for a group as far as it is remembered. */
static void charge_take_limits(struct charge *charge, const struct account_state *group)
{
	const struct limits plan = charge->limits;
	if (group->exempt[0] == '\0') {
		plan_group_limits(&group->limits, &plan, charge->now_ms, &charge->limits);
		return;
	}
	charge->limits = limits_unset;
	text_copy(charge->limits.plan, sizeof charge->limits.plan, plan.plan);
}

static struct charge_result charge_blocked_result(enum knowledge known, const char *group, const struct rates *rates,
						  const char *why)
{
	struct charge_result result = { .known = known, .breach = breach_blocked, .rates = *rates };
	struct text said = text_over(result.group_block, sizeof result.group_block);
	text_addf(&said, "%s: %s", group, why);
	return result;
}

static struct charge_result charge_row(struct part *part)
{
	struct store *store = part->store;
	struct charge_result result = { .known = KNOWLEDGE_NONE };
	result.breach = breach_none;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, part->charge.account);
	if (row != NULL) {
		row->group = part->scope != SCOPE_ACCOUNT;
		bool checked = row->group && part->charge.checked, blocked = checked && row->state.block[0] != '\0';
		if (checked)
			charge_take_limits(&part->charge, &row->state);
		result = blocked ? charge_blocked_result(KNOWLEDGE_LOCAL, part->charge.account,
							 &row->state.history.rates, row->state.block)
				 : recent_charge(row, &part->charge);
	}
	store_count_answer(store, true);
	pthread_mutex_unlock(&store->lock);
	return result;
}

/* The local table follows what Redis did. */
static void charge_follow(struct part *part, const struct wire_charged *charged)
{
	struct store *store = part->store;
	struct charge done = part->charge;
	done.checked = false;
	if (charged->status == WIRE_OVER || charged->status == WIRE_BLOCKED)
		charge_turn_away(&done, part->scope);
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, done.account);
	if (row != NULL) {
		recent_charge(row, &done);
		row->state.history.rates = charged->rates;
		row->group = part->scope != SCOPE_ACCOUNT;
		if (row->group && part->charge.checked) {
			row->state.limits = charged->own;
			row->state.useless = charged->useless;
			text_copy(row->state.block, sizeof row->state.block, charged->block);
			recent_count_useless(store->recent, row);
		}
	}
	store_count_answer(store, false);
	pthread_mutex_unlock(&store->lock);
}

static void charge_local(evutil_socket_t fd, short what, void *arg)
{
	struct part *part = arg;
	(void)fd;
	(void)what;
	part->local = charge_row(part);
	store_owe(part->store, &part->charge, &part->local, part->number);
	charge_told(part, &part->local);
	free(part);
}

/* ---- in Redis */

/* What became of a charge that had no answer in time: the message was judged by the local table meanwhile. */
static void charge_told_late(void *arg, enum wire_end end, const struct wire_charged *charged)
{
	struct part *part = arg;
	struct store *store = part->store;
	const struct charge *charge = &part->charge;
	bool undone = end == WIRE_OK &&
		      (charged->status == WIRE_OVER || charged->status == WIRE_BLOCKED || charged->status == WIRE_PLAN);
	if (end == WIRE_LOST) {
		store_owe(store, charge, &part->local, part->number);
	} else if (end == WIRE_OK && charged->status == WIRE_AGAIN) {
		store_jump(store, charged->number);
		store_owe(store, charge, &part->local, 0);
	} else if (end == WIRE_REFUSED || (undone && !charge_turned_away(charge, &part->local.breach))) {
		store_owe(store, charge, &part->local, 0);
	}
	free(part);
}

static void charge_come(void *arg, enum wire_end end, const struct wire_charged *answer);

static bool charge_launch(struct part *part, const struct message_charge *message)
{
	struct store *store = part->store;
	struct wire_charge sent = { .charge = &part->charge, .number = store->number + 1, .plan = part->given.plan };
	if (part->charge.checked) /* else nothing is asked of a group's limits */
		sent.scope = part->scope;
	if (message != NULL && part->index == 0) {
		sent.new_known = message->new_known;
		sent.new_known_count = message->new_known_count;
	}
	if (!wire_charge(store->wire, &sent, charge_come, charge_told_late, part))
		return false;
	part->number = ++store->number;
	return true;
}

/* The limits of the plan that the group names, as the message's sender has it. False: he has none of that name. */
static bool take_plan(struct part *part, const char *plan)
{
	const struct charge_message *message = part->message;
	return message != NULL &&
	       plan_of_group(plan, &part->given, message->plans, message->plans_arg, &part->charge.limits);
}

/* The group's plan is another one than its user said: its limits are remembered by name, and the question is asked
 * again. */
static void charge_ask_with_plan(struct part *part, const char *plan)
{
	struct store *store = part->store;
	pthread_mutex_lock(&store->lock);
	struct recent_row *row = recent_take(store->recent, part->charge.account);
	if (row != NULL) {
		row->group = true;
		text_copy(row->state.limits.plan, sizeof row->state.limits.plan, plan);
	}
	pthread_mutex_unlock(&store->lock);
	if (part->asked_again ||
	    !take_plan(part, plan)) { /* nobody knows it: what was given holds, whatever the group names */
		store_plan_missing(store, part->charge.account, plan);
		part->charge.limits = part->given;
		part->charge.limits.plan[0] = '\0';
	}
	part->asked_again = true;
	if (charge_launch(part, NULL))
		return;
	part->number = 0;
	store_soon(store, charge_local, part);
}

static void charge_answered(struct part *part, const struct wire_charged *answer)
{
	struct charge_result result = { .known = KNOWLEDGE_FULL, .rates = answer->rates };
	result.breach = breach_none;
	result.breach.window = answer->over;
	charge_follow(part, answer);
	if (answer->over != WINDOW_COUNT && part->scope != SCOPE_ACCOUNT) {
		part->charge.limits.window[answer->over] = answer->limit;
		part->charge.limits.over = answer->limit_over;
	}
	struct rates before = answer->rates;
	if (answer->over < WINDOW_SUMS && answer->status == WIRE_CHARGED) /* it was counted all the same */
		before.present[answer->over] -= (double)part->charge.amounts.of[window_counted(answer->over)];
	if (answer->over != WINDOW_COUNT)
		charge_breach(&part->charge, &before, &result.breach);
	if (answer->status == WIRE_BLOCKED)
		result = charge_blocked_result(KNOWLEDGE_FULL, part->charge.account, &answer->rates, answer->block);
	charge_told(part, &result);
	free(part);
}

/* A state that is not ours to change. Of an account whose message is judged that was said when it was fetched. */
static void charge_say_left_alone(const struct part *part, enum wire_status status)
{
	char line[600];
	struct text text = text_over(line, sizeof line);
	if (part->scope == SCOPE_ACCOUNT && part->message != NULL)
		return;
	text_addf(&text, "redis: %s ", account_is_group(part->charge.account) ? "group" : "account");
	text_add_word(&text, part->charge.account);
	text_addf(&text, ": state %s; it is left alone, and this daemon counts by itself",
		  status == WIRE_VERSION ? "v is of another version, expected " STATE_VERSION
					 : "is no hash that can be read");
	store_say_of_account(part->store, line);
}

static void charge_come(void *arg, enum wire_end end, const struct wire_charged *answer)
{
	struct part *part = arg;
	struct store *store = part->store;
	if (end == WIRE_LATE) { /* charge_told_late has the part from here on, perhaps before store_noted() returns */
		part->local = charge_row(part);
		charge_told(part, &part->local);
		store_noted(store, end);
		return;
	}
	store_note_taken(store, end);
	store_noted(store, end);
	enum wire_status status = end == WIRE_OK ? answer->status : WIRE_WRONG;
	if (end == WIRE_OK && status == WIRE_PLAN) {
		charge_ask_with_plan(part, answer->own.plan);
		return;
	}
	if (end == WIRE_OK && status != WIRE_AGAIN && status != WIRE_VERSION && status != WIRE_WRONG) {
		charge_answered(part, answer);
		return;
	}
	if (end == WIRE_OK && status == WIRE_AGAIN)
		store_jump(store, answer->number);
	bool left_alone = end == WIRE_OK && status != WIRE_AGAIN;
	if (left_alone)
		charge_say_left_alone(part, status);
	if (left_alone || end == WIRE_ERROR) { /* a key that we may not touch, or cannot read */
		part->local = charge_row(part);
		charge_told(part, &part->local);
		free(part);
		return;
	}
	part->number = end == WIRE_LOST ? part->number : 0;
	charge_local(-1, 0, part);
}

/* Redis takes rising numbers only: what the account owes goes first. */
static bool charge_owes_unsent(struct store *store, const char *account)
{
	pthread_mutex_lock(&store->lock);
	const struct recent_row *row = store->stats.pending > 0 ? recent_find(store->recent, account) : NULL;
	const struct owed *owed = row != NULL ? row->owed : NULL;
	while (owed != NULL && owed->in_flight)
		owed = owed->next;
	pthread_mutex_unlock(&store->lock);
	return owed != NULL;
}

static void charge_part_send(struct part *part, const struct message_charge *message)
{
	if (!charge_owes_unsent(part->store, part->charge.account) && charge_launch(part, message))
		return;
	part->number = 0;
	store_soon(part->store, charge_local, part);
}

/* ---- its users' side */

static void charge_campaign_come(void *arg, enum wire_end end, const struct campaign *campaign)
{
	struct charge_message *message = arg;
	store_noted(message->store, end);
	if (end == WIRE_OK)
		message->campaign = *campaign;
	if (--message->waiting == 0)
		charge_finish(message);
}

static void charge_ask_campaign(struct charge_message *message, const struct message_charge *asked)
{
	struct wire_fingerprint fingerprint = { asked->fingerprint, asked->who, asked->bad };
	message->waiting++;
	if (asked->fingerprint == 0 ||
	    !wire_campaign(message->store->wire, &fingerprint, charge_campaign_come, message))
		message->waiting--;
}

static struct part *charge_part_of_account(struct charge_message *message, const struct message_charge *asked)
{
	struct part *part = malloc(sizeof *part);
	if (part == NULL)
		return NULL;
	*part = (struct part){ .store = message->store,
			       .message = message,
			       .index = message->parts++,
			       .scope = SCOPE_ACCOUNT,
			       .charge = asked->charge };
	return part;
}

/* A group's charge has amounts alone; the plan that it was last seen to have takes the place of the one given. */
static struct part *charge_part_of_group(struct charge_message *message, const struct message_charge *asked,
					 const struct group_charge *group)
{
	struct store *store = message->store;
	char plan[PLAN_NAME_MAX + 1] = "";
	struct part *part = charge_part_of_account(message, asked);
	if (part == NULL)
		return NULL;
	part->scope = group->scope;
	part->given = group->limits;
	part->charge = (struct charge){ .now_ms = asked->charge.now_ms,
					.checked = asked->charge.checked,
					.quota = true,
					.amounts = asked->charge.amounts };
	memcpy(part->charge.places, asked->charge.places, sizeof part->charge.places);
	text_copy(part->charge.account, sizeof part->charge.account, group->name);
	pthread_mutex_lock(&store->lock);
	const struct recent_row *row = recent_find(store->recent, group->name);
	if (row != NULL)
		text_copy(plan, sizeof plan, row->state.limits.plan);
	pthread_mutex_unlock(&store->lock);
	take_plan(part, plan);
	return part;
}

static void charge_unknown(store_charge_done *done, void *arg)
{
	struct charge_result result = { .known = KNOWLEDGE_NONE };
	result.breach = breach_none;
	if (done != NULL)
		done(arg, &result);
}

void store_charge(struct store *store, const struct message_charge *asked, store_charge_done *done, void *arg)
{
	struct part *parts[PARTS_MAX] = { NULL };
	struct charge_message *message = malloc(sizeof *message);
	store_count(store, &store->stats.charges);
	if (message == NULL) {
		charge_unknown(done, arg);
		return;
	}
	message->store = store;
	message->done = done;
	message->arg = arg;
	message->plans = asked->plans;
	message->plans_arg = asked->plans_arg;
	message->parts = 0;
	message->campaign = (struct campaign){ .known = KNOWLEDGE_NONE };
	parts[0] = charge_part_of_account(message, asked);
	for (int i = 0; parts[0] != NULL && i < asked->group_count && asked->charge.quota; i++) {
		parts[i + 1] = charge_part_of_group(message, asked, &asked->groups[i]);
		if (parts[i + 1] == NULL)
			break;
	}
	if (parts[0] == NULL) {
		free(message);
		charge_unknown(done, arg);
		return;
	}
	message->waiting = message->parts;
	charge_ask_campaign(message, asked);
	for (int i = 0; i < PARTS_MAX && parts[i] != NULL; i++)
		charge_part_send(parts[i], asked);
}

void store_feedback(struct store *store, const char *account, enum counter counter, double count, int64_t now_ms)
{
	struct message_charge message = { .charge = { .now_ms = now_ms, .limits = limits_unset } };
	text_copy(message.charge.account, sizeof message.charge.account, account);
	message.charge.counts[counter] = count;
	store_charge(store, &message, NULL, NULL);
}
