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
	uint64_t seen; /* hash of the last answer */
	int count, useless;
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

static void plans_say_long_name(const char *name, store_say *say, void *say_arg)
{
	char line[200], shown[PLAN_NAME_MAX + 1];
	struct text text = text_over(line, sizeof line);
	text_copy(shown, sizeof shown, name);
	text_add(&text, "redis: plan ");
	text_add_word(&text, shown);
	text_addf(&text, "...: a name of at most %d bytes is expected; it is left out", PLAN_NAME_MAX);
	say(say_arg, line);
}

void plans_set(struct plans *plans, int count, const char *const *items, store_say *say, void *say_arg)
{
	uint64_t seen = (uint64_t)count;
	for (int i = 0; i < count; i++)
		seen = hash_string(items[i] != NULL ? items[i] : "", seen);
	if (seen == plans->seen)
		return;
	plans->seen = seen;
	plans->count = plans->useless = 0;
	for (int i = 0; i + 1 < count; i += 2) {
		if (items[i] == NULL || items[i + 1] == NULL)
			continue;
		if (strlen(items[i]) > PLAN_NAME_MAX) {
			plans_say_long_name(items[i], say, say_arg);
			plans->useless++;
			continue;
		}
		if (plans->count == PLANS_IN_REDIS_MAX) {
			say(say_arg, "redis: more than 256 plans: the rest is left out");
			plans->useless++;
			return;
		}
		text_copy(plans->rows[plans->count].name, PLAN_NAME_MAX + 1, items[i]);
		plans->useless += reply_read_plan(items[i], true, items[i + 1], say, say_arg,
						  &plans->rows[plans->count].limits) > 0;
		plans->count++;
	}
}

int plans_useless(const struct plans *plans)
{
	return plans->useless;
}

const struct limits *plans_find(const struct plans *plans, const char *name)
{
	for (int i = 0; i < plans->count; i++)
		if (strcmp(plans->rows[i].name, name) == 0)
			return &plans->rows[i].limits;
	return NULL;
}
