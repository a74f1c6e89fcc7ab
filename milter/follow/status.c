/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/status.h"

#include "milter/base/clock.h"
#include "milter/base/json.h"
#include "milter/follow/credit.h"
#include "milter/follow/follow.h"
#include "milter/follow/notes.h"
#include "milter/follow/queue_hold.h"
#include "milter/follow/quits_act.h"
#include "milter/follow/receivers.h"
#include "milter/follow/trace.h"
#include "milter/follow/source.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "redis-schema/follow_head.h"
#include "redis-schema/keys.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { STATUS_TROUBLES_MOST = 9 };

bool status_init(struct status *status, const char *node)
{
	if (asprintf(&status->receivers_key, KEY_PART_FOLLOW, node) < 0)
		status->receivers_key = NULL;
	if (asprintf(&status->counts_key, KEY_PART_FOLLOWED, node) < 0)
		status->counts_key = NULL;
	return status->receivers_key != NULL && status->counts_key != NULL;
}

void status_release(struct status *status)
{
	free(status->receivers_key);
	free(status->counts_key);
	*status = (struct status){ 0 };
}

static void status_set(struct status *status, const char *key, const char *value, int64_t keep_s)
{
	char seconds[24];
	snprintf(seconds, sizeof seconds, "%lld", (long long)keep_s);
	const char *const command[] = { "SET", key, value, "EX", seconds };
	store_key_command(status->store, 5, command, NULL, NULL);
}

static int64_t status_lag_s(const struct status_now *now)
{
	int64_t lag_s = (now->now_ms - now->follow->time_us / 1000) / 1000;
	return now->at_end || now->follow->time_us == 0 || lag_s < 0 ? 0 : lag_s;
}

/* ---- for daemons */

/* Sendmail has no such lines, and a file may lack them. */
static bool status_sees_sessions(const struct status_now *now)
{
	return now->follow->counts.kinds[LOG_SESSION_END] > 0;
}

/* What an admin should mend: daemons tell it in their health. Ends with NULL. A bit for each. */
static uint64_t status_troubles(const struct status_now *now, const char *troubles[STATUS_TROUBLES_MOST + 1])
{
	struct queue_hold_counts held = queue_hold_counts(now->hold);
	const struct {
		bool is;
		const char *sentence;
	} rows[STATUS_TROUBLES_MOST] = {
		{ now->source->away,
		  "the mail log is not there, or penstock-follow may not read it: nothing is known of deliveries" },
		{ now->save_failing && now->save_stops,
		  "follow.state cannot be written: until it can be, penstock-follow reads nothing" },
		{ now->save_failing && !now->save_stops,
		  "follow.state cannot be written: after a restart penstock-follow "
		  "reads again what came since, as long as the log is there" },
		{ now->trace != NULL && trace_stats(now->trace).losing,
		  "what became of messages cannot be written for penstockctl trace" },
		{ held.failing, "penstock-queue does not do what it is asked for: mail of blocked accounts that is in "
				"the queue leaves" },
		{ now->require_quit && quits_act_counts(now->quits_act).failing,
		  "penstock-queue does not do what it is asked for (systemctl status penstock-queue.socket): no mail "
		  "is "
		  "held until its session ends (clients.require_quit), and what is held already waits" },
		{ now->require_quit && !status_sees_sessions(now), "the log that penstock-follow reads has no ends of "
								   "Postfix's sessions yet: no mail is held until then "
								   "(clients.require_quit)" },
		{ now->require_quit && now->ending,
		  "penstock-follow was ended: no mail is held until its session ends (clients.require_quit)" },
		{ notes_counts(now->notes).why[0] != '\0',
		  "Redis does not take what the log says of clients: it is lost, the oldest first" },
	};
	int count = 0;
	uint64_t bits = 0;
	for (int i = 0; i < STATUS_TROUBLES_MOST; i++)
		if (rows[i].is) {
			troubles[count++] = rows[i].sentence;
			bits |= UINT64_C(1) << i;
		}
	troubles[count] = NULL;
	return bits;
}

static void status_write_receivers(struct status *status, const struct status_now *now)
{
	const struct follow_counts *counts = &now->follow->counts;
	bool quits = now->require_quit && !now->ending && status_sees_sessions(now) &&
		     !quits_act_counts(now->quits_act).failing;
	struct follow_head head = {
		.number = status->number > 0 ? status->number : now->now_ms,
		.at_ms = now->now_ms,
		.lines = (int64_t)counts->lines,
		.unknown = (int64_t)counts->kinds[LOG_UNKNOWN],
		.lost = (int64_t)counts->lost,
		.lag_s = status_lag_s(now),
	};
	const char *troubles[STATUS_TROUBLES_MOST + 1];
	status->troubles = status_troubles(now, troubles);
	char *value = receivers_value(now->receivers, &head, troubles, quits, now->follow->time_us / 1000);
	const char *rows = value != NULL ? strchr(value, '\n') : NULL;
	uint64_t hash = rows != NULL ? hash_string(rows, 0) : 0;
	if (rows != NULL && (hash != status->rows_hash || status->number == 0)) {
		free(value);
		head.number = now->now_ms > status->number ? now->now_ms : status->number + 1;
		status->number = head.number;
		status->rows_hash = hash;
		value = receivers_value(now->receivers, &head, troubles, quits, now->follow->time_us / 1000);
	}
	if (value != NULL)
		status_set(status, status->receivers_key, value, FOLLOW_KEEP_S);
	free(value);
}

/* ---- for people */

static json_t *status_samples(const struct samples *samples)
{
	json_t *array = json_array();
	uint64_t first = samples->kept > SAMPLES_KEPT ? samples->kept - SAMPLES_KEPT : 0;
	for (uint64_t i = first; i < samples->kept; i++)
		json_array_append_new(array, json_text(samples->lines[i % SAMPLES_KEPT]));
	return array;
}

static json_t *status_words(const char *(*word)(int), const uint64_t *counts, int count)
{
	json_t *object = json_object();
	for (int i = 0; i < count; i++)
		if (counts[i] > 0)
			json_set_int(object, word(i), (int64_t)counts[i]);
	return object;
}

static const char *status_kind_word(int kind)
{
	return log_kind_word((enum log_kind)kind);
}

static const char *status_outcome_word(int outcome)
{
	return outcome_word((enum outcome)outcome);
}

static const char *status_event_word(int event)
{
	return client_event_word((enum client_event)event);
}

static const char *status_stage_word(int stage)
{
	return client_stage_word((enum client_stage)stage);
}

static const char *status_why_word(int why)
{
	return quits_why_word((enum quits_why)why);
}

static void status_add_clients(json_t *json, const struct status_now *now)
{
	const struct follow_counts *counts = &now->follow->counts;
	const struct notes_counts notes = notes_counts(now->notes);
	const struct quits_counts quits = quits_counts(now->follow->quits);
	const struct quits_act_counts act = quits_act_counts(now->quits_act);
	const struct sessions_counts sessions = sessions_counts(now->follow->sessions);
	json_set_int(json, "sessions", (int64_t)sessions.open);
	json_set_int(json, "sessions_unseen", (int64_t)sessions.unseen);
	json_object_set_new(json, "clients", status_words(status_event_word, counts->clients, CLIENT_EVENT_COUNT));
	json_object_set_new(json, "hangups", status_words(status_stage_word, counts->stages, CLIENT_STAGE_COUNT));
	json_set_int(json, "notes_pending", (int64_t)notes.pending);
	json_set_int(json, "notes_sent", (int64_t)notes.sent);
	json_set_int(json, "notes_left_out", (int64_t)notes.left_out);
	json_set_int(json, "notes_lost", (int64_t)notes.lost);
	json_set_int(json, "quit_waiting", (int64_t)quits.waiting);
	json_set_int(json, "quit_due", (int64_t)quits.due);
	json_set_int(json, "quit_released", (int64_t)act.released);
	json_set_int(json, "quit_deleted", (int64_t)act.deleted);
	json_set_int(json, "quit_failed", (int64_t)act.failed);
	json_object_set_new(json, "quit_why", status_words(status_why_word, quits.why, QUITS_WHYS));
}

static void status_add_work(json_t *json, const struct status_now *now)
{
	struct credit_counts credits = credit_counts(now->credit);
	struct queue_map_counts map = queue_map_counts(now->follow->map);
	struct waiting_counts waiting = waiting_counts(now->follow->waiting);
	json_set_int(json, "messages", (int64_t)map.messages);
	json_set_int(json, "messages_pushed", (int64_t)map.pushed);
	json_set_int(json, "messages_passed", (int64_t)map.passed);
	json_set_int(json, "waiting", (int64_t)waiting.lines);
	json_set_int(json, "credits_pending", (int64_t)credits.pending);
	json_set_int(json, "credits_done", (int64_t)credits.done);
	json_set_int(json, "credits_refused", (int64_t)credits.refused);
	json_set_int(json, "credits_given_up", (int64_t)credits.given_up);
	const struct trace_stats trace = trace_stats(now->trace);
	const struct queue_hold_counts hold = queue_hold_counts(now->hold);
	json_set_int(json, "trace_rows", (int64_t)trace.rows);
	json_set_int(json, "trace_lost", (int64_t)trace.lost);
	json_set_text(json, "trace_failing", trace.losing ? trace.why : NULL);
	json_set_int(json, "queue_held", (int64_t)hold.held);
	json_set_int(json, "queue_holds", (int64_t)hold.done[QUEUE_HOLDS]);
	json_set_int(json, "queue_releases", (int64_t)hold.done[QUEUE_RELEASES]);
	json_set_int(json, "queue_deletes", (int64_t)hold.done[QUEUE_DELETES]);
	json_set_int(json, "queue_failed", (int64_t)hold.failed);
	status_add_clients(json, now);
	json_set_int(json, "places_lost", (int64_t)now->source->lost_places);
	json_set_int(json, "lines_cut", (int64_t)now->source->cut_lines);
	json_object_set_new(json, "reading", json_boolean(now->reading));
	json_object_set_new(json, "checkpoint_fails", json_boolean(now->save_failing));
}

static void status_write_counts(struct status *status, const struct status_now *now)
{
	const struct follow_counts *counts = &now->follow->counts;
	json_t *json = json_object();
	json_set_int(json, "at_ms", now->now_ms);
	json_set_int(json, "lines", (int64_t)counts->lines);
	json_set_real(json, "lines_per_s", status->rate);
	json_set_int(json, "lag_s", status_lag_s(now));
	json_set_int(json, "lost", (int64_t)counts->lost);
	json_set_int(json, "ours", (int64_t)counts->ours);
	json_set_int(json, "others", (int64_t)counts->others);
	status_add_work(json, now);
	json_object_set_new(json, "kinds", status_words(status_kind_word, counts->kinds, LOG_KINDS));
	json_object_set_new(json, "outcomes", status_words(status_outcome_word, counts->outcomes, OUTCOME_COUNT));
	json_object_set_new(json, "unknown_lines", status_samples(&now->follow->unknown));
	json_set_int(json, "unknown_wordings", (int64_t)counts->wordings);
	json_object_set_new(json, "unknown_wording_samples", status_samples(&now->follow->wordings));
	char *value = json_dumps(json, JSON_COMPACT);
	if (value != NULL)
		status_set(status, status->counts_key, value, STATUS_KEEP_S);
	free(value);
	json_decref(json);
}

void status_write(struct status *status, const struct status_now *now)
{
	int64_t steady_ms = clock_monotonic_ms(), since_ms = steady_ms - status->written_ms;
	const char *troubles[STATUS_TROUBLES_MOST + 1];
	bool changed = status->ordinal != now->follow->ordinal || now->follow->rests_changed ||
		       status->troubles != status_troubles(now, troubles);
	if (!now->ending && status->written_ms != 0 &&
	    since_ms < (changed ? STATUS_EVERY_MS : FOLLOW_WRITES_S * 1000 / 2))
		return;
	if (status->written_ms != 0)
		status->rate = (double)(now->follow->counts.lines - status->rate_lines) * 1000 / (double)since_ms;
	status->rate_lines = now->follow->counts.lines;
	status->written_ms = steady_ms;
	status->ordinal = now->follow->ordinal;
	status_write_receivers(status, now);
	status_write_counts(status, now);
}
