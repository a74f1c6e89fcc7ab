/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How each list does, and what the log says when that changes.
 */
#include "milter/blocklist/fitness_inside.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static const char *const words[] = {
#define FITNESS_WORD(id, word) [FITNESS_##id] = word,
	FITNESS_ROWS(FITNESS_WORD)
#undef FITNESS_WORD
};

const char *fitness_word(enum fitness_state state)
{
	return words[state];
}

void fitness_drop(struct fitness *fitness)
{
	if (--fitness->references > 0)
		return;
	for (int i = 0; i < fitness->settings.list_count; i++)
		budget_close(&fitness->shapes[i].budget);
	free(fitness);
}

const struct list *fitness_list(const struct fitness *fitness, int list)
{
	return &fitness->settings.lists[list];
}

/* A list that only checks ask concerns whoever asks, and is told of there. */
static enum severity severity_of(const struct list *list, enum severity severity)
{
	return list->mail ? severity : SEVERITY_INFO;
}

/* ---- budgets */

bool fitness_has_room(const struct fitness *fitness, int list, enum lists_use use, int questions)
{
	int64_t budget = fitness_list(fitness, list)->budget,
		most = use == LISTS_FOR_CHECK ? budget - budget / 4 : budget;
	return budget == 0 || fitness_spent(fitness, list) + questions <= most;
}

int64_t fitness_spent(const struct fitness *fitness, int list)
{
	return budget_spent(fitness->shapes[list].budget, clock_now_ms());
}

void fitness_say_spent(struct fitness *fitness, int list, enum lists_use use, char why[LIST_REPLY_WHY_MAX])
{
	const struct list *spent = fitness_list(fitness, list);
	bool kept = fitness_has_room(fitness, list, LISTS_FOR_MAIL, 1);
	snprintf(why, LIST_REPLY_WHY_MAX, "its budget of %lld questions a day is spent%s", (long long)spent->budget,
		 kept ? " but for what is kept for mail" : "");
	if (budget_say(fitness->shapes[list].budget, use == LISTS_FOR_CHECK, clock_now_ms()))
		log_line(severity_of(spent, SEVERITY_WARNING), "dns: block list %s: %s; %s again tomorrow (UTC)",
			 spent->name, why, kept ? "checks ask it" : "it is asked");
}

/* ---- unfit and fit again */

bool fitness_passes(const struct shape *shape)
{
	return shape->test != FITNESS_UNFIT && !shape->told_unanswered;
}

int fitness_useless(const struct fitness *fitness)
{
	int lists = 0;
	for (int i = 0; i < fitness->settings.list_count; i++) {
		if (!fitness_list(fitness, i)->mail)
			continue;
		if (fitness_passes(&fitness->shapes[i]))
			return 0;
		lists++;
	}
	return lists;
}

/* The loud line, where it is the resolver and not a list. */
void fitness_note_all(struct fitness *fitness)
{
	int useless = fitness_useless(fitness);
	if (useless > 1 && !fitness->told_all)
		log_line(SEVERITY_ERROR,
			 "dns: not one of %d block lists passes its test: look at the DNS servers; "
			 "all listings are unknown",
			 useless);
	fitness->told_all = useless > 1;
}

static void fitness_state_note_change(struct fitness *fitness, int list)
{
	if (!fitness_list(fitness, list)->mail)
		return;
	atomic_fetch_add(&fitness->generation, 1);
	fitness_note_all(fitness);
}

void fitness_set_unfit(struct fitness *fitness, int list, const char *why)
{
	struct shape *shape = &fitness->shapes[list];
	bool said = shape->test == FITNESS_UNFIT && strcmp(shape->why, why) == 0;
	bool change = shape->test != FITNESS_UNFIT;
	text_copy(shape->why, sizeof shape->why, why);
	shape->test = FITNESS_UNFIT;
	if (!said)
		log_line(severity_of(fitness_list(fitness, list), SEVERITY_ERROR),
			 "dns: block list %s %s; it is not used until it passes its test",
			 fitness_list(fitness, list)->name, why);
	if (change)
		fitness_state_note_change(fitness, list);
}

void fitness_set_fit(struct fitness *fitness, int list, enum fitness_state state)
{
	struct shape *shape = &fitness->shapes[list];
	bool change = shape->test == FITNESS_UNFIT;
	shape->test = state;
	shape->why[0] = '\0';
	if (!change)
		return;
	log_line(SEVERITY_INFO, "dns: block list %s is used again", fitness_list(fitness, list)->name);
	fitness_state_note_change(fitness, list);
}
