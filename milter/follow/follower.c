/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/follower.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/base/node.h"
#include "milter/base/notify.h"
#include "milter/config/config.h"
#include "milter/follow/credit.h"
#include "milter/follow/follow.h"
#include "milter/follow/notes.h"
#include "milter/follow/queue_hold.h"
#include "milter/follow/quits_act.h"
#include "milter/follow/receivers.h"
#include "milter/follow/replies.h"
#include "milter/follow/source.h"
#include "milter/follow/state.h"
#include "milter/follow/status.h"
#include "milter/follow/trace.h"
#include "policy/base/text.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	FOLLOWER_LINES_AT_ONCE = 500, /* before the loop looks at Redis again */
	FOLLOWER_SAVE_MS = 1000,      /* between two checkpoints at least, and ... */
	FOLLOWER_SAVE_SHARE = 20,     /* ... so many times as long as one takes */
	FOLLOWER_DRAIN_MS = 1000,     /* so long it reads nothing, that a checkpoint can be saved */
	FOLLOWER_END_MS = 3000,	      /* at the end it waits so long for Redis */
	FOLLOWER_PATH_MAX = 1024,
};

struct follower {
	const struct config *config; /* borrowed */
	char node[NODE_MAX + 1];
	const char *config_file;      /* borrowed */
	char file[FOLLOWER_PATH_MAX]; /* of the checkpoint */
	int lock;		      /* owned: of its folder; -1: none */
	struct event_base *base;
	struct event *pump, *tick, *readable, *term, *interrupt, *hangup;
	struct replies *replies;
	struct receivers *receivers;
	struct trace *trace;
	struct queue_hold *hold;
	struct store *store;
	struct credit *credit;
	struct notes *notes;
	struct quits_act *quits_act;
	struct log_source *source;
	struct follow follow;
	struct state state;
	struct status status;
	uint64_t saved_ordinal, written; /* written: of the credits' counts */
	int64_t saved_ms, save_took_ms;
	int64_t drain_ms; /* since when it reads nothing; 0: it reads */
	bool must_save;	  /* before another line is read */
	bool at_end;	  /* of the log, as far as there is one */
	bool ending, save_failing, failed;
	bool again; /* it ends to begin with another configuration */
};

/* ---- saving */

static void follower_save(struct follower *follower)
{
	char error[512];
	int64_t began_ms = clock_monotonic_ms();
	follower->source->place(follower->source, &follower->state.place);
	bool saved = state_save(&follower->state, follower->file, follower->config->set.follow_source,
				&follower->follow, follower->receivers, follower->trace, error, sizeof error);
	follower->saved_ms = clock_monotonic_ms();
	follower->save_took_ms = follower->saved_ms - began_ms;
	if (!saved && !follower->save_failing)
		log_line(SEVERITY_ERROR, "%s; until it can be, %s", error,
			 follower->must_save ? "nothing is read" : "a restart reads from the last checkpoint on");
	else if (saved && follower->save_failing)
		log_line(SEVERITY_INFO, "%s: it is written again", follower->file);
	follower->save_failing = !saved;
	if (saved) {
		follower->saved_ordinal = follower->follow.ordinal;
		follower->must_save = false;
	}
	follower->drain_ms = 0;
}

static bool follower_save_is_due(const struct follower *follower, int64_t now_ms)
{
	int64_t pause_ms = follower->save_took_ms * FOLLOWER_SAVE_SHARE;
	return follower->saved_ordinal != follower->follow.ordinal &&
	       now_ms - follower->saved_ms >= (pause_ms > FOLLOWER_SAVE_MS ? pause_ms : FOLLOWER_SAVE_MS);
}

static bool follower_idle(const struct follower *follower)
{
	return credit_idle(follower->credit) && notes_idle(follower->notes);
}

/* Is a checkpoint waited for? One that fails is tried again, and Redis may be away: reading goes on meanwhile, but
 * where what was read last may be gone. */
static bool follower_drains(struct follower *follower)
{
	int64_t now_ms = clock_monotonic_ms();
	if (follower->drain_ms == 0 && (follower->must_save || follower_save_is_due(follower, now_ms)))
		follower->drain_ms = now_ms;
	if (follower->drain_ms == 0)
		return false;
	if (follower_idle(follower))
		follower_save(follower);
	else if (now_ms - follower->drain_ms >= FOLLOWER_DRAIN_MS && !follower->must_save) {
		follower->saved_ms = now_ms; /* Redis is away */
		follower->drain_ms = 0;
	}
	return follower->drain_ms != 0 || follower->must_save;
}

/* ---- reading */

static void follower_read(struct follower *follower)
{
	for (int i = 0; i < FOLLOWER_LINES_AT_ONCE; i++) {
		struct log_head head = { 0 };
		bool known = false;
		if (credit_full(follower->credit) || follower_drains(follower))
			break;
		switch (follower->source->next(follower->source, &head, &known)) {
		case SOURCE_LINE:
			follower->at_end = false;
			follow_line(&follower->follow, &head, known);
			break;
		case SOURCE_TURNED:
			follower->at_end = false;
			follower->must_save = true;
			break;
		case SOURCE_NOTHING:
			follower->at_end = true;
			return;
		case SOURCE_END:
			follower->at_end = true;
			follower->ending = true;
			follower->must_save = true;
			return;
		}
	}
}

static void follower_pump(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = { 0, 0 };
	struct follower *follower = arg;
	(void)fd;
	(void)what;
	if (!follower->ending)
		follower_read(follower);
	credit_send(follower->credit);
	notes_send(follower->notes, clock_monotonic_ms(), follower->drain_ms != 0 || follower->ending);
	quits_act_run(follower->quits_act, clock_monotonic_ms());
	if (follower_drains(follower) || credit_full(follower->credit))
		return; /* until Redis answers, or a second has passed */
	if (follower->ending)
		event_base_loopbreak(follower->base);
	else if (!follower->at_end)
		event_add(follower->pump, &at_once);
}

static void follower_eased(void *arg)
{
	struct follower *follower = arg;
	event_active(follower->pump, EV_TIMEOUT, 1);
}

static void follower_tell(struct follower *follower)
{
	const struct status_now now = {
		.follow = &follower->follow,
		.source = follower->source,
		.credit = follower->credit,
		.trace = follower->trace,
		.hold = follower->hold,
		.notes = follower->notes,
		.quits_act = follower->quits_act,
		.require_quit = follower->config->set.clients_require_quit,
		.ending = follower->ending && !follower->again,
		.receivers = follower->receivers,
		.now_ms = clock_now_ms(),
		.at_end = follower->at_end,
		.reading = !credit_full(follower->credit),
		.save_failing = follower->save_failing,
		.save_stops = follower->must_save,
	};
	status_write(&follower->status, &now);
	follower->follow.rests_changed = false;
}

static void follower_tick(evutil_socket_t fd, short what, void *arg)
{
	struct follower *follower = arg;
	int64_t now_ms = clock_monotonic_ms();
	credit_tick(follower->credit);
	notes_tick(follower->notes, now_ms);
	quits_act_tick(follower->quits_act, now_ms);
	if (follower->trace != NULL)
		trace_tick(follower->trace, clock_now_ms() / 1000);
	if (receivers_pass(follower->receivers, follower->follow.time_us / 1000))
		follower->follow.rests_changed = true;
	queue_hold_tick(follower->hold, now_ms);
	if (queue_hold_changed(follower->hold))
		follower->must_save = true;
	follower_tell(follower);
	notify_send("WATCHDOG=1");
	follower_pump(fd, what, follower);
}

static void follower_end(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval most = { FOLLOWER_END_MS / 1000, 0 };
	struct follower *follower = arg;
	(void)fd;
	(void)what;
	if (!follower->again)
		notify_send("STOPPING=1");
	follower->ending = true;
	follower->must_save = true;
	follower_tell(follower);
	event_base_loopexit(follower->base, &most);
	event_active(follower->pump, EV_TIMEOUT, 1);
}

/* A configuration that it could not begin with is not taken. What a line means must not change between two
 * checkpoints, so it ends with one, and the program is begun anew. */
static void follower_reload(evutil_socket_t fd, short what, void *arg)
{
	struct follower *follower = arg;
	char error[CONFIG_ERROR_MAX] = "", file[FOLLOWER_PATH_MAX];
	struct config *config = config_load(follower->config_file, error);
	struct replies *replies = NULL;
	if (config != NULL) {
		follower_replies_file(config, follower->config_file, file, sizeof file);
		replies = replies_load(file, error, sizeof error);
	}
	if (replies == NULL)
		log_line(SEVERITY_ERROR, "reload: %s; the old configuration stays in force", error);
	else if (strcmp(follower->config->set.follow_source, "-") == 0)
		log_line(SEVERITY_WARNING,
			 "reload: standard input cannot be read again: the old configuration stays in force");
	else
		follower->again = true;
	replies_free(&replies);
	config_drop(&config);
	if (follower->again)
		follower_end(fd, what, follower);
}

bool follower_begins_again(const struct follower *follower)
{
	return follower->again;
}

int follower_run(struct follower *follower)
{
	log_line(SEVERITY_INFO, "penstock-follow reads %s; its first line is number %llu",
		 follower->config->set.follow_source, (unsigned long long)follower->follow.ordinal + 1);
	notify_send("READY=1");
	event_active(follower->pump, EV_TIMEOUT, 1);
	event_base_dispatch(follower->base);
	if (follower->must_save || !follower_idle(follower))
		log_line(SEVERITY_WARNING,
			 "Redis has not taken all: the lines behind the last checkpoint are read again");
	log_line(SEVERITY_INFO, "penstock-follow ends behind line %llu", (unsigned long long)follower->follow.ordinal);
	return follower->failed;
}

/* ---- opening */

static void follower_say(void *arg, const char *line)
{
	(void)arg;
	log_line(SEVERITY_WARNING, "%s", line);
}

void follower_replies_file(const struct config *config, const char *file, char *path, size_t size)
{
	const char *name = config->set.follow_replies, *slash = strrchr(file, '/');
	struct text text = text_over(path, size);
	if (name[0] != '/' && slash != NULL)
		text_add_bytes(&text, file, (size_t)(slash - file) + 1);
	text_add(&text, name);
}

static bool follower_open_store(struct follower *follower, char *error, size_t error_size)
{
	const struct settings *set = &follower->config->set;
	struct store_settings settings = {
		.server = set->redis_server,
		.username = set->redis_username,
		.password = set->redis_password,
		.database = set->redis_database,
		.prefix = set->redis_prefix,
		.node = follower->node,
		.timeout_ms = set->redis_timeout_ms,
		.breaker_failures = set->redis_breaker_failures,
		.retry_ms = set->redis_retry_ms,
		.recent_accounts = 16, /* nothing is judged here */
		.state_ttl_s = set->redis_state_days * 86400,
		.steady_ms = clock_monotonic_ms,
		.credits_only = true,
	};
	follower->store = store_new(follower->base, &settings, follower_say, NULL, error, error_size);
	if (follower->store == NULL)
		return false;
	follower->credit = credit_new(follower->store, follower->state.writer, CREDITS_MOST, follower_eased, follower);
	follower->notes = notes_new(follower->store, follower->node, follower->state.writer, follower_eased, follower);
	follower->quits_act = quits_act_new(follower->base, follower->config, follower->store, follower->follow.quits,
					    follower->node);
	follower->status.store = follower->store;
	return follower->credit != NULL && follower->notes != NULL && follower->quits_act != NULL &&
	       status_init(&follower->status, follower->node);
}

static bool follower_open_receivers(struct follower *follower)
{
	char error[256];
	follower->receivers = receivers_new(follower->config);
	if (follower->receivers == NULL || follower->state.receivers == NULL)
		return follower->receivers != NULL;
	if (!receivers_read(follower->receivers, follower->state.receivers, follower->state.receivers_length, error,
			    sizeof error)) {
		log_line(SEVERITY_WARNING, "%s: the table of receivers begins anew: %s", follower->file, error);
		receivers_free(&follower->receivers);
		follower->receivers = receivers_new(follower->config);
	}
	state_release(&follower->state);
	return follower->receivers != NULL;
}

static bool follower_open_trace(struct follower *follower, char *error, size_t error_size)
{
	const struct settings *set = &follower->config->set;
	char folder[FOLLOWER_PATH_MAX];
	struct text text = text_over(folder, sizeof folder);
	text_addf(&text, "%s/trace", set->follow_state);
	const struct trace_options options = {
		.folder = folder,
		.days = set->follow_trace_days,
		.hashed = set->follow_trace_recipients == TRACE_RECIPIENTS_HASHED,
		.salt = set->facts_salt,
	};
	if (options.days == 0)
		return true;
	follower->trace = trace_open(&options, error, error_size);
	if (follower->trace != NULL && follower->state.traced)
		trace_cut(follower->trace, &follower->state.trace);
	trace_tick(follower->trace, clock_now_ms() / 1000); /* before the first line, which may be from the future */
	return follower->trace != NULL;
}

static bool follower_open_source(struct follower *follower, bool from_start, char *error, size_t error_size)
{
	const struct source_options options = {
		.name = follower->config->set.follow_source,
		.units = follower->config->set.follow_units,
		.user = follower->config->set.user,
		.place = follower->state.place,
		.from_start = from_start,
		.say = follower_say,
	};
	follower->source = source_open(&options, error, error_size);
	if (follower->source == NULL)
		return false;
	if (follower->source->lost_places > 0 || (follower->follow.ordinal > 0 && !options.place.known))
		follower->follow.ordinal += FOLLOW_ORDINALS_LEFT_OUT;
	return true;
}

static struct event *follower_event(struct follower *follower, evutil_socket_t fd, short what, event_callback_fn call,
				    const struct timeval *every)
{
	struct event *event = event_new(follower->base, fd, what, call, follower);
	if (event != NULL && (what & EV_PERSIST) != 0 && event_add(event, every) != 0) {
		event_free(event); /* a file of standard input: it is always readable */
		return NULL;
	}
	return event;
}

static bool follower_open_events(struct follower *follower)
{
	static const struct timeval second = { 1, 0 };
	follower->pump = follower_event(follower, -1, EV_TIMEOUT, follower_pump, NULL);
	follower->tick = follower_event(follower, -1, EV_PERSIST, follower_tick, &second);
	follower->term = follower_event(follower, SIGTERM, EV_SIGNAL | EV_PERSIST, follower_end, NULL);
	follower->interrupt = follower_event(follower, SIGINT, EV_SIGNAL | EV_PERSIST, follower_end, NULL);
	follower->hangup = follower_event(follower, SIGHUP, EV_SIGNAL | EV_PERSIST, follower_reload, NULL);
	if (follower->source->fd >= 0)
		follower->readable =
			follower_event(follower, follower->source->fd, EV_READ | EV_PERSIST, follower_pump, NULL);
	return follower->pump != NULL && follower->tick != NULL && follower->term != NULL &&
	       follower->interrupt != NULL && follower->hangup != NULL;
}

/* In this order: the state says of which log it is, and where each part goes on. */
static bool follower_open_all(struct follower *follower, const char *file, bool from_start, char *error,
			      size_t error_size)
{
	char replies[FOLLOWER_PATH_MAX];
	const struct settings *set = &follower->config->set;
	struct text name = text_over(follower->file, sizeof follower->file);
	text_addf(&name, "%s/checkpoint", set->follow_state);
	follower_replies_file(follower->config, file, replies, sizeof replies);
	follower->replies = replies_load(replies, error, error_size);
	if (follower->replies == NULL)
		return false;
	follower->lock = state_lock(set->follow_state, error, error_size);
	if (follower->lock < 0)
		return false;
	follower->hold = queue_hold_new(follower->config);
	const struct follow_parts nothing = { .replies = follower->replies, .hold = follower->hold };
	snprintf(error, error_size, "no memory to begin");
	if (follower->hold == NULL || !follow_init(&follower->follow, &nothing))
		return false;
	if (!state_load(&follower->state, follower->file, set->follow_source, &follower->follow, error, error_size))
		return false;
	if (error[0] != '\0')
		log_line(SEVERITY_WARNING, "%s", error);
	snprintf(error, error_size, "no memory to begin");
	if (!follower_open_receivers(follower) || !follower_open_trace(follower, error, error_size) ||
	    !follower_open_source(follower, from_start, error, error_size) ||
	    !follower_open_store(follower, error, error_size))
		return false;
	follower->follow.parts.receivers = follower->receivers;
	follower->follow.parts.trace = follower->trace;
	follower->follow.parts.credit = follower->credit;
	follower->follow.parts.notes = follower->notes;
	queue_hold_start(follower->hold, follower->base, follower->store, follower->follow.map, follower->node);
	follower->saved_ordinal = UINT64_MAX; /* the writer that was drawn must be known before Redis hears of it */
	follower->must_save = true;
	snprintf(error, error_size, "no memory to begin");
	return follower_open_events(follower);
}

struct follower *follower_open(const struct config *config, const char *file, bool from_start, char *error,
			       size_t error_size)
{
	struct follower *follower = calloc(1, sizeof *follower);
	if (follower == NULL || (follower->base = event_base_new()) == NULL) {
		snprintf(error, error_size, "no memory to begin");
		free(follower);
		return NULL;
	}
	follower->config = config;
	follower->lock = -1;
	follower->config_file = file;
	node_name(config->set.node, follower->node);
	if (!follower_open_all(follower, file, from_start, error, error_size))
		follower_free(&follower);
	return follower;
}

void follower_free(struct follower **follower)
{
	struct follower *freed = *follower;
	struct event **events[] = { &freed->pump, &freed->tick,	     &freed->readable,
				    &freed->term, &freed->interrupt, &freed->hangup };
	*follower = NULL;
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (*events[i] != NULL)
			event_free(*events[i]);
	source_free(&freed->source);
	store_free(&freed->store);
	queue_hold_free(&freed->hold);
	if (freed->credit != NULL)
		credit_free(&freed->credit);
	notes_free(&freed->notes);
	quits_act_free(&freed->quits_act);
	trace_close(&freed->trace);
	if (freed->receivers != NULL)
		receivers_free(&freed->receivers);
	follow_release(&freed->follow);
	state_release(&freed->state);
	status_release(&freed->status);
	replies_free(&freed->replies);
	event_base_free(freed->base);
	if (freed->lock >= 0)
		close(freed->lock);
	free(freed);
}
