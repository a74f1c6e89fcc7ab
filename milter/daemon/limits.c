/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/limits.h"

#include "milter/daemon/daemon.h"
#include "policy/base/text.h"
#include "policy/plan.h"
#include "redis-schema/store/store.h"

#include "policy/base/banned.h"

bool limits_fill_plan(const void *config, const char *name, struct limits *limits)
{
	struct limits redis;
	const struct limits *plan = store_plan(the_daemon.store, name, &redis) ? &redis : config_plan(config, name);
	if (plan != NULL)
		limits_fill(limits, plan);
	return plan != NULL;
}

void limits_of_plan(const struct config *config, const char *name, struct limits *limits_out)
{
	*limits_out = limits_unset;
	if (*name == '\0')
		return;
	limits_fill_plan(config, name, limits_out);
	text_copy(limits_out->plan, sizeof limits_out->plan, name);
}

const char *group_plan(const struct config *config, enum scope scope)
{
	const struct settings *set = &config->set;
	/* clang-format off */
	const char *const plans[SCOPE_COUNT] = {
		[SCOPE_ACCOUNT] = "", [SCOPE_DOMAIN] = set->limits_domain_plan, [SCOPE_CUSTOMER] = set->limits_customer_plan,
		[SCOPE_SERVER] = set->limits_server_plan, [SCOPE_CLIENT] = set->limits_client_plan,
		[SCOPE_BOUNCE] = mail_class_word(MAIL_CLASS_BOUNCE), [SCOPE_FORWARD] = mail_class_word(MAIL_CLASS_FORWARD),
	};
	/* clang-format on */
	return plans[scope];
}

void limits_of_group(const struct config *config, enum scope scope, const struct limits *own, int64_t now_ms,
		     struct limits *limits_out)
{
	struct limits given, plan;
	limits_of_plan(config, group_plan(config, scope), &given);
	plan_of_group(own->plan, &given, limits_fill_plan, config, &plan);
	plan_group_limits(own, &plan, now_ms, limits_out);
}

void limits_of(const struct config *config, const char *account, const struct account_state *state, int64_t now_ms,
	       struct limits *limits_out)
{
	plan_limits(account, state, now_ms, limits_fill_plan, config, limits_out);
}
