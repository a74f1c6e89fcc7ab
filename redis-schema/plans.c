/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/plans.h"

#include "policy/base/text.h"
#include "policy/hash.h"
#include "redis-schema/reply.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { PLANS_IN_REDIS_MAX = 256 };

struct plans {
	uint64_t seen;	/* hash of the last answer */
	int count;
	struct {
		char name[PLAN_NAME_MAX + 1];
		struct limits limits;
	} rows[PLANS_IN_REDIS_MAX];
};

struct plans *plans_new(void)
{
	return calloc(1, sizeof(struct plans));
}

void plans_free(struct plans **plans)
{
	free(*plans);
	*plans = NULL;
}

void plans_set(struct plans *plans, int count, const char *const *items, store_say *say, void *say_arg)
{
	uint64_t seen = (uint64_t)count;
	for (int i = 0; i < count; i++)
		seen = hash_string(items[i] != NULL ? items[i] : "", seen);
	if (seen == plans->seen)
		return;
	plans->seen = seen;
	plans->count = 0;
	for (int i = 0; i + 1 < count; i += 2) {
		if (items[i] == NULL || items[i + 1] == NULL || strlen(items[i]) > PLAN_NAME_MAX)
			continue;
		if (plans->count == PLANS_IN_REDIS_MAX) {
			say(say_arg, "redis: more than 256 plans: the rest is left out");
			return;
		}
		text_copy(plans->rows[plans->count].name, PLAN_NAME_MAX + 1, items[i]);
		reply_read_plan(items[i], items[i + 1], say, say_arg, &plans->rows[plans->count].limits);
		plans->count++;
	}
}

const struct limits *plans_find(const struct plans *plans, const char *name)
{
	for (int i = 0; i < plans->count; i++)
		if (strcmp(plans->rows[i].name, name) == 0)
			return &plans->rows[i].limits;
	return NULL;
}
