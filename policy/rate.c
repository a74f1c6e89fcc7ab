/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rate.h"

#include <math.h>

#include "policy/base/banned.h"

void rates_roll(struct rates *rates, int64_t now_ms)
{
	if (rates->at_ms - now_ms > RATES_AHEAD_MAX_MS)
		*rates = (struct rates){ .at_ms = now_ms };
	if (now_ms <= rates->at_ms)
		return;
	for (int i = 0; i < WINDOW_SUMS; i++) {
		int64_t length = window_seconds((enum window)i) * 1000;
		int64_t passed = now_ms / length - rates->at_ms / length;
		if (passed > 0) {
			rates->before[i] = passed == 1 ? rates->present[i] : 0;
			rates->present[i] = 0;
		}
	}
	rates->at_ms = now_ms;
}

static double part_behind(const struct rates *rates, enum window window)
{
	int64_t length = window_seconds(window) * 1000;
	return 1.0 - (double)(rates->at_ms % length) / (double)length;
}

double rates_used(const struct rates *rates, enum window window)
{
	return rates->present[window] + rates->before[window] * part_behind(rates, window);
}

void rates_add(struct rates *rates, const struct amounts *amounts)
{
	for (int i = 0; i < WINDOW_SUMS; i++)
		rates->present[i] = fmax(rates->present[i] + (double)amounts->of[window_counted((enum window)i)], 0);
}

enum window rates_over(const struct rates *rates, const struct limits *limits, const struct amounts *more)
{
	for (int i = 0; i < WINDOW_SUMS; i++) {
		int64_t amount = more->of[window_counted((enum window)i)];
		if (limits->window[i] == LIMIT_UNSET || amount <= 0)
			continue;
		if (rates_used(rates, (enum window)i) + (double)amount > (double)limits->window[i])
			return (enum window)i;
	}
	return WINDOW_COUNT;
}

int64_t rates_frees_in(const struct rates *rates, enum window window, int64_t limit, int64_t more)
{
	double length = (double)window_seconds(window);
	double elapsed = length * (1.0 - part_behind(rates, window));
	double room = (double)(limit - more);
	if (room < 0)
		return (int64_t)length;
	double present = rates->present[window], before = rates->before[window];
	if (present <= room) {
		/* the period before runs out of the window while the present one lasts */
		double part = before > 0 ? (room - present) / before : 1.0;
		double until = length * (1.0 - part) - elapsed;
		return until > 0 ? (int64_t)ceil(until) : 0;
	}
	/* only when the present period has become the one before, and has run out far enough */
	return (int64_t)ceil(length - elapsed + length * (1.0 - room / present));
}

bool amounts_give_back(const struct amounts *amounts)
{
	bool less = false;
	for (int i = 0; i < COUNTED_SUMS; i++)
		less = less || amounts->of[i] < 0;
	return less;
}
