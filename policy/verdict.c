/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/verdict.h"

#include "policy/base/banned.h"

static const char *const actions[ACTION_COUNT] = {
#define ACTION_ROW(id, word) [ACTION_##id] = word,
	ACTION_ROWS(ACTION_ROW)
#undef ACTION_ROW
};

static const char *const reasons[REASON_COUNT] = {
#define REASON_ROW(id, word) [REASON_##id] = word,
	REASON_ROWS(REASON_ROW)
#undef REASON_ROW
};

void verdict_add(struct verdict *verdict, enum reason_id id, double value, double limit, const char *detail)
{
	if (verdict->reason_count < REASONS_MAX)
		verdict->reasons[verdict->reason_count++] = (struct reason){ id, value, limit, detail };
}

void verdict_raise(struct verdict *verdict, enum action action, enum reason_id cause)
{
	if (action <= verdict->action)
		return;
	verdict->action = action;
	verdict->cause = cause;
}

void verdict_take(struct verdict *verdict, enum measure measure, enum reason_id cause)
{
	static const struct {
		enum action action;
		enum level leaves_as;
		bool throttle;
	} asks[MEASURE_COUNT] = {
		[MEASURE_WARM] = { ACTION_PASS, LEVEL_NEW, false },
		[MEASURE_SUSPECT] = { ACTION_PASS, LEVEL_SUSPECT, false },
		[MEASURE_SLOW] = { ACTION_PASS, LEVEL_SUSPECT, true },
		[MEASURE_HOLD] = { ACTION_HOLD, LEVEL_UNKNOWN, false },
		[MEASURE_DEFER] = { ACTION_DEFER, LEVEL_UNKNOWN, false },
		[MEASURE_REJECT] = { ACTION_REJECT, LEVEL_UNKNOWN, false },
		[MEASURE_BLOCK] = { ACTION_REJECT, LEVEL_BLOCKED, false },
	};
	verdict_raise(verdict, asks[measure].action, cause);
	if (asks[measure].leaves_as > verdict->leaves_as)
		verdict->leaves_as = asks[measure].leaves_as;
	verdict->throttle |= asks[measure].throttle;
	if (measure == MEASURE_BLOCK)
		verdict->level = LEVEL_BLOCKED;
}

bool verdict_is_blocked(const struct verdict *verdict)
{
	return verdict->level == LEVEL_BLOCKED && verdict->action >= ACTION_HOLD;
}

bool verdict_refuses(const struct verdict *verdict)
{
	return verdict->action == ACTION_DEFER || verdict->action == ACTION_REJECT;
}

bool verdict_has(const struct verdict *verdict, enum reason_id id)
{
	for (int i = 0; i < verdict->reason_count; i++)
		if (verdict->reasons[i].id == id)
			return true;
	return false;
}

bool verdict_notable(const struct verdict *verdict)
{
	return verdict->action != ACTION_PASS || verdict->slow || verdict->throttle || verdict->tag ||
	       verdict->level >= LEVEL_SUSPECT || verdict->leaves_as >= LEVEL_SUSPECT || verdict->would.shown ||
	       verdict->spared.shown || verdict_has(verdict, REASON_LEVEL) || verdict_has(verdict, REASON_SIGNAL);
}

const struct transport *verdict_mark(const struct verdict *verdict)
{
	bool goes_on = verdict->action == ACTION_PASS || verdict->action == ACTION_HOLD;
	return goes_on && verdict->markable ? verdict->transport : NULL;
}

const char *action_word(enum action action)
{
	return actions[action];
}

const char *reason_word(enum reason_id id)
{
	return reasons[id];
}
