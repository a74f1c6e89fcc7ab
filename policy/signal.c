/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/signal.h"

#include "policy/guess.h"

#include <math.h>

#include "policy/base/banned.h"

typedef double signal_function(const struct sight *sight);

static double share_of(const struct sight *sight, enum counter count, enum counter of, double expected, double behind)
{
	return share_log_odds(sight->counters.value[count], sight->counters.value[of], expected, behind);
}

static double signal_spam(const struct sight *sight)
{
	return share_of(sight, COUNTER_SPAM, COUNTER_MESSAGES, 0.01, 20);
}

static double signal_exploit(const struct sight *sight)
{
	return share_of(sight, COUNTER_EXPLOIT, COUNTER_MESSAGES, 0.02, 40);
}

static double signal_breaches(const struct sight *sight)
{
	return log1p(sight->counters.value[COUNTER_BREACHES]);
}

#define SIGNAL_OF_EVIDENCE(name, counter) \
	static double signal_##name(const struct sight *sight) \
	{ \
		return sight->counters.value[COUNTER_##counter]; \
	}
SIGNAL_OF_EVIDENCE(content, CONTENT)
SIGNAL_OF_EVIDENCE(new_place, PLACE)
SIGNAL_OF_EVIDENCE(sender_mismatch, SENDER)
SIGNAL_OF_EVIDENCE(header_anomalies, ANOMALY)
SIGNAL_OF_EVIDENCE(unusual_hour, HOUR)
SIGNAL_OF_EVIDENCE(campaign, CAMPAIGN)

/* -- burst -- */

enum {
	USUAL_AN_HOUR = 6, /* messages, of an account of which nothing is known */
	PEOPLE_A_MINUTE = 2,
};

/* A new account that writes to many may announce that it is there; where the scanner sees nothing bad, the ramp and
 * limits are for that. */
enum {
	HABITS_DAYS = 4,
	/* messages an hour from which on volume says more */
	NEW_ACCOUNT_AN_HOUR = 15,
	NEW_ACCOUNT_HARMLESS = 100,
	MADE_LONG_AGO = 30, /* it is new here only */
	MADE_LONG_AGO_PLAIN = 150,
	MADE_LONG_AGO_S = 7 * 86400,
};
#define NEW_ACCOUNT_MOST 1.1
/* It may have several places from its first day on. */
#define NEW_ACCOUNT_FAN 0.5

/* Whoever sits at his own desk is no thief ... */
#define AT_HOME 0.25
/* ... unless he writes more to strangers within an hour than people do */
enum { AT_HOME_AN_HOUR = 150 };
#define NEAR_HOME 0.5

/* Part of the message's recipients that the account knew before, of its recipients of a week where there is no message;
 * 0 where that is not known. A letter to known people, however many, is no thief's. */
static double signals_known_share(const struct sight *sight)
{
	double rcpts = sight->counters.value[COUNTER_RCPTS], fresh = sight->counters.value[COUNTER_NEW_RCPTS];
	const struct facts *facts = sight->facts;
	if (facts == NULL)
		return rcpts >= 1 ? 1 - fmin(fresh / rcpts, 1) : 0;
	bool known = facts->rcpts_new_known && facts->rcpts_remote > 0;
	return known ? 1 - sight->familiar.fresh : 0;
}

/* Log-likelihood ratio of `n` under its own rate against a rate that is `expected`, uncertain as a Gamma distribution
 * of this shape is: n is then negative binomial, and people's uneven days are no bursts as they were under Poisson. */
static double burst_log_odds(double n, double expected, double shape)
{
	if (!(n > expected))
		return 0;
	return n * log(n / expected) - (n + shape) * log((n + shape) / (expected + shape));
}

#define LEAST_AN_HOUR 2.5 /* messages, of whoever it is; of somebody who was away for days: */
enum { BACK_AN_HOUR = 8, BACK_ELSEWHERE = 5 };

static double signal_burst_of(const struct sight *sight, double messages, double expected, bool known)
{
	/* a letter to two thousand readers is no burst of the messages beside it either */
	double strange = rates_used(&sight->rates, WINDOW_NEW_RCPTS_PER_DAY) +
			 (sight->facts != NULL ? (double)sight->facts->rcpts_new : 0);
	double minute = rates_used(&sight->rates, WINDOW_MSGS_PER_MINUTE) + (sight->facts != NULL ? 1 : 0);
	double hourly = burst_log_odds(fmin(messages, strange), expected, known ? 4 : 2);
	double a_minute = burst_log_odds(fmin(minute, strange), fmax(expected / 10, PEOPLE_A_MINUTE), 2);
	return fmax(hourly, a_minute);
}

static bool signals_young(const struct sight *sight)
{
	return sight->history->habits.days < HABITS_DAYS;
}

static double signal_burst_new_most(const struct sight *sight, double messages)
{
	bool long_ago = sight->age_s >= MADE_LONG_AGO_S;
	double from = NEW_ACCOUNT_AN_HOUR;
	if (long_ago)
		from = sight->familiar.plain ? MADE_LONG_AGO_PLAIN : MADE_LONG_AGO;
	else if (sight->familiar.harmless)
		from = NEW_ACCOUNT_HARMLESS;
	return NEW_ACCOUNT_MOST + fmax(2 * log2(messages / from), 0);
}

/* Over the hour, or over the minute: a program sends evenly, and faster than people do. */
static double signal_burst(const struct sight *sight)
{
	double usual = habit_hour_expected(&sight->history->habits, sight->now_ms / 1000, sight->local_offset_s);
	bool known = !isnan(usual);
	double expected = known ? (3 * usual + USUAL_AN_HOUR) / 4 : USUAL_AN_HOUR;
	expected = fmax(expected, LEAST_AN_HOUR);
	if (known && sight->counters.value[COUNTER_BACK] > BACK_STILL)
		expected = fmax(expected, sight->familiar.place == PLACE_STRANGE ? BACK_ELSEWHERE : BACK_AN_HOUR);
	double messages = sight->hour_messages, own = own_texts_share(&sight->counters);
	if (!sight->familiar.text && known && own >= OWN_TEXTS_MOST) {
		messages = fmin(messages, sight->counters.value[COUNTER_OTHERS]);
		expected = fmax(expected * (1 - own), 1.5);
		/* each order may bring a second mail: a new template is sent about as often as the old ones */
		if (sight->familiar.links && sight->familiar.plain)
			expected = fmax(expected, sight->hour_messages - messages);
	}
	double odds = signal_burst_of(sight, messages, expected, known) * (1 - signals_known_share(sight));
	odds *= sight->familiar.text ? OWN_TEXT : 1;
	if (sight->familiar.place == PLACE_NEAR && sight->familiar.program && sight->familiar.harmless)
		odds *= NEAR_HOME;
	if (sight->familiar.home)
		return fmin(odds * AT_HOME, AT_HOME_MOST + fmax(2 * log2(messages / AT_HOME_AN_HOUR), 0));
	return signals_young(sight) ? fmin(odds, signal_burst_new_most(sight, messages)) : odds;
}

/* -- recipients -- */

/* Of a firm's old customers up to one in twenty is gone, of a list that was bought two to ten times as many: an honest
 * list says nothing, however long it is, and what is beyond it says much (the weight is 2). */
static double signal_dead_rcpts(const struct sight *sight)
{
	return share_of(sight, COUNTER_DEAD, COUNTER_RCPTS, 0.05, 40);
}

static double signal_complaints(const struct sight *sight)
{
	return share_of(sight, COUNTER_COMPLAINTS, COUNTER_RCPTS, 0.002, 500);
}

/* A filter there may be wrong about one message, or about each copy of one; it is as if 200 copies had been fine. */
static double signal_refused(const struct sight *sight)
{
	return share_of(sight, COUNTER_REFUSED, COUNTER_RCPTS, 0.01, 200);
}

/* The week's share is slow and sure; the evidence is quick. */
static double signal_new_rcpts(const struct sight *sight)
{
	/* of a new account all are new */
	double usual = signals_young(sight) ? 0.9 : 0.25;
	double share = share_of(sight, COUNTER_NEW_RCPTS, COUNTER_RCPTS, usual, 200) / 2;
	if (sight->familiar.text)
		share *= OWN_TEXT;
	return fmax(share, sight->counters.value[COUNTER_FRESH]);
}

static double signal_traps(const struct sight *sight)
{
	return log2(1 + sight->counters.value[COUNTER_TRAPS]);
}

enum {
	AWAY_STRANGE = 10, /* recipients an hour that a traveller may write to from a strange place ... */
	AWAY_NEAR = 20,	   /* ... and from another network of his provider */
};

/* Doublings over the most that it wrote to within an hour where it is at home. */
static double signal_away(const struct sight *sight)
{
	double n = sight->counters.value[COUNTER_AWAY];
	double most = AWAY_STRANGE;
	if (sight->facts != NULL) {
		enum place place = sight->familiar.place;
		if (!place_is_away(place) || signals_young(sight))
			return 0;
		most = place == PLACE_NEAR ? AWAY_NEAR : AWAY_STRANGE;
	}
	return n > 0 ? fmax(2 * log2(n / fmax(most, 1.5 * habit_reach(&sight->history->habits))), 0) : 0;
}

/* A login that works after many of others' did not; but where the account always is, others guess behind its address.
 */
static double signal_guessed(const struct sight *sight)
{
	if (sight->facts == NULL || !guess_got_in(sight->facts->login_guesses) || sight->familiar.place == PLACE_OWN)
		return 0;
	return 1 + log2(sight->facts->login_guesses / GUESS_NAMES_LEAST);
}

/* People mistype, and a phone goes on with an old password: five are nothing. */
static double signal_auth_failures(const struct sight *sight)
{
	double failures = log1p(sight->counters.value[COUNTER_AUTH_FAILURES]) - log1p(5);
	return fmax(failures, signal_guessed(sight));
}

/* A mere sender's name may be anybody's, and what its clients did is theirs: of the message at hand alone. */
static double signal_client(const struct sight *sight)
{
	const struct facts *facts = sight->facts;
	if (facts == NULL || !facts->client_known || facts->authenticated || facts->client_ours || facts->forwarder)
		return 0;
	return facts->client_standing == CLIENT_BAD ? 2 : facts->client_standing == CLIENT_POOR ? 1 : 0;
}

/* -- fan-out -- */

/* Doublings over what an owner with a phone, a desk and a train between them has, or over the day before where that was
 * more: some accounts are shared by a whole office. */
static double signals_fan_out(const struct sight *sight, enum counted what, double usual)
{
	struct habit_facts facts = { .now_s = sight->now_ms / 1000 };
	if (sight->facts != NULL)
		facts = signals_habit_facts(sight->facts);
	const struct habits *habits = &sight->history->habits;
	double before = habit_distinct_before(habits, what, &facts);
	double n = habit_distinct(habits, what, &facts);
	double doublings = n > 0 ? fmax(log2(n / fmax(usual, 1.5 * before)), 0) : 0;
	return signals_young(sight) ? NEW_ACCOUNT_FAN * doublings : doublings;
}

static double signal_fan_addresses(const struct sight *sight)
{
	return 0.5 * signals_fan_out(sight, COUNTED_ADDRESSES, 8);
}

static double signal_fan_networks(const struct sight *sight)
{
	return 0.8 * signals_fan_out(sight, COUNTED_NETWORKS, 5);
}

static double signal_fan_ases(const struct sight *sight)
{
	return signals_fan_out(sight, COUNTED_ASES, 3);
}

static signal_function *const functions[SIGNAL_COUNT] = {
	[SIGNAL_CONTENT] = signal_content,
	[SIGNAL_SPAM] = signal_spam,
	[SIGNAL_BURST] = signal_burst,
	[SIGNAL_NEW_RCPTS] = signal_new_rcpts,
	[SIGNAL_FAN_ADDRESSES] = signal_fan_addresses,
	[SIGNAL_FAN_NETWORKS] = signal_fan_networks,
	[SIGNAL_FAN_ASES] = signal_fan_ases,
	[SIGNAL_NEW_PLACE] = signal_new_place,
	[SIGNAL_EXPLOIT] = signal_exploit,
	[SIGNAL_CAMPAIGN] = signal_campaign,
	[SIGNAL_DEAD_RCPTS] = signal_dead_rcpts,
	[SIGNAL_TRAPS] = signal_traps,
	[SIGNAL_COMPLAINTS] = signal_complaints,
	[SIGNAL_SENDER_MISMATCH] = signal_sender_mismatch,
	[SIGNAL_HEADER_ANOMALIES] = signal_header_anomalies,
	[SIGNAL_UNUSUAL_HOUR] = signal_unusual_hour,
	[SIGNAL_AUTH_FAILURES] = signal_auth_failures,
	[SIGNAL_BREACHES] = signal_breaches,
	[SIGNAL_AWAY] = signal_away,
	[SIGNAL_REFUSED] = signal_refused,
	[SIGNAL_CLIENT] = signal_client,
};

/* What only abuse does. The rest is a change of habits, or what others did with the same text: together enough to move
 * an account's mail to another address, never enough to block it. */
static const bool is_hard[SIGNAL_COUNT] = {
	[SIGNAL_CONTENT] = true, [SIGNAL_SPAM] = true,	     [SIGNAL_EXPLOIT] = true, [SIGNAL_DEAD_RCPTS] = true,
	[SIGNAL_TRAPS] = true,	 [SIGNAL_COMPLAINTS] = true, [SIGNAL_REFUSED] = true,
};
#define SOFT_MOST 5.2

struct score signals_score(const struct signal_setting settings[SIGNAL_COUNT], const struct sight *sight, double prior)
{
	struct score score = { .sum = prior, .prior = prior };
	double soft = 0;
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		const struct signal_setting *set = &settings[i];
		score.raw[i] = functions[i](sight);
		/* nothing seen is no credit: good behaviour shows in the prior, by age and volume */
		double term = score.raw[i] * set->weight;
		score.term[i] = term < set->floor || !(term > 0) ? 0 : fmin(term, set->cap);
		*(is_hard[i] ? &score.hard : &soft) += score.term[i];
	}
	score.sum += score.hard + fmin(soft, SOFT_MOST);
	score.soft_left_out = fmax(soft - SOFT_MOST, 0);
	signals_spoke(settings, sight, &score);
	return score;
}
