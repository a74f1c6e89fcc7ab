/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon.h"

#include "milter/clock.h"
#include "milter/dns/check.h"
#include "milter/dns/engine.h"
#include "milter/dns/rbl.h"
#include "milter/loop.h"
#include "milter/traps.h"
#include "milter/trouble.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "policy/plan.h"
#include "redis-schema/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum { LIST_RETRY_MOST_MS = 300000 };

struct daemon the_daemon;

static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER;
static struct setup *setup_in_force;	/* one reference */

struct setup *setup_hold(void)
{
	pthread_mutex_lock(&setup_lock);
	struct setup *setup = setup_in_force;
	MUST(setup != NULL);
	setup->references++;
	pthread_mutex_unlock(&setup_lock);
	return setup;
}

static void setup_free(struct setup *setup)
{
	rbl_free(&setup->rbl);
	lists_free(&setup->lists);
	engine_free(&setup->engine);
	traps_free(&setup->traps);
	config_drop(&setup->config);
	free(setup);
}

struct setup_end {
	struct loop_job job;	/* first */
	struct setup *setup;
};

static void end_on_loop(struct loop_job *job)
{
	struct setup_end *end = (struct setup_end *)job;
	setup_free(end->setup);
	free(end);
}

void setup_drop(struct setup **setup)
{
	struct setup *dropped = *setup;
	*setup = NULL;
	if (dropped == NULL)
		return;
	pthread_mutex_lock(&setup_lock);
	int left = --dropped->references;
	pthread_mutex_unlock(&setup_lock);
	if (left > 0)
		return;
	/* the resolver's sockets belong to the loop thread */
	struct setup_end *end = calloc(1, sizeof *end);
	MUST(end != NULL);
	end->job.run = end_on_loop;
	end->setup = dropped;
	loop_post(the_daemon.loop, &end->job);
}

struct check *setup_check(const struct setup *setup, const struct check_target *target, bool public_only,
			  void (*listener)(void *arg, const struct check_event *event), void *arg)
{
	const struct settings *set = &setup->config->set;
	struct check_settings settings = {
		.engine = setup->engine,
		.lists = setup->lists,
		.origin4 = set->origin_zone4,
		.origin6 = set->origin_zone6,
		.as_names = set->origin_names,
		.public_only = public_only,
	};
	return check_start(the_daemon.loop, &settings, target, listener, arg);
}

static bool open_lists(struct setup *setup, char *error, size_t error_size)
{
	const struct config *config = setup->config;
	struct lists_settings lists = {
		.engine = setup->engine,
		.lists = config->lists,
		.list_count = config->list_count,
		.breaker = { config->set.dns_breaker_failures, config->set.dns_retry_ms, LIST_RETRY_MOST_MS },
	};
	setup->lists = lists_new(the_daemon.loop, &lists);
	struct rbl_settings rbl = {
		.engine = setup->engine,
		.lists = setup->lists,
		.list_count = config->mail_list_count,
	};
	setup->rbl = setup->lists == NULL ? NULL : rbl_new(the_daemon.loop, &rbl);
	if (setup->rbl == NULL)
		snprintf(error, error_size, "block lists cannot be set up: no memory");
	return setup->rbl != NULL;
}

static bool open_dns(struct setup *setup, char *error, size_t error_size)
{
	const struct config *config = setup->config;
	struct resolver_settings dns = {
		.servers = config->dns_servers,
		.server_count = config->dns_server_count,
		.timeout_ms = config->set.dns_timeout_ms,
		.inflight = config->set.dns_inflight,
	};
	setup->engine = engine_new(the_daemon.loop, &dns, config->set.dns_cache_bytes, error, error_size);
	if (setup->engine == NULL)
		return false;
	return open_lists(setup, error, error_size);
}

static bool open_traps(struct setup *setup, char *error, size_t error_size)
{
	char why[300];
	setup->traps = traps_read(setup->config->set.traps_file, why, sizeof why);
	if (setup->traps != NULL) {
		trouble_clear(TROUBLE_TRAPS);
		return true;
	}
	pthread_mutex_lock(&setup_lock);
	bool first = setup_in_force == NULL;
	pthread_mutex_unlock(&setup_lock);
	if (!first) {
		snprintf(error, error_size, "traps.file: %s", why);
		return false;
	}
	trouble_set(TROUBLE_TRAPS, "traps.file: %s; no address is a trap until it can be read, which is tried again and again", why);
	setup->traps = traps_read("", error, error_size);
	return setup->traps != NULL;
}

bool setup_replace(struct config *config, char *error, size_t error_size)
{
	struct setup *setup = calloc(1, sizeof *setup);
	if (setup == NULL) {
		snprintf(error, error_size, "no memory for a configuration");
		config_drop(&config);
		return false;
	}
	setup->config = config;
	setup->references = 1;
	if (!open_traps(setup, error, error_size) || !open_dns(setup, error, error_size)) {
		if (setup->lists == NULL)
			setup_free(setup);
		else
			setup_drop(&setup);	/* the tests of its lists are posted to the loop: after them */
		return false;
	}
	pthread_mutex_lock(&setup_lock);
	struct setup *old = setup_in_force;
	setup_in_force = setup;
	pthread_mutex_unlock(&setup_lock);
	setup_drop(&old);
	return true;
}

void setup_clear(void)
{
	pthread_mutex_lock(&setup_lock);
	struct setup *setup = setup_in_force;
	setup_in_force = NULL;
	bool last = setup != NULL && --setup->references == 0;
	pthread_mutex_unlock(&setup_lock);
	if (last)	/* else a session that libmilter left open holds it: it ends with the process */
		setup_free(setup);
}

static void fill_from_plan(const void *arg, const char *name, struct limits *limits)
{
	const struct config *config = arg;
	struct limits redis;
	const struct limits *plan = &redis;
	if (!store_plan(the_daemon.store, name, &redis))
		plan = config_plan(config, name);
	if (plan != NULL)
		limits_fill(limits, plan);
}

void limits_of_plan(const struct config *config, const char *name, struct limits *limits_out)
{
	*limits_out = limits_unset;
	if (*name == '\0')
		return;
	fill_from_plan(config, name, limits_out);
	text_copy(limits_out->plan, sizeof limits_out->plan, name);
}

const char *group_plan(const struct config *config, enum scope scope)
{
	const struct settings *set = &config->set;
	const char *const plans[SCOPE_COUNT] = {
		[SCOPE_ACCOUNT] = "", [SCOPE_DOMAIN] = set->limits_domain_plan, [SCOPE_CUSTOMER] = set->limits_customer_plan,
		[SCOPE_SERVER] = set->limits_server_plan, [SCOPE_CLIENT] = set->limits_client_plan,
		[SCOPE_BOUNCE] = lane_word(LANE_BOUNCE), [SCOPE_FORWARD] = lane_word(LANE_FORWARD),
	};
	return plans[scope];
}

void limits_of_group(const struct config *config, enum scope scope, const struct limits *own, int64_t now_ms,
		     struct limits *limits_out)
{
	struct limits plan;
	const char *name = own->plan;
	bool known = *name != '\0' && (store_plan(the_daemon.store, name, &plan) || config_plan(config, name) != NULL);
	if (!known)
		name = group_plan(config, scope);
	limits_of_plan(config, name, &plan);
	*limits_out = *own;
	limits_expire(limits_out, now_ms / 1000);
	limits_fill(limits_out, &plan);
	text_copy(limits_out->plan, sizeof limits_out->plan, name);
}

void limits_of(const struct config *config, const char *account, const struct account_state *state, int64_t now_ms,
	       struct limits *limits_out)
{
	plan_limits(account, state, now_ms, fill_from_plan, config, limits_out);
}
