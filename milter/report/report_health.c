/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What /health says of what the daemon asks and of the mail that it sees, a function each.
 */
#include "milter/report/report_inside.h"

#include "milter/blocklist/lists.h"
#include "milter/blocklist/origins.h"
#include "milter/daemon/mailers.h"
#include "milter/report/snapshot.h"
#include "policy/base/text.h"

#include <inttypes.h>

#include "policy/base/banned.h"

/* Without a login for so long, though strangers' mail leaves: less is a quiet night. */
enum { LOGINS_AWAY_MS = 3600 * 1000, LOGINS_AWAY_MESSAGES = 20 };

static void health_redis(const struct snapshot *snapshot, struct health_list *list)
{
	bool defer = snapshot->setup->config->policy.store_must_answer;
	if (!snapshot->redis.up)
		health_add(list, defer ? HEALTH_CRITICAL : HEALTH_WARNING, "redis: away (%s); %s.",
			   *snapshot->redis.why != '\0' ? snapshot->redis.why : "not connected yet",
			   defer ? "mail is deferred" : "limits go on from the table of recent accounts");
	if (snapshot->redis.breaker_open)
		health_add(list, HEALTH_WARNING, "redis: the breaker is open, Redis is asked again after a pause.");
	if (snapshot->redis.up && snapshot->redis.forbidden)
		health_add(list, HEALTH_WARNING,
			   "redis: its user may not send all commands; the log names those that are missing, and "
			   "penstock(7), REDIS, says what to do.");
	if (snapshot->redis.up && !snapshot->redis.secret_shared)
		health_add(list, HEALTH_WARNING,
			   "redis: key secret is not read; recipients count as neither known nor new.");
	if (snapshot->redis.useless_limits > 0)
		health_add(list, HEALTH_WARNING,
			   "redis: of %" PRIu64 " recent accounts a part of what is written means nothing; penstockctl "
			   "account check names them.",
			   snapshot->redis.useless_limits);
	if (snapshot->redis.foreign_records > 0)
		health_add(list, HEALTH_WARNING,
			   "redis: the records of %" PRIu64
			   " recent accounts are of another version or none of Penstock's; "
			   "this daemon counts them by itself until penstockctl account reset.",
			   snapshot->redis.foreign_records);
	if (snapshot->redis.useless_plans > 0)
		health_add(list, HEALTH_WARNING,
			   "redis: in the hash plans, of %" PRIu64 " plans a part means nothing; "
			   "penstockctl account check names them.",
			   snapshot->redis.useless_plans);
}

static void health_dns(const struct snapshot *snapshot, struct health_list *list)
{
	if (*snapshot->dns_trouble != '\0')
		health_add(list, HEALTH_WARNING, "dns: %s.", snapshot->dns_trouble);
	if (snapshot->dns.recent_failures >= REPORT_DNS_FAILING)
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
		health_add(list, HEALTH_WARNING,
			   "dns: not one of %d block lists passes its test; all listings are unknown.",
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

static void health_origins(const struct snapshot *snapshot, struct health_list *list)
{
	const struct origins *origins = snapshot->setup->origins;
	char why[ORIGINS_WHY_MAX];
	for (int i = 0; origins != NULL && i < ORIGINS_ZONES; i++) {
		origins_why(origins, i, why);
		if (*why != '\0')
			health_add(list, HEALTH_WARNING,
				   "dns: origin zone %s is not asked: it %s; the ASes of clients are unknown.",
				   origins_zone(origins, i), why);
	}
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

/* Where nobody ever logged in that may be intended; it is a figure of the status then, and no reason. */
static void health_logins(const struct snapshot *snapshot, struct health_list *list)
{
	const struct config *config = snapshot->setup->config;
	bool asked = false;
	for (int i = 0; i < config->source_count; i++)
		asked |= config->sources[i] == SOURCE_AUTH;
	int64_t away_ms = snapshot->now_ms - snapshot->stats.last_login_ms;
	if (asked && snapshot->stats.last_login_ms != 0 && away_ms >= LOGINS_AWAY_MS &&
	    snapshot->stats.strangers_since >= LOGINS_AWAY_MESSAGES)
		health_add(list, HEALTH_WARNING,
			   "logins: none for %" PRId64 " minutes, and %" PRIu64
			   " messages of strangers left meanwhile; does Postfix still ask for logins, and tell them?",
			   away_ms / 60000, snapshot->stats.strangers_since);
}

static void health_held(const struct snapshot *snapshot, struct health_list *list)
{
	if (snapshot->held.late > 0)
		health_add(list, HEALTH_WARNING,
			   "held: %" PRIu64 " %s past the release date by %d minutes and more, and nothing releases "
			   "mail: systemctl enable --now penstock-release.timer",
			   snapshot->held.late, text_noun((int64_t)snapshot->held.late, "message is", "messages are"),
			   HELD_LATE_S / 60);
}

static void health_feedback(const struct snapshot *snapshot, struct health_list *list)
{
	enum { LATELY_MS = 300 * 1000 };
	int64_t last_ms = snapshot->stats.last_unmarked_ms;
	uint64_t count = snapshot->stats.feedback[FEEDBACK_UNMARKED];
	if (last_ms != 0 && snapshot->now_ms - last_ms < LATELY_MS)
		health_add(
			list, HEALTH_WARNING,
			"feedback: %" PRIu64 " %s left without a token since the start, the last within five minutes; "
			"complaints about them name no account. Redis has not told key secret, or OpenSSL makes none.",
			count, text_noun((int64_t)count, "message has", "messages have"));
}

static void health_mailers(const struct snapshot *snapshot, struct health_list *list)
{
	struct mailers_strange strange = mailers_strange();
	(void)snapshot;
	for (int i = 0; i < strange.count && i < MAILERS_STRANGE_MAX; i++)
		health_add(list, HEALTH_WARNING,
			   "postfix: mailer \"%s\" is neither in postfix.remote_mailers nor in "
			   "postfix.local_mailers: its recipients count as leaving, and their mail is not marked.",
			   strange.names[i]);
}

static void health_pools(const struct snapshot *snapshot, struct health_list *list)
{
	report_pools_health(snapshot->setup->config, list);
	int64_t last_ms = snapshot->stats.last_message_ms;
	report_receivers_health(last_ms == 0 ? -1 : (snapshot->now_ms - last_ms) / 1000, list);
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
	health_redis,	 health_dns,   health_lists,	      health_origins, health_content,
	health_sessions, health_quiet, health_logins,	      health_held,    health_feedback,
	health_mailers,	 health_pools, report_clients_health, health_events,  health_troubles,
};

void report_health(const struct snapshot *snapshot, struct health_list *list)
{
	for (size_t i = 0; i < sizeof health_rows / sizeof health_rows[0]; i++)
		health_rows[i](snapshot, list);
	report_means_health(list);
}
