/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/history.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { DAY_S = 86400 };

/* What only a message that leaves counts for. */
static const enum counter of_sent[] = { COUNTER_MESSAGES, COUNTER_RCPTS, COUNTER_NEW_RCPTS };
enum { OF_SENT = sizeof of_sent / sizeof of_sent[0] };

void charge_turn_away(struct charge *charge, enum scope scope)
{
	charge->quota = false;
	for (int i = 0; i < OF_SENT; i++)
		charge->counts[of_sent[i]] = 0;
	if (scope == SCOPE_ACCOUNT)
		charge->counts[COUNTER_BREACHES] = 1;
	charge->habits_changed = 0;
}

struct charge charge_given_back(const struct charge *charged)
{
	struct charge back = { .now_ms = charged->now_ms, .limits = limits_unset, .quota = true };
	memcpy(back.account, charged->account, sizeof back.account);
	for (int i = 0; i < COUNTED_SUMS; i++)
		back.amounts.of[i] = -charged->amounts.of[i];
	for (int i = 0; i < OF_SENT; i++)
		back.counts[of_sent[i]] = -charged->counts[of_sent[i]];
	return back;
}

static void history_note_rest(struct history *history, const struct charge *charge)
{
	if (history->first_s == 0)
		history->first_s = charge->now_ms / 1000;
	if (charge->unauthorised[0] != '\0')
		text_copy(history->unauthorised, sizeof history->unauthorised,
			  strcmp(charge->unauthorised, "-") == 0 ? "" : charge->unauthorised);
	if (charge->pardoned_s != 0)
		history->pardoned_s = charge->pardoned_s;
	if (charge->level == LEVEL_UNKNOWN)
		return;
	history->score = charge->score;
	if (charge->level == history->level)
		return;
	history->level = charge->level;
	history->level_since_s = charge->now_ms / 1000;
}

static void history_take_habits(struct habits *habits, const struct charge *charge)
{
	char bytes[HABIT_BYTES_MAX];
	struct habits come = charge->habits;
	habits_keep(&come, habits);
	for (unsigned part = HABIT_PLACES; part <= HABIT_TEXT; part <<= 1)
		if (charge->habits_changed & part)
			habits_read(habits, (enum habit_part)part, bytes,
				    habits_write(&come, (enum habit_part)part, bytes));
}

static void history_go_on(struct history *history, int64_t now_ms)
{
	rates_roll(&history->rates, now_ms);
	if (history->counters.at_ms - now_ms > RATES_AHEAD_MAX_MS) /* of a clock that was wrong */
		history->counters.at_ms = now_ms;
	counters_decay(&history->counters, now_ms);
}

void history_credit(struct history *history, int64_t now_ms, const double counts[COUNTER_COUNT])
{
	history_go_on(history, now_ms);
	counters_add(&history->counters, counts);
}

enum window history_charge(struct history *history, const struct charge *charge)
{
	history_go_on(history, charge->now_ms);
	enum window over =
		charge->quota ? rates_over(&history->rates, &charge->limits, &charge->amounts) : WINDOW_COUNT;
	struct breach breach = { .window = over, .over = charge->limits.over };
	struct charge away;
	if (charge_turned_away(charge, &breach)) {
		away = *charge;
		charge_turn_away(&away, account_scope(away.account));
		charge = &away;
	}
	if (charge->quota)
		rates_add(&history->rates, &charge->amounts);
	counters_add(&history->counters, charge->counts);
	history_note_rest(history, charge);
	history_take_habits(&history->habits, charge);
	return over;
}

void charge_breach(const struct charge *charge, const struct rates *rates, struct breach *breach)
{
	enum window window = breach->window;
	breach->scope = SCOPE_ACCOUNT;
	breach->limit = charge->limits.window[window];
	breach->over = charge->limits.over;
	breach->ramp = charge->limits.ramped && window == WINDOW_RCPTS_PER_DAY;
	if (window >= WINDOW_SUMS) { /* a group's: as many as there may be until the day (UTC) ends */
		breach->used = (double)breach->limit;
		breach->frees_in_s = DAY_S - charge->now_ms / 1000 % DAY_S;
		return;
	}
	breach->used = rates_used(rates, window);
	breach->frees_in_s = rates_frees_in(rates, window, breach->limit, charge->amounts.of[window_counted(window)]);
}

struct breach history_judge(struct history *history, const struct charge *charge)
{
	struct breach breach = breach_none;
	struct rates before = history->rates;
	rates_roll(&before, charge->now_ms);
	breach.window = history_charge(history, charge);
	if (breach.window != WINDOW_COUNT)
		charge_breach(charge, &before, &breach);
	return breach;
}

struct charge charge_made(const struct charge *charge, const struct breach *breach, enum scope scope)
{
	struct charge made = *charge;
	if (charge_turned_away(charge, breach))
		charge_turn_away(&made, scope);
	if (!made.quota)
		made.amounts = (struct amounts){ .of = { 0 } };
	made.quota = true;
	made.checked = false;
	return made;
}

void charge_join(struct charge *to, const struct charge *more)
{
	to->now_ms = more->now_ms;
	for (int i = 0; i < COUNTED_SUMS; i++)
		to->amounts.of[i] += more->amounts.of[i];
	for (int i = 0; i < COUNTER_COUNT; i++)
		to->counts[i] += more->counts[i];
	if (more->level != LEVEL_UNKNOWN) {
		to->level = more->level;
		to->score = more->score;
	}
	if (more->pardoned_s != 0)
		to->pardoned_s = more->pardoned_s;
	if (more->habits_changed != 0) {
		struct habits held = to->habits_changed != 0 ? to->habits : (struct habits){ .day = 0 };
		to->habits = more->habits;
		habits_keep(&to->habits, &held);
	}
	to->habits_changed |= more->habits_changed;
	if (more->unauthorised[0] != '\0')
		text_copy(to->unauthorised, sizeof to->unauthorised, more->unauthorised);
}
