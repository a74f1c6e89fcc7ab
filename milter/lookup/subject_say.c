/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the owner of a subject hears of it, up to its end.
 */
#include "milter/lookup/subject_inside.h"

#include "milter/base/clock.h"
#include "policy/listing.h"

#include "policy/base/banned.h"

void subject_emit(struct subject *subject, struct check_event *event)
{
	event->subject = subject->text;
	subject->owner->emit(subject->owner, event);
}

static double subject_say_weight_of(const struct subject *subject)
{
	const struct list *against[LISTS_MAX];
	int count = 0;
	for (int i = 0; i < subject->slot_count && count < LISTS_MAX; i++)
		if (subject->slots[i].against)
			against[count++] = subject->slots[i].list;
	return listings_weight(against, count);
}

void subject_finish(struct subject *subject, const char *why)
{
	struct check_sums sums = subject->sums;
	sums.weight = subject_say_weight_of(subject);
	struct check_event event = {
		.kind = CHECK_EVENT_SUBJECT,
		.sums = sums,
		.took_ms = clock_monotonic_ms() - subject->started_ms,
		.why = why,
	};
	subject_emit(subject, &event);
	subject->owner->done(subject->owner, subject, &sums);
}

const char *subject_why_unasked(const struct subject *subject)
{
	return subject->slot_count == 0 ? subject->reserved : NULL;
}

void subject_settle(struct subject *subject)
{
	if (--subject->open == 0)
		subject_finish(subject, subject_why_unasked(subject));
}
