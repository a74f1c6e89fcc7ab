/* SPDX-License-Identifier: BSD-2-Clause */
#include <config.h>

#include "milter/server.h"

#include "milter/mta/callbacks.h"
#include "milter/base/clock.h"
#include "milter/clients/abuse.h"
#include "milter/clients/clients.h"
#include "milter/clients/zone.h"
#include "milter/daemon/daemon.h"
#include "milter/base/descriptors.h"
#include "milter/record/explain.h"
#include "milter/start/extras.h"
#include "milter/record/held.h"
#include "milter/tell/event.h"
#include "milter/mta/listener.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "milter/base/node.h"
#include "milter/report/losses.h"
#include "milter/daemon/mailers.h"
#include "milter/pools/monitor.h"
#include "milter/base/notify.h"
#include "milter/daemon/outbox.h"
#include "milter/start/permission.h"
#include "milter/base/privilege.h"
#include "milter/daemon/reloads.h"
#include "milter/pools/sender.h"
#include "milter/message/session.h"
#include "milter/record/shadow.h"
#include "milter/base/sockets.h"
#include "milter/daemon/stats.h"
#include "milter/record/trap_hits.h"
#include "milter/daemon/trouble.h"
#include "milter/pools/rests.h"
#include "milter/pools/warmup.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	FIRST_ANSWER_MS = 1000,
	STOP_MOST_MS = 10000,
	THREAD_STACK = THREAD_STACK_KB * 1024,
	IDLE_MS = 3000,		      /* a session without a step for so long is not waited for at the end */
	FILES_BESIDE_SESSIONS = 1024, /* socketmap, HTTP, control, DNS, Redis, scanners */
};

struct server {
	const char *file;
	struct config *first; /* held for ever: the store's settings point into it */
	char node[NODE_MAX + 1];
	struct event *watchdog, *upkeep;
	pthread_t milter_thread, main_thread;
	bool milter_runs;
	atomic_bool stopping, milter_ended;
	atomic_bool milter_failed;
};

/* ---- opening */

static void say_store(void *arg, const char *line)
{
	(void)arg;
	log_line(SEVERITY_WARNING, "%s", line);
}

/* Of the configuration in force. */
static bool server_has_plan(const char *name)
{
	struct setup *setup = setup_hold();
	bool has = config_plan(setup->config, name) != NULL;
	setup_drop(&setup);
	return has;
}

static bool server_open_store(struct server *server, char *error, size_t error_size)
{
	const struct settings *set = &server->first->set;
	struct store_settings settings = {
		.server = set->redis_server,
		.username = set->redis_username,
		.password = set->redis_password,
		.database = set->redis_database,
		.prefix = set->redis_prefix,
		.node = server->node,
		.timeout_ms = set->redis_timeout_ms,
		.breaker_failures = set->redis_breaker_failures,
		.retry_ms = set->redis_retry_ms,
		.recent_accounts = set->redis_recent_accounts,
		.state_ttl_s = set->redis_state_days * 86400,
		.steady_ms = clock_monotonic_ms,
		.has_plan = server_has_plan,
	};
	the_daemon.store = store_new(loop_base(the_daemon.loop), &settings, say_store, NULL, error, error_size);
	return the_daemon.store != NULL;
}

/* The default catalogue may be missing; that nothing is looked up then is to be seen. */
static void server_warn_no_lists(const struct config *config)
{
	if (config->list_count == 0 && config->set.catalogue_file[0] != '\0')
		log_line(SEVERITY_WARNING,
			 "no block list is known: blocklists is empty, and the catalogue \"%s\" is missing or skipped; "
			 "nothing is looked up",
			 config->set.catalogue_file);
}

static void warn_line(const char *line)
{
	log_line(SEVERITY_WARNING, "%s", line);
}

/* What works and should not stay so. */
static void warn_of(const struct config *config, const char *file)
{
	server_warn_no_lists(config);
	permission_check(config, file, warn_line);
}

/* Fewer sessions are better than none; the MTA sends again what is too much. */
static void server_fit_sessions(struct config *config)
{
	int64_t wanted = config->set.milter_max_sessions;
	uint64_t files = privilege_files((uint64_t)wanted + FILES_BESIDE_SESSIONS);
	if (files >= (uint64_t)wanted + FILES_BESIDE_SESSIONS) {
		trouble_clear(TROUBLE_SESSIONS);
		return;
	}
	int64_t sessions = (int64_t)(files > 2 * FILES_BESIDE_SESSIONS ? files - FILES_BESIDE_SESSIONS : files / 2);
	config->set.milter_max_sessions = sessions;
	trouble_set(TROUBLE_SESSIONS,
		    "milter.max_sessions is %lld, but open files are limited to %llu, expected %llu: %lld sessions are "
		    "taken; raise the limit (LimitNOFILE= in the unit, or ulimit -n) or lower milter.max_sessions",
		    (long long)wanted, (unsigned long long)files, (unsigned long long)wanted + FILES_BESIDE_SESSIONS,
		    (long long)sessions);
}

static bool server_open_all(struct server *server, char *error, size_t error_size)
{
	const struct settings *set = &server->first->set;
	if (!server_open_store(server, error, error_size) ||
	    !setup_start(config_hold(server->first), error, error_size) || !listener_open(set, error, error_size))
		return false;
	extras_start(server->first);
	if (!event_start(the_daemon.loop)) {
		snprintf(error, error_size, "events cannot be set up: no memory");
		return false;
	}
	if (!privilege_drop(set->user, extras_control() ? set->control_socket : "", error, error_size))
		return false;
	extras_open_facts(server->first);
	return true;
}

struct server *server_open(struct config *config, const char *file, char *error, size_t error_size)
{
	struct server *server = calloc(1, sizeof *server);
	snprintf(error, error_size, "no memory");
	if (server == NULL)
		return NULL;
	server->file = file;
	server->first = config;
	server->main_thread = pthread_self();
	node_name(server->first->set.node, server->node);
	text_copy(the_daemon.node, sizeof the_daemon.node, server->node);
	server_fit_sessions(config);
	warn_of(config, file);
	if (privilege_other(config->set.user))
		log_line(SEVERITY_WARNING,
			 "user is \"%s\", but the daemon was started by another account, not root: it stays that",
			 config->set.user);
	stats_start();
	descriptors_start();
	the_daemon.loop = loop_new();
	if (the_daemon.loop == NULL || !outbox_start(loop_base(the_daemon.loop)) ||
	    !held_start(loop_base(the_daemon.loop)) || !trap_hits_start(the_daemon.loop) ||
	    !server_open_all(server, error, error_size) ||
	    !clients_start(loop_base(the_daemon.loop), config, error, error_size) || !monitor_start(the_daemon.loop) ||
	    !warmup_start(loop_base(the_daemon.loop), config) || !rests_start(loop_base(the_daemon.loop)) ||
	    !shadow_start(loop_base(the_daemon.loop)) || !zone_start(the_daemon.loop, error, error_size) ||
	    !abuse_start(the_daemon.loop))
		server_stop(&server);
	return server;
}

/* ---- running */

static void *server_milter_thread(void *arg)
{
	struct server *server = arg;
	int result = smfi_main();
	atomic_store(&server->milter_ended, true);
	if (!atomic_load(&server->stopping)) {
		log_line(SEVERITY_ERROR, "libmilter ended by itself (%d); the daemon ends too", result);
		atomic_store(&server->milter_failed, true);
		pthread_kill(server->main_thread, SIGTERM);
	}
	return NULL;
}

static void server_on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_send("WATCHDOG=1");
}

/* The loop thread is the one without which nothing works: the sign of life comes from it. */
static void server_start_watchdog(struct server *server)
{
	int64_t every_ms = notify_watchdog_ms();
	struct timeval every = { .tv_sec = every_ms / 1000, .tv_usec = every_ms % 1000 * 1000 };
	if (every_ms == 0)
		return;
	server->watchdog = event_new(loop_base(the_daemon.loop), -1, EV_PERSIST, server_on_watchdog, NULL);
	if (server->watchdog != NULL)
		event_add(server->watchdog, &every);
}

static void server_on_upkeep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	sockets_look();
	losses_look();
	sockets_hold(SOCKET_MILTER, descriptors_look());
}

static bool start_upkeep(struct server *server)
{
	struct timeval each_second = { .tv_sec = 1 };
	server->upkeep = event_new(loop_base(the_daemon.loop), -1, EV_PERSIST, server_on_upkeep, NULL);
	return server->upkeep != NULL && event_add(server->upkeep, &each_second) == 0;
}

/* The first messages should meet a store that answers; but mail does not wait for Redis. */
static void wait_for_store(void)
{
	int64_t until = clock_monotonic_ms() + FIRST_ANSWER_MS;
	while (!store_stats(the_daemon.store).up && clock_monotonic_ms() < until)
		usleep(5000);
}

bool server_start(struct server *server, char *error, size_t error_size)
{
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, THREAD_STACK);
	pthread_setattr_default_np(&small);
	pthread_attr_destroy(&small);
	server_start_watchdog(server);
	if (!start_upkeep(server) || !loop_start(the_daemon.loop)) {
		snprintf(error, error_size, "the loop thread cannot be made");
		return false;
	}
	wait_for_store();
	server->milter_runs = pthread_create(&server->milter_thread, NULL, server_milter_thread, server) == 0;
	if (!server->milter_runs)
		snprintf(error, error_size, "the milter thread cannot be made");
	return server->milter_runs;
}

/* ---- reload */

/* Options that are bound to sockets, connections or privileges that stand: those of Redis but its failure mode, and: */
static const char *const fixed_options[] = {
	"user",
	"node",
	"milter.socket",
	"milter.socket_group",
	"milter.socket_mode",
	"milter.timeout_s",
	"milter.drain_s",
	"http.listen",
	"control.socket",
	"socketmap.listen",
	"log.target",
	"log.facility",
	"clients.most",
	"clients.state",
	"clients.history_days",
};

static bool server_is_fixed(const char *path)
{
	for (size_t i = 0; i < sizeof fixed_options / sizeof fixed_options[0]; i++)
		if (strcmp(path, fixed_options[i]) == 0)
			return true;
	return strncmp(path, "redis.", 6) == 0 && strcmp(path, "redis.on_failure") != 0;
}

#define SAME_STRING(a, b) (strcmp(a, b) == 0)
#define SAME_INT(a, b) ((a) == (b))
#define SAME_WORD(a, b) ((a) == (b))
#define SAME_FLOAT(a, b) (!((a) < (b)) && !((a) > (b)))
#define SAME_BOOL(a, b) ((a) == (b))

static void server_warn_fixed(const struct settings *old, const struct settings *new)
{
#define WARN_FIXED(path, member, type, text, least, most, help) \
	if (server_is_fixed(path) && !SAME_##type(old->member, new->member)) \
		log_line(SEVERITY_WARNING, "reload: %s keeps its old value until a restart", path);
	SETTING_ROWS(WARN_FIXED, WARN_FIXED)
#undef WARN_FIXED
}

/* What can fail comes first; from setup_enter on nothing does. Takes the configuration. */
static bool server_put_in_force(struct server *server, struct config *config, char *error, size_t error_size)
{
	struct setup *setup = setup_prepare(config, error, error_size);
	if (setup == NULL)
		return false;
	server_warn_fixed(&server->first->set, &config->set);
	server_fit_sessions(config);
	warn_of(config, server->file);
	config_hold(config);
	setup_enter(&setup);
	extras_open_facts(config);
	warmup_reload(config);
	clients_reload(config);
	config_drop(&config);
	monitor_reload();
	mailers_forget();
	event_hurry();
	return true;
}

void server_reload(struct server *server)
{
	char error[CONFIG_ERROR_MAX];
	notify_send("RELOADING=1");
	struct config *config = config_load(server->file, error);
	if (config != NULL && server_put_in_force(server, config, error, sizeof error)) {
		reloads_note(NULL);
		log_line(SEVERITY_INFO, "reload: %s is in force", server->file);
	} else {
		reloads_note(error);
		log_line(SEVERITY_ERROR, "reload: %s; the previous configuration stays in force", error);
	}
	notify_send("READY=1");
}

void server_try_again(void)
{
	if (setup_mend())
		monitor_reload(); /* else it would keep the setup of before */
	extras_try_again();
}

bool server_failed(const struct server *server)
{
	return atomic_load(&server->milter_failed);
}

/* ---- the end */

/* Where nobody new comes, the sessions that are open go on, messages that they begin now included: a session that the
 * daemon leaves is a message deferred. One that rests is an idle mail program's. */
static void server_drain(struct server *server)
{
	int64_t until = clock_monotonic_ms() + server->first->set.milter_drain_s * 1000;
	bool rests = listener_rest();
	while (rests && clock_monotonic_ms() < until &&
	       (session_messages() > 0 || (stats_sessions() > 0 && clock_monotonic_ms() - session_last_ms() < IDLE_MS)))
		usleep(10000);
	session_refuse_new();
	while (session_messages() > 0 && clock_monotonic_ms() < until)
		usleep(10000);
	if (session_messages() > 0)
		log_line(SEVERITY_WARNING,
			 "%d messages were in progress when milter.drain_s had passed; the MTA sends them again",
			 session_messages());
}

static void *stop_thread(void *arg)
{
	(void)arg;
	smfi_stop();
	return NULL;
}

/* False: it did not end. The pool of libmilter 8.17 can destroy a lock on which its own threads wait. */
static bool server_stop_milter(struct server *server)
{
	pthread_t stopper;
	int64_t until = clock_monotonic_ms() + STOP_MOST_MS;
	bool made = pthread_create(&stopper, NULL, stop_thread, NULL) == 0;
	while (made && !atomic_load(&server->milter_ended) && clock_monotonic_ms() < until) {
		listener_wake();
		usleep(20000);
	}
	if (!made || !atomic_load(&server->milter_ended))
		return false;
	pthread_join(stopper, NULL);
	pthread_join(server->milter_thread, NULL);
	return true;
}

struct end_job {
	struct loop_job job; /* first */
	bool answered;	     /* by Redis, in time */
	atomic_bool ended;
};

static void server_on_told(void *arg, const char *error, int count, const char *const *items)
{
	struct end_job *end = arg;
	end->answered = error == NULL;
	(void)count;
	(void)items;
	atomic_store(&end->ended, true);
}

static void on_end(struct loop_job *job)
{
	trap_hits_end();
	store_key_command(the_daemon.store, 2, (const char *[]){ "GET", "secret" }, server_on_told, job);
}

/* They are charges like others: Redis gets them before its connection ends, or the log says that they are lost. Redis
 * answers in order: what is asked behind them has its answer after theirs. */
static void server_end_trap_hits(void)
{
	int64_t until = clock_monotonic_ms() + STOP_MOST_MS;
	bool all = trap_hits_waiting() == 0;
	while (!all && clock_monotonic_ms() < until) {
		struct end_job end = { .job.run = on_end };
		loop_post(the_daemon.loop, &end.job);
		while (!atomic_load(&end.ended))
			usleep(1000);
		all = end.answered && store_stats(the_daemon.store).pending == 0;
		if (!store_stats(the_daemon.store).up)
			break;
	}
}

static bool server_stop_threads(struct server *server)
{
	bool whole = true;
	atomic_store(&server->stopping, true);
	sockets_end();
	if (server->milter_runs) {
		server_drain(server);
		whole = server_stop_milter(server);
	}
	server_end_trap_hits();
	zone_stop();
	abuse_stop();
	event_stop();
	if (the_daemon.store != NULL && store_stats(the_daemon.store).pending > 0)
		log_line(SEVERITY_WARNING, "%llu %s that Redis has not taken %s lost",
			 (unsigned long long)store_stats(the_daemon.store).pending,
			 text_noun((int64_t)store_stats(the_daemon.store).pending, "charge", "charges"),
			 text_noun((int64_t)store_stats(the_daemon.store).pending, "is", "are"));
	loop_stop(the_daemon.loop);
	return whole;
}

bool server_stop(struct server **server)
{
	struct server *stopped = *server;
	*server = NULL;
	if (the_daemon.loop != NULL && !server_stop_threads(stopped))
		return false;
	if (stopped->watchdog != NULL)
		event_free(stopped->watchdog);
	if (stopped->upkeep != NULL)
		event_free(stopped->upkeep);
	sockets_remove(SOCKET_MILTER);
	sockets_close();
	descriptors_stop();
	extras_stop();
	monitor_stop();
	warmup_stop();
	rests_stop();
	abuse_clear();
	clients_stop();
	held_stop();
	shadow_stop();
	trap_hits_stop();
	setup_clear();
	scan_end_all();
	store_free(&the_daemon.store);
	outbox_stop();
	zone_clear();
	explain_clear();
	event_clear();
	loop_free(&the_daemon.loop);
	sender_clear();
	config_drop(&stopped->first);
	free(stopped);
	return true;
}
