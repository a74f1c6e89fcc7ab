/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What health, status and metrics say of the hosts that connect.
 */
#include "milter/base/json.h"
#include "milter/clients/clients_report.h"
#include "milter/pools/rests.h"
#include "milter/report/metric.h"
#include "milter/report/report_inside.h"
#include "milter/report/snapshot.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "policy/base/banned.h"

enum { ABUSE_FAILING_S = 900 };

enum { WHEN_MAX = 32, SHARE_MAX = 16 };

/* -- health -- */

static const char *report_clients_when(int64_t unix_s, char text[WHEN_MAX])
{
	time_t seconds = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	if (strftime(text, WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text[0] = '\0';
	return text;
}

/* "0.25 %", "12.5 %" */
static const char *report_clients_share(double share, char text[SHARE_MAX])
{
	double per_cent = 100 * share;
	snprintf(text, SHARE_MAX, per_cent < 1 ? "%.2f %%" : "%.1f %%", per_cent);
	return text;
}

static void report_clients_health_hangups(struct health_list *list)
{
	struct clients_alarm alarm;
	char since[WHEN_MAX], now[SHARE_MAX], usual[SHARE_MAX];
	clients_alarm(&alarm);
	if (!alarm.on)
		return;
	health_add(list, HEALTH_WARNING,
		   "sessions: %s end without QUIT since %s, where %s is usual: most of %s, %s; see penstockctl "
		   "sessions report.",
		   report_clients_share(alarm.now, now), report_clients_when(alarm.since_s, since),
		   report_clients_share(alarm.usual, usual), alarm.who[0] != '\0' ? alarm.who : "many networks",
		   alarm.where[0] != '\0' ? alarm.where : "at any stage");
}

void report_clients_health(const struct snapshot *snapshot, struct health_list *list)
{
	const struct clients_stats *stats = &snapshot->clients;
	report_clients_health_hangups(list);
	if (stats->stream_why[0] != '\0')
		health_add(list, HEALTH_WARNING, "clients: the stream of what they did cannot be read from Redis: %s.",
			   stats->stream_why);
	if (snapshot->setup->config->set.clients_require_quit && !rests_follows())
		health_add(
			list, HEALTH_WARNING,
			"clients: clients.require_quit is true, but no mail is held until QUIT: penstock-follow does "
			"not run on this host, or says above what keeps it from that.");
	if (snapshot->history_why[0] != '\0')
		health_add(list, HEALTH_WARNING,
			   "clients: the history of throttling cannot be written: %s; %" PRIu64 " rows are lost.",
			   snapshot->history_why, snapshot->history_lost);
	if (snapshot->zone.left_out > 0)
		health_add(list, HEALTH_WARNING,
			   "clients: the block list is full, and %" PRIu64 " of bad standing are not on it.",
			   snapshot->zone.left_out);
	if (snapshot->abuse.mail.failing_s >= ABUSE_FAILING_S)
		health_add(list, HEALTH_WARNING,
			   "clients: reports of abuse have not been taken for %" PRIu64 " minutes: %s %s; %" PRIu64
			   " wait.",
			   snapshot->abuse.mail.failing_s / 60, snapshot->setup->config->set.admin_smtp,
			   snapshot->abuse.mail.why, snapshot->abuse.mail.waiting);
}

/* -- status -- */

void report_clients_status(json_t *section)
{
	struct clients_alarm alarm;
	clients_alarm(&alarm);
	json_object_set_new(section, "hangups_per_mille", alarm.known ? json_real(1000 * alarm.now) : json_null());
	json_object_set_new(section, "usual_per_mille", alarm.known ? json_real(1000 * alarm.usual) : json_null());
	json_object_set_new(section, "hangups_alarm", json_boolean(alarm.on));
}

/* -- metrics -- */

static void report_clients_metric_table(const struct clients_stats *stats, struct evbuffer *to)
{
	static const char *const kinds[CLIENTS_KINDS] = { "client", "network", "as" };
	metric_head(to, "clients_remembered", "gauge", "Clients, networks and ASes of which something is known.");
	for (int i = 0; i < CLIENTS_KINDS; i++)
		metric_row(to, "clients_remembered", "kind", kinds[i], stats->rows[i]);
	metric_head(to, "clients_remembered_max", "gauge", "How many of them may be remembered.");
	for (int i = 0; i < CLIENTS_KINDS; i++)
		metric_row(to, "clients_remembered_max", "kind", kinds[i], stats->most[i]);
	metric_head(to, "clients_standing", "gauge", "Clients by their standing.");
	for (int i = 0; i < CLIENT_STANDING_COUNT; i++)
		metric_row(to, "clients_standing", "standing", client_standing_word((enum client_standing)i),
			   stats->standing[i]);
}

static void report_clients_metric_events(const struct clients_stats *stats, struct evbuffer *to)
{
	metric_head(to, "clients_events_total", "counter", "What clients did, as the mail logs of the fleet say.");
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		metric_row(to, "clients_events_total", "event", client_event_word((enum client_event)i),
			   stats->total.event[i]);
	metric_head(to, "clients_hangups_total", "counter",
		    "Sessions that ended without QUIT, by what the client had sent last.");
	for (int i = 0; i < CLIENT_STAGE_COUNT; i++)
		metric_row(to, "clients_hangups_total", "stage",
			   i == CLIENT_STAGE_NONE ? "unknown" : client_stage_word((enum client_stage)i),
			   stats->total.stage[i]);
	metric_head(to, "clients_login_failures_total", "counter", "Failed logins by the service that tells of them.");
	for (int i = 0; i < CLIENT_SERVICE_COUNT; i++)
		metric_row(to, "clients_login_failures_total", "service", client_service_word((enum client_service)i),
			   stats->total.failure[i]);
}

static const char *report_clients_yes(bool is)
{
	return is ? "yes" : "no";
}

static void report_clients_metric_encrypted(const struct clients_stats *stats, struct evbuffer *to)
{
	metric_head(to, "clients_sessions_total", "counter",
		    "Sessions of strangers without login on this host, by standing and encryption.");
	for (int i = 0; i < CLIENT_STANDING_COUNT; i++)
		for (int tls = 0; tls < 2; tls++)
			evbuffer_add_printf(
				to, "penstock_clients_sessions_total{standing=\"%s\",encrypted=\"%s\"} %" PRIu64 "\n",
				client_standing_word((enum client_standing)i), report_clients_yes(tls == 1),
				stats->total.session[i][tls]);
	metric_head(to, "clients_messages_total", "counter",
		    "Their messages, by standing, encryption and what a scanner says.");
	for (int i = 0; i < CLIENT_STANDING_COUNT; i++)
		for (int which = 0; which < 4; which++)
			evbuffer_add_printf(to,
					    "penstock_clients_messages_total{standing=\"%s\",encrypted=\"%s\","
					    "spam=\"%s\"} %" PRIu64 "\n",
					    client_standing_word((enum client_standing)i),
					    report_clients_yes(which / 2 == 1), report_clients_yes(which % 2 == 1),
					    stats->total.message[i][which / 2][which % 2]);
}

static void report_clients_metric_alarm(struct evbuffer *to)
{
	struct clients_alarm alarm;
	clients_alarm(&alarm);
	metric_head(to, "clients_hangups_alarm", "gauge", "1: more sessions than usual end without QUIT.");
	evbuffer_add_printf(to, "penstock_clients_hangups_alarm %d\n", alarm.on ? 1 : 0);
	if (!alarm.known)
		return;
	metric_head(to, "clients_hangups_ratio", "gauge", "Share of sessions without QUIT, 0 to 1.");
	metric_real(to, "clients_hangups_ratio", "when", "now", alarm.now);
	metric_real(to, "clients_hangups_ratio", "when", "usual", alarm.usual);
}

void report_clients_metrics(const struct clients_stats *stats, struct evbuffer *to)
{
	report_clients_metric_table(stats, to);
	report_clients_metric_events(stats, to);
	report_clients_metric_encrypted(stats, to);
	report_clients_metric_alarm(to);
}
