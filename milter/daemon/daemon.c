/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/daemon.h"

#include "milter/base/clock.h"
#include "milter/lookup/check.h"
#include "milter/dns/engine.h"
#include "milter/blocklist/origins.h"
#include "milter/blocklist/rbl.h"
#include "milter/daemon/logins.h"
#include "milter/base/loop.h"
#include "milter/daemon/traps.h"
#include "milter/daemon/trouble.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { LIST_RETRY_MOST_MS = 300000 };

struct daemon the_daemon;

static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER;
static struct setup *setup_in_force; /* one reference */

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
	origins_free(&setup->origins);
	logins_free(&setup->logins);
	traps_free(&setup->traps);
	config_drop(&setup->config);
	free(setup);
}

static void end_on_loop(struct loop_job *job)
{
	setup_free((struct setup *)job);
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
	dropped->end.run = end_on_loop;
	loop_post(the_daemon.loop, &dropped->end);
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

static bool daemon_open_lists(struct setup *setup, char *error, size_t error_size)
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

static bool daemon_open_origins(struct setup *setup, char *error, size_t error_size)
{
	const struct settings *set = &setup->config->set;
	struct origins_settings origins = {
		.engine = setup->engine,
		.zone4 = set->origin_zone4,
		.zone6 = set->origin_zone6,
		.budget = set->origin_budget,
		.breaker = { set->dns_breaker_failures, set->dns_retry_ms, LIST_RETRY_MOST_MS },
	};
	if (!set->origin_clients)
		return true;
	setup->origins = origins_new(&origins);
	if (setup->origins == NULL)
		snprintf(error, error_size, "origin zones cannot be set up: no memory");
	return setup->origins != NULL;
}

static bool daemon_open_dns(struct setup *setup, char *error, size_t error_size)
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
	return daemon_open_origins(setup, error, error_size) && daemon_open_lists(setup, error, error_size);
}

/* ---- files */

static bool read_logins(struct setup *setup, const char *file, char *error, size_t error_size)
{
	logins_free(&setup->logins);
	setup->logins = logins_read(file, error, error_size);
	return setup->logins != NULL;
}

static bool read_traps(struct setup *setup, const char *file, char *error, size_t error_size)
{
	traps_free(&setup->traps);
	setup->traps = traps_read(file, error, error_size);
	return setup->traps != NULL;
}

static const struct {
	bool (*read)(struct setup *setup, const char *file, char *error, size_t error_size);
	size_t path; /* in struct settings */
	enum trouble trouble;
	const char *meanwhile;
} setup_files[SETUP_FILES] = {
	[SETUP_LOGINS] = { read_logins, offsetof(struct settings, accounts_passwd), TROUBLE_LOGINS,
			   "source uid knows no login" },
	[SETUP_TRAPS] = { read_traps, offsetof(struct settings, traps_file), TROUBLE_TRAPS, "no address is a trap" },
};

static const char *path_of(const struct setup *setup, enum setup_file file)
{
	const char *path;
	memcpy(&path, (const char *)&setup->config->set + setup_files[file].path, sizeof path);
	return path;
}

/* What was read well once is not given up; what could not be read before stops no reload either. */
static bool may_lack(const struct setup *setup, const struct setup *before, enum setup_file file)
{
	return before == NULL ||
	       (before->unread[file][0] != '\0' && strcmp(path_of(setup, file), path_of(before, file)) == 0);
}

static bool open_file(struct setup *setup, enum setup_file file, char *why, size_t why_size)
{
	return setup_files[file].read(setup, path_of(setup, file), why, why_size);
}

/* False: one cannot be read that may not be lacking, or the configuration is that of before and nothing is better. */
static bool daemon_open_files(struct setup *setup, const struct setup *before, char *error, size_t error_size)
{
	bool better = before == NULL || setup->config != before->config;
	for (int i = 0; i < SETUP_FILES; i++) {
		enum setup_file file = (enum setup_file)i;
		char *why = setup->unread[file];
		if (open_file(setup, file, why, sizeof setup->unread[file])) {
			why[0] = '\0';
			better |= before != NULL && before->unread[file][0] != '\0';
		} else if (!may_lack(setup, before, file) || !setup_files[file].read(setup, "", error, error_size)) {
			snprintf(error, error_size, "%s: %s", trouble_word(setup_files[file].trouble), why);
			return false;
		}
	}
	return better;
}

static void daemon_tell_files(const struct setup *setup)
{
	for (int i = 0; i < SETUP_FILES; i++)
		if (setup->unread[i][0] == '\0')
			trouble_clear(setup_files[i].trouble);
		else
			trouble_set(setup_files[i].trouble,
				    "%s: %s; %s until it can be read, which is tried again and again",
				    trouble_word(setup_files[i].trouble), setup->unread[i], setup_files[i].meanwhile);
}

/* ---- what comes into force */

/* `before` is in force, NULL at the start. With its own configuration: a setup that is better than it, or NULL. */
static struct setup *daemon_make_setup(struct config *config, const struct setup *before, char *error,
				       size_t error_size)
{
	struct setup *setup = calloc(1, sizeof *setup);
	if (setup == NULL) {
		snprintf(error, error_size, "no memory for a configuration");
		config_drop(&config);
		return NULL;
	}
	setup->config = config;
	setup->references = 1;
	if (daemon_open_files(setup, before, error, error_size) && daemon_open_dns(setup, error, error_size))
		return setup;
	if (setup->lists == NULL)
		setup_free(setup);
	else
		setup_drop(&setup); /* the tests of its lists are posted to the loop: after them */
	return NULL;
}

void setup_enter(struct setup **setup)
{
	daemon_tell_files(*setup);
	pthread_mutex_lock(&setup_lock);
	struct setup *old = setup_in_force;
	setup_in_force = *setup;
	pthread_mutex_unlock(&setup_lock);
	*setup = NULL;
	setup_drop(&old);
}

bool setup_start(struct config *config, char *error, size_t error_size)
{
	struct setup *setup = daemon_make_setup(config, NULL, error, error_size);
	if (setup == NULL)
		return false;
	setup_enter(&setup);
	return true;
}

struct setup *setup_prepare(struct config *config, char *error, size_t error_size)
{
	struct setup *before = setup_hold();
	struct setup *setup = daemon_make_setup(config, before, error, error_size);
	setup_drop(&before);
	return setup;
}

bool setup_mend(void)
{
	char why[500];
	struct setup *before = setup_hold(), *setup = NULL;
	bool whole = true;
	for (int i = 0; i < SETUP_FILES; i++)
		whole &= before->unread[i][0] == '\0';
	if (!whole)
		setup = daemon_make_setup(config_hold(before->config), before, why, sizeof why);
	bool better = setup != NULL;
	if (better)
		setup_enter(&setup);
	setup_drop(&before);
	return better;
}

void setup_clear(void)
{
	pthread_mutex_lock(&setup_lock);
	struct setup *setup = setup_in_force;
	setup_in_force = NULL;
	bool last = setup != NULL && --setup->references == 0;
	pthread_mutex_unlock(&setup_lock);
	if (last) /* else a session that libmilter left open holds it: it ends with the process */
		setup_free(setup);
}
