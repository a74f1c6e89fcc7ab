/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/gather_spf.h"

#include "milter/clock.h"
#include "milter/loop.h"
#include "milter/outgoing.h"

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
	if (strcmp(config->set.spf_client, "off") == 0 || message->facts.authenticated ||
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
		request.client_count = outgoing->count - first < SPF_CLIENTS_MAX ? outgoing->count - first
										  : SPF_CLIENTS_MAX;
		message->spf.transports[i] = spf_ask(the_daemon.loop, &request);
	}
}

/* What the domain says of all our addresses together. */
static enum spf_ours sum_up(const enum spf_answer *answers, int count)
{
	int with[SPF_ANSWER_COUNT] = { 0 };
	for (int i = 0; i < count; i++)
		with[answers[i]]++;
	if (with[SPF_ANSWER_PASS] > 0 || with[SPF_ANSWER_NONE] > 0)
		return SPF_OURS_FINE;
	if (with[SPF_ANSWER_UNKNOWN] > 0 || with[SPF_ANSWER_TEMPERROR] > 0)
		return SPF_OURS_UNKNOWN;
	return SPF_OURS_NONE_PASSES;
}

static void collect_transports(struct session *session, int64_t deadline_ms)
{
	struct message *message = session->message;
	struct facts *facts = &message->facts;
	const struct policy *policy = &session->setup->config->policy;
	const struct outgoing *outgoing = &session->setup->config->outgoing;
	enum spf_answer answers[TRANSPORTS_ALL_MAX] = { SPF_ANSWER_UNKNOWN };
	for (int i = 0; i < SPF_CHECKS_MAX; i++)
		if (message->spf.transports[i] != NULL)
			spf_collect(message->spf.transports[i], sooner(deadline_ms, message->spf.until_ms),
				    answers + (ptrdiff_t)i * SPF_CLIENTS_MAX);
	for (int i = 0; i < policy->pool_count; i++)
		for (int j = 0; j < policy->pools[i].transport_count; j++) {
			int index = policy->pools[i].transports[j].index, place = outgoing->of[index];
			if (place >= 0)
				facts->transports[index].spf = (unsigned char)answers[place];
		}
	facts->spf.ours = sum_up(answers, outgoing->count);
	facts->spf.domain = address_domain(message->from);
}

void gather_spf_message(struct session *session, int64_t deadline_ms)
{
	gather_spf_client(session->message, deadline_ms);
	if (session->message->spf.asked)
		collect_transports(session, deadline_ms);
}
