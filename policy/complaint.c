/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/complaint.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { RCPTS_LEAST = 100 }; /* of fewer recipients no share is told */

static const struct {
	const char *word, *says;
	struct complaint_worth worth;
} rows[COMPLAINT_COUNT] = {
#define COMPLAINT_ROW(id, word, counter, count, told, says) { word, says, { COUNTER_##counter, count, told } },
	COMPLAINT_ROWS(COMPLAINT_ROW)
#undef COMPLAINT_ROW
};

static const struct {
	const char *word;
	double share, least;
} steps[COMPLAINT_STEP_COUNT] = {
#define COMPLAINT_STEP_ROW(id, word, share, least) { word, share, least },
	COMPLAINT_STEP_ROWS(COMPLAINT_STEP_ROW)
#undef COMPLAINT_STEP_ROW
};

enum complaint complaint_find(const char *word)
{
	for (int i = 0; i < COMPLAINT_COUNT; i++)
		if (text_same_nocase(word, rows[i].word))
			return (enum complaint)i;
	return COMPLAINT_OTHER;
}

const char *complaint_word(enum complaint complaint)
{
	return rows[complaint].word;
}

const char *complaint_says(enum complaint complaint)
{
	return rows[complaint].says;
}

const char *complaint_group_word(enum complaint complaint)
{
	const struct complaint_worth *worth = &rows[complaint].worth;
	return worth->counter == COUNTER_COUNT ? rows[complaint].word : counter_word(worth->counter);
}

struct complaint_worth complaint_worth(enum complaint complaint)
{
	return rows[complaint].worth;
}

int complaint_most(enum complaint complaint, int rcpts)
{
	int64_t most = 0;
	if (rows[complaint].worth.counter == COUNTER_COUNT)
		return rcpts;
	while (most * most < rcpts)
		most++;
	return (int)most;
}

bool complaint_opts_out(enum complaint complaint)
{
	return complaint == COMPLAINT_OPT_OUT || complaint == COMPLAINT_OPT_OUT_LIST;
}

/* 5.1.1 there is no such mailbox, 5.1.2 no such domain, 5.1.3 no such address, 5.1.6 and 5.1.10 it has gone or takes no
 * mail (RFC 7505). A full or suspended mailbox was somebody's. */
enum complaint complaint_of_status(const char *status)
{
	static const char *const dead[] = { "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10" };
	for (size_t i = 0; i < sizeof dead / sizeof dead[0]; i++)
		if (strcmp(status, dead[i]) == 0)
			return COMPLAINT_DEAD;
	return COMPLAINT_BOUNCED;
}

const char *complaint_step_word(enum complaint_step step)
{
	return steps[step].word;
}

double complaint_share(const struct counters *counters)
{
	double rcpts = counters->value[COUNTER_RCPTS] * counter_half_life_s(COUNTER_COMPLAINTS) /
		       counter_half_life_s(COUNTER_RCPTS);
	double share = rcpts > 0 ? counters->value[COUNTER_COMPLAINTS] / rcpts : 0;
	return share < 1 ? share : 1;
}

enum complaint_step complaint_step(const struct counters *counters)
{
	double share = complaint_share(counters), count = counters->value[COUNTER_COMPLAINTS];
	int step = COMPLAINT_STEP_COUNT - 1;
	if (counters->value[COUNTER_RCPTS] < RCPTS_LEAST)
		return COMPLAINT_STEP_FINE;
	while (share < steps[step].share || count < steps[step].least)
		step--;
	return (enum complaint_step)step;
}

bool complaint_passed(const struct counters *before, const struct counters *after)
{
	return complaint_step(after) > complaint_step(before);
}
