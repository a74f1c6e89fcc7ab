/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/gather.h"

#include "milter/base/ask.h"
#include "milter/base/clock.h"
#include "milter/clients/clients.h"
#include "milter/daemon/limits.h"
#include "milter/message/gather_spf.h"
#include "milter/message/identify.h"
#include "milter/base/loop.h"
#include "milter/message/client_origin.h"
#include "milter/pools/pools.h"
#include "milter/daemon/stats.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "redis-schema/store/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

/* ---- questions to the store: made on a callback's thread, asked and answered on the loop thread */

struct network_ask {
	struct ask ask; /* first */
	struct loop_job job;
	struct netaddr client;
	bool found;
	char account[ACCOUNT_MAX + 1];
};

struct fetch_ask {
	struct ask ask; /* first */
	struct loop_job job;
	char account[ACCOUNT_MAX + 1];
	struct account_state state;
	unsigned char *bytes; /* owned; of ... */
	struct known known;
};

static void release(struct ask *ask)
{
	free(ask);
}

static void release_fetch(struct ask *ask)
{
	free(((struct fetch_ask *)(void *)ask)->bytes);
	free(ask);
}

#define ASK_OF(type, its_job) ((struct type *)(void *)((char *)(its_job)-offsetof(struct type, job)))

static void gather_network_answered(void *arg, const char *account)
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
	store_network(the_daemon.store, &ask->client, gather_network_answered, ask);
}

static void gather_fetch_answered(void *arg, const struct account_state *state, const struct known *known)
{
	struct fetch_ask *ask = arg;
	ask->state = *state;
	ask->bytes = known->bytes != NULL ? malloc(known->length + 1) : NULL;
	if (ask->bytes != NULL) {
		memcpy(ask->bytes, known->bytes, known->length);
		ask->known = (struct known){ ask->bytes, known->length };
	}
	ask_answer(&ask->ask);
}

static void fetch_run(struct loop_job *job)
{
	struct fetch_ask *ask = ASK_OF(fetch_ask, job);
	store_fetch(the_daemon.store, ask->account, gather_fetch_answered, ask);
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

/* After the fetch: Redis tells the secret before it answers any. A hash made before would be under a key that nobody
 * else has, in a message that is counted as if it were the shared one. */
static void gather_take_secret(struct message *message)
{
	message->rcpts.keyed = store_secret(the_daemon.store, message->key);
	message->rcpts.key = message->key;
}

/* Its header comes after MAIL, so after the secret. */
static void gather_begin_body(struct message *message)
{
	body_begin(&message->body, message->key);
	message->body_keyed = message->rcpts.keyed;
}

static void gather_fetch_state(struct session *session, int64_t deadline_ms)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	struct fetch_ask *ask = calloc(1, sizeof *ask);
	facts->state.limits = limits_unset;
	free(message->known_bytes);
	message->known_bytes = NULL;
	message->known_rcpts = (struct known){ 0 };
	if (ask != NULL) {
		ask_init(&ask->ask, release_fetch);
		ask->job.run = fetch_run;
		memcpy(ask->account, facts->account, sizeof ask->account);
		loop_post(the_daemon.loop, &ask->job);
		if (ask_wait(&ask->ask, deadline_ms)) {
			facts->state = ask->state;
			message->known_bytes = ask->bytes;
			message->known_rcpts = ask->known;
			ask->bytes = NULL;
		}
		ask_drop(&ask->ask);
	} else {
		message->arena.spent = true;
	}
	gather_take_secret(message);
	/* the table of recent accounts may have begun with this account an hour ago: it knows too few */
	message->known = facts->state.known == KNOWLEDGE_FULL && message->rcpts.keyed &&
			 (!facts->state.history.habits.many || message->known_bytes != NULL);
	limits_of(session->setup->config, facts->account, &facts->state, facts->now_ms, &facts->limits);
}

static bool gather_may_refuse(const struct config *config)
{
	for (int i = 0; i < config->mail_list_count; i++)
		if (config->lists[i].action == LIST_ACTION_REFUSE)
			return true;
	return false;
}

/* Once a connection, and only where no source before it names the account: a login needs no look-up. */
static const char *gather_ask_network(struct session *session, int64_t deadline_ms)
{
	struct network_ask *ask = session->network;
	if (ask == NULL && session->client.family != NETADDR_UNKNOWN && !session->injected) {
		ask = calloc(1, sizeof *ask);
		if (ask == NULL) {
			session->message->arena.spent = true;
			return NULL;
		}
		ask_init(&ask->ask, release);
		ask->job.run = network_run;
		ask->client = session->client;
		session->network = ask;
		loop_post(the_daemon.loop, &ask->job);
	}
	return ask != NULL && ask_wait(&ask->ask, deadline_ms) && ask->found ? ask->account : NULL;
}

static int64_t local_offset_s(int64_t now_ms)
{
	struct tm local;
	time_t now = (time_t)(now_ms / 1000);
	return localtime_r(&now, &local) != NULL ? local.tm_gmtoff : 0;
}

/* Once a connection, for an account, and for a stranger who has come before: what his AS does tells of him, too. */
static void gather_ask_origin(struct session *session)
{
	const struct facts *facts = &session->message->facts;
	if (session->place == NULL && !session->injected && (facts->source != SOURCE_CLIENT || facts->client_known))
		session->place = client_origin_ask(session->setup, &session->client);
}

/* What the MTA says of the client and the sender, as the rules want it. */
static void gather_fill_sender(struct session *session)
{
	const struct message *message = session->message;
	struct facts *facts = &session->message->facts;
	char sender[ADDRESS_MAX + 1], name[ACCOUNT_MAX + 1];
	facts->local_offset_s = local_offset_s(facts->now_ms);
	if (!session->injected)
		client_origin_fill(&session->client, message->key, facts);
	facts->client_as = client_origin_collect(session->place, message->key, 0);
	identify_sender(session->setup->config, message->from, sender);
	if (account_name(sender, true, name))
		facts->sender = hash_keyed(message->key, name, strlen(name));
	facts->sender_own = identify_sender_own(facts, message->from);
}

/* What the client did before, here and by the logs of all hosts. Waits for nothing. */
static void gather_fill_client(struct session *session, const char *login)
{
	struct facts *facts = &session->message->facts;
	struct client_facts client;
	facts->quit_watched = rests_follows();
	if (session->injected || session->client.family == NETADDR_UNKNOWN ||
	    identify_own_network(session->setup->config, &session->client))
		return;
	if (login != NULL)
		facts->login_guesses = clients_guesses(&session->client, login);
	if (facts->authenticated)
		return;
	facts->client_known = clients_look(&session->client, false, &client);
	facts->client_standing = client_judge(&client).standing;
}

void gather_mail(struct session *session, const struct mail_macros *macros)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct config *config = session->setup->config;
	int64_t deadline_ms = deadline_of(session);
	/* Postfix names a certificate only where it trusts it; Sendmail names any, and says what it found in {verify}
	 */
	bool verified = macros->verify == NULL || strcmp(macros->verify, "OK") == 0;
	struct identity identity = {
		.auth_authen = macros->auth_authen,
		.cert_subject = verified ? macros->cert_subject : NULL,
		.from = message->from,
		.host = macros->host,
		.origin = config->origin,
		.logins = session->setup->logins,
		.injected = session->injected,
		.client = session->client,
	};
	facts->now_ms = clock_now_ms();
	facts->injected = session->injected;
	facts->overloaded = (int64_t)stats_sessions() * 10 >= config->set.milter_max_sessions * 9;
	if (!identify(config, &identity, facts)) {
		identity.network = gather_ask_network(session, deadline_ms);
		identity.network_asked = true;
		identify(config, &identity, facts);
	}
	identify_domain(facts, &identity, message->domain);
	if (facts->overloaded) {
		gather_take_secret(message);
		gather_begin_body(message);
		return;
	}
	session->proven = session->proven || facts->authenticated;
	gather_fill_client(session, macros->auth_authen);
	gather_ask_origin(session);
	gather_spf_mail(session);
	gather_fetch_state(session, deadline_ms);
	gather_begin_body(message);
	gather_fill_sender(session);
	if (!facts->authenticated && (gather_may_refuse(config) || config->policy.lists_must_answer))
		rbl_collect(session->listings, deadline_ms, &facts->listings);
	if (config->policy.spf_refuses)
		gather_spf_client(message, deadline_ms);
}

/* ---- RCPT */

static void add_rcpt(const struct session *session, struct rcpts *rcpts, struct facts *facts, const char *raw,
		     bool remote)
{
	struct message *message = session->message;
	rcpts_add(rcpts, &message->arena, session->setup->traps, &message->known_rcpts, raw, remote, facts);
	rcpts_fill(rcpts, message->known, facts);
}

void gather_rcpt(struct session *session, const char *raw, enum rcpt_way way, struct with_rcpt *with)
{
	const struct message *message = session->message;
	bool remote = way != RCPT_WAY_LOCAL;
	*with = (struct with_rcpt){ raw, message->facts, message->rcpts,
				    message->rcpts_aliased + (way == RCPT_WAY_ALIAS) };
	with->facts.rcpts_local += !remote;
	with->facts.rcpts_remote += remote;
	with->facts.rcpts_unknown_mailer += remote && way != RCPT_WAY_REMOTE;
	add_rcpt(session, &with->rcpts, &with->facts, raw, remote);
}

void gather_take_rcpt(struct session *session, const struct with_rcpt *with)
{
	struct message *message = session->message;
	bool remote = with->facts.rcpts_remote > message->facts.rcpts_remote;
	if (remote &&
	    (with->facts.rcpts_remote > 1 || !text_copy(message->only_rcpt, sizeof message->only_rcpt, with->raw)))
		message->only_rcpt[0] = '\0';
	message->facts = with->facts;
	message->rcpts = with->rcpts;
	message->rcpts_aliased = with->aliased;
	if (!remote)
		return;
	rests_add_rcpt(&message->rests, with->raw);
	gather_spf_rcpt(session);
}

/* ---- end of message */

/* A header is believed of a forwarder, and on this host, where Sieve's redirect comes by sendmail(1). */
static bool is_passed_on(const struct message *message)
{
	return message->anomaly.forwarded && (message->facts.forwarder || message->facts.injected);
}

/* A stranger's message leaves, if at all, by aliases of this host: nobody here decided to send it. */
static bool is_sent_on(const struct message *message)
{
	const struct facts *facts = &message->facts;
	return !facts->authenticated && facts->rcpts_remote > 0 && message->rcpts_aliased == facts->rcpts_remote;
}

/* By a key that this process alone has a text is none that could be known again. */
static void gather_fill_text(struct message *message)
{
	struct facts *facts = &message->facts;
	if (facts->rcpts_remote == 0)
		return;
	body_end(&message->body, anomaly_reply_elsewhere(&message->anomaly), facts);
	if (message->body_keyed)
		return;
	facts->text = 0;
	facts->host_count = 0;
	memset(facts->hosts, 0, sizeof facts->hosts);
}

static void gather_fill_message(struct session *session)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct anomaly_client client = {
		.helo = session->helo,
		.ours = session->injected || identify_own_network(session->setup->config, &session->client),
	};
	facts->client_ours = client.ours;
	facts->memory_spent = message->arena.spent;
	facts->kbytes = (int64_t)((message->size + 1023) / 1024);
	facts->anomalies = anomaly_sum(&message->anomaly, &client, message->from, facts);
	facts->mailer = message->anomaly.mailer;
	gather_fill_text(message);
	if (facts->class == MAIL_CLASS_ACCOUNT && (is_passed_on(message) || is_sent_on(message)))
		facts->class = MAIL_CLASS_FORWARD;
}

/* An automatic reply (RFC 3834) has no sender, so that those of all users of this host were one account's; to one
 * recipient, from one author, it is the author's. Known only when the header is there: what stands there of an account
 * is asked again. */
static void gather_claim_reply(struct session *session, int64_t deadline_ms)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct anomaly_reader *header = &message->anomaly;
	const struct identity author = { .from = header->author,
					 .injected = session->injected,
					 .client = session->client };
	if (!header->replied || header->authors != 1 || message->only_rcpt[0] == '\0' || facts->rcpts_remote != 1 ||
	    facts->rcpts_local > 0 || !identify_author(session->setup->config, &author, facts))
		return;
	gather_fetch_state(session, deadline_ms);
	message->rcpts = (struct rcpts){ .key = message->rcpts.key, .keyed = message->rcpts.keyed };
	add_rcpt(session, &message->rcpts, facts, message->only_rcpt, true);
}

void gather_message(struct session *session)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct config *config = session->setup->config;
	int64_t deadline_ms = message->deadline_ms = deadline_of(session);
	struct scan *scans[SCANNERS_MAX] = { NULL };
	facts->now_ms = clock_now_ms();
	gather_claim_reply(session, deadline_ms);
	gather_fill_message(session);
	for (int i = 0; i < config->scanner_count; i++) {
		const struct scanner *scanner = &config->scanners[i];
		size_t length = message->scan.length;
		if (length > (size_t)scanner->max_size)
			length = (size_t)scanner->max_size;
		scans[i] = scan_start(the_daemon.loop, scanner, facts->account, message->scan.bytes, length);
	}
	bool missed = false;
	pools_now(config, facts->transports);
	rests_fill(&message->rests, config, facts);
	gather_spf_message(session, deadline_ms);
	rbl_collect(session->listings, deadline_ms, &facts->listings);
	for (int i = 0; i < config->scanner_count; i++) {
		struct content content = { .known = KNOWLEDGE_NONE };
		if (scans[i] != NULL)
			scan_collect(scans[i], deadline_ms, &content);
		missed |= content.known == KNOWLEDGE_NONE && config->scanners[i].must_answer;
		scan_release(&scans[i]);
		text_copy(content.scanner, sizeof content.scanner, config->scanners[i].name);
		content_hear(&facts->content, &content);
	}
	/* a stranger's is for his later mail */
	facts->client_as =
		client_origin_collect(session->place, message->key, facts->source != SOURCE_CLIENT ? deadline_ms : 0);
	if (missed) /* what another scanner said does not stand in for one that must answer */
		facts->content = (struct content){ .known = KNOWLEDGE_NONE };
}
