/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one message adds to the evidence counters: its log-likelihood ratio, a thief's mail against the owner's. A
 * counter never falls below 0, so that good mail of years is no credit, but takes back what a few odd ones brought.
 *
 * Most of it is worth less where the message goes to people whom the account knows: a thief does not write to them, a
 * traveller with a new telephone does. `ceiling` is what such mail brings a counter to at most.
 */
#include "policy/familiar.h"
#include "policy/signal.h"

#include <math.h>

#include "policy/base/banned.h"

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
	struct familiar familiar;
	double pace; /* what steps are multiplied with: less for text in which the scanner sees nothing bad, and at home
		      */
};

/* A step up that brings the counter to no more than the ceiling. */
static double step_to(double value, double step, double ceiling)
{
	return fmax(fmin(step, ceiling - value), 0);
}

/* A step for something that an owner too does now and then. */
static double step_of(const struct view *view, enum counter counter, double step, double known_ceiling)
{
	double ceiling = view->familiar.fresh * counter_cap(counter) + (1 - view->familiar.fresh) * known_ceiling;
	return step_to(view->value[counter], step * view->pace * (0.25 + 0.75 * view->familiar.fresh), ceiling);
}

/* What the scanner errs about once it errs about each time; but from a strange place nobody takes it for an error, nor
 * of a text that it never called spam before. */
bool evidence_repeats(const struct facts *facts)
{
	struct familiar familiar = familiar_of(facts);
	return familiar.place != PLACE_STRANGE && !familiar.text &&
	       habit_repeats_text(&facts->state.history.habits, facts->text) &&
	       content_ratio(&facts->content) < SURELY_SPAM;
}

/* Spam by twice the threshold and more: 2; just over it: 1; just below: 0.6, which a thousand of them bring it to as
 * well; most people's mail, at two fifths of it and below: -0.35. */
static double evidence_content(const struct view *view)
{
	double ratio = content_ratio(&view->facts->content);
	if (isnan(ratio))
		return 0;
	if (view->facts->content.spam && evidence_repeats(view->facts))
		return step_to(view->value[COUNTER_CONTENT], SPAM_AGAIN * ratio, SPAM_AGAIN_MOST);
	if (view->facts->content.spam)
		return fmin(ratio, 2);
	double step = -0.35 + 0.95 * fmax(ratio - 0.4, 0) / 0.6;
	return step < 0 ? step : step_to(view->value[COUNTER_CONTENT], step, 0.6);
}

enum { SILENCE_S = 4 * 86400 };

/* The first message after some days of silence. */
static double evidence_back(const struct view *view)
{
	const struct facts *facts = view->facts;
	int64_t last_ms = facts->state.history.rates.at_ms;
	return last_ms > 0 && facts->now_ms - last_ms >= SILENCE_S * INT64_C(1000) ? 1 : 0;
}

static bool evidence_is_back(const struct view *view)
{
	return view->value[COUNTER_BACK] > BACK_STILL || evidence_back(view) > 0;
}

#define PLACE_BACK 0.35
#define PLACE_OWN_PROGRAM 0.75 /* a traveller has his own with him, and a careful thief the same */

/* Who changes places now and then does so by habit: -ln of the share of changes that the account has anyway. */
static double evidence_place(const struct view *view)
{
	const struct familiar *familiar = &view->familiar;
	if (familiar->place == PLACE_UNKNOWN || !familiar->settled)
		return 0;
	if (familiar->place == PLACE_OWN)
		return -0.3;
	if (familiar->place == PLACE_NEAR)
		return 0;
	double behind = 20, messages = view->value[COUNTER_MESSAGES];
	double changes = fmin(view->value[COUNTER_CHANGES], messages);
	double share = (changes + 0.02 * behind) / (messages + behind);
	double odd = fmin(-log(share) / 3, 1);
	double own_program = evidence_is_back(view) ? PLACE_BACK : PLACE_OWN_PROGRAM;
	double step = (familiar->as_unknown ? 0.4 : 0.8) * (familiar->program ? own_program : 1);
	return step_of(view, COUNTER_PLACE, step * odd, 1);
}

/* Who writes in many names does so by habit. */
static double evidence_sender(const struct view *view)
{
	const struct facts *facts = view->facts;
	if (facts->sender == 0)
		return 0;
	if (facts->sender_own || habit_has_sender(view->habits, facts->sender))
		return -0.3;
	if (!view->familiar.settled)
		return step_to(view->value[COUNTER_SENDER], 0.2, 0.4);
	return step_of(view, COUNTER_SENDER, 0.8 / (1 + habit_count_senders(view->habits)), 1);
}

static double evidence_anomaly(const struct view *view)
{
	if (view->familiar.program)
		return -0.2;
	double sum = 0;
	for (int i = 0; i < ANOMALY_COUNT; i++)
		sum += view->facts->anomalies >> i & 1 ? anomaly_weights[i] : 0;
	if (habit_count_mailers(view->habits) == 0) /* nothing to hold it against */
		return step_to(view->value[COUNTER_ANOMALY], sum * 0.5, 0.5);
	sum += view->facts->mailer != 0 ? anomaly_weights[ANOMALY_NEW_MAILER] : 0;
	return step_of(view, COUNTER_ANOMALY, fmin(sum, 2) * 0.6, 0.5);
}

static double evidence_hour(const struct view *view)
{
	const struct facts *facts = view->facts;
	bool unused = habit_hour_unused(view->habits, facts->now_ms / 1000, facts->local_offset_s);
	return unused ? step_of(view, COUNTER_HOUR, 0.4, 0.5) : -0.3;
}

static double evidence_text(const struct view *view)
{
	return view->familiar.text ? OWN_TEXT : 1;
}

/* -ln of the share of new recipients that the account has anyway, for those; those it knows take twice back. */
static double evidence_fresh(const struct view *view)
{
	if (!view->facts->rcpts_new_known)
		return 0;
	double behind = 20, usual = view->familiar.settled ? 0.2 : 0.98;
	double rcpts = view->value[COUNTER_RCPTS], fresh = fmin(view->value[COUNTER_NEW_RCPTS], rcpts);
	double share = fmin((fresh + usual * behind) / (rcpts + behind), 0.99);
	double known = view->familiar.text
			       ? 0
			       : 0.8 * (1 - view->familiar.fresh); /* a program's customers say nothing for it */
	return -0.4 * log(share) * view->familiar.fresh * view->pace * evidence_text(view) - known;
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
	double same = 0.4 * log2(campaign->accounts) * view->familiar.fresh *
		      view->pace; /* a form letter of one company, maybe */
	double step = step_of(view, COUNTER_CAMPAIGN, 3.5 * bad, 1) + step_to(view->value[COUNTER_CAMPAIGN], same, 1);
	return step > 0.1 ? step : -0.1;
}

#define PACE_SLOW 0.3
#define PACE_AWAY 0.6
#define PACE_BACK 0.4
#define PACE_TEMPLATE 0.4
#define TAKEN_BACK_BESIDE 0.2
#define TAKEN_BACK_AWAY 0.5
#define AWAY_FEW 8

/* ---- what the account does usually, and how much of what it does is that */

static double evidence_own_texts(const struct view *view)
{
	return view->familiar.text ? 1 : 0;
}

static double evidence_others(const struct view *view)
{
	return view->familiar.text ? 0 : 1;
}

/* Recipients of what comes from where it never was. */
static double evidence_away(const struct view *view)
{
	return place_is_away(view->familiar.place) ? (double)view->facts->rcpts_remote : 0;
}

/* Only what is surely the owner's: a thief's new place is no habit. */
static double evidence_changes(const struct view *view)
{
	return view->familiar.place == PLACE_STRANGE && view->familiar.homely ? 1 : 0;
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
	{ COUNTER_OWN_TEXTS, evidence_own_texts },
	{ COUNTER_OTHERS, evidence_others },
	{ COUNTER_BACK, evidence_back },
	{ COUNTER_AWAY, evidence_away },
	{ COUNTER_CHANGES, evidence_changes },
};
/* clang-format on */

/* How much of it a message takes back. Where two write, the owner's mail says nothing of the other one's; and what
 * comes from a place that is not the account's says nothing for it. */
static double evidence_taken_back(const struct view *view)
{
	if (view->facts->state.history.level == LEVEL_BLOCKED)
		return 0; /* its owner's letters go on only while it shows that somebody else writes */
	if (view->familiar.place == PLACE_STRANGE)
		return view->value[COUNTER_AWAY] < AWAY_FEW ? TAKEN_BACK_AWAY : 0;
	return view->value[COUNTER_PLACE] > PLACE_OTHER ? TAKEN_BACK_BESIDE : 1;
}

void signals_evidence(const struct facts *facts, double counts[COUNTER_COUNT])
{
	const struct history *history = &facts->state.history;
	struct counters counters = history->counters;
	bool of_others = facts->class == MAIL_CLASS_FORWARD && facts->forwarder;
	if (facts->rcpts_remote + facts->rcpts_local <= 0 || of_others)
		return;
	counters_decay(&counters, facts->now_ms);
	struct view view = {
		.facts = facts,
		.habits = &history->habits,
		.value = counters.value,
		.familiar = familiar_of(facts),
	};
	if (view.familiar.home || (view.familiar.harmless && view.familiar.place != PLACE_STRANGE))
		view.pace = PACE_SLOW;
	else
		view.pace = view.familiar.harmless ? PACE_AWAY : 1;
	if (view.familiar.links && view.familiar.plain && own_texts_share(&counters) >= OWN_TEXTS_MOST)
		view.pace = fmin(view.pace, PACE_TEMPLATE);
	if (evidence_is_back(&view) && view.familiar.program)
		view.pace = fmin(view.pace, PACE_BACK);
	double taken_back = evidence_taken_back(&view);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double step = rows[i].function(&view);
		counts[rows[i].counter] = step < 0 ? step * taken_back : step;
	}
}

struct habit_facts signals_habit_facts(const struct facts *facts)
{
	const struct rates *rates = &facts->state.history.rates;
	return (struct habit_facts){
		.now_s = facts->now_ms / 1000,
		.local_offset_s = facts->local_offset_s,
		.address = facts->client_address,
		.network = facts->client_network,
		.as = facts->client_as,
		.wide = facts->client_wide,
		.sender = facts->sender,
		.mailer = familiar_program(facts),
		.text = facts->text,
		.text_words = facts->text_words,
		.hosts = facts->hosts,
		.host_count = facts->host_count <= FACT_HOSTS_MAX ? (int)facts->host_count : 0,
		.hour_messages = rates->present[WINDOW_MSGS_PER_HOUR],
		.hour_rcpts = rates->present[WINDOW_RCPTS_PER_HOUR],
		.last_s = rates->at_ms / 1000,
	};
}
