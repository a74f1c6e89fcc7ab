/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fact lines, judged as replay does: whatever numbers they hold, the verdict is one, and the account's memory stays
 * within its bounds.
 */
#include "policy/replay/factline.h"
#include "policy/plan.h"
#include "policy/replay/replay.h"
#include "t/unit/judge_fixture.h"

#include "policy/base/panic.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct list *find_list(void *arg, const char *name, enum list_kind kind, double weight,
				    enum list_action action)
{
	(void)arg, (void)name, (void)kind, (void)weight, (void)action;
	return &signals;
}

static bool no_plan(const void *arg, const char *name, struct limits *limits)
{
	(void)arg, (void)name, (void)limits;
	return false;
}

static void look_at(const struct history *history)
{
	MUST(isfinite(history->score));
	for (int i = 0; i < COUNTER_COUNT; i++)
		MUST(isfinite(history->counters.value[i]) && history->counters.value[i] >= 0);
	for (int i = 0; i < WINDOW_SUMS; i++)
		MUST(isfinite(history->rates.present[i]) && history->rates.present[i] >= 0);
}

static void take(const struct policy *policy, struct factline *line, struct replayed *memory)
{
	struct facts *facts = &line->facts;
	if (line->kind == FACTLINE_STATE) {
		memory->history = facts->state.history;
		return;
	}
	if (line->kind == FACTLINE_FEEDBACK) {
		replay_feedback(memory, line->counter, line->count, facts->now_ms);
		return;
	}
	facts->state.history = memory->history;
	plan_limits(facts->account, &facts->state, facts->now_ms, no_plan, NULL, &facts->limits);
	struct verdict verdict = replay_message(policy, line->stage, facts, memory);
	MUST(verdict.action < ACTION_COUNT && verdict.level < LEVEL_COUNT && isfinite(verdict.score));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct factline line;
	struct replayed memory = { .noted_ms = 0 };
	struct policy policy = policy_of(&(struct row){ .stage = STAGE_MESSAGE });
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end != NULL ? (size_t)(end - data) : size;
		if (factline_read((const char *)data, length, find_list, NULL, &line) == FACTLINE_FINE) {
			take(&policy, &line, &memory);
			look_at(&memory.history);
		}
		length += end != NULL;
		data += length;
		size -= length;
	}
	return 0;
}
