/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What health says of those who are told of events and take none.
 */
#include "milter/tell/event.h"
#include "milter/report/report_inside.h"
#include "milter/tell/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "policy/base/banned.h"

/* One that is slow or restarted is no trouble, nor is one event that is not wanted. */
enum { FAILING_S = 600, REFUSED_MOST = 3 };

static void report_events_when(int64_t unix_s, char *text, size_t size)
{
	time_t seconds = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	if (unix_s == 0 || strftime(text, size, ", since %Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text[0] = '\0';
}

static void report_events_health_sink(const char *name, const char *whom, const struct event_sink_stats *sink,
				      struct health_list *list)
{
	char since[40], refused[80] = "";
	if (sink->failing_s < FAILING_S && sink->refused < REFUSED_MOST)
		return;
	report_events_when(sink->failing_since_s, since, sizeof since);
	if (sink->refused > 0)
		snprintf(refused, sizeof refused, ", %" PRIu64 " were refused and are given up", sink->refused);
	health_add(list, HEALTH_WARNING,
		   "%s: %s has taken nothing for %" PRIu64 " minutes%s%s%s; %" PRIu64 " events wait%s.", name, whom,
		   sink->failing_s / 60, since, sink->why[0] != '\0' ? ": it " : "", sink->why, sink->waiting, refused);
}

void report_events_health(const struct settings *set, const struct event_stats *events, bool redis_up,
			  struct health_list *list)
{
	char host[256];
	webhook_host(set->webhook_url, host, sizeof host);
	if (set->webhook_url[0] != '\0') /* a reload may have taken it away */
		report_events_health_sink("webhook", host, &events->webhook, list);
	if (set->admin_mail_to[0] != '\0')
		report_events_health_sink("admin mail", set->admin_smtp, &events->mail, list);
	if (redis_up && set->events_keep > 0)
		report_events_health_sink("events", "Redis", &events->stream, list);
}
