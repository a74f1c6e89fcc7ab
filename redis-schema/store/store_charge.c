/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charges: a message is charged to its account (store_book.c) and its groups (store_group.c), and its text to a
 * campaign (store_campaign.c), all at once; its answer is put together when all have ended.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"

#include <stddef.h>
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
	int64_t now_ms; /* by which its groups count it */
	int waiting;	/* parts that have not ended, and the campaign */
	int parts;	/* the account's is the first */
	struct campaign campaign;
	struct charge_outcome part[PARTS_MAX]; /* filled when each ends */
};

/* ---- the whole */

static void charge_part_send(struct part *part)
{
	if (part->scope == SCOPE_ACCOUNT)
		store_book_charge(part);
	else
		store_group_charge(part);
}

static part_told charge_part_told;

/* All but its charge, which is large. */
static struct part *charge_part_alone(struct store *store)
{
	struct part *part = malloc(sizeof *part);
	if (part == NULL)
		return NULL;
	memset(part, 0, offsetof(struct part, charge));
	part->store = store;
	part->told = charge_part_told;
	part->deadline_ms = alarm_clock_ms() + store->settings.timeout_ms;
	return part;
}

static void charge_give_back(struct store *store, const struct charge_outcome *outcome, enum scope scope)
{
	struct part *part = charge_part_alone(store);
	if (part == NULL) {
		store_count(store, &store->stats.dropped);
		return;
	}
	part->scope = scope;
	part->charge = charge_given_back(&outcome->charge);
	part->given = outcome->charge.limits;
	charge_part_send(part);
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
						 i == 0 ? SCOPE_ACCOUNT
							: account_scope(message->part[i].charge.account));
	result.campaign = message->campaign;
	result.charged_ms = message->now_ms;
	if (message->done != NULL)
		message->done(message->arg, &result);
	free(message);
}

static void charge_part_free(struct part *part)
{
	free(part->new_known);
	free(part);
}

static void charge_part_told(struct part *part, enum knowledge known, const struct rates *rates,
			     const char *group_block)
{
	struct charge_message *message = part->message;
	if (message != NULL) {
		struct charge_outcome *outcome = &message->part[part->index];
		outcome->charge = part->charge;
		outcome->result = (struct charge_result){ .known = known, .breach = part->breach, .rates = *rates };
		outcome->result.breach.scope = part->scope;
		text_copy(outcome->result.group_block, sizeof outcome->result.group_block,
			  group_block != NULL ? group_block : "");
		outcome->refused = charge_turned_away(&part->charge, &part->breach);
		outcome->charged = !outcome->refused && !part->unkept;
		if (--message->waiting == 0)
			charge_finish(message);
	}
	charge_part_free(part);
}

/* ---- its users' side */

static void charge_campaign_come(void *arg, const struct campaign *campaign)
{
	struct charge_message *message = arg;
	message->campaign = *campaign;
	if (--message->waiting == 0)
		charge_finish(message);
}

static struct part *charge_part_new(struct charge_message *message, const struct message_charge *asked)
{
	struct part *part = charge_part_alone(message->store);
	if (part == NULL)
		return NULL;
	part->message = message;
	part->plans = message->plans;
	part->plans_arg = message->plans_arg;
	part->index = message->parts++;
	part->scope = SCOPE_ACCOUNT;
	part->charge = asked->charge;
	return part;
}

/* Recipients that cannot be kept are learnt at the next message. */
static struct part *charge_part_of_account(struct charge_message *message, const struct message_charge *asked)
{
	struct part *part = charge_part_new(message, asked);
	size_t size = (size_t)asked->new_known_count * sizeof asked->new_known[0];
	if (part != NULL && size > 0)
		part->new_known = malloc(size);
	if (part != NULL && part->new_known != NULL) {
		memcpy(part->new_known, asked->new_known, size);
		part->new_known_count = asked->new_known_count;
	}
	return part;
}

/* A group's charge has amounts alone. */
static struct part *charge_part_of_group(struct charge_message *message, const struct message_charge *asked,
					 const struct group_charge *group)
{
	struct part *part = charge_part_new(message, asked);
	if (part == NULL)
		return NULL;
	part->scope = group->scope;
	part->given = group->limits;
	part->charge = (struct charge){ .now_ms = message->now_ms,
					.limits = group->limits,
					.checked = asked->charge.checked,
					.quota = true,
					.amounts = asked->charge.amounts };
	memcpy(part->charge.places, asked->charge.places, sizeof part->charge.places);
	text_copy(part->charge.account, sizeof part->charge.account, group->name);
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
	/* what is given back has the time of its charge */
	message->now_ms = amounts_give_back(&asked->charge.amounts) ? asked->charge.now_ms
								    : store_now_ms(store, asked->charge.now_ms);
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
	message->waiting = message->parts + 1;
	if (!store_campaign_ask(store, asked, charge_campaign_come, message))
		message->waiting--;
	for (int i = 0; i < PARTS_MAX && parts[i] != NULL; i++)
		charge_part_send(parts[i]);
}

void store_feedback(struct store *store, const char *account, enum counter counter, double count, int64_t now_ms)
{
	struct message_charge message = { .charge = { .now_ms = now_ms, .limits = limits_unset } };
	text_copy(message.charge.account, sizeof message.charge.account, account);
	message.charge.counts[counter] = count;
	store_charge(store, &message, NULL, NULL);
}
