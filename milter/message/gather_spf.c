/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/gather_spf.h"

#include "milter/base/clock.h"
#include "milter/base/loop.h"
#include "milter/config/outgoing.h"

#include <string.h>

#include "policy/base/banned.h"

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- the client */

void gather_spf_client(struct message *message, int64_t deadline_ms)
{
	if (message->spf.client != NULL)
		spf_collect(message->spf.client, sooner(deadline_ms, message->spf.client_until_ms),
			    &message->facts.spf.client);
}

void gather_spf_mail(struct session *session)
{
	struct message *message = session->message;
	const struct config *config = session->setup->config;
	const char *helo = session->helo != NULL ? session->helo : "";
	struct spf_request request = {
		.engine = session->setup->engine,
		.sender = message->from,
		.helo = helo,
		.clients = &session->client,
		.client_count = 1,
	};
	if (config->set.spf_client == SPF_CLIENT_OFF || message->facts.authenticated ||
	    session->client.family == NETADDR_UNKNOWN)
		return;
	message->facts.spf.domain = message->from[0] != '\0' ? address_domain(message->from) : helo;
	message->spf.client = spf_ask(the_daemon.loop, &request);
	message->spf.client_until_ms = clock_monotonic_ms() + config->set.spf_timeout_ms;
}

/* ---- our transports */

void gather_spf_rcpt(struct session *session)
{
	struct message *message = session->message;
	const struct config *config = session->setup->config;
	const struct outgoing *outgoing = &config->outgoing;
	struct spf_request request = { .engine = session->setup->engine, .sender = message->from, .helo = "" };
	if (!config->set.spf_transports || message->spf.asked || message->from[0] == '\0' || outgoing->count == 0)
		return;
	message->spf.asked = true;
	message->spf.until_ms = clock_monotonic_ms() + config->set.spf_timeout_ms;
	for (int i = 0, first = 0; first < outgoing->count; i++, first += SPF_CLIENTS_MAX) {
		request.clients = &outgoing->addresses[first];
		request.client_count =
			outgoing->count - first < SPF_CLIENTS_MAX ? outgoing->count - first : SPF_CLIENTS_MAX;
		message->spf.transports[i] = spf_ask(the_daemon.loop, &request);
	}
}

/* Of one transport. Receivers choose the protocol: a message passes by it when it passes by each of its addresses. */
static enum spf_answer gather_spf_answer_of(const enum spf_answer *answers, const short places[TRANSPORT_ADDRESSES])
{
	enum spf_answer worst = SPF_ANSWER_UNKNOWN;
	bool any = false;
	for (int i = 0; i < TRANSPORT_ADDRESSES; i++)
		if (places[i] >= 0) {
			worst = any ? spf_answer_worse(worst, answers[places[i]]) : answers[places[i]];
			any = true;
		}
	return worst;
}

/* What the domain says of all our transports together. */
static enum spf_ours gather_spf_sum_up(const int with[SPF_ANSWER_COUNT])
{
	if (with[SPF_ANSWER_PASS] > 0 || with[SPF_ANSWER_NONE] > 0)
		return SPF_OURS_FINE;
	if (with[SPF_ANSWER_UNKNOWN] > 0 || with[SPF_ANSWER_TEMPERROR] > 0)
		return SPF_OURS_UNKNOWN;
	return SPF_OURS_NONE_PASSES;
}

static void gather_spf_collect_transports(struct session *session, int64_t deadline_ms)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct policy *policy = &session->setup->config->policy;
	const struct outgoing *outgoing = &session->setup->config->outgoing;
	enum spf_answer answers[OUTGOING_MAX] = { SPF_ANSWER_UNKNOWN };
	int with[SPF_ANSWER_COUNT] = { 0 };
	for (int i = 0; i < SPF_CHECKS_MAX; i++)
		if (message->spf.transports[i] != NULL)
			spf_collect(message->spf.transports[i], sooner(deadline_ms, message->spf.until_ms),
				    answers + (ptrdiff_t)i * SPF_CLIENTS_MAX);
	for (int i = 0; i < policy->pool_count; i++)
		for (int j = 0; j < policy->pools[i].transport_count; j++) {
			int index = policy->pools[i].transports[j].index;
			const short *places = outgoing->of[index];
			enum spf_answer answer = gather_spf_answer_of(answers, places);
			facts->transports[index].spf = (unsigned char)answer;
			with[answer] += places[TRANSPORT_ADDRESS] >= 0 || places[TRANSPORT_ADDRESS6] >= 0;
		}
	facts->spf.ours = gather_spf_sum_up(with);
	facts->spf.domain = address_domain(message->from);
}

void gather_spf_message(struct session *session, int64_t deadline_ms)
{
	gather_spf_client(session->message, deadline_ms);
	if (session->message->spf.asked)
		gather_spf_collect_transports(session, deadline_ms);
}
