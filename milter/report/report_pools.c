/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/report.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/pools/monitor.h"
#include "milter/pools/rests.h"
#include "milter/report/metric.h"
#include "milter/report/report_inside.h"
#include "milter/daemon/stats.h"
#include "milter/pools/warmup.h"
#include "milter/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	SAID_MOST = 5,
	LISTS_BYTES = 300,
	SILENT_ROUNDS = 3, /* checks without an answer in a row, after which health warns */
};

uint64_t report_transport_messages(const struct stats *stats, const char *name)
{
	for (int i = 0; i < stats->transport_count; i++)
		if (strcmp(stats->transports[i].name, name) == 0)
			return stats->transports[i].messages;
	return 0;
}

typedef void transport_function(const struct config *config, const struct transport *transport,
				const struct monitor_view *view, void *arg);

static void report_pools_each_transport(const struct config *config, transport_function *function, void *arg)
{
	struct monitor_view view;
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const struct transport *transport = &config->pools[i].transports[j];
			monitor_view(config, transport, &view);
			function(config, transport, &view, arg);
		}
}

/* -- health -- */

struct health_count {
	struct health_list *list;
	int listed, silent;
};

static const char *report_pools_first_page(const struct standing *standing)
{
	for (int i = 0; i < standing->list_count; i++)
		if (standing->lists[i].weight > 0 && standing->lists[i].removal[0] != '\0')
			return standing->lists[i].removal;
	return "";
}

static void report_pools_health_transport(const struct config *config, const struct transport *transport,
					  const struct monitor_view *view, void *arg)
{
	struct health_count *health = arg;
	char lists[LISTS_BYTES];
	if (view->standing == NULL)
		return;
	health->silent += (double)view->silent_ms > SILENT_ROUNDS * config->set.monitor_interval_minutes * 60000;
	if (view->standing->state != STANDING_LISTED || ++health->listed > SAID_MOST)
		return;
	const char *page = report_pools_first_page(view->standing);
	monitor_lists_text(view->standing, false, lists, sizeof lists);
	health_add(health->list, HEALTH_WARNING, "pools: transport %s (%s) is listed by %s; %s.%s%s%s", transport->name,
		   view->address, lists,
		   view->withheld == TRANSPORT_OUT ? "it has left its pool"
						   : "it stays in use, as there is no better one",
		   *page == '\0' ? "" : " Removal: ", page, *page == '\0' ? "" : ".");
}

void report_pools_health(const struct config *config, struct health_list *list)
{
	struct health_count health = { list, 0, 0 };
	report_pools_each_transport(config, report_pools_health_transport, &health);
	if (health.listed > SAID_MOST)
		health_add(list, HEALTH_WARNING, "pools: %d more transports are listed.", health.listed - SAID_MOST);
	if (health.silent > 0)
		health_add(list, HEALTH_WARNING,
			   "pools: addresses of %d transports could not be looked up in the block lists for a while: "
			   "most lists give no answer.",
			   health.silent);
	for (int i = 0; i < config->pool_count; i++) {
		const char *kept = monitor_all_listed(&config->pools[i]);
		if (kept != NULL)
			health_add(list, HEALTH_CRITICAL, "pools: all transports of pool %s are listed; %s goes on.",
				   config->pools[i].name, kept);
	}
}

static void report_pools_count_listed(const struct config *config, const struct transport *transport,
				      const struct monitor_view *view, void *arg)
{
	int *counts = arg; /* all, listed */
	(void)config;
	(void)transport;
	counts[0]++;
	counts[1] += view->standing != NULL && view->standing->state == STANDING_LISTED;
}

json_t *report_pools_counts(const struct config *config)
{
	int counts[2] = { 0, 0 }, all_listed = 0;
	report_pools_each_transport(config, report_pools_count_listed, counts);
	for (int i = 0; i < config->pool_count; i++)
		all_listed += monitor_all_listed(&config->pools[i]) != NULL;
	return json_pack("{s:i, s:i, s:i}", "transports", counts[0], "listed", counts[1], "all_listed", all_listed);
}

/* -- metrics -- */

static int report_pools_lists_that_count(const struct standing *standing)
{
	int count = 0;
	for (int i = 0; i < standing->list_count; i++)
		count += standing->lists[i].weight > 0;
	return count;
}

static double metric_listed(const struct monitor_view *view)
{
	return report_pools_lists_that_count(view->standing);
}

static double metric_weight(const struct monitor_view *view)
{
	return view->standing->weight;
}

static double metric_share(const struct monitor_view *view)
{
	return (double)(TRANSPORT_OUT - view->withheld) / TRANSPORT_OUT;
}

static double metric_checked(const struct monitor_view *view)
{
	return view->checked_ms == 0 ? -1 : (double)((clock_now_ms() - view->checked_ms) / 1000);
}

/* metric, help, value */
/* clang-format off */
static const struct {
	const char *metric, *help;
	double (*value)(const struct monitor_view *view);
} transport_metrics[] = {
	{ "transport_listed", "Block lists that name the transport's address, of those that count.", metric_listed },
	{ "transport_weight", "What they weigh together.", metric_weight },
	{ "transport_share_ratio", "Part of its share of the pool that the transport has: 0 where it "
	  "is out.", metric_share },
	{ "transport_checked_seconds", "Seconds since the last check of its address that said something; -1: none yet.",
	  metric_checked },
};
/* clang-format on */

struct metric_row {
	struct evbuffer *to;
	size_t row;
};

static void report_pools_metric_transport(const struct config *config, const struct transport *transport,
					  const struct monitor_view *view, void *arg)
{
	const struct metric_row *metric = arg;
	(void)config;
	if (view->standing != NULL)
		metric_real(metric->to, transport_metrics[metric->row].metric, "transport", transport->name,
			    transport_metrics[metric->row].value(view));
}

void report_pools_metrics(const struct config *config, struct evbuffer *to)
{
	struct metric_row metric = { to, 0 };
	if (config->set.monitor_interval_minutes <= 0)
		return;
	for (; metric.row < sizeof transport_metrics / sizeof transport_metrics[0]; metric.row++) {
		metric_head(to, transport_metrics[metric.row].metric, "gauge", transport_metrics[metric.row].help);
		report_pools_each_transport(config, report_pools_metric_transport, &metric);
	}
	metric_head(to, "pool_all_listed", "gauge", "1: all transports of the pool are listed.");
	for (int i = 0; i < config->pool_count; i++)
		metric_real(to, "pool_all_listed", "pool", config->pools[i].name,
			    monitor_all_listed(&config->pools[i]) != NULL);
}

/* -- penstockctl pool list -- */

static json_t *report_pools_add_lists(const struct standing *standing)
{
	json_t *lists = json_array();
	for (int i = 0; i < standing->list_count; i++) {
		const struct standing_list *list = &standing->lists[i];
		json_t *row = json_object();
		json_set_text(row, "name", list->name);
		json_set_text(row, "kind", list_kind_word(list->kind));
		json_set_real(row, "weight", list->weight);
		json_set_text(row, "removal", list->removal[0] == '\0' ? NULL : list->removal);
		json_array_append_new(lists, row);
	}
	return lists;
}

static void set_time(json_t *row, const char *name, int64_t unix_ms)
{
	json_object_set_new(row, name, unix_ms == 0 ? json_null() : json_integer((json_int_t)(unix_ms / 1000)));
}

/* Unwatched, all but "state" and "why" are null. */
static void report_pools_set_standing(json_t *row, const struct monitor_view *view)
{
	const struct standing *standing = view->standing;
	bool watched = standing != NULL;
	json_set_text(row, "state", watched ? standing_word(standing->state) : "not watched");
	json_set_text(row, "why", view->why);
	json_object_set_new(row, "lists", watched ? report_pools_add_lists(standing) : json_null());
	json_object_set_new(row, "listed_weight", watched ? json_real(standing->weight) : json_null());
	json_object_set_new(row, "share", watched ? json_real(metric_share(view)) : json_null());
	set_time(row, "since", view->since_ms);
	set_time(row, "checked", view->checked_ms);
	set_time(row, "ends", view->ends_ms);
}

/* Null where it is warm; it may be watched or not. */
static void report_pools_set_warmup(json_t *row, const struct transport *transport, const struct monitor_view *view)
{
	struct warmup_view warming;
	if (!warmup_view(transport, &warming)) {
		json_object_set_new(row, "warmup", json_null());
		return;
	}
	int withheld = view->standing != NULL && view->withheld > warming.withheld ? view->withheld : warming.withheld;
	json_object_set_new(row, "share", json_real((double)(TRANSPORT_OUT - withheld) / TRANSPORT_OUT));
	json_object_set_new(row, "warmup",
			    json_pack("{s:I, s:I, s:I}", "since", (json_int_t)transport->warmup_since_s, "today",
				      (json_int_t)warming.sent, "today_most", (json_int_t)warming.cap));
}

/* What several receivers who refuse it leave of its share is the least. */
static void report_pools_set_rests(json_t *row, const struct transport *transport)
{
	double left = (double)(TRANSPORT_OUT - rests_withheld(transport->name)) / TRANSPORT_OUT;
	const json_t *share = json_object_get(row, "share");
	if (left < (json_is_number(share) ? json_number_value(share) : 1))
		json_object_set_new(row, "share", json_real(left));
	json_object_set_new(row, "rests", report_receivers_rests(transport->name));
}

static json_t *report_pools_add_transport(const struct config *config, const struct transport *transport,
					  const struct stats *stats)
{
	struct monitor_view view;
	json_t *row = json_object();
	monitor_view(config, transport, &view);
	json_set_text(row, "name", transport->name);
	json_set_text(row, "address", transport->address);
	json_set_text(row, "seen_as", transport_seen_as(transport, TRANSPORT_ADDRESS));
	json_set_text(row, "helo", transport->helo);
	json_set_real(row, "weight", transport->weight);
	json_set_int(row, "messages", (int64_t)report_transport_messages(stats, transport->name));
	report_pools_set_standing(row, &view);
	report_pools_set_warmup(row, transport, &view);
	json_set_text(row, "address6", transport->address6);
	json_set_text(row, "seen_as6", transport_seen_as(transport, TRANSPORT_ADDRESS6));
	json_set_text(row, "standing_of", view.address);
	report_pools_set_rests(row, transport);
	return row;
}

static json_t *pool_report(const struct config *config, const struct pool *pool, const struct stats *stats)
{
	json_t *levels = json_array(), *transports = json_array();
	for (int i = 0; i < LEVEL_COUNT; i++)
		if (pool->levels[i])
			json_array_append_new(levels, json_string(level_word((enum level)i)));
	for (int i = 0; i < pool->transport_count; i++)
		json_array_append_new(transports, report_pools_add_transport(config, &pool->transports[i], stats));
	return json_pack("{s:o, s:o, s:b, s:o}", "name", json_text(pool->name), "levels", levels, "all_listed",
			 monitor_all_listed(pool) != NULL, "transports", transports);
}

json_t *report_pools(void)
{
	struct stats *stats = calloc(1, sizeof *stats);
	if (stats == NULL)
		return NULL;
	struct setup *setup = setup_hold();
	json_t *pools = json_array();
	stats_read(stats);
	for (int i = 0; i < setup->config->pool_count; i++)
		json_array_append_new(pools, pool_report(setup->config, &setup->config->pools[i], stats));
	setup_drop(&setup);
	free(stats);
	return json_pack("{s:o}", "pools", pools);
}
