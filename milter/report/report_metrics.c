/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The page /metrics.
 */
#include "milter/base/version.h"
#include "milter/blocklist/lists.h"
#include "milter/report/metric.h"
#include "milter/report/report_inside.h"
#include "milter/report/snapshot.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>

#include "policy/base/banned.h"

static void metric_lists(struct evbuffer *to, const struct snapshot *snapshot)
{
	const struct lists *lists = snapshot->setup->lists;
	/* clang-format off */
	static const struct {
		const char *metric, *type, *help;
	} rows[] = {
		{ "dns_list_asked", "gauge",
		  "1: the block list is in use; 0: it is left alone, fails its test, or its budget is spent." },
		{ "dns_list_passes", "gauge", "1: the block list passed its last test, or has none; 0: it failed it, "
		  "or has not answered it for ten minutes." },
		{ "dns_list_answers_total", "counter", "Answers of a block list." },
		{ "dns_list_failures_total", "counter", "Questions to a block list without an answer." },
		{ "dns_list_median_seconds", "gauge", "Median time of a block list's last answers." },
		{ "dns_list_asked_today", "gauge", "Questions sent to a block list this day (UTC), tests included." },
		{ "dns_list_budget", "gauge", "Questions a day that a block list may be asked; 0: no end." },
	};
	/* clang-format on */
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		metric_head(to, rows[row].metric, rows[row].type, rows[row].help);
		for (int i = 0; i < lists_count(lists); i++) {
			struct lists_report report;
			lists_report(lists, i, &report);
			double values[] = { report.asked,
					    report.passes,
					    (double)report.answers,
					    (double)report.failures,
					    report.median_ms < 0 ? 0 : (double)report.median_ms / 1000,
					    (double)report.asked_today,
					    (double)lists_at(lists, i)->budget };
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
	metric_head(to, "message_seconds", "histogram",
		    "Time from MAIL to the verdict, the client's own pace included.");
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
			metric_row(to, "transport_messages_total", "transport", name,
				   report_transport_messages(stats, name));
		}
}

void report_metrics(struct evbuffer *to)
{
	struct snapshot *snapshot = snapshot_new();
	if (snapshot == NULL)
		return;
	metric_head(to, "build_info", "gauge", "The version, as a label.");
	metric_row(to, "build_info", "version", PENSTOCK_VERSION, 1);
	for (int i = 0; i < figure_count; i++) {
		if (*figures[i].metric == '\0')
			continue;
		if (*figures[i].help != '\0')
			metric_head(to, figures[i].metric, figures[i].type, figures[i].help);
		bool labelled = *figures[i].label != '\0';
		evbuffer_add_printf(to, "penstock_%s%s%s%s %" PRIu64 "\n", figures[i].metric, labelled ? "{" : "",
				    figures[i].label, labelled ? "}" : "", figure_value(snapshot, &figures[i]));
	}
	metric_families(to, snapshot);
	metric_lists(to, snapshot);
	report_pools_metrics(snapshot->setup->config, to);
	report_receivers_metrics(to);
	report_clients_metrics(&snapshot->clients, to);
	report_trouble_metrics(to);
	report_means_metrics(to);
	snapshot_free(snapshot);
}
