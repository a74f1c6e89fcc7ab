/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/report.h"

#include "milter/base/json.h"
#include "milter/base/version.h"
#include "milter/blocklist/lists.h"
#include "milter/report/report_inside.h"
#include "milter/report/snapshot.h"

#include "policy/base/banned.h"

static const char *const health_words[] = {
	[HEALTH_OK] = "ok",
	[HEALTH_WARNING] = "warning",
	[HEALTH_CRITICAL] = "critical",
};

static void report_status_figures(const struct snapshot *snapshot, json_t *status)
{
	for (int i = 0; i < figure_count; i++) {
		json_t *section = *figures[i].section == '\0' ? status : json_object_get(status, figures[i].section);
		if (*figures[i].word != '\0')
			json_set_int(section, figures[i].word, (int64_t)figure_value(snapshot, &figures[i]));
	}
	json_set_real(json_object_get(status, "redis"), "local_share", snapshot->redis.local_share);
	int64_t last_ms = snapshot->stats.last_message_ms;
	int64_t login_ms = snapshot->stats.last_login_ms;
	json_object_set_new(json_object_get(status, "logins"), "last_s",
			    login_ms == 0 ? json_null() : json_integer((snapshot->now_ms - login_ms) / 1000));
	json_object_set_new(status, "last_message_s",
			    last_ms == 0 ? json_null() : json_integer((snapshot->now_ms - last_ms) / 1000));
	for (int i = 0; i < ACTION_COUNT; i++)
		json_set_int(json_object_get(status, "actions"), action_word((enum action)i),
			     (int64_t)snapshot->stats.actions[i]);
}

static json_t *report_list_row(const struct list *list, const struct lists_report *report)
{
	json_t *row = json_object();
	json_set_text(row, "name", list->name);
	json_set_text(row, "zone", list->zone);
	json_set_text(row, "state", report->state);
	json_set_text(row, "why", report->why);
	json_set_int(row, "answers", (int64_t)report->answers);
	json_set_int(row, "failures", (int64_t)report->failures);
	json_object_set_new(row, "median_ms", report->median_ms < 0 ? json_null() : json_integer(report->median_ms));
	json_object_set_new(row, "retry_s", report->retry_s < 0 ? json_null() : json_integer(report->retry_s));
	json_set_int(row, "asked_today", report->asked_today);
	json_object_set_new(row, "budget", list->budget == 0 ? json_null() : json_integer(list->budget));
	return row;
}

/* Of the catalogue's other lists, those that were asked something. */
static json_t *report_list_rows(const struct snapshot *snapshot)
{
	const struct lists *lists = snapshot->setup->lists;
	json_t *rows = json_array();
	for (int i = 0; i < lists_count(lists); i++) {
		struct lists_report report;
		lists_report(lists, i, &report);
		if (report.used)
			json_array_append_new(rows, report_list_row(lists_at(lists, i), &report));
	}
	return rows;
}

static bool dns_fails(const struct snapshot *snapshot)
{
	return snapshot->dns.recent_failures >= REPORT_DNS_FAILING || *snapshot->dns_trouble != '\0' ||
	       lists_all_useless(snapshot->setup->lists);
}

static json_t *report_status_of(const struct snapshot *snapshot, enum health *health_out)
{
	struct health_list list = { .reasons = json_array() };
	report_health(snapshot, &list);
	*health_out = list.worst;
	json_t *status = json_pack(
		"{s:s, s:s, s:o, s:{}, s:{s:b, s:b}, s:{s:b, s:o}, s:{s:b}, s:o, s:{}, s:{}, s:{}, s:{}, s:{}}",
		"status", health_words[list.worst], "version", PENSTOCK_VERSION, "reasons", list.reasons, "logins",
		"redis", "up", snapshot->redis.up, "breaker_open", snapshot->redis.breaker_open, "dns", "failing",
		dns_fails(snapshot), "lists", report_list_rows(snapshot), "content", "failing",
		snapshot->content_failures >= REPORT_CONTENT_FAILING, "pools",
		report_pools_counts(snapshot->setup->config), "clients", "held", "events", "actions", "feedback");
	if (status != NULL) {
		json_object_set_new(status, "reload_failed", report_reload());
		report_status_figures(snapshot, status);
		report_clients_status(json_object_get(status, "clients"));
		json_t *follow = report_receivers_status();
		if (follow != NULL)
			json_object_set_new(status, "follow", follow);
	}
	return status;
}

json_t *report_status(enum health *health_out)
{
	*health_out = HEALTH_CRITICAL;
	struct snapshot *snapshot = snapshot_new();
	if (snapshot == NULL)
		return NULL;
	json_t *status = report_status_of(snapshot, health_out);
	snapshot_free(snapshot);
	return status;
}
