/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/ramp.h"

#include "policy/pool.h"

#include <math.h>

#include "policy/base/banned.h"

enum { DAY_S = 86400 };

int64_t ramp_cap(int64_t first_day, double growth, int64_t days)
{
	double cap = (double)first_day * pow(growth >= 1 ? growth : RAMP_GROWTH_DEFAULT, days > 0 ? (double)days : 0);
	return cap < LIMIT_MAX ? (int64_t)round(cap) : LIMIT_MAX;
}

bool ramp_limits(struct limits *limits, const struct history *history, int64_t now_s)
{
	if (limits->ramp_first_day == LIMIT_UNSET)
		return false;
	int64_t days = history->habits.days;
	if (limits->created_s > 0 && now_s > limits->created_s && (now_s - limits->created_s) / DAY_S > days)
		days = (now_s - limits->created_s) / DAY_S;
	int64_t cap = ramp_cap(limits->ramp_first_day, limits->ramp_growth, days);
	int64_t *window = &limits->window[WINDOW_RCPTS_PER_DAY];
	if (cap >= LIMIT_MAX || (*window != LIMIT_UNSET && *window <= cap))
		return false;
	*window = cap;
	return true;
}

/* An hour's part is free at the day's beginning, or the first messages would all go elsewhere. */
int ramp_withheld(int64_t cap, int64_t sent, int64_t now_s)
{
	if (sent >= cap)
		return TRANSPORT_OUT;
	double passed = fmin((double)(now_s % DAY_S) / DAY_S + 1.0 / 24, 1);
	double even = fmax((double)cap * passed, 1);
	if ((double)sent < even / 2)
		return 0;
	/* from half of the even pace on less and less, so that it settles somewhere below it */
	double withheld = TRANSPORT_OUT * ((double)sent / even - 0.5) / 0.5;
	return (int)fmin(withheld, TRANSPORT_OUT - 1);
}
