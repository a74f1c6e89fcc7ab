/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/record/explain.h"

#include "milter/base/clock.h"
#include "milter/daemon/outbox.h"
#include "milter/base/own_hash.h"
#include "milter/base/json.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ROWS = 4096, REUSE_MS = 60000, OWN_MOST = 10, AGES_EVERY = 64 };

/* What was told of late. One row a hash: who is pushed out has a new reference and one more entry. */
struct explain_row {
	uint64_t hash;
	int64_t since_ms; /* clock_monotonic_ms() of its first message; 0: free */
	int entries;
	char reference[REFERENCE_MAX + 1];
};

static struct {
	pthread_mutex_t lock;
	unsigned sent;
	struct explain_row rows[ROWS];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- references */

/* With the lock held. */
static uint64_t explain_hash_of(const struct message *message)
{
	const struct verdict *verdict = &message->verdict;
	const int what[] = {
		(int)verdict->action,
		verdict->action == ACTION_PASS ? 0 : (int)verdict->cause,
		(int)verdict->level,
		verdict->slow,
		verdict->throttle,
		verdict->tag,
		(int)verdict->leaves_as,
		(int)verdict->breach.window,
		(int)verdict->breach.scope,
		verdict_has(verdict, REASON_LEVEL),
		verdict_has(verdict, REASON_SIGNAL),
		verdict->would.shown ? 1 + (int)verdict->would.action : 0,
		verdict->spared.shown ? 1 + (int)verdict->spared.action : 0,
	};
	uint64_t hash = own_hash(what, sizeof what, own_hash_string(message->facts.account, 0));
	return hash != 0 ? hash : 1;
}

void explain_refer(const struct session *session)
{
	struct message *message = session->message;
	const struct verdict *verdict = &message->verdict;
	int64_t now_ms = clock_monotonic_ms();
	message->reference[0] = '\0';
	message->explains = false;
	if (!verdict_notable(verdict))
		return;
	char made[REFERENCE_MAX + 1];
	reference_make(clock_now_ms(), the_daemon.node, made);
	pthread_mutex_lock(&table.lock);
	uint64_t hash = explain_hash_of(message);
	struct explain_row *row = &table.rows[hash % ROWS];
	bool known = row->hash == hash && row->since_ms != 0 && now_ms - row->since_ms < REUSE_MS;
	if (!known)
		*row = (struct explain_row){ .hash = hash, .since_ms = now_ms != 0 ? now_ms : 1 };
	message->explains = row->entries < (verdict_refuses(verdict) ? 1 : OWN_MOST);
	row->entries += message->explains;
	if (message->explains)
		memcpy(row->reference, made, sizeof made);
	memcpy(message->reference, row->reference, sizeof made);
	pthread_mutex_unlock(&table.lock);
}

void explain_clear(void)
{
	pthread_mutex_lock(&table.lock);
	memset(table.rows, 0, sizeof table.rows);
	pthread_mutex_unlock(&table.lock);
}

/* ---- the entry */

static void explain_add_terms(json_t *entry, const struct policy *policy, const struct score *score)
{
	json_set_real(entry, "score", score->sum);
	json_set_real(entry, "prior", score->prior);
	json_set_real(entry, "hard", score->hard);
	json_object_set_new(entry, "terms", json_terms(policy->signals, score));
	if (score->soft_left_out > 0)
		json_set_real(entry, "soft_left_out", score->soft_left_out);
}

static void explain_add_levels(json_t *entry, const struct policy *policy, const struct facts *facts,
			       const struct verdict *verdict)
{
	const struct level_settings *levels = &policy->levels;
	const struct history *history = &facts->state.history;
	int64_t at_ms = history->counters.at_ms;
	json_set_text(entry, "level_before", level_word(history->level));
	json_set_text(entry, "level", level_word(verdict->level));
	json_object_set_new(entry, "evidence_age_s",
			    at_ms == 0 ? json_null() : json_integer((facts->now_ms - at_ms) / 1000));
	json_object_set_new(entry, "thresholds",
			    json_pack("{s:f, s:f, s:f, s:f, s:f}", "suspect_enter", levels->suspect_enter,
				      "suspect_leave", levels->suspect_leave, "blocked_enter", levels->blocked_enter,
				      "blocked_leave", levels->blocked_leave, "blocked_hard", HARD_TO_BLOCK));
}

static void explain_add_reasons(json_t *entry, const struct verdict *verdict)
{
	json_t *reasons = json_array();
	for (int i = 0; i < verdict->reason_count; i++) {
		const struct reason *reason = &verdict->reasons[i];
		json_t *row = json_object();
		json_set_text(row, "name", reason_word(reason->id));
		json_set_text(row, "detail", reason->detail);
		json_set_real(row, "value", reason->value);
		json_set_real(row, "limit", reason->limit);
		json_array_append_new(reasons, row);
	}
	json_object_set_new(entry, "reasons", reasons);
}

static void explain_add_facts(json_t *entry, const struct facts *facts)
{
	json_t *json = json_object();
	json_set_int(json, "rcpts", facts->rcpts_remote);
	json_set_int(json, "local", facts->rcpts_local);
	if (facts->rcpts_new_known)
		json_set_int(json, "new", facts->rcpts_new);
	json_set_int(json, "traps", facts->rcpts_trapped);
	json_set_int(json, "kbytes", facts->kbytes);
	json_set_int(json, "listed", facts->listings.hit_count);
	if (facts->content.known != KNOWLEDGE_NONE) {
		json_set_real(json, "content", facts->content.score);
		json_set_real(json, "content_threshold", facts->content.threshold);
	}
	json_object_set_new(entry, "facts", json);
	if (facts->campaign.known == KNOWLEDGE_NONE)
		return;
	json_object_set_new(entry, "campaign",
			    json_pack("{s:f, s:f, s:f, s:f}", "messages", facts->campaign.messages, "accounts",
				      facts->campaign.accounts, "bad", facts->campaign.bad, "bad_accounts",
				      facts->campaign.bad_accounts));
}

static void explain_add_would(json_t *entry, const char *name, const struct would *would)
{
	if (would->shown)
		json_object_set_new(entry, name,
				    json_pack("{s:s, s:s, s:s, s:b}", "action", action_word(would->action), "cause",
					      would->action == ACTION_PASS ? "-" : reason_word(would->cause), "level",
					      level_word(would->level), "slow", would->slow));
}

static void explain_add_way(json_t *entry, const struct verdict *verdict)
{
	const struct transport *mark = verdict_mark(verdict);
	json_set_text(entry, "pool", mark != NULL ? verdict->pool->name : NULL);
	json_set_text(entry, "transport", mark != NULL ? mark->name : NULL);
	json_object_set_new(entry, "slow", json_boolean(verdict->slow));
	json_object_set_new(entry, "tag", json_boolean(verdict->tag));
	if (verdict->action == ACTION_HOLD)
		json_set_int(entry, "hold_s", verdict->hold_s);
	explain_add_would(entry, "would", &verdict->would);
	explain_add_would(entry, "spared", &verdict->spared);
}

static void explain_add_who(json_t *entry, const struct session *session)
{
	const struct facts *facts = &session->message->facts;
	char client[NETADDR_TEXT_MAX];
	netaddr_text(&session->client, client);
	json_set_text(entry, "account", facts->account);
	json_set_text(entry, "source", source_word(facts->source));
	json_set_text(entry, "client", client);
	json_set_text(entry, "from", session->message->from);
	json_set_text(entry, "class", mail_class_word(facts->class));
}

/* NULL: no memory. */
static json_t *explain_entry(const struct session *session, enum stage stage, const char *queue_id)
{
	const struct message *message = session->message;
	const struct policy *policy = &session->setup->config->policy;
	const struct verdict *verdict = &message->verdict;
	json_t *entry = json_object();
	json_set_text(entry, "ref", message->reference);
	json_set_int(entry, "time", message->facts.now_ms / 1000);
	json_set_text(entry, "queue_id", queue_id);
	explain_add_who(entry, session);
	json_set_text(entry, "stage", stage == STAGE_MESSAGE ? "eom" : stage == STAGE_MAIL ? "mail" : "rcpt");
	json_set_text(entry, "action", action_word(verdict->action));
	json_set_text(entry, "cause", verdict->action == ACTION_PASS ? NULL : reason_word(verdict->cause));
	json_set_text(entry, "reply", message->reply[0] != '\0' ? message->reply : NULL);
	/* no level is judged at RCPT: the sum as it stood */
	struct score score = stage != STAGE_RCPT
				     ? verdict->terms
				     : judge_score(policy, &message->facts.state, NULL, NULL, message->facts.now_ms);
	explain_add_terms(entry, policy, &score);
	explain_add_levels(entry, policy, &message->facts, verdict);
	explain_add_reasons(entry, verdict);
	json_object_set_new(entry, "limit", json_breach(&verdict->breach));
	explain_add_facts(entry, &message->facts);
	explain_add_way(entry, verdict);
	return entry;
}

/* ---- sending it */

/* A stream is trimmed by number or by age: by number at most times, by age now and then. */
static bool explain_trims_by_age(const struct settings *set)
{
	pthread_mutex_lock(&table.lock);
	bool turn = table.sent++ % AGES_EVERY == 0;
	pthread_mutex_unlock(&table.lock);
	return turn && set->explain_days > 0;
}

/* How a stream is trimmed: XADD's words "MAXLEN ~ number" or "MINID ~ number". */
struct trim {
	const char *word;
	char most[24];
};

static struct trim explain_trim_to(const struct settings *set, int64_t keep)
{
	bool by_age = explain_trims_by_age(set);
	int64_t oldest_ms = clock_now_ms() - (int64_t)(set->explain_days * 86400000);
	struct trim trim = { .word = by_age ? "MINID" : "MAXLEN" };
	snprintf(trim.most, sizeof trim.most, "%lld", (long long)(by_age ? oldest_ms > 0 ? oldest_ms : 0 : keep));
	return trim;
}

static void explain_send_entry(const struct session *session, enum stage stage, const char *queue_id)
{
	const struct message *message = session->message;
	json_t *entry = explain_entry(session, stage, queue_id);
	char *text = entry == NULL ? NULL : json_dumps(entry, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(entry);
	if (text == NULL)
		return;
	const struct trim trim =
		explain_trim_to(&session->setup->config->set, session->setup->config->set.explain_keep);
	const char *argv[] = {
		"XADD",	   "explain",
		trim.word, "~",
		trim.most, "*",
		"r",	   message->reference,
		"q",	   queue_id != NULL ? queue_id : "",
		"a",	   message->facts.account,
		"e",	   text,
	};
	outbox_send(OUTBOX_EXPLAIN, (int)(sizeof argv / sizeof argv[0]), argv);
	free(text);
}

static void explain_send_alike(const struct session *session, const char *queue_id)
{
	const struct settings *set = &session->setup->config->set;
	const struct trim trim = explain_trim_to(set, EXPLAIN_ALIKE * set->explain_keep);
	const char *argv[] = {
		"XADD", "explain_ids", trim.word, "~", trim.most, "*", "q", queue_id, "r", session->message->reference,
	};
	outbox_send(OUTBOX_EXPLAIN, (int)(sizeof argv / sizeof argv[0]), argv);
}

void explain_note(const struct session *session, enum stage stage, const char *queue_id)
{
	const struct message *message = session->message;
	if (message->reference[0] == '\0' || session->setup->config->set.explain_keep == 0)
		return;
	if (message->explains)
		explain_send_entry(session, stage, queue_id);
	else if (queue_id != NULL && !verdict_refuses(&message->verdict))
		explain_send_alike(session, queue_id);
}
