/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What health and metrics say of the daemon's own means: its log, its sockets, its files, what is lost for want of
 * room, and the configuration that it could not put in force.
 */
#include "milter/base/descriptors.h"
#include "milter/record/factlog.h"
#include "milter/base/log.h"
#include "milter/report/losses.h"
#include "milter/daemon/outbox.h"
#include "milter/daemon/reloads.h"
#include "milter/report/metric.h"
#include "milter/report/report_inside.h"
#include "milter/base/sockets.h"
#include "milter/base/json.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "policy/base/banned.h"

enum { STUCK_S = 5 }; /* until then it is slow */

static const char *report_means_when(int64_t unix_s, char text[32])
{
	time_t seconds = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	if (strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text[0] = '\0';
	return text;
}

static void report_means_health_log(struct health_list *list)
{
	struct log_stats log = log_stats();
	if (log.stuck_s >= STUCK_S || log.unsaid > 0)
		health_add(list, HEALTH_WARNING,
			   "log: its lines have not been taken for %" PRIu64 " seconds; %" PRIu64 " wait, %" PRIu64
			   " are lost.",
			   log.stuck_s, log.waiting, log.unsaid);
}

static void report_means_health_facts(struct health_list *list)
{
	struct factlog_stats facts = factlog_stats();
	if (facts.losing)
		health_add(list, HEALTH_WARNING, "facts.file: lines are lost (%" PRIu64 " since the start): %s.",
			   facts.lost, facts.why);
}

static void report_means_health_losses(struct health_list *list)
{
	struct loss loss;
	char since[32];
	losses_look();
	for (int at = 0; losses_next(&at, &loss);)
		health_add(list, HEALTH_WARNING, "%s: %s are %s (%" PRIu64 " since %s): %s.", loss.what, loss.things,
			   loss.done, loss.count, report_means_when(loss.since_s, since), loss.why);
}

/* Postfix defers all mail without the first two. */
static void report_means_health_sockets(struct health_list *list)
{
	for (int i = 0; i < SOCKET_COUNT; i++) {
		const char *trouble = sockets_trouble((enum socket_of)i);
		if (trouble != NULL)
			health_add(list, i == SOCKET_MILTER || i == SOCKET_SOCKETMAP ? HEALTH_CRITICAL : HEALTH_WARNING,
				   "%s.", trouble);
	}
}

static void report_means_health_files(struct health_list *list)
{
	struct descriptors files = descriptors_count();
	if (files.scarce)
		health_add(list, HEALTH_CRITICAL,
			   "files: %" PRIu64 " of %" PRIu64
			   " are open; the MTA's new connections wait until there is room.",
			   files.open, files.most);
}

static void report_means_health_reload(struct health_list *list)
{
	int64_t failed_s;
	char error[CONFIG_ERROR_MAX], at[32];
	if (reloads_failed(&failed_s, error))
		health_add(list, HEALTH_WARNING,
			   "reload: the one of %s failed: %s; the previous configuration is in force.",
			   report_means_when(failed_s, at), error);
}

void report_means_health(struct health_list *list)
{
	static void (*const rows[])(struct health_list *) = {
		report_means_health_reload, report_means_health_log,	 report_means_health_facts,
		report_means_health_losses, report_means_health_sockets, report_means_health_files,
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		rows[i](list);
}

/* Null where the last one went well. */
json_t *report_reload(void)
{
	int64_t failed_s;
	char error[CONFIG_ERROR_MAX];
	if (!reloads_failed(&failed_s, error))
		return json_null();
	json_t *failed = json_object();
	json_set_int(failed, "time_s", failed_s);
	json_set_text(failed, "error", error);
	return failed;
}

/* ---- metrics */

static void metric_number(struct evbuffer *to, const char *metric, const char *type, const char *help, uint64_t number)
{
	metric_head(to, metric, type, help);
	evbuffer_add_printf(to, "penstock_%s %" PRIu64 "\n", metric, number);
}

static void report_means_metric_sockets(struct evbuffer *to)
{
	metric_head(to, "socket_file_missing", "gauge", "1: the file of this socket is gone and cannot be made again.");
	for (int i = 0; i < SOCKET_COUNT; i++)
		metric_real(to, "socket_file_missing", "socket", sockets_option((enum socket_of)i),
			    sockets_trouble((enum socket_of)i) != NULL);
	metric_head(to, "socket_file_made_again_total", "counter",
		    "Files of sockets that were gone and were made again.");
	for (int i = 0; i < SOCKET_COUNT; i++)
		metric_real(to, "socket_file_made_again_total", "socket", sockets_option((enum socket_of)i),
			    (double)sockets_remade((enum socket_of)i));
}

static void report_means_metric_boxes(struct evbuffer *to)
{
	static const char *const words[] = {
		[OUTBOX_HELD] = "held",
		[OUTBOX_EXPLAIN] = "explain",
		[OUTBOX_WEBHOOK] = "webhook",
	};
	metric_head(to, "outbox_dropped_total", "counter",
		    "Commands for Redis that nobody waits for and that were lost.");
	for (int i = 0; i < OUTBOX_COUNT; i++)
		metric_real(to, "outbox_dropped_total", "of", words[i], (double)outbox_stats((enum outbox)i).dropped);
}

void report_means_metrics(struct evbuffer *to)
{
	struct descriptors files = descriptors_count();
	struct log_stats log = log_stats();
	int64_t failed_s;
	char error[CONFIG_ERROR_MAX];
	metric_number(to, "log_lost_total", "counter", "Lines of the log that were lost.", log.lost);
	metric_number(to, "log_waiting", "gauge", "Lines that wait for the log to take them.", log.waiting);
	metric_number(to, "facts_lost_total", "counter", "Lines of facts.file that were lost.", factlog_stats().lost);
	metric_number(to, "files_open", "gauge", "Files and sockets that are open.", files.open);
	metric_number(to, "files_max", "gauge", "Files and sockets that may be open.", files.most);
	metric_number(to, "reload_failed", "gauge", "1: the last reload failed.", reloads_failed(&failed_s, error));
	report_means_metric_boxes(to);
	report_means_metric_sockets(to);
}
