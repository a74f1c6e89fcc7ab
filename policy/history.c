/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/history.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { DAY_S = 86400 };

static void count(struct history *history, const struct charge *charge, bool turned_away)
{
	double counts[COUNTER_COUNT];
	memcpy(counts, charge->counts, sizeof counts);
	if (turned_away) {	/* it did not leave; it is a breach */
		counts[COUNTER_MESSAGES] = counts[COUNTER_RCPTS] = counts[COUNTER_NEW_RCPTS] = 0;
		counts[COUNTER_BREACHES] = 1;
	}
	counters_add(&history->counters, counts);
}

static void note_rest(struct history *history, const struct charge *charge)
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

static void take_habits(struct habits *habits, const struct charge *charge)
{
	char bytes[HABIT_BYTES_MAX];
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1)
		if (charge->habits_changed & part)
			habits_read(habits, (enum habit_part)part, bytes,
				    habits_write(&charge->habits, (enum habit_part)part, bytes));
}

enum window history_charge(struct history *history, const struct charge *charge)
{
	rates_roll(&history->rates, charge->now_ms);
	if (history->counters.at_ms - charge->now_ms > RATES_AHEAD_MAX_MS)	/* of a clock that was wrong */
		history->counters.at_ms = charge->now_ms;
	counters_decay(&history->counters, charge->now_ms);
	enum window over = charge->quota ? rates_over(&history->rates, &charge->limits, &charge->amounts) : WINDOW_COUNT;
	bool turned_away = over != WINDOW_COUNT && charge->checked && !charge_passes(charge);
	if (charge->quota && !turned_away)
		rates_add(&history->rates, &charge->amounts);
	count(history, charge, turned_away);
	note_rest(history, charge);
	if (!turned_away)	/* what did not leave is no habit */
		take_habits(&history->habits, charge);
	return over;
}

void charge_breach(const struct charge *charge, const struct rates *rates, struct breach *breach)
{
	enum window window = breach->window;
	breach->scope = SCOPE_ACCOUNT;
	breach->limit = charge->limits.window[window];
	breach->over = charge->limits.over;
	breach->ramp = charge->limits.ramped && window == WINDOW_RCPTS_PER_DAY;
	if (window >= WINDOW_SUMS) {	/* a group's: as many as there may be until the day (UTC) ends */
		breach->used = (double)breach->limit;
		breach->frees_in_s = DAY_S - charge->now_ms / 1000 % DAY_S;
		return;
	}
	breach->used = rates_used(rates, window);
	breach->frees_in_s = rates_frees_in(rates, window, breach->limit, charge->amounts.of[window_counted(window)]);
}
