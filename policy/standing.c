/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/standing.h"

#include "policy/base/text.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

enum { HOUR_MS = 3600 * 1000 };

static const struct {
	const char *word;
	bool serves;
} states_of[STANDING_COUNT] = {
#define STANDING_ROW(id, word, serves) [STANDING_##id] = { word, serves },
	STANDING_ROWS(STANDING_ROW)
#undef STANDING_ROW
};

const char *standing_word(enum standing_state state)
{
	return states_of[state].word;
}

/* Whether a listing of that kind counts against an address of ours. */
static bool standing_counts(enum list_kind kind)
{
	return kind == LIST_EXPLOIT || kind == LIST_SPAM || kind == LIST_POLICY;
}

/* ---- a check */

static const struct standing_list *standing_find_list(const struct standing *standing, const char *name)
{
	for (int i = 0; i < standing->list_count; i++)
		if (strcmp(standing->lists[i].name, name) == 0)
			return &standing->lists[i];
	return NULL;
}

/* The heaviest first; of the same weight by name, not as the answers come. */
static bool stands_before(const struct standing_list *a, const struct standing_list *b)
{
	if (a->weight > b->weight || a->weight < b->weight)
		return a->weight > b->weight;
	return strcmp(a->name, b->name) < 0;
}

static void standing_add_list(struct standing_check *check, const struct list *list, const struct standing_list *row)
{
	int at = check->list_count;
	while (at > 0 && stands_before(row, &check->lists[at - 1].row))
		at--;
	if (at == STANDING_LISTS_MAX) {
		check->unnamed += row->weight;
		return;
	}
	if (check->list_count == STANDING_LISTS_MAX)
		check->unnamed += check->lists[--check->list_count].row.weight;
	memmove(&check->lists[at + 1], &check->lists[at], (size_t)(check->list_count - at) * sizeof check->lists[0]);
	check->lists[at].row = *row;
	check->lists[at].list = list;
	check->list_count++;
}

static const char *name_of(const struct list *list)
{
	return list->name[0] != '\0' ? list->name : list->zone;
}

static void standing_hear_yes(struct standing_check *check, const struct list *list, enum list_kind kind,
			      int64_t now_ms)
{
	struct standing_list row = { .kind = kind, .said_ms = now_ms };
	if (kind == LIST_NONE || kind == LIST_ALLOW)
		return;
	row.weight = standing_counts(kind) ? list->weight : 0;
	text_copy(row.name, sizeof row.name, name_of(list));
	text_copy(row.removal, sizeof row.removal, list->removal);
	standing_add_list(check, list, &row);
}

void standing_hear(struct standing_check *check, const struct standing *before, const struct list *list,
		   enum standing_said said, enum list_kind kind, int64_t now_ms)
{
	if (said != STANDING_NO_ANSWER) {
		check->answered++;
		check->yes += said == STANDING_SAYS_YES;
		if (said == STANDING_SAYS_YES)
			standing_hear_yes(check, list, kind, now_ms);
		return;
	}
	const struct standing_list *last = standing_find_list(before, name_of(list));
	check->silent++;
	if (last == NULL || now_ms - last->said_ms >= (int64_t)STANDING_SILENT_HOURS * HOUR_MS)
		return;
	struct standing_list row = *last;
	row.weight = standing_counts(row.kind) ? list->weight : 0;
	standing_add_list(check, list, &row);
}

static bool standing_has_whole(const struct standing_check *check, const struct list *part)
{
	for (int i = 0; i < check->list_count; i++) {
		const struct list *whole = part->whole;
		while (whole != NULL && whole != check->lists[i].list)
			whole = whole->whole;
		if (whole != NULL && standing_counts(check->lists[i].row.kind))
			return true;
	}
	return false;
}

/* One listing of a list that is part of another is not two. */
static void leave_out_parts(struct standing_check *check)
{
	for (int i = 0; i < check->list_count; i++)
		if (standing_has_whole(check, check->lists[i].list))
			check->lists[i].row.weight = 0;
}

static double standing_weight_of(const struct standing_check *check)
{
	double weight = check->unnamed;
	for (int i = 0; i < check->list_count; i++)
		weight += check->lists[i].row.weight;
	return weight;
}

/* A resolver that rewrites answers, or one that says yes to anything. */
static bool cannot_be_believed(const struct standing_check *check)
{
	return check->lies || (check->answered >= STANDING_ALL_LEAST && check->yes == check->answered);
}

/* ---- the states */

static int64_t wait_of(const struct standing *standing, const struct standing_settings *settings)
{
	return settings->wait_ms * (standing->wait_times > 0 ? standing->wait_times : 1);
}

static void enter(struct standing *standing, enum standing_state state, int64_t now_ms)
{
	standing->state = state;
	standing->since_ms = now_ms;
}

/* One that never came back has not failed at it. */
static void standing_note_relapse(struct standing *standing)
{
	if (standing->wait_times == 0)
		standing->wait_times = 1;
	else if (standing->state != STANDING_WAITING && standing->wait_times < STANDING_WAIT_MOST)
		standing->wait_times *= 2;
}

static void forget_relapses(struct standing *standing, int64_t now_ms)
{
	if (standing->state == STANDING_CLEAN &&
	    now_ms - standing->since_ms >= (int64_t)STANDING_FORGETS_DAYS * 24 * HOUR_MS)
		standing->wait_times = 0;
}

static void standing_be_listed(struct standing *standing, int64_t now_ms)
{
	if (standing->state == STANDING_LISTED)
		return;
	standing_note_relapse(standing);
	enter(standing, STANDING_LISTED, now_ms);
}

/* One check may pass several states: where there is nothing to wait for. */
static void standing_be_clean(struct standing *standing, const struct standing_settings *settings, int64_t now_ms)
{
	if (standing->state == STANDING_UNKNOWN)
		enter(standing, STANDING_CLEAN, now_ms);
	if (standing->state == STANDING_LISTED)
		enter(standing, STANDING_WAITING, now_ms);
	if (standing->state == STANDING_WAITING && now_ms - standing->since_ms >= wait_of(standing, settings))
		enter(standing, STANDING_RETURNING, now_ms);
	if (standing->state == STANDING_RETURNING && now_ms - standing->since_ms >= settings->return_ms)
		enter(standing, STANDING_CLEAN, now_ms);
}

static int standing_withheld_of(const struct standing *standing, const struct standing_settings *settings,
				int64_t now_ms)
{
	if (!states_of[standing->state].serves)
		return TRANSPORT_OUT;
	if (standing->state != STANDING_RETURNING)
		return 0;
	double done = (double)(now_ms - standing->since_ms) / (double)settings->return_ms;
	return (int)ceil((TRANSPORT_OUT - STANDING_RETURNS_WITH) * (1 - done));
}

bool standing_judge(struct standing *standing, const struct standing_settings *settings, struct standing_check *check,
		    int64_t now_ms)
{
	leave_out_parts(check);
	double weight = standing_weight_of(check);
	bool listed = weight >= settings->weight - 1e-9; /* ten times 0.1 is less than 1 */
	if (cannot_be_believed(check) || check->answered == 0 || (check->silent > check->answered && !listed))
		return false;
	forget_relapses(standing, now_ms);
	if (listed)
		standing_be_listed(standing, now_ms);
	else
		standing_be_clean(standing, settings, now_ms);
	standing->checked_ms = now_ms;
	standing->weight = weight;
	standing->withheld = standing_withheld_of(standing, settings, now_ms);
	standing->list_count = check->list_count;
	for (int i = 0; i < check->list_count; i++)
		standing->lists[i] = check->lists[i].row;
	return true;
}

int64_t standing_ends_ms(const struct standing *standing, const struct standing_settings *settings)
{
	if (standing->state == STANDING_WAITING)
		return standing->since_ms + wait_of(standing, settings);
	return standing->state == STANDING_RETURNING ? standing->since_ms + settings->return_ms : 0;
}

/* ---- a pool */

const struct transport *standing_withhold(const struct pool *pool, const struct standing *const *standings,
					  struct transport_state *states)
{
	const struct transport *least = NULL;
	bool all_out = true;
	for (int i = 0; i < pool->transport_count; i++) {
		const struct transport *transport = &pool->transports[i];
		const struct standing *standing = standings[transport->index];
		int withheld = standing == NULL ? 0 : standing->withheld;
		states[transport->index].withheld = (unsigned char)withheld;
		all_out = all_out && withheld == TRANSPORT_OUT;
		if (all_out && (least == NULL || standing->weight < standings[least->index]->weight))
			least = transport;
	}
	if (!all_out || least == NULL)
		return NULL;
	states[least->index].withheld = 0;
	return least;
}

bool standing_all_listed(const struct pool *pool, const struct standing *const *standings)
{
	for (int i = 0; i < pool->transport_count; i++) {
		const struct standing *standing = standings[pool->transports[i].index];
		if (standing == NULL || standing->state != STANDING_LISTED)
			return false;
	}
	return pool->transport_count > 0;
}
