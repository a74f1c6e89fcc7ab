/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/budget.h"

#include "policy/base/text.h"
#include "policy/listing.h"

#include <pthread.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum { DAY_MS = 86400000 };

struct budget {
	struct budget *next;
	int users;
	int64_t day, spent;
	uint32_t said; /* bits */
	char zone[LIST_ZONE_MAX + 1];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows, and of every budget */
static struct budget *budgets;

/* A clock that was set back is another day too. */
static void budget_turn_day(struct budget *budget, int64_t now_ms)
{
	int64_t day = now_ms / DAY_MS;
	if (budget->day == day)
		return;
	budget->day = day;
	budget->spent = 0;
	budget->said = 0;
}

/* Zones of earlier configurations whose count is of no use any more go by the way. */
static struct budget *budget_find(const char *zone, int64_t now_ms)
{
	struct budget **link = &budgets, *budget, *found = NULL;
	while ((budget = *link) != NULL) {
		if (budget->users == 0 && budget->day != now_ms / DAY_MS) {
			*link = budget->next;
			free(budget);
			continue;
		}
		if (text_same_nocase(budget->zone, zone))
			found = budget;
		link = &budget->next;
	}
	return found;
}

static struct budget *budget_new(const char *zone)
{
	struct budget *budget = calloc(1, sizeof *budget);
	if (budget == NULL)
		return NULL;
	text_copy(budget->zone, sizeof budget->zone, zone);
	budget->next = budgets;
	budgets = budget;
	return budget;
}

struct budget *budget_open(const char *zone, int64_t now_ms)
{
	pthread_mutex_lock(&lock);
	struct budget *budget = budget_find(zone, now_ms);
	if (budget == NULL)
		budget = budget_new(zone);
	if (budget != NULL) {
		budget_turn_day(budget, now_ms);
		budget->users++;
	}
	pthread_mutex_unlock(&lock);
	return budget;
}

void budget_close(struct budget **budget)
{
	struct budget *old = *budget;
	*budget = NULL;
	if (old == NULL)
		return;
	pthread_mutex_lock(&lock);
	old->users--;
	pthread_mutex_unlock(&lock);
}

void budget_count(struct budget *budget, int64_t now_ms)
{
	pthread_mutex_lock(&lock);
	budget_turn_day(budget, now_ms);
	budget->spent++;
	pthread_mutex_unlock(&lock);
}

int64_t budget_spent(struct budget *budget, int64_t now_ms)
{
	pthread_mutex_lock(&lock);
	budget_turn_day(budget, now_ms);
	int64_t spent = budget->spent;
	pthread_mutex_unlock(&lock);
	return spent;
}

bool budget_say(struct budget *budget, int what, int64_t now_ms)
{
	uint32_t bit = 1U << what;
	pthread_mutex_lock(&lock);
	budget_turn_day(budget, now_ms);
	bool first = (budget->said & bit) == 0;
	budget->said |= bit;
	pthread_mutex_unlock(&lock);
	return first;
}

int64_t budget_left_ms(int64_t now_ms)
{
	return DAY_MS - now_ms % DAY_MS;
}
