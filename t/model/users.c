/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/model/users.h"

#include "redis-schema/wire/alarm.h"
#include "t/model/books.h"
#include "t/model/lot.h"
#include "t/model/model.h"
#include "t/model/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/text.h"
#include "policy/base/banned.h"

/* One question of a user's. */
struct user {
	struct user *next; /* owned */
	int number, daemon, account, place;
	int64_t by_ms; /* alarm_clock_ms() until when he is answered */
	int told;
	bool then_charges; /* a fetch */
	struct message_charge message;
	int group[MODEL_GROUPS];
	const uint32_t *known; /* message.new_known, which the store borrows for a moment; constants */
};

static struct user *users;
static int numbers, waiting;

void users_begin(void)
{
	numbers = waiting = 0;
}

static struct user *user_new(int daemon, int account)
{
	struct user *user = model_new(sizeof *user);
	user->next = users;
	users = user;
	user->number = ++numbers;
	user->daemon = daemon;
	user->account = account;
	user->by_ms = alarm_clock_ms() + MODEL_TIMEOUT_MS;
	waiting++;
	return user;
}

static void user_told(struct user *user)
{
	MODEL_MUST(user->told++ == 0, "user %d is told twice", user->number);
	waiting--;
}

/* ---- charges */

/* Of a message that a limit turned away some counters count all the same. */
static void user_count(const struct user *user, const struct breach *breach)
{
	const struct charge *charge = &user->message.charge;
	struct charge counted = *charge;
	bool away = charge->quota && charge_turned_away(charge, breach);
	if (away)
		charge_turn_away(&counted, breach->scope);
	if (!counted.quota)
		counted.amounts = (struct amounts){ .of = { 0 } };
	if (!away || breach->scope == SCOPE_ACCOUNT) {
		books_told(user->daemon, user->account, user->place, &counted.amounts, counted.counts);
		return;
	}
	/* a group's limit: the account's charge was made, and is given back */
	struct amounts back;
	static const double none[COUNTER_COUNT];
	for (int i = 0; i < COUNTED_SUMS; i++)
		back.of[i] = -charge->amounts.of[i];
	books_told(user->daemon, user->account, user->place, &charge->amounts, counted.counts);
	books_told(user->daemon, user->account, books_charged(user->daemon, user->account), &back, none);
	books_given_back(user->account);
}

static void user_charged(void *arg, const struct charge_result *result)
{
	struct user *user = arg;
	const struct charge *charge = &user->message.charge;
	bool out = !charge_turned_away(charge, &result->breach) && charge->quota;
	model_say("... user %d is told: %s, %s", user->number, result->known == KNOWLEDGE_FULL ? "full" : "local",
		  out		  ? "let out"
		  : charge->quota ? "turned away"
				  : "noted");
	user_told(user);
	MODEL_MUST(result->known != KNOWLEDGE_NONE, "user %d is told nothing", user->number);
	user_count(user, &result->breach);
	if (out && result->known == KNOWLEDGE_FULL)
		books_known(user->account, user->known, user->message.new_known_count);
	if (out) {
		books_let_out(user->account, &charge->amounts, result->rates.at_ms, result->known == KNOWLEDGE_FULL);
		for (int i = 0; i < user->message.group_count; i++)
			books_group_let_out(user->group[i], &charge->amounts);
	}
	if (!model.in_order && !model.ends && lot_once_in(12) && numbers < 500)
		users_charge();
}

static void user_fill_amounts(struct charge *charge)
{
	int64_t rcpts = lot_between(1, 5);
	charge->amounts = (struct amounts){ .of = { 1, rcpts, lot_between(1, 1000), lot((int)rcpts + 1) } };
	charge->counts[COUNTER_MESSAGES] = 1;
	charge->counts[COUNTER_RCPTS] = (double)rcpts;
	charge->counts[COUNTER_NEW_RCPTS] = (double)charge->amounts.of[COUNTED_NEW_RCPTS];
	charge->counts[COUNTER_SPAM] = lot_once_in(4);
}

static void user_fill_rest(struct user *user)
{
	struct charge *charge = &user->message.charge;
	charge->level = lot_once_in(3) ? (enum level)lot(LEVEL_COUNT) : LEVEL_UNKNOWN;
	charge->score = lot(10);
	if (lot_once_in(5))
		text_copy(charge->unauthorised, sizeof charge->unauthorised, lot_once_in(2) ? "-" : "example.org");
	if (lot_once_in(3)) {
		habits_note_rcpt(&charge->habits, (uint32_t)lot_between(1, 1000));
		charge->habits_changed = HABIT_KNOWN;
	}
	if (lot_once_in(4))
		user->message.fingerprint = (uint64_t)lot_between(1, 3);
	user->message.who = (uint64_t)user->account + 1;
	user->message.bad = lot_once_in(3);
}

static void user_fill_groups(struct user *user)
{
	for (int i = 0; i < model.groups; i++) {
		if (lot_once_in(3))
			continue;
		struct group_charge *group = &user->message.groups[user->message.group_count];
		group->scope = model.group[i].scope;
		group->limits = model.group[i].limits;
		text_copy(group->name, sizeof group->name, model.group[i].name);
		user->group[user->message.group_count++] = i;
	}
}

static void user_charge(struct user *user)
{
	static const uint32_t known[] = { 11, 22, 33, 44, 55 };
	struct charge *charge = &user->message.charge;
	charge->now_ms = server_now_ms();
	charge->limits = model.account[user->account].limits;
	charge->checked = model.checked || !lot_once_in(8);
	charge->quota = !lot_once_in(6);
	text_copy(charge->account, sizeof charge->account, model.account[user->account].name);
	user_fill_amounts(charge);
	user_fill_rest(user);
	if (charge->quota)
		user_fill_groups(user);
	if (lot_once_in(5)) {
		user->message.new_known = known + lot(3);
		user->message.new_known_count = lot_between(1, 3);
		user->known = user->message.new_known;
	}
	model_say("user %d of daemon %d charges account %d: %d recipients, %d KiB%s%s, %d groups", user->number,
		  user->daemon, user->account, (int)charge->amounts.of[1], (int)charge->amounts.of[2],
		  charge->quota ? "" : ", refused", charge->checked ? "" : ", not checked", user->message.group_count);
	user->place = books_charged(user->daemon, user->account);
	store_charge(model.store[user->daemon], &user->message, user_charged, user);
}

void users_charge(void)
{
	user_charge(user_new(lot(model.daemons), lot(model.accounts)));
}

/* ---- the others */

static void user_fetched(void *arg, const struct account_state *state, const struct known *known)
{
	struct user *user = arg;
	(void)known;
	model_say("... user %d is told what is known: %d", user->number, (int)state->known);
	user_told(user);
	if (user->then_charges && !model.ends)
		user_charge(user_new(user->daemon, user->account));
}

void users_fetch(void)
{
	struct user *user = user_new(lot(model.daemons), lot(model.accounts));
	bool group = model.groups > 0 && lot_once_in(8);
	const char *name = group ? model.group[0].name : model.account[user->account].name;
	user->then_charges = !group && lot_once_in(2);
	model_say("user %d of daemon %d reads %s", user->number, user->daemon, name);
	if (lot_once_in(5))
		store_look(model.store[user->daemon], name, user_fetched, user);
	else
		store_fetch(model.store[user->daemon], name, user_fetched, user);
}

void users_tell(void)
{
	static const enum counter learnt[] = { COUNTER_DEAD, COUNTER_COMPLAINTS, COUNTER_REFUSED };
	int daemon = lot(model.daemons), account = lot(model.accounts);
	enum counter counter = learnt[lot(3)];
	double counts[COUNTER_COUNT] = { 0 };
	counts[counter] = lot_between(1, 3);
	model_say("daemon %d learns of account %d", daemon, account);
	books_told(daemon, account, books_charged(daemon, account), &(struct amounts){ .of = { 0 } }, counts);
	store_feedback(model.store[daemon], model.account[account].name, counter, counts[counter], server_now_ms());
}

static void user_reset_told(void *arg, const char *error, int count, const char *const *items)
{
	struct user *user = arg;
	(void)count;
	(void)items;
	model_say("... user %d is told of his reset: %s", user->number, error != NULL ? error : "done");
	user_told(user);
}

void users_reset(int account)
{
	struct user *user = user_new(lot(model.daemons), account);
	model_say("user %d of daemon %d resets account %d", user->number, user->daemon, account);
	store_reset(model.store[user->daemon], model.account[account].name, user_reset_told, user);
}

static int fulls;

static void user_charged_full(void *arg, const struct charge_result *result)
{
	struct user *user = arg;
	fulls += result->known == KNOWLEDGE_FULL;
	user_told(user);
}

/* Of an account of its own. */
void users_charge_all(void)
{
	fulls = 0;
	for (int daemon = 0; daemon < model.daemons; daemon++) {
		struct user *user = user_new(daemon, 0);
		user->message.charge = (struct charge){ .now_ms = server_now_ms(), .limits = limits_unset };
		snprintf(user->message.charge.account, sizeof user->message.charge.account, "last%d@example.org",
			 daemon);
		store_charge(model.store[daemon], &user->message, user_charged_full, user);
	}
}

void users_check_full(void)
{
	MODEL_MUST(waiting == 0, "%d users wait though all is well", waiting);
	MODEL_MUST(fulls == model.daemons, "%d daemons of %d answer by what Redis holds", fulls, model.daemons);
	for (int daemon = 0; daemon < model.daemons; daemon++)
		MODEL_MUST(store_stats(model.store[daemon]).up, "daemon %d says that Redis is away", daemon);
}

int users_waiting(void)
{
	return waiting;
}

void users_gone(int daemon)
{
	for (struct user *user = users; user != NULL; user = user->next)
		if (user->daemon == daemon && user->told == 0)
			user_told(user);
}

void users_check(void)
{
	for (const struct user *user = users; user != NULL && waiting > 0; user = user->next)
		MODEL_MUST(user->told > 0 || user->by_ms >= alarm_clock_ms(), "user %d is not answered in time",
			   user->number);
}

void users_end(void)
{
	MODEL_MUST(waiting == 0, "%d users were never answered", waiting);
	while (users != NULL) {
		struct user *gone = users;
		users = gone->next;
		free(gone);
	}
}
