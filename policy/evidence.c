/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one message adds to the evidence counters: its log-likelihood ratio, a thief's mail against the owner's. A
 * counter never falls below 0, so that good mail of years is no credit, but takes back what a few odd ones brought.
 *
 * Most of it is worth less where the message goes to people whom the account knows: a thief does not write to them, a
 * traveller with a new telephone does. `ceiling` is what such mail brings a counter to at most.
 */
#include "policy/signal.h"

#include "policy/hash.h"

#include <math.h>

#include "policy/base/banned.h"

enum { SETTLED_S = 3 * 86400 }; /* an account that is younger has no habits to speak of */

static const double anomaly_weights[ANOMALY_COUNT] = {
#define ANOMALY_WEIGHT(id, word, weight) [ANOMALY_##id] = (weight),
	ANOMALY_ROWS(ANOMALY_WEIGHT)
#undef ANOMALY_WEIGHT
};

/* One message as evidence sees it. */
struct view {
	const struct facts *facts;
	const struct habits *habits;
	const double *value; /* of the counters, before the message */
	bool settled;	     /* the account has been there for some days */
	double fresh;	     /* part of the recipients that it never wrote to; 0.5 where that is not known */
	double pace;	     /* what steps are multiplied with: less for text in which the scanner sees nothing bad */
};

/* A step up that brings the counter to no more than the ceiling. */
static double step_to(double value, double step, double ceiling)
{
	return fmax(fmin(step, ceiling - value), 0);
}

/* A step for something that an owner too does now and then. */
static double step_of(const struct view *view, enum counter counter, double step, double known_ceiling)
{
	double ceiling = view->fresh * counter_cap(counter) + (1 - view->fresh) * known_ceiling;
	return step_to(view->value[counter], step * view->pace * (0.25 + 0.75 * view->fresh), ceiling);
}

/* Score over threshold; NAN where no scanner said anything. */
static double evidence_content_ratio(const struct content *content)
{
	if (content->known == KNOWLEDGE_NONE)
		return NAN;
	if (content->threshold <= 0 || isnan(content->score))
		return content->spam ? 1 : 0;
	double ratio = content->score / content->threshold;
	return content->spam ? fmax(ratio, 1) : fmin(ratio, 1);
}

/* Spam by twice the threshold and more: 2; just over it: 1; just below: 0.6, which a thousand of them bring it to as
 * well; most people's mail, at two fifths of it and below: -0.35. */
static double evidence_content(const struct view *view)
{
	double ratio = evidence_content_ratio(&view->facts->content);
	if (isnan(ratio))
		return 0;
	if (view->facts->content.spam)
		return fmin(ratio, 2);
	double step = -0.35 + 0.95 * fmax(ratio - 0.4, 0) / 0.6;
	return step < 0 ? step : step_to(view->value[COUNTER_CONTENT], step, 0.6);
}

static double evidence_place(const struct view *view)
{
	const struct facts *facts = view->facts;
	if (facts->client_network == 0 || !view->settled || habit_count_networks(view->habits) == 0)
		return 0;
	if (habit_has_network(view->habits, facts->client_network))
		return -0.3;
	bool as_unknown = facts->client_as == 0 || habit_count_ases(view->habits) == 0;
	if (!as_unknown && habit_has_as(view->habits, facts->client_as))
		return 0;
	return step_of(view, COUNTER_PLACE, as_unknown ? 0.4 : 0.8, 1);
}

/* Who writes in many names does so by habit. */
static double evidence_sender(const struct view *view)
{
	const struct facts *facts = view->facts;
	if (facts->sender == 0)
		return 0;
	if (facts->sender_own || habit_has_sender(view->habits, facts->sender))
		return -0.3;
	if (!view->settled)
		return step_to(view->value[COUNTER_SENDER], 0.2, 0.4);
	return step_of(view, COUNTER_SENDER, 0.8 / (1 + habit_count_senders(view->habits)), 1);
}

static uint64_t program_of(const struct facts *facts)
{
	uint64_t odd = facts->anomalies & ~(1U << ANOMALY_NEW_MAILER);
	return facts->mailer == 0 && odd == 0 ? 0 : hash_bytes(&odd, sizeof odd, facts->mailer);
}

static double evidence_anomaly(const struct view *view)
{
	uint64_t program = program_of(view->facts);
	if (program == 0 || habit_has_mailer(view->habits, program))
		return -0.2;
	double sum = 0;
	for (int i = 0; i < ANOMALY_COUNT; i++)
		sum += view->facts->anomalies >> i & 1 ? anomaly_weights[i] : 0;
	if (habit_count_mailers(view->habits) == 0) /* nothing to hold it against */
		return step_to(view->value[COUNTER_ANOMALY], sum * 0.5, 0.8);
	sum += view->facts->mailer != 0 ? anomaly_weights[ANOMALY_NEW_MAILER] : 0;
	return step_of(view, COUNTER_ANOMALY, fmin(sum, 2) * 0.6, 0.5);
}

static double evidence_hour(const struct view *view)
{
	const struct facts *facts = view->facts;
	bool unused = habit_hour_unused(view->habits, facts->now_ms / 1000, facts->local_offset_s);
	return unused ? step_of(view, COUNTER_HOUR, 0.4, 0.5) : -0.3;
}

/* -ln of the share of new recipients that the account has anyway, for those; those it knows take twice back. */
static double evidence_fresh(const struct view *view)
{
	if (!view->facts->rcpts_new_known)
		return 0;
	double behind = 20, usual = view->settled ? 0.2 : 0.9;
	double rcpts = view->value[COUNTER_RCPTS], fresh = fmin(view->value[COUNTER_NEW_RCPTS], rcpts);
	double share = fmin((fresh + usual * behind) / (rcpts + behind), 0.99);
	return -0.4 * log(share) * view->fresh * view->pace - 0.8 * (1 - view->fresh);
}

enum { BAD_ACCOUNTS_LEAST = 3 };

/* Who said the same: other accounts, and of them bad ones. From one account alone it is this one: its newsletter, or
 * what it tries again. Seen many times from many, it is still one fact. What the others did with the text is theirs:
 * whoever has a login can send a rival's newsletter with a virus in it, so that a few bad accounts are none, and the
 * account's own harmless text and the readers whom it knows speak for it as they do elsewhere. */
static double evidence_campaign(const struct view *view)
{
	const struct campaign *campaign = &view->facts->campaign;
	if (campaign->known == KNOWLEDGE_NONE)
		return 0;
	if (!(campaign->messages >= 0.5))
		return -0.3;
	double bad = fmin(campaign->bad / campaign->messages, 1) * campaign->messages / (campaign->messages + 0.5);
	if (campaign->accounts < 1.5)
		return -0.1;
	if (campaign->bad_accounts < BAD_ACCOUNTS_LEAST - 0.5)
		bad = 0;
	double same =
		0.4 * log2(campaign->accounts) * view->fresh * view->pace; /* a form letter of one company, maybe */
	double step = step_of(view, COUNTER_CAMPAIGN, 3.5 * bad, 1) + step_to(view->value[COUNTER_CAMPAIGN], same, 1);
	return step > 0.1 ? step : -0.1;
}

/* clang-format off */
static const struct {
	enum counter counter;
	double (*function)(const struct view *view);
} rows[] = {
	{ COUNTER_CONTENT, evidence_content },
	{ COUNTER_PLACE, evidence_place },
	{ COUNTER_SENDER, evidence_sender },
	{ COUNTER_ANOMALY, evidence_anomaly },
	{ COUNTER_HOUR, evidence_hour },
	{ COUNTER_FRESH, evidence_fresh },
	{ COUNTER_CAMPAIGN, evidence_campaign },
};
/* clang-format on */

void signals_evidence(const struct facts *facts, double counts[COUNTER_COUNT])
{
	const struct history *history = &facts->state.history;
	struct counters counters = history->counters;
	bool of_others = facts->class == MAIL_CLASS_FORWARD && facts->forwarder;
	if (facts->rcpts_remote + facts->rcpts_local <= 0 || of_others)
		return;
	counters_decay(&counters, facts->now_ms);
	double ratio = evidence_content_ratio(&facts->content);
	struct view view = {
		.facts = facts,
		.habits = &history->habits,
		.value = counters.value,
		.settled = history->first_s > 0 && facts->now_ms / 1000 - history->first_s >= SETTLED_S,
		.fresh = 0.5,
		.pace = ratio < 0.2 ? 0.3 : 1,
	};
	if (facts->rcpts_new_known && facts->rcpts_remote > 0)
		view.fresh = fmin(fmax((double)facts->rcpts_new / (double)facts->rcpts_remote, 0), 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		counts[rows[i].counter] = rows[i].function(&view);
}

struct habit_facts signals_habit_facts(const struct facts *facts, bool behaves)
{
	const struct rates *rates = &facts->state.history.rates;
	return (struct habit_facts){
		.now_s = facts->now_ms / 1000,
		.local_offset_s = facts->local_offset_s,
		.address = facts->client_address,
		.network = facts->client_network,
		.as = facts->client_as,
		.sender = facts->sender,
		.mailer = program_of(facts),
		.behaves = behaves,
		.hour_messages = rates->present[WINDOW_MSGS_PER_HOUR],
		.last_s = rates->at_ms / 1000,
	};
}
