/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/gather.h"

#include "milter/ask.h"
#include "milter/clock.h"
#include "milter/gather_spf.h"
#include "milter/identify.h"
#include "milter/loop.h"
#include "milter/monitor.h"
#include "milter/stats.h"
#include "policy/base/text.h"
#include "redis-schema/store.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- questions to the store: made on a callback's thread, asked and answered on the loop thread */

struct network_ask {
	struct ask ask;		/* first */
	struct loop_job job;
	struct netaddr client;
	bool found;
	char account[ACCOUNT_MAX + 1];
};

struct fetch_ask {
	struct ask ask;		/* first */
	struct loop_job job;
	char account[ACCOUNT_MAX + 1];
	struct account_state state;
};

struct charge_ask {
	struct ask ask;		/* first */
	struct loop_job job;
	struct message_charge charge;
	struct charge_result result;
};

static void release(struct ask *ask)
{
	free(ask);
}

#define ASK_OF(type, its_job) ((struct type *)(void *)((char *)(its_job)-offsetof(struct type, job)))

static void network_answered(void *arg, const char *account)
{
	struct network_ask *ask = arg;
	ask->found = account != NULL;
	if (ask->found)
		text_copy(ask->account, sizeof ask->account, account);
	ask_answer(&ask->ask);
}

static void network_run(struct loop_job *job)
{
	struct network_ask *ask = ASK_OF(network_ask, job);
	store_network(the_daemon.store, &ask->client, network_answered, ask);
}

static void fetch_answered(void *arg, const struct account_state *state, const unsigned char *map)
{
	(void)map;
	struct fetch_ask *ask = arg;
	ask->state = *state;
	ask_answer(&ask->ask);
}

static void fetch_run(struct loop_job *job)
{
	struct fetch_ask *ask = ASK_OF(fetch_ask, job);
	store_fetch(the_daemon.store, ask->account, fetch_answered, ask);
}

static void charge_answered(void *arg, const struct charge_result *result)
{
	struct charge_ask *ask = arg;
	ask->result = *result;
	ask_answer(&ask->ask);
}

static void charge_run(struct loop_job *job)
{
	struct charge_ask *ask = ASK_OF(charge_ask, job);
	store_charge(the_daemon.store, &ask->charge, charge_answered, ask);
}

/* ---- connect */

void gather_connect(struct session *session)
{
	if (!session->injected && session->client.family != NETADDR_UNKNOWN)
		session->listings = rbl_ask(session->setup->rbl, &session->client);
}

void gather_release_network(struct network_ask **network)
{
	if (*network != NULL)
		ask_drop(&(*network)->ask);
	*network = NULL;
}

/* ---- MAIL */

static int64_t deadline_of(const struct session *session)
{
	return clock_monotonic_ms() + session->setup->config->set.milter_deadline_ms;
}

static void fetch_state(struct session *session, int64_t deadline_ms)
{
	struct facts *facts = &session->message->facts;
	struct fetch_ask *ask = calloc(1, sizeof *ask);
	facts->state.limits = limits_unset;
	if (ask != NULL) {
		ask_init(&ask->ask, release);
		ask->job.run = fetch_run;
		memcpy(ask->account, facts->account, sizeof ask->account);
		loop_post(the_daemon.loop, &ask->job);
		if (ask_wait(&ask->ask, deadline_ms))
			facts->state = ask->state;
		ask_drop(&ask->ask);
	}
	limits_in_force(session->setup->config, &facts->state.limits, &facts->limits);
}

static bool may_refuse(const struct config *config)
{
	for (int i = 0; i < config->mail_list_count; i++)
		if (config->lists[i].action == LIST_ACTION_REFUSE)
			return true;
	return false;
}

/* Once a connection, and only where no source before it names the account: a login needs no look-up. */
static const char *ask_network(struct session *session, int64_t deadline_ms)
{
	struct network_ask *ask = session->network;
	if (ask == NULL && session->client.family != NETADDR_UNKNOWN && !session->injected) {
		ask = calloc(1, sizeof *ask);
		if (ask == NULL)
			return NULL;
		ask_init(&ask->ask, release);
		ask->job.run = network_run;
		ask->client = session->client;
		session->network = ask;
		loop_post(the_daemon.loop, &ask->job);
	}
	return ask != NULL && ask_wait(&ask->ask, deadline_ms) && ask->found ? ask->account : NULL;
}

void gather_mail(struct session *session, const struct mail_macros *macros)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct config *config = session->setup->config;
	int64_t deadline_ms = deadline_of(session);
	/* Postfix names a certificate only where it trusts it; Sendmail names any, and says what it found in {verify} */
	bool verified = macros->verify == NULL || strcmp(macros->verify, "OK") == 0;
	struct identity identity = {
		.auth_authen = macros->auth_authen,
		.cert_subject = verified ? macros->cert_subject : NULL,
		.from = message->from,
		.host = macros->host,
		.injected = session->injected,
		.client = session->client,
	};
	facts->now_ms = clock_now_ms();
	facts->injected = session->injected;
	facts->overloaded = (int64_t)stats_sessions() * 10 >= config->set.milter_max_sessions * 9;
	if (!identify(config, &identity, facts)) {
		identity.network = ask_network(session, deadline_ms);
		identity.network_asked = true;
		identify(config, &identity, facts);
	}
	if (facts->overloaded)
		return;
	gather_spf_mail(session);
	fetch_state(session, deadline_ms);
	if (!facts->authenticated && (may_refuse(config) || config->policy.lists_must_answer))
		rbl_collect(session->listings, deadline_ms, &facts->listings);
	if (config->policy.spf_refuses)
		gather_spf_client(message, deadline_ms);
}

/* ---- end of message */

void gather_message(struct session *session)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct config *config = session->setup->config;
	int64_t deadline_ms = deadline_of(session);
	struct scan *scans[SCANNERS_MAX] = { NULL };
	facts->now_ms = clock_now_ms();
	facts->memory_spent = message->arena.spent;
	for (int i = 0; i < config->scanner_count; i++) {
		const struct scanner *scanner = &config->scanners[i];
		size_t length = message->scan.length;
		if (length > (size_t)scanner->max_size)
			length = (size_t)scanner->max_size;
		scans[i] = scan_start(the_daemon.loop, scanner, facts->account, message->scan.bytes, length);
	}
	bool missed = false;
	monitor_states(config, facts->transports);
	gather_spf_message(session, deadline_ms);
	rbl_collect(session->listings, deadline_ms, &facts->listings);
	for (int i = 0; i < config->scanner_count; i++) {
		struct content content = { .known = KNOWLEDGE_NONE };
		if (scans[i] != NULL)
			scan_collect(scans[i], deadline_ms, &content);
		missed |= content.known == KNOWLEDGE_NONE && config->scanners[i].must_answer;
		scan_release(&scans[i]);
		text_copy(content.scanner, sizeof content.scanner, config->scanners[i].name);
		if (content.known != KNOWLEDGE_NONE &&
		    (facts->content.known == KNOWLEDGE_NONE || content.score > facts->content.score))
			facts->content = content;
	}
	if (missed)	/* what another scanner said does not stand in for one that must answer */
		facts->content = (struct content){ .known = KNOWLEDGE_NONE };
}

static struct charge_ask *post_charge(const struct policy *policy, const struct message *message)
{
	struct charge_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return NULL;
	ask_init(&ask->ask, release);
	ask->job.run = charge_run;
	judge_charge(policy, &message->facts, &message->verdict, &ask->charge.charge);
	return ask;
}

void gather_charge(struct session *session)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	/* mail within this host costs nothing; nor does what no account of ours sent */
	if (facts->rcpts_remote == 0)
		return;
	struct charge_ask *ask = post_charge(&session->setup->config->policy, message);
	if (ask == NULL)
		return;
	bool quota = ask->charge.charge.quota;
	loop_post(the_daemon.loop, &ask->job);
	if (ask_wait(&ask->ask, deadline_of(session)) && quota && ask->result.known != KNOWLEDGE_NONE) {
		facts->charged = true;
		facts->breach = ask->result.breach;
		facts->again = ask->result.again;
		facts->campaign = ask->result.campaign;
	}
	ask_drop(&ask->ask);
}

void gather_note_breach(const struct session *session)
{
	const struct message *message = session->message;
	/* a stranger can name any account as his sender */
	struct charge_ask *ask = message->facts.authenticated ? post_charge(&session->setup->config->policy, message) : NULL;
	if (ask == NULL)
		return;
	struct charge *charge = &ask->charge.charge;
	charge->quota = false;
	charge->level = LEVEL_UNKNOWN;
	memset(charge->counts, 0, sizeof charge->counts);
	charge->counts[COUNTER_BREACHES] = 1;
	loop_post(the_daemon.loop, &ask->job);
	ask_drop(&ask->ask);
}
