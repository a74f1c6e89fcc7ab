/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a verdict has to tell.
 */
#include "policy/notice.h"
#include "policy/base/text.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

/* "spamd content 12.5 (limit 8), level suspect": the reasons in their order, for people. */
static void notice_verdict_say_reasons(const struct verdict *verdict, struct text *text)
{
	for (int i = 0; i < verdict->reason_count; i++) {
		const struct reason *reason = &verdict->reasons[i];
		text_addf(text, "%s%s", i > 0 ? ", " : "", reason_word(reason->id));
		if (reason->detail != NULL)
			text_addf(text, " %.100s", reason->detail);
		if (reason->value != 0 || reason->limit != 0)
			text_addf(text, " %.4g", reason->value);
		if (reason->limit != 0)
			text_addf(text, " (limit %.4g)", reason->limit);
	}
}

/* "; most by traps +6.0, content +1.2": what weighs against the account, the heaviest first. */
static void notice_verdict_say_terms(const struct score *score, struct text *text)
{
	enum { SAID_MOST = 3 };
	double below = HUGE_VAL;
	for (int said = 0; said < SAID_MOST; said++) {
		int heaviest = SIGNAL_COUNT;
		for (int i = 0; i < SIGNAL_COUNT; i++)
			if (score->term[i] >= 0.05 && score->term[i] < below &&
			    (heaviest == SIGNAL_COUNT || score->term[i] > score->term[heaviest]))
				heaviest = i;
		if (heaviest == SIGNAL_COUNT)
			return;
		below = score->term[heaviest];
		text_addf(text, "%s %s +%.1f", said == 0 ? "; most by" : ",", signal_word((enum signal)heaviest),
			  below);
	}
}

static void notice_verdict_say_done(const struct verdict *verdict, struct text *text)
{
	switch (verdict->action) {
	case ACTION_DEFER:
		text_add(text, "the message was deferred");
		break;
	case ACTION_REJECT:
		text_add(text, "the message was refused");
		break;
	case ACTION_HOLD:
		text_add(text, "the message is held in the queue");
		break;
	default:
		text_add(text, "the message left");
		if (verdict_mark(verdict) != NULL)
			text_addf(text, " by transport %s of pool %s", verdict_mark(verdict)->name,
				  verdict->pool->name);
	}
}

static struct notice *notice_verdict_add_event(struct notice *events, int *count, enum event_kind kind,
					       const struct facts *facts, const struct verdict *verdict,
					       const char *reference)
{
	struct notice *event = &events[(*count)++];
	notice_init(event, kind, facts->account);
	event->time_s = facts->now_ms / 1000;
	event->judged = true;
	event->action = verdict->action;
	event->score = verdict->score;
	if (reference != NULL)
		text_copy(event->reference, sizeof event->reference, reference);
	struct text reason = text_over(event->reason, sizeof event->reason);
	struct text done = text_over(event->done, sizeof event->done);
	notice_verdict_say_reasons(verdict, &reason);
	if (verdict_has(verdict, REASON_SCORE) || verdict_has(verdict, REASON_LEVEL))
		notice_verdict_say_terms(&verdict->terms, &reason);
	notice_verdict_say_done(verdict, &done);
	return event;
}

/* The level is the account's from the end of the message on; before it, a refusal leaves what Redis holds, and a block
 * is told all the same: none of its messages would come to an end. An admin's word hides the level for a while and does
 * not change it. */
static bool notice_verdict_level_changed(const struct facts *facts, const struct verdict *verdict, enum stage stage)
{
	const struct account_state *state = &facts->state;
	bool counts = stage == STAGE_MESSAGE || (verdict->level == LEVEL_BLOCKED && verdict_refuses(verdict));
	return counts && state->known != KNOWLEDGE_NONE && state->block[0] == '\0' && state->exempt[0] == '\0' &&
	       state->history.level != LEVEL_UNKNOWN && verdict->level != LEVEL_UNKNOWN &&
	       verdict->level != state->history.level;
}

int notice_of_verdict(const struct facts *facts, const struct verdict *verdict, enum stage stage, const char *reference,
		      struct notice events_out[2])
{
	int count = 0;
	if (notice_verdict_level_changed(facts, verdict, stage)) {
		enum event_kind kind = verdict->level == LEVEL_BLOCKED ? EVENT_BLOCK : EVENT_LEVEL;
		struct notice *event = notice_verdict_add_event(events_out, &count, kind, facts, verdict, reference);
		event->from = facts->state.history.level;
		event->to = verdict->level;
	} else if (verdict_has(verdict, REASON_ADMIN_BLOCK)) {
		notice_verdict_add_event(events_out, &count, EVENT_BLOCK, facts, verdict, reference)->to =
			LEVEL_BLOCKED;
	}
	if (verdict_has(verdict, REASON_LIMIT))
		notice_verdict_add_event(events_out, &count, EVENT_LIMIT, facts, verdict, reference)->limit =
			verdict->breach;
	return count;
}
