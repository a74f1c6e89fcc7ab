/* SPDX-License-Identifier: BSD-2-Clause */
#ifdef HAVE_CONFIG_H
#include <config.h>	/* in brackets: in quotes the compiler would look beside this file first */
#endif

#include "milter/report.h"

#include "milter/clock.h"
#include "milter/daemon.h"
#include "milter/dns/engine.h"
#include "milter/dns/lists.h"
#include "milter/dns/rbl.h"
#include "milter/held.h"
#include "milter/event.h"
#include "milter/mailers.h"
#include "milter/report_inside.h"
#include "milter/stats.h"
#include "milter/trap_hits.h"
#include "policy/base/text.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* Without a login for so long, though strangers' mail leaves: less is a quiet night. */
enum { LOGINS_AWAY_MS = 3600 * 1000, LOGINS_AWAY_MESSAGES = 20 };
enum { DNS_FAILING = 5 };	/* failures in a row */

/* All figures of one moment. */
struct snapshot {
	struct setup *setup;	/* held */
	int64_t now_ms;		/* monotonic */
	struct stats stats;
	struct store_stats redis;
	struct rbl_stats dns;
	struct cache_stats dns_cache;
	const char *dns_trouble;	/* borrowed; "": none */
	struct scan_stats content;
	struct held_stats held;
	struct event_stats events;
	uint64_t redis_up, breaker_open, dns_servers, uptime_s, max_sessions, trap_hits;
	uint64_t content_failures;	/* in a row, of the scanner that has most */
};

static struct snapshot *snapshot_new(void)
{
	struct snapshot *snapshot = calloc(1, sizeof *snapshot);
	if (snapshot == NULL)
		return NULL;
	snapshot->setup = setup_hold();
	snapshot->now_ms = clock_monotonic_ms();
	stats_read(&snapshot->stats);
	snapshot->redis = store_stats(the_daemon.store);
	if (snapshot->setup->rbl != NULL)
		snapshot->dns = rbl_stats(snapshot->setup->rbl);
	snapshot->dns_trouble = "";
	if (snapshot->setup->engine != NULL) {
		snapshot->dns_cache = cache_stats(engine_cache(snapshot->setup->engine));
		snapshot->dns_trouble = engine_trouble(snapshot->setup->engine);
		snapshot->dns_servers = *snapshot->dns_trouble == '\0';
	}
	snapshot->content = scan_stats();
	snapshot->content_failures = report_content_failures(snapshot->setup->config);
	snapshot->held = held_stats();
	snapshot->events = event_stats();
	snapshot->redis_up = snapshot->redis.up;
	snapshot->breaker_open = snapshot->redis.breaker_open;
	snapshot->trap_hits = trap_hits_waiting();
	snapshot->uptime_s = (uint64_t)(snapshot->now_ms - snapshot->stats.started_ms) / 1000;
	snapshot->max_sessions = (uint64_t)snapshot->setup->config->set.milter_max_sessions;
	return snapshot;
}

static void snapshot_free(struct snapshot *snapshot)
{
	setup_drop(&snapshot->setup);
	free(snapshot);
}

/* section and word of /health ("" : not there), metric without its prefix, label, type, help, member */
#define FIGURE_ROWS(ROW)                                                                           \
	ROW("", "uptime_s", "uptime_seconds", "", "gauge", "Seconds since the start.", uptime_s)   \
	ROW("", "messages", "messages_ended_total", "", "counter", "Messages judged at their end.", stats.messages) \
	ROW("", "recipients", "recipients_total", "", "counter", "Recipients of judged messages.", stats.recipients) \
	ROW("", "forged_headers", "forged_headers_total", "", "counter", "X-Penstock-* header lines of clients, deleted.", \
	    stats.forged_headers)                                                                  \
	ROW("", "sessions", "sessions", "", "gauge", "MTA sessions now.", stats.sessions)          \
	ROW("", "trap_hits_waiting", "trap_hits_waiting", "", "gauge",                             \
	    "Hits of spam traps that are told to their accounts later.", trap_hits)                 \
	ROW("", "max_sessions", "sessions_max", "", "gauge", "MTA sessions allowed.", max_sessions) \
	ROW("", "sessions_peak", "sessions_peak", "", "gauge", "Most MTA sessions at once.", stats.sessions_peak) \
	ROW("", "sessions_total", "sessions_total", "", "counter", "MTA sessions.", stats.sessions_total) \
	ROW("logins", "strangers_since", "messages_since_login", "", "gauge",                      \
	    "Messages of strangers by SMTP to elsewhere since the last message with a login.", stats.strangers_since) \
	ROW("", "", "redis_up", "", "gauge", "1: Redis is connected and answers.", redis_up)       \
	ROW("", "", "redis_breaker_open", "", "gauge", "1: Redis failed and is not asked for a while.", breaker_open) \
	ROW("redis", "fetches", "redis_requests_total", "kind=\"fetch\"", "counter", "Requests to Redis.", redis.fetches) \
	ROW("redis", "charges", "redis_requests_total", "kind=\"charge\"", "counter", "", redis.charges) \
	ROW("redis", "commands", "redis_requests_total", "kind=\"command\"", "counter", "", redis.commands) \
	ROW("redis", "failures", "redis_failures_total", "", "counter", "Requests to Redis that failed.", redis.failures) \
	ROW("redis", "timeouts", "redis_timeouts_total", "", "counter", "Requests to Redis without an answer in time.", \
	    redis.timeouts)                                                                        \
	ROW("redis", "local_answers", "redis_local_answers_total", "", "counter",                  \
	    "Answers from the table of recent accounts.", redis.local_answers)                     \
	ROW("redis", "away_s", "redis_away_seconds", "", "gauge", "Seconds for which Redis has been away; 0: it is there.", redis.away_s) \
	ROW("redis", "merged", "redis_merged_total", "", "counter", "Charges handed to Redis later.", redis.merged) \
	ROW("redis", "dropped", "redis_dropped_total", "", "counter", "Charges given up.", redis.dropped) \
	ROW("redis", "pending", "redis_pending", "", "gauge", "Charges that wait for Redis.", redis.pending) \
	ROW("redis", "recent", "redis_recent_accounts", "", "gauge", "Rows of recent accounts in use.", redis.recent) \
	ROW("redis", "useless_limits", "redis_useless_limits", "", "gauge", \
	    "Recent accounts of whose keys a part means nothing.", redis.useless_limits) \
	ROW("redis", "useless_plans", "redis_useless_plans", "", "gauge", "Plans in Redis of which a part means nothing.", \
	    redis.useless_plans)                                                                   \
	ROW("", "", "dns_servers_known", "", "gauge", \
	    "0: /etc/resolv.conf, which names the DNS servers, names none that can be asked.", dns_servers) \
	ROW("dns", "questions", "dns_questions_total", "", "counter", "Questions to block lists.", dns.questions) \
	ROW("dns", "answers", "dns_answers_total", "", "counter", "Answers of block lists.", dns.answers) \
	ROW("dns", "failures", "dns_failures_total", "", "counter", "Questions to block lists that failed.", dns.failures) \
	ROW("dns", "timeouts", "dns_timeouts_total", "", "counter", "Questions without an answer in time.", dns.timeouts) \
	ROW("dns", "cache_hits", "dns_cache_hits_total", "", "counter", "Client addresses found in the cache.", \
	    dns.cache_hits)                                                                        \
	ROW("dns", "cache_misses", "dns_cache_misses_total", "", "counter", "Client addresses not in the cache.", \
	    dns.cache_misses)                                                                      \
	ROW("dns", "cache_bytes", "dns_cache_bytes", "", "gauge", "Memory of the cache in use.", dns_cache.bytes) \
	ROW("dns", "cache_entries", "dns_cache_entries", "", "gauge", "Answers and listings in the cache.", dns_cache.entries) \
	ROW("dns", "cache_evicted", "dns_cache_evicted_total", "", "counter",                      \
	    "Entries that left the cache before they expired, for lack of memory.", dns_cache.evicted) \
	ROW("dns", "refused_inflight", "dns_refused_inflight_total", "", "counter",                \
	    "Questions not asked because too many were in progress.", dns.refused_inflight)          \
	ROW("dns", "recent_failures", "dns_recent_failures", "", "gauge", "Failures since the last good answer.", \
	    dns.recent_failures)                                                                   \
	ROW("", "", "rbl_checks_total", "by=\"http\"", "counter", "Checks of block lists that were begun.", stats.checks) \
	ROW("", "", "rbl_checks_running", "by=\"http\"", "gauge", "Checks of block lists now.", stats.checks_running) \
	ROW("", "", "rbl_refused_total", "why=\"query\"", "counter", "Checks of block lists by HTTP that were refused.", \
	    stats.checks_refused[STATS_REFUSED_QUERY])                                             \
	ROW("", "", "rbl_refused_total", "why=\"network\"", "counter", "", stats.checks_refused[STATS_REFUSED_LARGE]) \
	ROW("", "", "rbl_refused_total", "why=\"client\"", "counter", "", stats.checks_refused[STATS_REFUSED_CLIENT]) \
	ROW("", "", "rbl_refused_total", "why=\"all\"", "counter", "", stats.checks_refused[STATS_REFUSED_ALL]) \
	ROW("", "", "rbl_refused_total", "why=\"busy\"", "counter", "", stats.checks_refused[STATS_REFUSED_BUSY]) \
	ROW("", "", "connections_closed_total", "server=\"http\",why=\"peer\"", "counter",         \
	    "Connections that were closed to make room: their peer had too many, or all together were.", \
	    stats.closed[STATS_CLOSED_HTTP_PEER])                                                  \
	ROW("", "", "connections_closed_total", "server=\"http\",why=\"full\"", "counter", "", stats.closed[STATS_CLOSED_HTTP_FULL]) \
	ROW("", "", "connections_closed_total", "server=\"control\",why=\"full\"", "counter", "", stats.closed[STATS_CLOSED_CONTROL]) \
	ROW("", "", "connections_closed_total", "server=\"socketmap\",why=\"full\"", "counter", "", stats.closed[STATS_CLOSED_SOCKETMAP]) \
	ROW("", "", "http_refused_total", "why=\"malformed\"", "counter", "Requests by HTTP that were refused unread.", \
	    stats.http_refused[STATS_HTTP_REFUSED_MALFORMED])                                      \
	ROW("", "", "http_refused_total", "why=\"body\"", "counter", "", stats.http_refused[STATS_HTTP_REFUSED_BODY]) \
	ROW("", "", "http_refused_total", "why=\"host\"", "counter", "", stats.http_refused[STATS_HTTP_REFUSED_HOST]) \
	ROW("", "", "http_refused_total", "why=\"memory\"", "counter", "", stats.http_refused[STATS_HTTP_REFUSED_MEMORY]) \
	ROW("content", "scans", "content_scans_total", "", "counter", "Messages given to a scanner.", content.scans) \
	ROW("content", "answers", "content_answers_total", "", "counter", "Answers of scanners.", content.answers) \
	ROW("content", "failures", "content_failures_total", "", "counter", "Scans that failed.", content.failures) \
	ROW("content", "timeouts", "content_timeouts_total", "", "counter", "Scans without an answer in time.", \
	    content.timeouts)                                                                      \
	ROW("content", "recent_failures", "content_recent_failures", "", "gauge",                  \
	    "Failures since the last good answer, of the scanner that has most.", content_failures)                       \
	ROW("held", "messages", "held_messages", "", "gauge", "Messages in the list of held ones.", held.messages) \
	ROW("held", "late", "held_late", "", "gauge", "Of this daemon's: past their date by 15 minutes.", held.late) \
	ROW("held", "not_listed_yet", "held_not_listed", "", "gauge", "Held, while Redis is away to list them.", held.waiting) \
	ROW("events", "told", "events_total", "", "counter", "Events told.", events.told) \
	ROW("events", "quiet", "events_quiet_total", "", "counter", "Events not told, the same having been told a moment ago.", events.quiet) \
	ROW("events", "dropped", "events_dropped_total", "", "counter", "Events dropped: too many waited to be handed on.", events.dropped) \
	ROW("events", "stream_sent", "event_sent_total", "by=\"stream\"", "counter", "Events taken.", events.stream.sent) \
	ROW("events", "webhook_sent", "event_sent_total", "by=\"webhook\"", "counter", "", events.webhook.sent) \
	ROW("events", "mail_sent", "event_sent_total", "by=\"mail\"", "counter", "", events.mail.sent) \
	ROW("events", "stream_retried", "event_retried_total", "by=\"stream\"", "counter", "Tries that failed and are made again.", events.stream.retried) \
	ROW("events", "webhook_retried", "event_retried_total", "by=\"webhook\"", "counter", "", events.webhook.retried) \
	ROW("events", "mail_retried", "event_retried_total", "by=\"mail\"", "counter", "", events.mail.retried) \
	ROW("events", "stream_given_up", "event_given_up_total", "by=\"stream\"", "counter", "Events given up: not wanted, too old, or too many waited.", events.stream.given_up) \
	ROW("events", "webhook_given_up", "event_given_up_total", "by=\"webhook\"", "counter", "", events.webhook.given_up) \
	ROW("events", "mail_given_up", "event_given_up_total", "by=\"mail\"", "counter", "", events.mail.given_up) \
	ROW("events", "stream_waiting", "event_waiting", "by=\"stream\"", "gauge", "Events that wait.", events.stream.waiting) \
	ROW("events", "webhook_waiting", "event_waiting", "by=\"webhook\"", "gauge", "", events.webhook.waiting) \
	ROW("events", "mail_waiting", "event_waiting", "by=\"mail\"", "gauge", "", events.mail.waiting) \
	ROW("events", "stream_failing_s", "event_failing_seconds", "by=\"stream\"", "gauge", "Seconds since the first of the failures in a row; 0: none.", events.stream.failing_s) \
	ROW("events", "webhook_failing_s", "event_failing_seconds", "by=\"webhook\"", "gauge", "", events.webhook.failing_s) \
	ROW("events", "mail_failing_s", "event_failing_seconds", "by=\"mail\"", "gauge", "", events.mail.failing_s)

static const struct figure {
	const char *section, *word, *metric, *label, *type, *help;
	size_t offset;
} figures[] = {
#define FIGURE_ROW(section, word, metric, label, type, help, member)                               \
	{ section, word, metric, label, type, help, offsetof(struct snapshot, member) },
	FIGURE_ROWS(FIGURE_ROW)
#undef FIGURE_ROW
};

enum { FIGURES = sizeof figures / sizeof figures[0] };

static uint64_t figure_value(const struct snapshot *snapshot, const struct figure *figure)
{
	uint64_t value;
	memcpy(&value, (const char *)snapshot + figure->offset, sizeof value);
	return value;
}

json_t *report_text(const char *string)
{
	json_t *text = json_string(string);
	if (text != NULL)
		return text;
	char *copy = strdup(string);
	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	text = copy == NULL ? NULL : json_string(copy);
	free(copy);
	return text;
}

void report_set_int(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

void report_set_text(json_t *object, const char *name, const char *value)
{
	json_object_set_new(object, name, value == NULL ? json_null() : report_text(value));
}

void report_set_real(json_t *object, const char *name, double value)
{
	json_t *real = json_real(value);	/* NULL: not a finite number */
	json_object_set_new(object, name, real == NULL ? json_null() : real);
}

void report_write(struct evbuffer *to, json_t *json)
{
	char *line = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
	evbuffer_add_printf(to, "%s\n", line == NULL ? "{\"error\":\"The daemon is out of memory.\"}" : line);
	free(line);
	json_decref(json);
}

/* -- health -- */

void health_add(struct health_list *list, enum health health, const char *format, ...)
{
	char sentence[1100];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	if (health > list->worst)
		list->worst = health;
	json_array_append_new(list->reasons, report_text(sentence));
}

static void health_redis(const struct snapshot *snapshot, struct health_list *list)
{
	bool defer = snapshot->setup->config->policy.store_must_answer;
	if (!snapshot->redis.up)
		health_add(list, defer ? HEALTH_CRITICAL : HEALTH_WARNING, "redis: no connection; %s.",
			   defer ? "mail is deferred" : "limits go on from the table of recent accounts");
	if (snapshot->redis.breaker_open)
		health_add(list, HEALTH_WARNING, "redis: the breaker is open, Redis is asked again after a pause.");
	if (snapshot->redis.up && !snapshot->redis.secret_shared)
		health_add(list, HEALTH_WARNING, "redis: key secret is not read; recipients count as neither known nor new.");
	if (snapshot->redis.useless_limits > 0)
		health_add(list, HEALTH_WARNING, "redis: of %" PRIu64 " recent accounts a part of what is written means nothing; "
			   "penstockctl account check names them.", snapshot->redis.useless_limits);
	if (snapshot->redis.useless_plans > 0)
		health_add(list, HEALTH_WARNING, "redis: in the hash plans, of %" PRIu64 " plans a part means nothing; "
			   "penstockctl account check names them.", snapshot->redis.useless_plans);
}

static void health_dns(const struct snapshot *snapshot, struct health_list *list)
{
	if (*snapshot->dns_trouble != '\0')
		health_add(list, HEALTH_WARNING, "dns: %s.", snapshot->dns_trouble);
	if (snapshot->dns.recent_failures >= DNS_FAILING)
		health_add(list, HEALTH_WARNING,
			   "dns: the last %" PRIu64 " questions to block lists failed; listings are unknown.",
			   snapshot->dns.recent_failures);
}

static void health_lists(const struct snapshot *snapshot, struct health_list *list)
{
	enum { SAID_MOST = 5 };
	const struct config *config = snapshot->setup->config;
	int trouble = 0;
	if (lists_all_useless(snapshot->setup->lists) && config->mail_list_count > 1)
		health_add(list, HEALTH_WARNING, "dns: not one of %d block lists passes its test; all listings are unknown.",
			   config->mail_list_count);
	for (int i = 0; i < config->mail_list_count; i++) {
		struct lists_report report;
		lists_report(snapshot->setup->lists, i, &report);
		if (report.why[0] != '\0' && ++trouble <= SAID_MOST)
			health_add(list, HEALTH_WARNING, "dns: block list %s is not %s: it %s.", config->lists[i].name,
				   report.asked ? "tested" : "asked", report.why);
	}
	if (trouble > SAID_MOST)
		health_add(list, HEALTH_WARNING, "dns: %d more block lists are not asked or not tested.",
			   trouble - SAID_MOST);
}

static void health_content(const struct snapshot *snapshot, struct health_list *list)
{
	report_content_health(snapshot->setup->config, list);
}

static void health_sessions(const struct snapshot *snapshot, struct health_list *list)
{
	if (snapshot->stats.sessions * 10 >= snapshot->max_sessions * 9)
		health_add(list, HEALTH_CRITICAL,
			   "sessions: %" PRIu64 " of %" PRIu64 " are open; new messages are deferred.",
			   snapshot->stats.sessions, snapshot->max_sessions);
}

static void health_quiet(const struct snapshot *snapshot, struct health_list *list)
{
	int64_t last_ms = snapshot->stats.last_message_ms;
	int64_t minutes = snapshot->setup->config->set.http_quiet_minutes;
	int64_t quiet_ms = snapshot->now_ms - (last_ms != 0 ? last_ms : snapshot->stats.started_ms);
	if (minutes > 0 && quiet_ms >= minutes * 60000)
		health_add(list, HEALTH_WARNING, "messages: none for %" PRId64 " minutes.", quiet_ms / 60000);
}

/* Where nobody ever logged in that may be meant so; it is a figure of the status then, and no reason. */
static void health_logins(const struct snapshot *snapshot, struct health_list *list)
{
	const struct config *config = snapshot->setup->config;
	bool asked = false;
	for (int i = 0; i < config->source_count; i++)
		asked |= config->sources[i] == SOURCE_AUTH;
	int64_t away_ms = snapshot->now_ms - snapshot->stats.last_login_ms;
	if (asked && snapshot->stats.last_login_ms != 0 && away_ms >= LOGINS_AWAY_MS &&
	    snapshot->stats.strangers_since >= LOGINS_AWAY_MESSAGES)
		health_add(list, HEALTH_WARNING, "logins: none for %" PRId64 " minutes, and %" PRIu64 " messages of strangers left "
			   "meanwhile; does Postfix still ask for logins, and tell them?", away_ms / 60000,
			   snapshot->stats.strangers_since);
}

static void health_held(const struct snapshot *snapshot, struct health_list *list)
{
	if (snapshot->held.late > 0)
		health_add(list, HEALTH_WARNING, "held: %" PRIu64 " %s past the release date by %d minutes and more, and nothing "
			   "releases mail: systemctl enable --now penstock-release.timer", snapshot->held.late,
			   text_noun((int64_t)snapshot->held.late, "message is", "messages are"), HELD_LATE_S / 60);
}

static void health_mailers(const struct snapshot *snapshot, struct health_list *list)
{
	struct mailers_strange strange = mailers_strange();
	(void)snapshot;
	for (int i = 0; i < strange.count && i < MAILERS_STRANGE_MAX; i++)
		health_add(list, HEALTH_WARNING, "postfix: mailer \"%s\" is neither in postfix.remote_mailers nor in "
			   "postfix.local_mailers: its recipients count as leaving, and their mail is not marked.", strange.names[i]);
}

static void health_pools(const struct snapshot *snapshot, struct health_list *list)
{
	report_pools_health(snapshot->setup->config, list);
}

static void health_events(const struct snapshot *snapshot, struct health_list *list)
{
	report_events_health(&snapshot->setup->config->set, &snapshot->events, snapshot->redis.up, list);
}

static void health_troubles(const struct snapshot *snapshot, struct health_list *list)
{
	(void)snapshot;
	report_trouble_health(list);
}

static void (*const health_rows[])(const struct snapshot *, struct health_list *) = {
	health_redis, health_dns, health_lists, health_content, health_sessions, health_quiet, health_logins, health_held,
	health_mailers, health_pools, health_events, health_troubles,
};

static const char *const health_words[] = {
	[HEALTH_OK] = "ok", [HEALTH_WARNING] = "warning", [HEALTH_CRITICAL] = "critical",
};

static void status_figures(const struct snapshot *snapshot, json_t *status)
{
	for (int i = 0; i < FIGURES; i++) {
		json_t *section = *figures[i].section == '\0' ? status : json_object_get(status, figures[i].section);
		if (*figures[i].word != '\0')
			report_set_int(section, figures[i].word, (int64_t)figure_value(snapshot, &figures[i]));
	}
	report_set_real(json_object_get(status, "redis"), "local_share", snapshot->redis.local_share);
	int64_t last_ms = snapshot->stats.last_message_ms;
	int64_t login_ms = snapshot->stats.last_login_ms;
	json_object_set_new(json_object_get(status, "logins"), "last_s",
			    login_ms == 0 ? json_null() : json_integer((snapshot->now_ms - login_ms) / 1000));
	json_object_set_new(status, "last_message_s",
			    last_ms == 0 ? json_null() : json_integer((snapshot->now_ms - last_ms) / 1000));
	for (int i = 0; i < ACTION_COUNT; i++)
		report_set_int(json_object_get(status, "actions"), action_word((enum action)i),
			(int64_t)snapshot->stats.actions[i]);
}

static json_t *list_row(const struct list *list, const struct lists_report *report)
{
	json_t *row = json_object();
	report_set_text(row, "name", list->name);
	report_set_text(row, "zone", list->zone);
	report_set_text(row, "state", report->state);
	report_set_text(row, "why", report->why);
	report_set_int(row, "answers", (int64_t)report->answers);
	report_set_int(row, "failures", (int64_t)report->failures);
	json_object_set_new(row, "median_ms", report->median_ms < 0 ? json_null() : json_integer(report->median_ms));
	json_object_set_new(row, "retry_s", report->retry_s < 0 ? json_null() : json_integer(report->retry_s));
	report_set_int(row, "asked_today", report->asked_today);
	json_object_set_new(row, "budget", list->budget == 0 ? json_null() : json_integer(list->budget));
	return row;
}

/* Of the catalogue's other lists, those that were asked something. */
static json_t *list_rows(const struct snapshot *snapshot)
{
	const struct lists *lists = snapshot->setup->lists;
	json_t *rows = json_array();
	for (int i = 0; i < lists_count(lists); i++) {
		struct lists_report report;
		lists_report(lists, i, &report);
		if (report.used)
			json_array_append_new(rows, list_row(lists_at(lists, i), &report));
	}
	return rows;
}

static bool dns_fails(const struct snapshot *snapshot)
{
	return snapshot->dns.recent_failures >= DNS_FAILING || *snapshot->dns_trouble != '\0' ||
	       lists_all_useless(snapshot->setup->lists);
}

static json_t *status_of(const struct snapshot *snapshot, enum health *health_out)
{
	struct health_list list = { .reasons = json_array() };
	for (size_t i = 0; i < sizeof health_rows / sizeof health_rows[0]; i++)
		health_rows[i](snapshot, &list);
	report_means_health(&list);
	*health_out = list.worst;
	json_t *status = json_pack("{s:s, s:s, s:o, s:{}, s:{s:b, s:b}, s:{s:b, s:o}, s:{s:b}, s:o, s:{}, s:{}, s:{}}", "status",
				   health_words[list.worst], "version", PACKAGE_VERSION, "reasons", list.reasons,
				   "logins", "redis", "up", snapshot->redis.up, "breaker_open", snapshot->redis.breaker_open,
				   "dns", "failing", dns_fails(snapshot),
				   "lists", list_rows(snapshot),
				   "content", "failing", snapshot->content_failures >= REPORT_CONTENT_FAILING,
				   "pools", report_pools_counts(snapshot->setup->config), "held", "events", "actions");
	if (status != NULL) {
		json_object_set_new(status, "reload_failed", report_reload());
		status_figures(snapshot, status);
	}
	return status;
}

json_t *report_status(enum health *health_out)
{
	*health_out = HEALTH_CRITICAL;
	struct snapshot *snapshot = snapshot_new();
	if (snapshot == NULL)
		return NULL;
	json_t *status = status_of(snapshot, health_out);
	snapshot_free(snapshot);
	return status;
}

/* -- metrics -- */

void metric_head(struct evbuffer *to, const char *metric, const char *type, const char *help)
{
	evbuffer_add_printf(to, "# HELP penstock_%s %s\n# TYPE penstock_%s %s\n", metric, help, metric, type);
}

void metric_real(struct evbuffer *to, const char *metric, const char *label, const char *value, double number)
{
	evbuffer_add_printf(to, "penstock_%s{%s=\"", metric, label);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			evbuffer_add(to, "\\n", 2);
		else if (*value == '\\' || *value == '"')
			evbuffer_add_printf(to, "\\%c", *value);
		else
			evbuffer_add(to, value, 1);
	}
	evbuffer_add_printf(to, "\"} %.15g\n", number);
}

static void metric_row(struct evbuffer *to, const char *metric, const char *label, const char *value, uint64_t number)
{
	metric_real(to, metric, label, value, (double)number);	/* as Prometheus reads it */
}

static void metric_lists(struct evbuffer *to, const struct snapshot *snapshot)
{
	const struct lists *lists = snapshot->setup->lists;
	static const struct {
		const char *metric, *type, *help;
	} rows[] = {
		{ "dns_list_asked", "gauge", "1: the block list is in use; 0: it is left alone, fails its test, or its budget is spent." },
		{ "dns_list_passes", "gauge", "1: the block list passed its last test, or has none; 0: it failed it, or has not "
		  "answered it for ten minutes." },
		{ "dns_list_answers_total", "counter", "Answers of a block list." },
		{ "dns_list_failures_total", "counter", "Questions to a block list without an answer." },
		{ "dns_list_median_seconds", "gauge", "Median time of a block list's last answers." },
		{ "dns_list_asked_today", "gauge", "Questions sent to a block list this day (UTC), tests included." },
		{ "dns_list_budget", "gauge", "Questions a day that a block list may be asked; 0: no end." },
	};
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		metric_head(to, rows[row].metric, rows[row].type, rows[row].help);
		for (int i = 0; i < lists_count(lists); i++) {
			struct lists_report report;
			lists_report(lists, i, &report);
			double values[] = { report.asked, report.passes, (double)report.answers, (double)report.failures,
					    report.median_ms < 0 ? 0 : (double)report.median_ms / 1000,
					    (double)report.asked_today, (double)lists_at(lists, i)->budget };
			if (report.used)
				metric_real(to, rows[row].metric, "list", lists_at(lists, i)->name, values[row]);
		}
	}
}

/* The count is the last bucket, so that both are of one moment. */
static void metric_took(struct evbuffer *to, const struct stats *stats)
{
	static const int bounds_ms[STATS_TOOK_BOUNDS] = STATS_TOOK_BOUNDS_MS;
	uint64_t count = 0;
	char bound[16];
	metric_head(to, "message_seconds", "histogram", "Time from MAIL to the verdict, the client's own pace included.");
	for (int i = 0; i <= STATS_TOOK_BOUNDS; i++) {
		count += stats->took[i];
		if (i < STATS_TOOK_BOUNDS)
			snprintf(bound, sizeof bound, "%g", bounds_ms[i] / 1000.0);
		metric_row(to, "message_seconds_bucket", "le", i < STATS_TOOK_BOUNDS ? bound : "+Inf", count);
	}
	evbuffer_add_printf(to, "penstock_message_seconds_sum %.15g\npenstock_message_seconds_count %" PRIu64 "\n",
			    (double)stats->took_ms / 1000, count);
}

static void metric_families(struct evbuffer *to, const struct snapshot *snapshot)
{
	const struct stats *stats = &snapshot->stats;
	const struct config *config = snapshot->setup->config;
	metric_head(to, "messages_total", "counter", "Messages by what happened to them.");
	for (int i = 0; i < ACTION_COUNT; i++)
		metric_row(to, "messages_total", "action", action_word((enum action)i), stats->actions[i]);
	metric_head(to, "level_total", "counter", "Messages by the level of their account.");
	for (int i = 0; i < LEVEL_COUNT; i++)
		metric_row(to, "level_total", "level", level_word((enum level)i), stats->levels[i]);
	metric_took(to, stats);
	metric_head(to, "reasons_total", "counter", "Reasons given in verdicts.");
	for (int i = 0; i < REASON_COUNT; i++)
		metric_row(to, "reasons_total", "reason", reason_word((enum reason_id)i), stats->reasons[i]);
	metric_head(to, "transport_messages_total", "counter", "Messages marked for a transport.");
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const char *name = config->pools[i].transports[j].name;
			metric_row(to, "transport_messages_total", "transport", name, report_transport_messages(stats, name));
		}
}

void report_metrics(struct evbuffer *to)
{
	struct snapshot *snapshot = snapshot_new();
	if (snapshot == NULL)
		return;
	metric_head(to, "build_info", "gauge", "The version, as a label.");
	metric_row(to, "build_info", "version", PACKAGE_VERSION, 1);
	for (int i = 0; i < FIGURES; i++) {
		if (*figures[i].help != '\0')
			metric_head(to, figures[i].metric, figures[i].type, figures[i].help);
		bool labelled = *figures[i].label != '\0';
		evbuffer_add_printf(to, "penstock_%s%s%s%s %" PRIu64 "\n", figures[i].metric, labelled ? "{" : "",
				    figures[i].label, labelled ? "}" : "", figure_value(snapshot, &figures[i]));
	}
	metric_families(to, snapshot);
	metric_lists(to, snapshot);
	report_pools_metrics(snapshot->setup->config, to);
	report_trouble_metrics(to);
	report_means_metrics(to);
	snapshot_free(snapshot);
}
