/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/snapshot.h"

#include "milter/base/clock.h"
#include "milter/clients/history.h"
#include "milter/dns/engine.h"
#include "milter/record/trap_hits.h"
#include "milter/report/report_inside.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct snapshot *snapshot_new(void)
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
	if (snapshot->setup->origins != NULL)
		snapshot->origins = origins_stats(snapshot->setup->origins);
	snapshot->dns_trouble = "";
	if (snapshot->setup->engine != NULL) {
		snapshot->dns_cache = cache_stats(engine_cache(snapshot->setup->engine));
		snapshot->dns_trouble = engine_trouble(snapshot->setup->engine);
		snapshot->dns_servers = *snapshot->dns_trouble == '\0';
	}
	snapshot->content = scan_stats();
	snapshot->content_failures = report_content_failures(snapshot->setup->config);
	clients_stats(&snapshot->clients);
	snapshot->guesses = guesses_stats();
	snapshot->zone = zone_stats();
	snapshot->history_lost = history_lost(snapshot->history_why);
	snapshot->clients_forgotten_strangers = snapshot->clients.forgotten - snapshot->clients.forgotten_known;
	snapshot->held = held_stats();
	snapshot->events = event_stats();
	snapshot->redis_up = snapshot->redis.up;
	snapshot->breaker_open = snapshot->redis.breaker_open;
	snapshot->trap_hits = trap_hits_waiting();
	snapshot->uptime_s = (uint64_t)(snapshot->now_ms - snapshot->stats.started_ms) / 1000;
	snapshot->max_sessions = (uint64_t)snapshot->setup->config->set.milter_max_sessions;
	return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	setup_drop(&snapshot->setup);
	free(snapshot);
}

/* section and word of /health ("" : not there), metric without its prefix, label, type, help, member */
/* clang-format off */
#define FIGURE_ROWS(ROW)                                                                           \
	ROW("", "uptime_s", "uptime_seconds", "", "gauge", "Seconds since the start.", uptime_s)   \
	ROW("", "messages", "messages_ended_total", "", "counter", "Messages judged at their end.", stats.messages) \
	ROW("", "recipients", "recipients_total", "", "counter", "Recipients of judged messages.", stats.recipients) \
	ROW("", "forged_headers", "forged_headers_total", "", "counter", \
	    "X-Penstock-* header lines of clients, deleted.", \
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
	ROW("redis", "fetches", "redis_requests_total", "kind=\"fetch\"", "counter", "Requests to " \
	    "Redis.", redis.fetches) \
	ROW("redis", "charges", "redis_requests_total", "kind=\"charge\"", "counter", "", redis.charges) \
	ROW("redis", "commands", "redis_requests_total", "kind=\"command\"", "counter", "", redis.commands) \
	ROW("redis", "failures", "redis_failures_total", "", "counter", "Requests to Redis without " \
	    "an answer in time or with a strange one; not those that an outage ended.", redis.failures) \
	ROW("redis", "timeouts", "redis_timeouts_total", "", "counter", "Requests to Redis without an answer in time.", \
	    redis.timeouts)                                                                        \
	ROW("redis", "local_answers", "redis_local_answers_total", "", "counter",                  \
	    "Answers from the table of recent accounts.", redis.local_answers)                     \
	ROW("redis", "away_s", "redis_away_seconds", "", "gauge", \
	    "Seconds for which Redis has been away; 0: it is there.", redis.away_s) \
	ROW("redis", "merged", "redis_merged_total", "", "counter", "Charges handed to Redis later.", redis.merged) \
	ROW("redis", "dropped", "redis_dropped_total", "", "counter", "Charges given up.", redis.dropped) \
	ROW("redis", "pending", "redis_pending", "", "gauge", "Charges that wait for Redis.", redis.pending) \
	ROW("redis", "shared", "redis_shared_total", "", "counter", \
	    "Charges of accounts that had no row of their own while Redis was away.", redis.shared) \
	ROW("redis", "conflicts", "redis_conflicts_total", "", "counter", \
	    "Records that another daemon had written before; they are judged again.", redis.conflicts) \
	ROW("redis", "recent", "redis_recent_accounts", "", "gauge", "Rows of recent accounts in use.", redis.recent) \
	ROW("redis", "useless_limits", "redis_useless_limits", "", "gauge", \
	    "Recent accounts of whose keys a part means nothing.", redis.useless_limits) \
	ROW("redis", "useless_plans", "redis_useless_plans", "", "gauge", \
	    "Plans in Redis of which a part means nothing.", \
	    redis.useless_plans)                                                                   \
	ROW("redis", "foreign_records", "redis_foreign_records", "", "gauge", \
	    "Recent accounts whose record is of another version, or none of Penstock's.", redis.foreign_records) \
	ROW("", "", "dns_servers_known", "", "gauge", \
	    "0: /etc/resolv.conf, which names the DNS servers, names none that can be asked.", dns_servers) \
	ROW("dns", "questions", "dns_questions_total", "", "counter", "Questions to block lists.", dns.questions) \
	ROW("dns", "answers", "dns_answers_total", "", "counter", "Answers of block lists.", dns.answers) \
	ROW("dns", "failures", "dns_failures_total", "", "counter", "Questions to block lists that " \
	    "failed.", dns.failures) \
	ROW("dns", "timeouts", "dns_timeouts_total", "", "counter", "Questions without an answer " \
	    "in time.", dns.timeouts) \
	ROW("dns", "cache_hits", "dns_cache_hits_total", "", "counter", "Client addresses found in the cache.", \
	    dns.cache_hits)                                                                        \
	ROW("dns", "cache_misses", "dns_cache_misses_total", "", "counter", "Client addresses not in the cache.", \
	    dns.cache_misses)                                                                      \
	ROW("dns", "cache_bytes", "dns_cache_bytes", "", "gauge", "Memory of the cache in use.", dns_cache.bytes) \
	ROW("dns", "cache_entries", "dns_cache_entries", "", "gauge", "Answers and listings in the " \
	    "cache.", dns_cache.entries) \
	ROW("dns", "cache_evicted", "dns_cache_evicted_total", "", "counter",                      \
	    "Entries that left the cache before they expired, for lack of memory.", dns_cache.evicted) \
	ROW("dns", "refused_inflight", "dns_refused_inflight_total", "", "counter",                \
	    "Questions not asked because too many were in progress.", dns.refused_inflight)          \
	ROW("dns", "recent_failures", "dns_recent_failures", "", "gauge", "Failures since the last good answer.", \
	    dns.recent_failures)                                                                   \
	ROW("dns", "origin_questions", "origin_questions_total", "", "counter", \
	    "Questions to origin zones about the ASes of clients.", origins.questions) \
	ROW("dns", "origin_failures", "origin_failures_total", "", "counter", \
	    "Questions to origin zones without a good answer.", origins.failures) \
	ROW("dns", "origin_unasked", "origin_unasked_total", "", "counter", \
	    "Clients whose AS was not asked for: the zone's budget was spent, it was left alone for a while, or too many " \
	    "questions were in progress.", origins.unasked) \
	ROW("", "", "rbl_checks_total", "by=\"http\"", "counter", "Checks of block lists that were " \
	    "begun.", stats.checks) \
	ROW("", "", "rbl_checks_running", "by=\"http\"", "gauge", "Checks of block lists now.", stats.checks_running) \
	ROW("", "", "rbl_refused_total", "why=\"query\"", "counter", "Checks of block lists by HTTP that were refused.", \
	    stats.checks_refused[STATS_REFUSED_QUERY])                                             \
	ROW("", "", "rbl_refused_total", "why=\"network\"", "counter", "", stats.checks_refused[STATS_REFUSED_LARGE]) \
	ROW("", "", "rbl_refused_total", "why=\"client\"", "counter", "", stats.checks_refused[STATS_REFUSED_CLIENT]) \
	ROW("", "", "rbl_refused_total", "why=\"all\"", "counter", "", stats.checks_refused[STATS_REFUSED_ALL]) \
	ROW("", "", "rbl_refused_total", "why=\"busy\"", "counter", "", stats.checks_refused[STATS_REFUSED_BUSY]) \
	ROW("", "", "jobs_dropped_total", "", "counter", "Notes and events dropped for want of memory.", \
	    stats.jobs_dropped) \
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
	ROW("feedback", "counted", "feedback_total", "result=\"counted\"", "counter", "Reports about mail that left, by what came of them.", \
	    stats.feedback[FEEDBACK_COUNTED]) \
	ROW("feedback", "nothing", "feedback_total", "result=\"nothing\"", "counter", "", \
	    stats.feedback[FEEDBACK_NOTHING]) \
	ROW("feedback", "repeated", "feedback_total", "result=\"repeated\"", "counter", "", \
	    stats.feedback[FEEDBACK_REPEATED]) \
	ROW("feedback", "forged", "feedback_total", "result=\"forged\"", "counter", "", \
	    stats.feedback[FEEDBACK_FORGED]) \
	ROW("feedback", "expired", "feedback_total", "result=\"expired\"", "counter", "", \
	    stats.feedback[FEEDBACK_EXPIRED]) \
	ROW("feedback", "no_token", "feedback_total", "result=\"no_token\"", "counter", "", \
	    stats.feedback[FEEDBACK_UNTOLD]) \
	ROW("feedback", "nested", "feedback_total", "result=\"nested\"", "counter", "", \
	    stats.feedback[FEEDBACK_NESTED]) \
	ROW("feedback", "junk", "feedback_total", "result=\"junk\"", "counter", "", \
	    stats.feedback[FEEDBACK_JUNK]) \
	ROW("feedback", "unmarked", "feedback_unmarked_total", "", "counter", \
	    "Messages that left without a token, since Redis had told no secret.", stats.feedback[FEEDBACK_UNMARKED]) \
	ROW("clients", "remembered", "", "", "", "", clients.rows[CLIENTS_CLIENT])                 \
	ROW("clients", "poor", "", "", "", "", clients.standing[CLIENT_POOR]) \
	ROW("clients", "bad", "", "", "", "", clients.standing[CLIENT_BAD]) \
	ROW("clients", "notes", "clients_notes_total", "", "counter", \
	    "Things that clients did, counted from whatever tells of them.", clients.notes)       \
	ROW("clients", "forgotten", "clients_forgotten_total", "known=\"no\"", "counter", \
	    "Clients that were forgotten for want of room, by whether more was known of them than that they came once.", \
	    clients_forgotten_strangers) \
	ROW("clients", "forgotten_known", "clients_forgotten_total", "known=\"yes\"", "counter", "", \
	    clients.forgotten_known) \
	ROW("clients", "slow_used", "clients_slow_used", "", "gauge", "Sessions that wait now because of the map throttle.", \
	    clients.slow_used) \
	ROW("clients", "slow_most", "clients_slow_max", "", "gauge", "How many may.", clients.slow_most) \
	ROW("clients", "slow_denied", "clients_slow_denied_total", "", "counter", \
	    "Clients that were to wait and found no place.", clients.slow_denied) \
	ROW("clients", "batches", "clients_batches_total", "result=\"counted\"", "counter", \
	    "Batches of notes in Redis, by what came of them.", clients.batches) \
	ROW("clients", "batches_again", "clients_batches_total", "result=\"again\"", "counter", "", clients.again) \
	ROW("clients", "bad_rows", "clients_bad_rows_total", "", "counter", "Notes in Redis that could not be read.", \
	    clients.bad_rows) \
	ROW("clients", "gaps", "clients_gaps_total", "", "counter", \
	    "Times that notes had left Redis before they were read.", clients.gaps) \
	ROW("clients", "logins_failed", "logins_total", "result=\"failed\"", "counter", \
	    "Logins that the mail logs and other services told of.", guesses.failures) \
	ROW("clients", "logins_worked", "logins_total", "result=\"worked\"", "counter", "", guesses.logins) \
	ROW("clients", "logins_got_in", "logins_got_in_total", "", "counter", \
	    "Logins that worked, of clients that had tried many names.", guesses.got_in) \
	ROW("clients", "logins_guessers", "logins_told_total", "event=\"guesser\"", "counter", \
	    "Events about attacks on logins.", guesses.told[GUESS_CLIENTS]) \
	ROW("clients", "logins_attacked", "logins_told_total", "event=\"attacked\"", "counter", "", \
	    guesses.told[GUESS_NAMES]) \
	ROW("clients", "logins_untold", "logins_untold_total", "", "counter", \
	    "Attacks on logins of which no event told, since too many came in an hour.", guesses.untold) \
	ROW("clients", "logins_forgotten", "logins_forgotten_total", "of=\"client\"", "counter", \
	    "Clients and names of failed logins that were forgotten for want of room.", guesses.forgotten[GUESS_CLIENTS]) \
	ROW("clients", "logins_forgotten_names", "logins_forgotten_total", "of=\"name\"", "counter", "", \
	    guesses.forgotten[GUESS_NAMES]) \
	ROW("clients", "history_lost", "clients_history_lost_total", "", "counter", \
	    "Rows of the history of throttling that could not be kept.", history_lost) \
	ROW("clients", "listed", "clients_listed", "family=\"ipv4\"", "gauge", "Clients on our own block list.", zone.v4) \
	ROW("clients", "listed6", "clients_listed", "family=\"ipv6\"", "gauge", "", zone.v6) \
	ROW("clients", "unlisted", "clients_unlisted", "", "gauge", \
	    "Clients of bad standing that are not on it, since it is full.", zone.left_out) \
	ROW("clients", "zone_writes", "clients_zone_writes_total", "", "counter", "Times that it was written.", zone.writes) \
	ROW("clients", "zone_failed", "clients_zone_failures_total", "", "counter", \
	    "Times that it could not be written.", zone.failed) \
	ROW("held", "messages", "held_messages", "", "gauge", "Messages in the list of held ones.", held.messages) \
	ROW("held", "late", "held_late", "", "gauge", "Of this daemon's: past their date by 15 minutes.", held.late) \
	ROW("held", "not_listed_yet", "held_not_listed", "", "gauge", "Held, while Redis is away to " \
	    "list them.", held.waiting) \
	ROW("events", "told", "events_total", "", "counter", "Events told.", events.told) \
	ROW("events", "quiet", "events_quiet_total", "", "counter", \
	    "Events not told, the same having been told a moment ago.", events.quiet) \
	ROW("events", "dropped", "events_dropped_total", "", "counter", \
	    "Events dropped: too many waited to be handed on.", events.dropped) \
	ROW("events", "stream_sent", "event_sent_total", "by=\"stream\"", "counter", "Events taken.", events.stream.sent) \
	ROW("events", "webhook_sent", "event_sent_total", "by=\"webhook\"", "counter", "", events.webhook.sent) \
	ROW("events", "mail_sent", "event_sent_total", "by=\"mail\"", "counter", "", events.mail.sent) \
	ROW("events", "stream_retried", "event_retried_total", "by=\"stream\"", "counter", \
	    "Tries that failed and are made again.", events.stream.retried) \
	ROW("events", "webhook_retried", "event_retried_total", "by=\"webhook\"", "counter", "", events.webhook.retried) \
	ROW("events", "mail_retried", "event_retried_total", "by=\"mail\"", "counter", "", events.mail.retried) \
	ROW("events", "stream_given_up", "event_given_up_total", "by=\"stream\"", "counter", \
	    "Events given up: not wanted, too old, or too many waited.", events.stream.given_up) \
	ROW("events", "webhook_given_up", "event_given_up_total", "by=\"webhook\"", "counter", "", events.webhook.given_up) \
	ROW("events", "mail_given_up", "event_given_up_total", "by=\"mail\"", "counter", "", events.mail.given_up) \
	ROW("events", "stream_waiting", "event_waiting", "by=\"stream\"", "gauge", "Events that wait.", events.stream.waiting) \
	ROW("events", "webhook_waiting", "event_waiting", "by=\"webhook\"", "gauge", "", events.webhook.waiting) \
	ROW("events", "mail_waiting", "event_waiting", "by=\"mail\"", "gauge", "", events.mail.waiting) \
	ROW("events", "stream_failing_s", "event_failing_seconds", "by=\"stream\"", "gauge", \
	    "Seconds since the first of the failures in a row; 0: none.", events.stream.failing_s) \
	ROW("events", "webhook_failing_s", "event_failing_seconds", "by=\"webhook\"", "gauge", "", events.webhook.failing_s) \
	ROW("events", "mail_failing_s", "event_failing_seconds", "by=\"mail\"", "gauge", "", events.mail.failing_s)
/* clang-format on */

const struct figure figures[] = {
#define FIGURE_ROW(section, word, metric, label, type, help, member) \
	{ section, word, metric, label, type, help, offsetof(struct snapshot, member) },
	FIGURE_ROWS(FIGURE_ROW)
#undef FIGURE_ROW
};

const int figure_count = sizeof figures / sizeof figures[0];

uint64_t figure_value(const struct snapshot *snapshot, const struct figure *figure)
{
	uint64_t value;
	memcpy(&value, (const char *)snapshot + figure->offset, sizeof value);
	return value;
}
