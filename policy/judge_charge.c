/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a judged message changes in its account's record.
 */
#include "policy/judge_inside.h"

#include "policy/base/text.h"
#include "policy/familiar.h"
#include "policy/signal.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

/* What Redis holds of the account's SPF is changed only where it is another than before. */
static void judge_charge_note_spf(const struct facts *facts, struct charge *charge)
{
	char domain[STATE_DOMAIN_MAX + 1] = "";
	if (facts->spf.ours == SPF_OURS_UNKNOWN)
		return;
	text_copy(domain, sizeof domain, facts->spf.domain);
	for (char *at = domain; *at != '\0'; at++)
		*at = text_lower(*at);
	bool noted = domain[0] != '\0' && strcmp(domain, facts->state.history.unauthorised) == 0;
	if (facts->spf.ours == SPF_OURS_NONE_PASSES && !noted)
		text_copy(charge->unauthorised, sizeof charge->unauthorised, domain);
	else if (facts->spf.ours == SPF_OURS_FINE && noted)
		text_copy(charge->unauthorised, sizeof charge->unauthorised, "-");
}

/* log-odds of hard evidence from which an account is taken to be in other hands */
#define HARD_LEAST 1.0

static enum level level_to_keep(const struct facts *facts, const struct verdict *verdict)
{
	/* what an admin decided is his key's, not the account's record: it ends with the key */
	bool by_admin = facts->state.block[0] != '\0' || judge_exempt(facts);
	return by_admin ? LEVEL_UNKNOWN : verdict->level;
}

/* What left is a habit, but not what a stolen account does; who is suspect for new habits alone has to be able to get
 * used to them. */
static bool judge_behaves(const struct verdict *verdict)
{
	bool behaves =
		verdict->level < LEVEL_SUSPECT || (verdict->level == LEVEL_SUSPECT && verdict->terms.hard < HARD_LEAST);
	return behaves && !verdict_refuses(verdict);
}

/* A thief who writes to all whom the owner knows is not the owner. */
static bool judge_homely(const struct familiar *familiar, const struct verdict *verdict)
{
	return familiar->homely && !(verdict->terms.term[SIGNAL_AWAY] > 0);
}

/* What several write from several places is nobody's usual hour. */
static bool judge_alone(const struct familiar *familiar, const struct facts *facts)
{
	return !place_is_away(familiar->place) && facts->state.history.counters.value[COUNTER_AWAY] < 1;
}

bool judge_learns(const struct facts *facts, const struct verdict *verdict)
{
	struct familiar familiar = familiar_of(facts);
	return judge_behaves(verdict) && judge_homely(&familiar, verdict);
}

void judge_charge(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		  struct charge *charge_out)
{
	*charge_out = (struct charge){ .now_ms = facts->now_ms, .limits = facts->limits };
	memcpy(charge_out->account, facts->account, sizeof charge_out->account);
	charge_out->checked = !judge_exempt(facts) && !judge_in_shadow(policy, RULE_LIMITS);
	charge_out->quota = !verdict_refuses(verdict);
	charge_out->amounts = judge_amounts(facts);
	const uint64_t places[] = { facts->client_address, facts->client_network, facts->client_as };
	memcpy(charge_out->places, places, sizeof charge_out->places);
	judge_counts(facts, verdict, charge_out->counts);
	charge_out->level = level_to_keep(facts, verdict);
	charge_out->score = verdict->score;
	if (judge_pardon(&facts->state, facts->now_ms, NULL))
		charge_out->pardoned_s = facts->state.limits.password_changed_s;
	judge_charge_note_spf(facts, charge_out);
	if (verdict_refuses(verdict))
		return; /* what did not leave is no habit */
	struct familiar familiar = familiar_of(facts);
	struct habit_facts habit = signals_habit_facts(facts);
	habit.behaves = judge_behaves(verdict);
	habit.homely = judge_homely(&familiar, verdict);
	habit.suspect = verdict->level >= LEVEL_SUSPECT;
	habit.alone = judge_alone(&familiar, facts);
	charge_out->habits = facts->state.history.habits;
	charge_out->habits_changed = habits_note(&charge_out->habits, &habit);
	/* whom a stolen account writes to does not become one whom its owner knows */
	bool learns = habit.behaves && habit.homely;
	for (int i = 0; i < facts->rcpt_count && learns && !charge_out->habits.many; i++)
		if (habits_note_rcpt(&charge_out->habits, facts->rcpts[i]))
			charge_out->habits_changed |= HABIT_KNOWN;
}

void judge_charge_breach(const struct facts *facts, struct charge *charge_out)
{
	*charge_out = (struct charge){ .now_ms = facts->now_ms, .limits = limits_unset };
	memcpy(charge_out->account, facts->account, sizeof charge_out->account);
	charge_out->counts[COUNTER_BREACHES] = 1;
}

/* Its account or a group had no room: the store has taken back whatever it had charged. */
static bool turned_away(const struct facts *facts, const struct charge *charged)
{
	return charged->quota && charge_turned_away(charged, &facts->breach);
}

/* What the store has put into the counters. They end at nought: what was not there was not taken. */
static void judge_charge_counts_done(const struct facts *facts, const struct charge *charged,
				     double done[COUNTER_COUNT])
{
	struct charge made = *charged;
	struct counters before = facts->state.history.counters;
	counters_decay(&before, facts->now_ms);
	if (turned_away(facts, charged))
		charge_turn_away(&made, facts->breach.scope);
	memcpy(done, made.counts, COUNTER_COUNT * sizeof done[0]);
	for (int i = 0; i < COUNTER_COUNT && facts->state.known == KNOWLEDGE_FULL; i++)
		done[i] = fmax(done[i], -before.value[i]);
}

/* It had room and was charged, and is refused all the same: what we do not take costs nothing. */
static bool paid_for_nothing(const struct facts *facts, const struct verdict *verdict, const struct charge *charged)
{
	return charged->quota && verdict_refuses(verdict) && !turned_away(facts, charged);
}

/* Does so much more of a counter change it? Counters end at nought: most messages are nobody's campaign, and take from
 * one that stands there already. */
static bool changes(const struct account_state *state, const double done[COUNTER_COUNT], enum counter counter,
		    double more)
{
	bool nought = state->known == KNOWLEDGE_FULL && state->history.counters.value[counter] + done[counter] <= 0;
	return nought ? more > 1e-9 : fabs(more) > 1e-9;
}

bool judge_amend(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		 const struct charge *charged, struct charge *amend_out)
{
	double done[COUNTER_COUNT];
	bool differs = false;
	(void)policy;
	*amend_out = (struct charge){ .now_ms = facts->now_ms, .limits = limits_unset };
	if (!facts->charged)
		return false;
	memcpy(amend_out->account, facts->account, sizeof amend_out->account);
	judge_charge_counts_done(facts, charged, done);
	judge_counts(facts, verdict, amend_out->counts);
	for (int i = 0; i < COUNTER_COUNT; i++) {
		amend_out->counts[i] -= done[i];
		differs |= changes(&facts->state, done, (enum counter)i, amend_out->counts[i]);
	}
	enum level level = level_to_keep(facts, verdict);
	if (differs || level != charged->level) {
		amend_out->level = level;
		amend_out->score = verdict->score;
		differs = true;
	}
	if (paid_for_nothing(facts, verdict, charged)) {
		amend_out->quota = true;
		amend_out->amounts = charge_given_back(charged).amounts; /* the counts are in what differs */
		differs = true;
	}
	return differs;
}
