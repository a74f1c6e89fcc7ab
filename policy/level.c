/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/level.h"

#include <string.h>

#include "policy/base/banned.h"

static const char *const words[LEVEL_COUNT] = {
#define LEVEL_ROW(id, word) [LEVEL_##id] = word,
	LEVEL_ROWS(LEVEL_ROW)
#undef LEVEL_ROW
};

const char *level_word(enum level level)
{
	return words[level];
}

enum level level_find(const char *word)
{
	for (int i = LEVEL_GOOD; i < LEVEL_COUNT; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum level)i;
	return LEVEL_UNKNOWN;
}

enum { AGE_ALONE = 4, DAYS_LEAST = 3, DAY_S = 86400 };

bool level_young(const struct level_settings *settings, const struct level_facts *facts)
{
	bool old = facts->age_s >= settings->new_for_s && facts->messages >= (double)settings->new_messages;
	bool by_age = settings->new_for_s > 0 && facts->age_s >= AGE_ALONE * settings->new_for_s &&
		      facts->seen_s >= settings->new_for_s;
	int64_t new_days = settings->new_for_s / DAY_S; /* who wants accounts to be known sooner has it */
	return facts->days < (new_days < DAYS_LEAST ? new_days : DAYS_LEAST) || (!old && !by_age);
}

/* The level that the score asks for when the account stands at `before`. */
static enum level level_by_score(const struct level_settings *settings, const struct level_facts *facts)
{
	bool was_blocked = facts->before == LEVEL_BLOCKED;
	bool was_suspect = facts->before == LEVEL_SUSPECT || was_blocked;
	if (facts->score >= (was_blocked ? settings->blocked_leave : settings->blocked_enter) &&
	    (was_blocked || facts->hard >= HARD_TO_BLOCK))
		return LEVEL_BLOCKED;
	if (facts->score >= (was_suspect ? settings->suspect_leave : settings->suspect_enter))
		return LEVEL_SUSPECT;
	/* who was good stays so: a pause in sending lets the count decay, but does not make a stranger of him */
	return level_young(settings, facts) && facts->before != LEVEL_GOOD ? LEVEL_NEW : LEVEL_GOOD;
}

enum level level_next(const struct level_settings *settings, const struct level_facts *facts)
{
	enum level next = level_by_score(settings, facts);
	bool milder = next < facts->before;
	bool penalty = facts->before == LEVEL_SUSPECT || facts->before == LEVEL_BLOCKED;
	if (milder && penalty && facts->before_s < settings->minimum_stay_s)
		return facts->before;
	return next;
}
