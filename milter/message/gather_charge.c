/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The charge of a message: what is asked of Redis at its end, in one wait, and what is sent behind it.
 */
#include "milter/message/gather.h"

#include "milter/base/ask.h"
#include "milter/base/clock.h"
#include "milter/base/loop.h"
#include "milter/base/own_hash.h"
#include "milter/daemon/limits.h"
#include "milter/daemon/stats.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "redis-schema/store/store.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	ANSWER_MS = 100,  /* the store's own answer comes when redis.timeout_ms has passed */
	NOTED_MAX = 4096, /* breaches that were noted lately; two of one hash share a place */
	NOTED_MS = 10 * 60 * 1000,
};

struct charge_ask {
	struct ask ask; /* first */
	struct loop_job job;
	struct config *config; /* one reference, of the session's: its plans; NULL: none */
	struct charge_result result;
	unsigned habits_held;	      /* parts of the account's habits that wait for the verdict ... */
	int known_held;		      /* ... and how many of new_known */
	struct message_charge charge; /* its groups are as they come from malloc() */
	uint32_t new_known[];	      /* charge.new_known: the message may be gone when the loop comes to it */
};

static void release(struct ask *ask)
{
	config_drop(&((struct charge_ask *)(void *)ask)->config);
	free(ask);
}

static struct charge_ask *ask_of(struct loop_job *job)
{
	return (struct charge_ask *)(void *)((char *)job - offsetof(struct charge_ask, job));
}

static void answered(void *arg, const struct charge_result *result)
{
	struct charge_ask *ask = arg;
	ask->result = *result;
	ask_answer(&ask->ask);
}

static void run(struct loop_job *job)
{
	struct charge_ask *ask = ask_of(job);
	store_charge(the_daemon.store, &ask->charge, answered, ask);
}

/* Nobody waits. */
static void run_behind(struct loop_job *job)
{
	struct charge_ask *ask = ask_of(job);
	store_charge(the_daemon.store, &ask->charge, NULL, NULL);
	ask_answer(&ask->ask);
}

static struct charge_ask *gather_charge_ask_new(void (*its_run)(struct loop_job *job), int new_known_most)
{
	struct charge_ask *ask = malloc(sizeof *ask + (size_t)new_known_most * sizeof ask->new_known[0]);
	if (ask == NULL) {
		stats_job_dropped();
		return NULL;
	}
	memset(ask, 0, offsetof(struct charge_ask, charge.groups));
	ask_init(&ask->ask, release);
	ask->job.run = its_run;
	return ask;
}

static void post_behind(struct charge_ask *ask)
{
	loop_post(the_daemon.loop, &ask->job);
	ask_drop(&ask->ask);
}

void gather_release_charge(struct charge_ask **charge)
{
	if (*charge != NULL)
		ask_drop(&(*charge)->ask);
	*charge = NULL;
}

/* ---- groups */

/* `name` is in account_name()'s form. */
static void gather_charge_add_group(struct message_charge *charge, const struct config *config, enum scope scope,
				    const char *name)
{
	struct group_charge *group = &charge->groups[charge->group_count++];
	group->scope = scope;
	account_group(scope, name, group->name);
	limits_of_plan(config, group_plan(config, scope), &group->limits);
}

/* Whose mail it is beside the account's. */
static void gather_charge_add_groups(const struct session *session, struct charge_ask *ask)
{
	struct message_charge *charge = &ask->charge;
	const struct message *message = session->message;
	const struct facts *facts = &message->facts;
	const struct config *config = session->setup->config;
	char name[ACCOUNT_MAX + 1];
	if (*group_plan(config, SCOPE_DOMAIN) != '\0' && message->domain[0] != '\0')
		gather_charge_add_group(charge, config, SCOPE_DOMAIN, message->domain);
	if (account_name(facts->limits.customer, false, name))
		gather_charge_add_group(charge, config, SCOPE_CUSTOMER, name);
	if (*group_plan(config, SCOPE_SERVER) != '\0')
		gather_charge_add_group(charge, config, SCOPE_SERVER, "all");
	if (facts->class != MAIL_CLASS_ACCOUNT)
		gather_charge_add_group(charge, config, mail_class_scope(facts->class), facts->account);
	/* who chooses his sender chooses his account, or with <> has none: his address he does not choose */
	if (facts->source >= SOURCE_UID && facts->authenticated) {
		account_client(&session->client, name);
		gather_charge_add_group(charge, config, SCOPE_CLIENT, name + strlen(ACCOUNT_CLIENT ":"));
	}
	if (charge->group_count == 0)
		return;
	ask->config = config_hold(session->setup->config); /* the answer may come when the session is gone */
	charge->plans = limits_fill_plan;
	charge->plans_arg = ask->config;
}

/* ---- recipients for the account's key of them */

static void add_known(struct charge_ask *ask, uint32_t hash)
{
	ask->new_known[ask->charge.new_known_count++] = hash;
}

/* Where the account has one: those that are not there. Where it gets one now: all that it knew, and these. */
static void gather_charge_add_new_known(const struct message *message, struct charge_ask *ask)
{
	const struct facts *facts = &message->facts;
	const struct charge *charge = &ask->charge.charge;
	const struct habits *before = &facts->state.history.habits;
	bool gets_one = !before->many && (charge->habits_changed & HABIT_KNOWN) != 0 && charge->habits.many;
	ask->charge.new_known = ask->new_known;
	/* whom a stolen account writes to does not become one whom its owner knows */
	if (!charge->quota || !judge_learns(facts, &message->verdict) || !(before->many || gets_one))
		return;
	for (int i = 0; i < HABIT_KNOWN_MAX && gets_one; i++)
		if (before->known[i] != 0)
			add_known(ask, before->known[i]);
	for (int i = 0; i < facts->rcpt_count; i++)
		if (!known_has(&message->known_rcpts, facts->rcpts[i]))
			add_known(ask, facts->rcpts[i]);
}

/* A group may refuse what the account has room for: what did not leave is no habit. */
static void gather_charge_hold_habits(struct charge_ask *ask)
{
	ask->habits_held = ask->charge.charge.habits_changed;
	ask->known_held = ask->charge.new_known_count;
	ask->charge.charge.habits_changed = 0;
	ask->charge.new_known_count = 0;
}

static void gather_charge_send_held_habits(const struct message *message)
{
	const struct charge_ask *held = message->charge;
	if (verdict_refuses(&message->verdict) || (held->habits_held == 0 && held->known_held == 0))
		return;
	struct charge_ask *ask = gather_charge_ask_new(run_behind, held->known_held);
	if (ask == NULL)
		return;
	struct charge *charge = &ask->charge.charge;
	*charge = (struct charge){ .now_ms = held->charge.charge.now_ms, .limits = limits_unset };
	memcpy(charge->account, held->charge.charge.account, sizeof charge->account);
	charge->habits = held->charge.charge.habits;
	charge->habits_changed = held->habits_held;
	ask->charge.new_known = ask->new_known;
	ask->charge.new_known_count = held->known_held;
	memcpy(ask->new_known, held->new_known, (size_t)held->known_held * sizeof ask->new_known[0]);
	post_behind(ask);
}

/* ---- the charge */

static struct charge_ask *charge_new(const struct session *session, void (*its_run)(struct loop_job *job))
{
	const struct message *message = session->message;
	struct charge_ask *ask = gather_charge_ask_new(its_run, HABIT_KNOWN_MAX + message->facts.rcpt_count);
	if (ask != NULL)
		judge_charge(&session->setup->config->policy, &message->facts, &message->verdict, &ask->charge.charge);
	return ask;
}

/* In a campaign all accounts that one address claims are one. */
static uint64_t gather_charge_who_sent(const struct session *session)
{
	const struct message *message = session->message;
	char name[ACCOUNT_MAX + 1];
	text_copy(name, sizeof name, message->facts.account);
	if (message->facts.source >= SOURCE_UID)
		account_client(&session->client, name);
	return hash_keyed(message->key, name, strlen(name));
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void gather_charge(struct session *session)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	int64_t least_ms = clock_monotonic_ms() + session->setup->config->set.redis_timeout_ms + ANSWER_MS;
	if (facts->rcpts_remote == 0)
		return;
	struct charge_ask *ask = message->charge = charge_new(session, run);
	if (ask == NULL) { /* it would leave uncounted */
		facts->memory_spent = true;
		return;
	}
	if (ask->charge.charge.quota)
		gather_charge_add_groups(session, ask);
	gather_charge_add_new_known(message, ask);
	if (ask->charge.group_count > 0)
		gather_charge_hold_habits(ask);
	/* what this process alone can read is nobody's campaign */
	ask->charge.fingerprint = judge_campaigns(facts) && message->body_keyed ? facts->fingerprint : 0;
	ask->charge.who = gather_charge_who_sent(session);
	ask->charge.bad = judge_campaign_bad(&session->setup->config->policy, facts, &message->verdict);
	bool quota = ask->charge.charge.quota;
	loop_post(the_daemon.loop, &ask->job);
	if (!ask_wait(&ask->ask, later(message->deadline_ms, least_ms)) || ask->result.known == KNOWLEDGE_NONE)
		return;
	if (!quota) /* refused before it was charged: nothing that comes with the charge lets it go */
		return;
	if (ask->result.known == KNOWLEDGE_LOCAL && facts->state.known == KNOWLEDGE_FULL)
		facts->state.known = KNOWLEDGE_LOCAL; /* Redis went between the reading and the charge */
	facts->campaign = ask->result.campaign;
	facts->charged = true;
	facts->breach = ask->result.breach;
	memcpy(facts->group_block, ask->result.group_block, sizeof facts->group_block);
}

/* What is given back is given back to the groups as well. */
static void gather_charge_amend_groups(const struct message_charge *charged, int64_t charged_ms,
				       struct message_charge *amend)
{
	if (!amounts_give_back(&amend->charge.amounts))
		return;
	memcpy(amend->groups, charged->groups, (size_t)charged->group_count * sizeof amend->groups[0]);
	amend->group_count = charged->group_count;
	amend->charge.now_ms = charged_ms; /* to the period in which they counted it */
}

void gather_amend(const struct session *session)
{
	const struct message *message = session->message;
	if (message->charge == NULL)
		return;
	gather_charge_send_held_habits(message);
	struct charge amend;
	const struct message_charge *charged = &message->charge->charge;
	if (!judge_amend(&session->setup->config->policy, &message->facts, &message->verdict, &charged->charge, &amend))
		return;
	struct charge_ask *ask = gather_charge_ask_new(run_behind, 0);
	if (ask == NULL)
		return;
	ask->charge.charge = amend;
	gather_charge_amend_groups(charged, message->charge->result.charged_ms, &ask->charge);
	post_behind(ask);
}

/* ---- breaches before the end of a message */

static pthread_mutex_t noted_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	uint64_t breach; /* hash; 0: none */
	int64_t at_ms;	 /* clock_monotonic_ms() */
} noted[NOTED_MAX];

/* Of an account and a limit; the first time in a while it is noted. */
static bool gather_charge_noted_lately(const char *account, const struct breach *breach)
{
	const int what[] = { (int)breach->scope, (int)breach->window }; /* WINDOW_COUNT: of recipients in a message */
	uint64_t hash = own_hash(what, sizeof what, own_hash_string(account, 0));
	int64_t now_ms = clock_monotonic_ms();
	size_t at = hash % NOTED_MAX;
	pthread_mutex_lock(&noted_lock);
	bool lately = noted[at].breach == hash && now_ms - noted[at].at_ms < NOTED_MS;
	if (!lately) {
		noted[at].breach = hash;
		noted[at].at_ms = now_ms;
	}
	pthread_mutex_unlock(&noted_lock);
	return lately;
}

bool gather_note_try(struct session *session)
{
	struct message *message = session->message;
	if (message->try_noted || !judge_turned_away(&message->verdict))
		return false;
	message->try_noted = true;
	message->facts.tried_again = gather_charge_noted_lately(message->facts.account, &message->verdict.breach);
	return message->facts.tried_again;
}

void gather_note_breach(const struct session *session)
{
	const struct facts *facts = &session->message->facts;
	/* a stranger can name any account as his sender */
	if (!facts->authenticated || gather_charge_noted_lately(facts->account, &session->message->verdict.breach))
		return;
	struct charge_ask *ask = gather_charge_ask_new(run_behind, 0);
	if (ask == NULL)
		return;
	judge_charge_breach(facts, &ask->charge.charge);
	post_behind(ask);
}
