/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/hangups.h"

#include <math.h>

#include "policy/reputation.h"

#include "policy/base/banned.h"

enum {
	HOUR_S = 3600,
	LEARNT_LEAST_S = 86400,
	RECENT_HALF_LIFE_S = 6 * 3600,
	LEARNT_LEAST = 200, /* sessions */
	HALF_LIFE_S = 14 * 86400,
	AROUND = 100, /* sessions of the whole day that stand behind those of one hour */
	BEHIND = 30,  /* sessions as usual that the last hour is added to */
	HUNG_UP_LEAST = 10,
	CLUMP = 3, /* hang-ups of one client that count as one */
};
#define JUMP_FROM 1.1 /* log-odds */
#define JUMP_LEFT 0.7 /* ... of one that is not over */
#define CHANCE_MOST 7.0
#define JUMP_TEACHES 0.1
#define USUAL_MOST 0.95

static int hangups_hour(int64_t at_s)
{
	int64_t hour = at_s / HOUR_S % HANGUPS_HOURS;
	return (int)(hour < 0 ? hour + HANGUPS_HOURS : hour);
}

void hangups_learn(struct hangups *hangups, int64_t at_s, struct hangups_count hour)
{
	if (!(hour.sessions > 0))
		return;
	double passed_s = hangups->at_s != 0 && at_s > hangups->at_s ? (double)(at_s - hangups->at_s) : 0;
	double left = exp2(-passed_s / HALF_LIFE_S), recent = exp2(-passed_s / RECENT_HALF_LIFE_S);
	hour.hung_up = fmin(fmax(hour.hung_up, 0), hour.sessions);
	hangups->recent.sessions = recent * hangups->recent.sessions + hour.sessions;
	hangups->recent.hung_up = recent * hangups->recent.hung_up + hour.hung_up;
	for (int i = 0; i < HANGUPS_HOURS; i++) {
		hangups->hour[i].sessions *= left;
		hangups->hour[i].hung_up *= left;
	}
	double part = hangups->alarm_s != 0 ? JUMP_TEACHES : 1;
	struct hangups_count *to = &hangups->hour[hangups_hour(at_s)];
	to->sessions += part * hour.sessions;
	to->hung_up += part * hour.hung_up;
	if (hangups->first_s == 0 || at_s < hangups->first_s)
		hangups->first_s = at_s;
	if (at_s > hangups->at_s)
		hangups->at_s = at_s;
}

/* As if of AROUND further sessions as many hung up as in the whole day, and half a one of two. */
double hangups_usual(const struct hangups *hangups, int64_t now_s)
{
	struct hangups_count day = { 0 };
	for (int i = 0; i < HANGUPS_HOURS; i++) {
		day.sessions += hangups->hour[i].sessions;
		day.hung_up += hangups->hour[i].hung_up;
	}
	if (day.sessions < LEARNT_LEAST || now_s - hangups->first_s < LEARNT_LEAST_S)
		return NAN;
	const struct hangups_count *hour = &hangups->hour[hangups_hour(now_s)];
	double share = (day.hung_up + 0.5) / (day.sessions + 1);
	return (hour->hung_up + AROUND * share) / (hour->sessions + AROUND);
}

/* Log-likelihood ratio of the last hour under its own share against the usual one (binomial). */
static double hangups_surprise(struct hangups_count last, double usual)
{
	double yes = last.hung_up, no = last.sessions - last.hung_up, share = yes / last.sessions;
	if (!(share > usual))
		return 0;
	return (yes * log(share / usual) + (no > 0 ? no * log((1 - share) / (1 - usual)) : 0)) / CLUMP;
}

static bool hangups_jumped(struct hangups_count last, double usual, double odds)
{
	return usual < USUAL_MOST && odds >= JUMP_FROM && last.hung_up >= HUNG_UP_LEAST &&
	       hangups_surprise(last, usual) >= CHANCE_MOST;
}

enum hangups_news hangups_judge(struct hangups *hangups, int64_t now_s, struct hangups_count last)
{
	double usual = hangups_usual(hangups, now_s);
	if (isnan(usual) || !(last.sessions > 0))
		return HANGUPS_NOTHING;
	last.hung_up = fmin(fmax(last.hung_up, 0), last.sessions);
	double odds = share_log_odds(last.hung_up, last.sessions, fmin(usual, USUAL_MOST), BEHIND);
	if (hangups->alarm_s == 0 && hangups_jumped(last, usual, odds)) {
		hangups->alarm_s = now_s;
		hangups->recent = last;
		return HANGUPS_JUMPED;
	}
	if (hangups->alarm_s == 0)
		return HANGUPS_NOTHING;
	const struct hangups_count *recent = &hangups->recent;
	odds = share_log_odds(recent->hung_up, recent->sessions, fmin(usual, USUAL_MOST), BEHIND);
	if (odds >= JUMP_LEFT && usual < USUAL_MOST)
		return HANGUPS_NOTHING;
	hangups->alarm_s = 0;
	return HANGUPS_ENDED;
}
