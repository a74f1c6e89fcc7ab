/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules about what an account has earned: its score, what single signals ask for, its level, and the pardon that
 * a new password is.
 */
#include "policy/judge_inside.h"

#include "policy/familiar.h"
#include "policy/signal.h"

#include <string.h>

#include "policy/base/banned.h"

/* Of the evidence a pardon leaves a twentieth: whoever has to be pardoned each day is suspect sooner. */
static const double pardoned_part = 0.95;

bool judge_pardon(const struct account_state *state, int64_t now_ms, double *counts)
{
	static const enum counter others[] = { COUNTER_SPAM,  COUNTER_EXPLOIT,	  COUNTER_BREACHES,
					       COUNTER_DEAD,  COUNTER_COMPLAINTS, COUNTER_AUTH_FAILURES,
					       COUNTER_TRAPS, COUNTER_REFUSED };
	int64_t changed_s = state->limits.password_changed_s;
	/* what came after the change was done with the new password */
	if (changed_s <= state->history.pardoned_s || changed_s <= state->history.level_since_s ||
	    changed_s > now_ms / 1000)
		return false;
	if (counts == NULL)
		return true;
	struct counters counters = state->history.counters;
	counters_decay(&counters, now_ms);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		counts[others[i]] -= pardoned_part * counters.value[others[i]];
	for (int i = COUNTER_CONTENT; i < COUNTER_OWN_TEXTS; i++)
		counts[i] -= pardoned_part * counters.value[i];
	return true;
}

static bool is_limit(enum reason_id id)
{
	return id == REASON_LIMIT || id == REASON_RCPTS_PER_MESSAGE;
}

bool judge_turned_away(const struct verdict *verdict)
{
	bool over = false;
	for (int i = 0; i < verdict->reason_count; i++)
		over |= is_limit(verdict->reasons[i].id);
	return over && verdict_refuses(verdict);
}

static bool judge_level_spam(const struct facts *facts)
{
	return facts->content.known != KNOWLEDGE_NONE && facts->content.spam;
}

static void judge_level_count_message(const struct facts *facts, const struct verdict *verdict,
				      double counts_out[COUNTER_COUNT])
{
	bool sent = facts->rcpts_remote > 0 && !verdict_refuses(verdict);
	counts_out[COUNTER_MESSAGES] = sent ? 1 : 0;
	counts_out[COUNTER_RCPTS] = sent ? (double)facts_different_rcpts(facts) : 0;
	counts_out[COUNTER_NEW_RCPTS] = sent && facts->rcpts_new_known ? (double)facts->rcpts_new : 0;
	bool spam = judge_level_spam(facts);
	counts_out[COUNTER_SPAM] = spam && !evidence_repeats(facts) ? 1 : 0;
	const struct listing *hit = listings_meaning(&facts->listings, facts->client, LISTING_EXPLOITED);
	counts_out[COUNTER_EXPLOIT] = hit != NULL && facts->rcpts_remote > 0 ? hit->list->weight : 0;
	/* spam traps are told later (judge_trap_hits), so that nobody sees which one it was */
	/* a group's limit is not the account's doing */
	bool own = verdict->breach.window != WINDOW_COUNT && verdict->breach.scope == SCOPE_ACCOUNT;
	counts_out[COUNTER_BREACHES] = own ? 1 : 0;
	signals_evidence(facts, counts_out);
}

/* A queue that comes again once a second with what is over a limit says nothing new. What is refused for something else
 * is another matter, whatever limit the account is over beside it. */
void judge_counts(const struct facts *facts, const struct verdict *verdict, double counts_out[COUNTER_COUNT])
{
	memset(counts_out, 0, COUNTER_COUNT * sizeof counts_out[0]);
	bool again = facts->tried_again && judge_turned_away(verdict);
	if (!again || !is_limit(verdict->cause))
		judge_level_count_message(facts, verdict, counts_out);
	if (again)
		counts_out[COUNTER_BREACHES] = 0;
	judge_pardon(&facts->state, facts->now_ms, counts_out);
}

/* Seconds since its first message, or since its panel made it. */
static int64_t judge_level_age_s(const struct account_state *state, int64_t now_s)
{
	int64_t from_s = state->history.first_s > 0 ? state->history.first_s : now_s;
	if (state->limits.created_s > 0 && state->limits.created_s < from_s)
		from_s = state->limits.created_s;
	return now_s - from_s;
}

static struct level_facts judge_level_facts(const struct account_state *state, double messages, int64_t now_ms)
{
	const struct history *history = &state->history;
	int64_t now_s = now_ms / 1000;
	return (struct level_facts){
		.before = history->level,
		.before_s = judge_pardon(state, now_ms, NULL) ? INT64_MAX : now_s - history->level_since_s,
		.age_s = judge_level_age_s(state, now_s),
		.seen_s = history->first_s > 0 ? now_s - history->first_s : 0,
		.messages = messages,
		.days = history->habits.days,
	};
}

/* Is it no new account any more? */
static bool has_history(const struct policy *policy, const struct account_state *state, double messages, int64_t now_ms)
{
	struct level_facts facts = judge_level_facts(state, messages, now_ms);
	return !level_young(&policy->levels, &facts);
}

int64_t judge_trap_hits(const struct facts *facts, const struct verdict *verdict)
{
	return verdict->action == ACTION_DEFER ? 0 : facts->rcpts_trapped;
}

bool judge_campaigns(const struct facts *facts)
{
	/* what strangers say is nobody's campaign */
	return facts->authenticated && !facts->tried_again && !familiar_of(facts).text;
}

bool judge_campaign_bad(const struct policy *policy, const struct facts *facts, const struct verdict *verdict)
{
	struct counters counters = facts->state.history.counters;
	counters_decay(&counters, facts->now_ms);
	bool spam = judge_level_spam(facts);
	bool proven = facts->source != SOURCE_SENDER && facts->source != SOURCE_CLIENT;
	/* a login that was made long ago and not used costs little */
	bool used = counters.value[COUNTER_MESSAGES] >= (double)policy->levels.new_messages;
	return proven && used && (spam || verdict->level == LEVEL_BLOCKED) && facts->state.known == KNOWLEDGE_FULL &&
	       has_history(policy, &facts->state, counters.value[COUNTER_MESSAGES], facts->now_ms);
}

struct score judge_score(const struct policy *policy, const struct account_state *state, const struct facts *facts,
			 const double *more, int64_t now_ms)
{
	const struct history *history = &state->history;
	struct sight sight = {
		.history = history,
		.counters = history->counters,
		.rates = history->rates,
		.now_ms = now_ms,
		.age_s = judge_level_age_s(state, now_ms / 1000),
		.facts = facts,
		.local_offset_s = facts != NULL ? facts->local_offset_s : 0,
	};
	if (facts != NULL)
		sight.familiar = familiar_of(facts);
	counters_decay(&sight.counters, now_ms);
	if (more != NULL)
		counters_add(&sight.counters, more);
	rates_roll(&sight.rates, now_ms);
	sight.hour_messages =
		rates_used(&sight.rates, WINDOW_MSGS_PER_HOUR) + (more != NULL ? more[COUNTER_MESSAGES] : 0);
	bool good = has_history(policy, state, sight.counters.value[COUNTER_MESSAGES], now_ms) ||
		    history->level == LEVEL_GOOD;
	return signals_score(policy->signals, &sight, good ? policy->prior_good : policy->prior_new);
}

static enum level level_with(const struct policy *policy, const struct account_state *state, const struct score *score,
			     double messages, int64_t now_ms)
{
	const struct history *history = &state->history;
	struct counters counters = history->counters;
	counters_decay(&counters, now_ms);
	struct level_facts facts = judge_level_facts(state, counters.value[COUNTER_MESSAGES] + messages, now_ms);
	facts.score = score->sum;
	facts.hard = score->hard;
	return level_next(&policy->levels, &facts);
}

struct score judge_score_now(const struct policy *policy, const struct account_state *state, int64_t now_ms)
{
	double counts[COUNTER_COUNT] = { 0 };
	judge_pardon(state, now_ms, counts);
	return judge_score(policy, state, NULL, counts, now_ms);
}

enum level judge_level(const struct policy *policy, const struct account_state *state, int64_t now_ms)
{
	struct score score = judge_score_now(policy, state, now_ms);
	return level_with(policy, state, &score, 0, now_ms);
}

/* What the rules before it found about this message counts towards its own level. */
enum answer rule_score(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	double counts[COUNTER_COUNT] = { 0 };
	if (!facts->no_message)
		judge_counts(facts, verdict, counts);
	verdict->terms = facts->no_message ? judge_score_now(policy, &facts->state, facts->now_ms)
					   : judge_score(policy, &facts->state, facts, counts, facts->now_ms);
	verdict->score = verdict->terms.sum;
	if (!judge_pardon(&facts->state, facts->now_ms, NULL))
		return NO;
	verdict_add(verdict, REASON_PARDONED, 0, 0, NULL);
	return YES;
}

enum answer rule_signals(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	enum answer answer = NO;
	if (judge_exempt(facts))
		return NO;
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		const struct signal_does *does = &policy->signal_does[i];
		if (does->measure <= MEASURE_PASS || verdict->terms.term[i] < does->from)
			continue;
		verdict_add(verdict, REASON_SIGNAL, verdict->terms.term[i], does->from, signal_word((enum signal)i));
		verdict_take(verdict, does->measure, REASON_SIGNAL);
		answer = YES;
	}
	return answer;
}

static double level_threshold(const struct policy *policy, enum level level)
{
	return level == LEVEL_BLOCKED ? policy->levels.blocked_enter : policy->levels.suspect_enter;
}

enum action judge_blocked_action(const struct policy *policy, enum action usual)
{
	switch (policy->level_does[LEVEL_BLOCKED].measure) {
	case MEASURE_HOLD:
		return ACTION_HOLD;
	case MEASURE_DEFER:
		return ACTION_DEFER;
	case MEASURE_REJECT:
		return ACTION_REJECT;
	default:
		return usual;
	}
}

/* Clients of bad accounts do, where the configuration has no other word for the level. */
static bool makes_wait(const struct policy *policy, enum level level)
{
	enum measure measure = policy->level_does[level].measure;
	return measure == MEASURE_SLOW || (measure == MEASURE_USUAL && level >= LEVEL_SUSPECT);
}

/* What the level means for this message. */
static void judge_level_take(const struct policy *policy, enum level level, struct verdict *verdict)
{
	static const enum level pools[MEASURE_COUNT] = {
		[MEASURE_PASS] = LEVEL_GOOD,
		[MEASURE_WARM] = LEVEL_NEW,
		[MEASURE_SUSPECT] = LEVEL_SUSPECT,
		[MEASURE_SLOW] = LEVEL_SUSPECT,
	};
	enum measure measure = policy->level_does[level].measure;
	enum level pool = pools[measure] != LEVEL_UNKNOWN ? pools[measure] : level;
	if (pool > verdict->leaves_as)
		verdict->leaves_as = pool;
	verdict_take(verdict, measure, REASON_SCORE);
	verdict->throttle |= makes_wait(policy, level);
	if (level == LEVEL_BLOCKED && measure == MEASURE_USUAL)
		verdict_raise(verdict, policy->blocked_action, REASON_SCORE);
}

/* log-odds of hard evidence from which what a desk sends to strangers is no longer taken for its owner's */
#define HARD_LITTLE 0.5
enum { PLACES_MANY = 5 };

/* Whoever has the password of an account that its score holds back, this message is its owner's: it comes from a
 * network and by a program that the account had before, no scanner calls it spam, and it goes to people whom it knows,
 * or says what the account always says, or nothing but a change of habits speaks against a person at his desk. Of a
 * blocked account, only where somebody else writes from elsewhere, or of its own texts. */
static bool judge_level_owners(const struct facts *facts, const struct verdict *verdict)
{
	struct familiar familiar = familiar_of(facts);
	struct counters counters = facts->state.history.counters;
	counters_decay(&counters, facts->now_ms);
	const struct habits *habits = &facts->state.history.habits;
	/* who has another address each day has one of his provider's, but does not write to all whom he knows */
	bool near = familiar.place == PLACE_NEAR && habit_count_networks(habits) >= PLACES_MANY &&
		    !(verdict->terms.term[SIGNAL_AWAY] > 0);
	bool here = facts->client_network == 0 && habit_count_networks(habits) == 0; /* this host's own programs */
	bool knows_them = facts->rcpts_new_known && facts->rcpts_new == 0;
	bool spam = judge_level_spam(facts);
	bool blocked = verdict->level == LEVEL_BLOCKED, other = counters.value[COUNTER_PLACE] >= PLACE_OTHER;
	if (!familiar.settled || spam || !(here || near || familiar.place == PLACE_OWN))
		return false;
	if (facts->rcpts_remote + facts->rcpts_local == 0) /* nothing else is known at MAIL */
		return true;
	bool flood = verdict->terms.term[SIGNAL_BURST] > AT_HOME_MOST;
	return familiar.program && ((familiar.text && !flood) || (knows_them && (other || !blocked)) ||
				    (familiar.home && !blocked && verdict->terms.hard < HARD_LITTLE && !flood));
}

/* The pool that the account had. */
static enum level judge_level_before(const struct policy *policy, const struct facts *facts)
{
	struct counters counters = facts->state.history.counters;
	counters_decay(&counters, facts->now_ms);
	bool known = has_history(policy, &facts->state, counters.value[COUNTER_MESSAGES], facts->now_ms);
	return known ? LEVEL_GOOD : LEVEL_NEW;
}

enum answer rule_level(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	if (verdict->level == LEVEL_BLOCKED) { /* an admin's block, or a signal's */
		verdict->leaves_as = LEVEL_BLOCKED;
		verdict->throttle |= makes_wait(policy, LEVEL_BLOCKED);
		return NO;
	}
	enum level before = facts->state.history.level;
	verdict->level = level_with(policy, &facts->state, &verdict->terms,
				    facts->rcpts_remote > 0 && !verdict_refuses(verdict), facts->now_ms);
	if (judge_exempt(facts))
		verdict->level = LEVEL_GOOD;
	if (before != LEVEL_UNKNOWN && verdict->level != before)
		verdict_add(verdict, REASON_LEVEL, 0, 0, level_word(verdict->level));
	/* it goes its way all the same, but nothing follows from it; nor does it of level good for who is exempt */
	if (judge_in_shadow(policy, RULE_LEVEL) || judge_exempt(facts)) {
		if (verdict->leaves_as < LEVEL_GOOD)
			verdict->leaves_as = LEVEL_GOOD;
		return NO;
	}
	if (verdict->level >= LEVEL_SUSPECT && !facts->no_message && judge_level_owners(facts, verdict)) {
		verdict_add(verdict, REASON_OWNER, 0, 0, NULL);
		judge_level_take(policy, judge_level_before(policy, facts), verdict);
		return YES;
	}
	bool asked = policy->level_does[verdict->level].measure > MEASURE_SUSPECT;
	if (verdict->level >= LEVEL_SUSPECT || asked)
		verdict_add(verdict, REASON_SCORE, verdict->score, level_threshold(policy, verdict->level), NULL);
	judge_level_take(policy, verdict->level, verdict);
	return verdict->level >= LEVEL_SUSPECT ? YES : NO;
}
