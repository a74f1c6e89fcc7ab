/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What penstock-follow tells of receivers, for people and programs.
 */
#include "milter/base/clock.h"
#include "milter/base/json.h"
#include "milter/daemon/daemon.h"
#include "milter/pools/rests.h"
#include "milter/report/metric.h"
#include "milter/report/report_inside.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	LAG_MOST_S = 300,
	UNKNOWN_LEAST = 1000, /* lines, before their share says anything */
	UNKNOWN_PER_CENT = 5,
	NOTHING_LEAST_S = 600,
	METRIC_ROWS_MAX = 50,
};

static const enum receiver_count refused_kinds[] = { RECEIVER_REPUTATION, RECEIVER_LISTED, RECEIVER_CONTENT,
						     RECEIVER_AUTHENTICATION, RECEIVER_UNSAID };
static const enum receiver_count deferred_kinds[] = { RECEIVER_RATE, RECEIVER_GREYLISTED, RECEIVER_DEFERRED };

struct receivers_shares {
	double volume, refused, deferred; /* shares 0..1 of the volume */
};

static struct receivers_shares report_receivers_shares(const struct receiver_row *row)
{
	struct receivers_shares shares = { .volume = 0 };
	for (int i = 0; i < RECEIVER_COUNTS; i++)
		shares.volume += row->counts[i];
	for (size_t i = 0; i < sizeof refused_kinds / sizeof refused_kinds[0]; i++)
		shares.refused += row->counts[refused_kinds[i]];
	for (size_t i = 0; i < sizeof deferred_kinds / sizeof deferred_kinds[0]; i++)
		shares.deferred += row->counts[deferred_kinds[i]];
	shares.refused = shares.volume > 0 ? shares.refused / shares.volume : 0;
	shares.deferred = shares.volume > 0 ? shares.deferred / shares.volume : 0;
	return shares;
}

/* -- penstockctl receivers, pool list -- */

static void report_receivers_time(json_t *row, const char *name, int64_t unix_ms)
{
	json_object_set_new(row, name, unix_ms == 0 ? json_null() : json_integer((json_int_t)(unix_ms / 1000)));
}

static json_t *report_receivers_row(const struct rests_row *from, int64_t now_ms)
{
	struct receivers_shares shares = report_receivers_shares(&from->row);
	json_t *row = json_object(), *counts = json_object();
	for (int i = 0; i < RECEIVER_COUNTS; i++)
		json_set_real(counts, receiver_count_word((enum receiver_count)i), from->row.counts[i]);
	json_set_text(row, "transport", from->transport);
	json_set_text(row, "receiver", from->receiver);
	json_set_real(row, "volume", shares.volume);
	json_set_real(row, "refused", shares.refused);
	json_set_real(row, "deferred", shares.deferred);
	json_object_set_new(row, "counts", counts);
	json_set_text(row, "state", receiver_state_word(rests_row_state(from, now_ms)));
	report_receivers_time(row, "since", from->row.since_ms);
	report_receivers_time(row, "until", from->row.until_ms);
	json_set_text(row, "wording", from->row.wording[0] == '\0' ? NULL : from->row.wording);
	report_receivers_time(row, "worded", from->row.worded_ms);
	return row;
}

/* Null: there never was one. */
static json_t *report_receivers_follow(const struct follow_head *head, int64_t now_ms)
{
	if (head->number == 0)
		return json_null();
	json_t *follow = json_object();
	json_set_int(follow, "age_s", (now_ms - head->at_ms) / 1000);
	json_set_int(follow, "lag_s", head->lag_s);
	json_set_int(follow, "lines", head->lines);
	json_set_int(follow, "unknown", head->unknown);
	json_set_int(follow, "lost", head->lost);
	return follow;
}

static json_t *report_receivers_node(const char *node, const struct rests_table *table, const struct follow_head *head,
				     const char *trouble)
{
	int64_t now_ms = clock_now_ms();
	json_t *rows = json_array();
	for (int i = 0; table != NULL && i < table->row_count; i++)
		json_array_append_new(rows, report_receivers_row(&table->rows[i], now_ms));
	return json_pack("{s:o, s:o, s:o, s:o}", "node", json_text(node), "trouble",
			 *trouble == '\0' ? json_null() : json_text(trouble), "follow",
			 report_receivers_follow(head, now_ms), "rows", rows);
}

json_t *report_receivers(void)
{
	struct rests_view view;
	rests_view(&view);
	return report_receivers_node(the_daemon.node, view.table, &view.head, view.trouble);
}

json_t *report_receivers_of(const char *node, const char *value)
{
	char why[300] = "";
	struct follow_head none = { .number = 0 };
	struct rests_table *table = rests_table_read(value, strlen(value), why, sizeof why);
	json_t *report = report_receivers_node(node, table, table == NULL ? &none : &table->head, why);
	rests_table_drop(&table);
	return report;
}

json_t *report_receivers_rests(const char *transport)
{
	struct rests_view view;
	int64_t now_ms = clock_now_ms();
	json_t *rests = json_array();
	rests_view(&view);
	for (int i = 0; view.table != NULL && i < view.table->row_count; i++) {
		const struct rests_row *from = &view.table->rows[i];
		enum receiver_state state = rests_row_state(from, now_ms);
		if (state == RECEIVER_FREE || strcmp(from->transport, transport) != 0)
			continue;
		json_t *row = json_object();
		json_set_text(row, "receiver", from->receiver);
		json_set_text(row, "state", receiver_state_word(state));
		report_receivers_time(row, "since", from->row.since_ms);
		report_receivers_time(row, "until", from->row.until_ms);
		json_array_append_new(rests, row);
	}
	return rests;
}

json_t *report_receivers_status(void)
{
	struct rests_view view;
	rests_view(&view);
	if (view.head.number == 0)
		return NULL;
	json_t *status = json_object();
	json_set_int(status, "told_s", (clock_now_ms() - view.head.at_ms) / 1000);
	json_set_int(status, "lines", view.head.lines);
	json_set_int(status, "unknown", view.head.unknown);
	json_set_int(status, "lost", view.head.lost);
	json_set_int(status, "lag_s", view.head.lag_s);
	return status;
}

/* -- health -- */

/* Where mail passed since, Penstock's own lines at least must have come. */
static void report_receivers_health_nothing(const struct rests_view *view, int64_t last_message_s,
					    struct health_list *list)
{
	int64_t window_s = (view->head.at_ms - view->before.at_ms) / 1000;
	if (view->head.lines == view->before.lines && window_s >= NOTHING_LEAST_S && view->head.lag_s == 0 &&
	    last_message_s >= 0 && last_message_s < window_s - NOTHING_LEAST_S / 2)
		health_add(list, HEALTH_WARNING,
			   "follow: penstock-follow has read no line for %" PRId64 " minutes, though mail passed: it "
			   "reads another log than Penstock writes; see follow.source and follow.units.",
			   window_s / 60);
}

static void report_receivers_health_lines(const struct rests_view *view, struct health_list *list)
{
	int64_t lines = view->head.lines - view->before.lines, unknown = view->head.unknown - view->before.unknown,
		lost = view->head.lost - view->before.lost;
	for (int i = 0; view->table != NULL && i < view->table->trouble_count; i++)
		health_add(list, HEALTH_WARNING, "follow: %s.", view->table->troubles[i]);
	if (view->head.lag_s > LAG_MOST_S)
		health_add(list, HEALTH_WARNING,
			   "follow: penstock-follow is %" PRId64 " minutes behind the end of the mail log.",
			   view->head.lag_s / 60);
	if (lost > 0)
		health_add(list, HEALTH_WARNING,
			   "follow: the log has lost %" PRId64 " %s within the last hour: what they said of deliveries "
			   "is not known; penstock(7), RECEIVERS, has the cure.",
			   lost, lost == 1 ? "line" : "lines");
	if (lines >= UNKNOWN_LEAST && unknown * 100 >= lines * UNKNOWN_PER_CENT)
		health_add(list, HEALTH_WARNING,
			   "follow: of the last %" PRId64 " lines of the mail log penstock-follow does not know "
			   "%" PRId64 ".",
			   lines, unknown);
}

void report_receivers_health(int64_t last_message_s, struct health_list *list)
{
	struct rests_view view;
	rests_view(&view);
	int64_t silent_s = (clock_now_ms() - view.head.at_ms) / 1000;
	if (view.trouble[0] != '\0')
		health_add(list, HEALTH_WARNING, "follow: the key %s of Redis is ignored: %s.", view.key, view.trouble);
	if (view.head.number == 0)
		return;
	if (silent_s > RESTS_SILENT_S) {
		health_add(list, HEALTH_WARNING,
			   "follow: penstock-follow has told nothing for %" PRId64 " minutes%s: systemctl status "
			   "penstock-follow",
			   silent_s / 60,
			   silent_s > RESTS_TOO_OLD_S ? ", and no transport rests for a receiver any more" : "");
		return;
	}
	report_receivers_health_lines(&view, list);
	report_receivers_health_nothing(&view, last_message_s, list);
}

/* -- metrics -- */

static double metric_volume(const struct rests_row *row)
{
	return report_receivers_shares(&row->row).volume;
}

static double metric_refused(const struct rests_row *row)
{
	return report_receivers_shares(&row->row).refused;
}

static double metric_deferred(const struct rests_row *row)
{
	return report_receivers_shares(&row->row).deferred;
}

static double metric_rests(const struct rests_row *row)
{
	return rests_row_state(row, clock_now_ms()) == RECEIVER_RESTS;
}

static const struct {
	const char *metric, *help;
	double (*value)(const struct rests_row *row);
} receiver_metrics[] = {
	{ "receiver_answers", "Answers of a receiver to what a transport sent; half of it is forgotten in 12 hours.",
	  metric_volume },
	{ "receiver_refused_ratio", "Share of them that refuse the message, but not for its recipient.",
	  metric_refused },
	{ "receiver_deferred_ratio", "Share of them that put the message off.", metric_deferred },
	{ "receiver_rests", "1: the transport rests for the receiver.", metric_rests },
};

static const struct {
	const char *metric, *type, *help;
	size_t offset; /* of an int64_t in a head */
} follow_metrics[] = {
	{ "follow_lines_total", "counter", "Lines of the mail log that penstock-follow read.",
	  offsetof(struct follow_head, lines) },
	{ "follow_unknown_total", "counter", "Lines that it does not know.", offsetof(struct follow_head, unknown) },
	{ "follow_lost_total", "counter", "Lines that the log says it has lost.", offsetof(struct follow_head, lost) },
	{ "follow_lag_seconds", "gauge", "By how much what it reads is older than now.",
	  offsetof(struct follow_head, lag_s) },
};

static void report_receivers_metric_follow(const struct rests_view *view, struct evbuffer *to)
{
	for (size_t i = 0; i < sizeof follow_metrics / sizeof follow_metrics[0]; i++) {
		int64_t value;
		memcpy(&value, (const char *)&view->head + follow_metrics[i].offset, sizeof value);
		metric_head(to, follow_metrics[i].metric, follow_metrics[i].type, follow_metrics[i].help);
		evbuffer_add_printf(to, "penstock_%s %" PRId64 "\n", follow_metrics[i].metric, value);
	}
	metric_head(to, "follow_told_seconds", "gauge", "Seconds since penstock-follow told something last.");
	evbuffer_add_printf(to, "penstock_follow_told_seconds %" PRId64 "\n",
			    (clock_now_ms() - view->head.at_ms) / 1000);
}

/* Names are printable ASCII without quotes and backslashes: rests_table.c. */
void report_receivers_metrics(struct evbuffer *to)
{
	struct rests_view view;
	rests_view(&view);
	if (view.head.number == 0)
		return;
	report_receivers_metric_follow(&view, to);
	for (size_t i = 0; i < sizeof receiver_metrics / sizeof receiver_metrics[0]; i++) {
		metric_head(to, receiver_metrics[i].metric, "gauge", receiver_metrics[i].help);
		for (int j = 0; view.table != NULL && j < view.table->row_count && j < METRIC_ROWS_MAX; j++)
			evbuffer_add_printf(to, "penstock_%s{transport=\"%s\",receiver=\"%s\"} %.6g\n",
					    receiver_metrics[i].metric, view.table->rows[j].transport,
					    view.table->rows[j].receiver,
					    receiver_metrics[i].value(&view.table->rows[j]));
	}
}
