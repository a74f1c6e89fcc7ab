/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/lookup/subject.h"

#include "milter/base/clock.h"
#include "milter/lookup/subject_inside.h"
#include "policy/base/text.h"
#include "policy/listing.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { TEXT_MAX = 300 };

/* The TXT record of a listing, RFC 5782 section 2.1. */
struct text_lookup {
	struct lookup lookup; /* first */
	struct slot *slot;
};

/* ---- the text of a listing */

static void subject_add_printable(struct text *to, const struct dns_record *record)
{
	for (size_t i = 0; i < record->length; i++) {
		bool printable = record->text[i] >= ' ' && record->text[i] < 0x7f;
		text_add_bytes(to, printable ? &record->text[i] : "?", 1);
	}
}

static bool subject_same_letters(const char *a, const char *b, size_t length)
{
	size_t at = 0;
	while (at < length && text_lower(a[at]) == text_lower(b[at]))
		at++;
	return at == length;
}

/* Some lists repeat the question in their text, and in it a subscriber's key: the first label of the zone that is asked
 * where people see another. Names have no case, and of a text that is shown in part the key may be, too. */
static bool subject_tells_key(const struct list *list, const struct dns_record *record)
{
	size_t length = strcspn(list->asked_zone, ".");
	if (strcmp(list->asked_zone, list->zone) == 0)
		return false;
	for (size_t at = 0; at + length <= record->length; at++)
		if (subject_same_letters(record->text + at, list->asked_zone, length))
			return true;
	return false;
}

static void subject_on_text(struct lookup *lookup, const struct dns_answer *answer)
{
	struct slot *slot = ((struct text_lookup *)(void *)lookup)->slot;
	char memory[TEXT_MAX + 1];
	struct text text = text_over(memory, sizeof memory);
	struct dns_record record;
	size_t at = 0;
	bool told = false;
	while (dns_answer_next(answer, &at, &record)) {
		told = told || subject_tells_key(slot->list, &record);
		text_add(&text, text.length > 0 ? " | " : "");
		subject_add_printable(&text, &record);
	}
	struct check_event event = { .kind = CHECK_EVENT_TEXT, .list = slot->list, .text = memory };
	if (text.length > 0 && !told)
		subject_emit(slot->subject, &event);
	subject_settle(slot->subject);
}

static enum lists_use use_of(const struct subject *subject)
{
	return subject->owner->settings->ours ? LISTS_FOR_OURS : LISTS_FOR_CHECK;
}

static bool may_ask_text(struct lookup *lookup)
{
	const struct slot *slot = ((struct text_lookup *)(void *)lookup)->slot;
	return lists_may_ask_text(slot->subject->owner->settings->lists, slot->place, use_of(slot->subject));
}

static void subject_ask_text(struct slot *slot)
{
	const struct list *list = slot->list;
	struct subject *subject = slot->subject;
	slot->text = calloc(1, sizeof *slot->text);
	if (slot->text == NULL)
		return;
	slot->text->slot = slot;
	slot->text->lookup.leaves = may_ask_text;
	if (lookup_ask(&slot->text->lookup, subject->owner->pump, subject->prefix, list->asked_zone, DNS_TXT,
		       subject_on_text))
		subject->open++;
}

/* ---- lists */

static enum list_kind subject_worst_kind(const struct listings *listings)
{
	static const enum list_kind order[] = { LIST_EXPLOIT, LIST_SPAM,       LIST_DOMAIN, LIST_POLICY,
						LIST_AUTH,    LIST_REPUTATION, LIST_ALLOW };
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (listings_find(listings, order[i]) != NULL)
			return order[i];
	return LIST_NONE;
}

/* What the codes mean, and in *why_out why they mean nothing. */
static enum check_said subject_read_codes(const struct list *list, const struct list_reply *reply,
					  enum list_kind *kind_out, const char **why_out)
{
	struct listings listings = { .asked = true };
	enum list_meaning answer = listings_add(&listings, list, reply->codes, (size_t)reply->count);
	*kind_out = subject_worst_kind(&listings);
	if (answer == ANSWER_LISTED)
		return CHECK_LISTED;
	if (answer == ANSWER_CLEAN)
		return CHECK_CLEAN;
	*why_out = listings.hijacked > 0 ? "an answer outside 127.0.0.0/8: a resolver rewrites it"
					 : "the list refuses to answer us";
	return CHECK_UNKNOWN;
}

static enum check_said subject_read_answer(const struct list *list, const struct list_answer *answer,
					   enum list_kind *kind_out, const char **why_out)
{
	*kind_out = LIST_NONE;
	*why_out = answer->why != NULL ? answer->why : "";
	if (answer->state == LIST_STATE_SKIPPED)
		return CHECK_SKIPPED;
	if (answer->state == LIST_STATE_UNKNOWN)
		return CHECK_UNKNOWN;
	return subject_read_codes(list, &answer->reply, kind_out, why_out);
}

static void subject_count(struct slot *slot, enum check_said said, enum list_kind kind)
{
	struct check_sums *sums = &slot->subject->sums;
	slot->against = said == CHECK_LISTED && kind != LIST_ALLOW;
	sums->listed += slot->against && slot->list->weight > 0;
	sums->noted += slot->against && slot->list->weight <= 0;
	sums->clean += said == CHECK_CLEAN || (said == CHECK_LISTED && !slot->against);
	sums->unknown += said == CHECK_UNKNOWN;
	sums->skipped += said == CHECK_SKIPPED;
}

static void subject_take_answer(struct slot *slot, const struct list_answer *answer)
{
	struct subject *subject = slot->subject;
	const struct list *list = slot->list;
	struct list_answer copy = *answer;
	struct check_event event = { .kind = CHECK_EVENT_LIST, .list = list, .answer = &copy };
	event.said = subject_read_answer(list, answer, &event.listed_as, &copy.why);
	subject_count(slot, event.said, event.listed_as);
	if (event.said == CHECK_LISTED && !subject->owner->brief)
		subject_ask_text(slot);
	if (event.said == CHECK_LISTED || !subject->owner->brief)
		subject_emit(subject, &event);
	subject_settle(subject);
}

static void subject_on_list(struct list_question *question, const struct list_answer *answer)
{
	struct slot *slot = (struct slot *)(void *)((char *)question - offsetof(struct slot, question));
	struct pump *pump = slot->subject->owner->pump;
	if (pump_heard(pump))
		subject_take_answer(slot, answer);
	pump_release(pump);
}

static void subject_begin_list(struct step *step)
{
	struct slot *slot = (struct slot *)(void *)step;
	struct subject_owner *owner = slot->subject->owner;
	pump_hold(owner->pump);
	slot->question.done = subject_on_list;
	lists_ask(owner->settings->lists, slot->place, slot->subject->prefix, use_of(slot->subject), &slot->question);
}

static void subject_ask_lists(struct subject *subject)
{
	struct lists *lists = subject->owner->settings->lists;
	int used = 0;
	for (int i = 0; i < lists_count(lists); i++) {
		const struct list *list = lists_at(lists, i);
		if (used == subject->slot_count ||
		    !list_takes(list, subject->address.family, subject->reserved != NULL))
			continue;
		struct slot *slot = &subject->slots[used++];
		*slot = (struct slot){
			.step = { .begin = subject_begin_list }, .subject = subject, .list = list, .place = i
		};
		subject->open++;
		pump_push(subject->owner->pump, &slot->step, false);
	}
}

static int subject_lists_that_take(const struct check_settings *settings, enum netaddr_family family, bool reserved)
{
	int taken = 0;
	for (int i = 0; i < lists_count(settings->lists); i++)
		taken += list_takes(lists_at(settings->lists, i), family, reserved);
	return taken;
}

int subject_lists(const struct check_settings *settings, enum netaddr_family family)
{
	return subject_lists_that_take(settings, family, false);
}

/* ---- the subject */

/* For whoever may ask for public addresses only, one that nobody on the Internet has is asked of nobody. */
static const char *refused(const struct subject *subject)
{
	return subject->owner->settings->public_only ? subject->reserved : NULL;
}

static void begin_finish(struct step *step)
{
	struct slot *slot = (struct slot *)(void *)step;
	const char *why = refused(slot->subject);
	subject_finish(slot->subject, why != NULL ? why : subject_why_unasked(slot->subject));
}

/* Nothing is to be asked. */
static void finish_later(struct subject *subject)
{
	subject->slots[0] = (struct slot){ .step = { .begin = begin_finish }, .subject = subject };
	pump_push(subject->owner->pump, &subject->slots[0].step, false);
}

static void subject_begin(struct subject *subject, bool origin)
{
	bool address = subject->address.family != NETADDR_UNKNOWN, brief = subject->owner->brief;
	if (address && refused(subject) != NULL) {
		subject->sums.skipped += subject->slot_count;
		finish_later(subject);
		return;
	}
	subject->open = 1; /* until all is asked */
	subject_ask_lists(subject);
	if (address && (origin || !brief))
		subject_ask_origin(subject);
	if (address && !brief)
		subject_ask_names(subject);
	if (--subject->open == 0)
		finish_later(subject);
}

struct subject *subject_new(struct subject_owner *owner, const struct subject_target *target)
{
	static const struct netaddr no_address = { .family = NETADDR_UNKNOWN };
	const struct netaddr *address = target->address != NULL ? target->address : &no_address;
	const char *reserved = netaddr_reserved(address);
	int lists = subject_lists_that_take(owner->settings, address->family, reserved != NULL);
	struct subject *subject =
		calloc(1, sizeof *subject + (size_t)(lists > 0 ? lists : 1) * sizeof subject->slots[0]);
	if (subject == NULL)
		return NULL;
	subject->owner = owner;
	subject->address = *address;
	subject->reserved = reserved;
	subject->slot_count = lists;
	subject->sums.skipped = subject_lists(owner->settings, address->family) - lists;
	subject->started_ms = clock_monotonic_ms();
	if (target->address != NULL) {
		netaddr_text(address, subject->text);
		netaddr_reverse(address, subject->prefix);
	} else {
		text_copy(subject->text, sizeof subject->text, target->name);
		text_copy(subject->prefix, sizeof subject->prefix, target->name);
	}
	struct check_event event = { .kind = CHECK_EVENT_TARGET, .from = target->from };
	subject_emit(subject, &event);
	subject_begin(subject, target->origin);
	return subject;
}

void subject_free(struct subject **subject)
{
	struct subject *old = *subject;
	*subject = NULL;
	if (old == NULL)
		return;
	for (int i = 0; i < old->slot_count; i++)
		free(old->slots[i].text);
	free(old->origin);
	free(old->names);
	free(old);
}

void subject_link(struct subject **list, struct subject *subject)
{
	subject->next = *list;
	subject->link = list;
	if (subject->next != NULL)
		subject->next->link = &subject->next;
	*list = subject;
}

void subject_unlink(struct subject *subject)
{
	*subject->link = subject->next;
	if (subject->next != NULL)
		subject->next->link = subject->link;
}
