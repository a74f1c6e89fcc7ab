/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/record/record.h"

#include "milter/base/clock.h"
#include "milter/record/explain.h"
#include "milter/record/factlog.h"
#include "milter/record/held.h"
#include "milter/tell/event.h"
#include "milter/base/log.h"
#include "milter/base/queue_id.h"
#include "milter/pools/sender.h"
#include "milter/record/shadow.h"
#include "milter/daemon/stats.h"
#include "milter/pools/warmup.h"
#include "policy/base/text.h"

#include "policy/base/banned.h"

enum {
	LOG_LINE_MAX = 1900, /* rsyslog and journald keep 2,048 bytes and more */
	LOG_END_MAX =
		160, /* of it for what stands at the end; who reads the line needs that however long the rest is */
	LOG_FROM_MAX = 256, /* RFC 5321, section 4.5.3.1.3; a longer one leaves no room for others */
	LISTED_MAX = 8,	    /* listings named; a name has up to 63 bytes */
};

static void record_add_reasons(struct text *line, const struct verdict *verdict)
{
	text_add(line, " reasons=");
	for (int i = 0; i < verdict->reason_count; i++) {
		const struct reason *reason = &verdict->reasons[i];
		text_addf(line, i > 0 ? ",%s" : "%s", reason_word(reason->id));
		if (reason->detail != NULL) {
			text_add(line, ":");
			text_add_word(line, reason->detail);
		}
		if (reason->value != 0 || reason->limit != 0)
			text_addf(line, ":%.4g", reason->value);
		if (reason->limit != 0)
			text_addf(line, "/%.4g", reason->limit);
	}
	if (verdict->reason_count == 0)
		text_add(line, "-");
}

static void record_add_listings(struct text *line, const struct listings *listings)
{
	text_add(line, " listed=");
	for (int i = 0; i < listings->hit_count && i < LISTED_MAX; i++)
		text_addf(line, i > 0 ? ",%s/%s" : "%s/%s", listings->hits[i].list->name,
			  list_kind_word(listings->hits[i].kind));
	if (listings->hit_count == 0)
		text_add(line, listings->unknown > 0 ? "unknown" : "-");
}

static void record_add_who(struct text *line, const struct session *session)
{
	const struct facts *facts = &session->message->facts;
	char client[NETADDR_TEXT_MAX];
	netaddr_text(&session->client, client);
	text_add(line, " account=");
	account_add_word(line, facts->account);
	text_addf(line, " source=%s client=%s from=<", source_word(facts->source), client);
	char from[LOG_FROM_MAX + 1];
	text_copy(from, sizeof from, session->message->from);
	text_add_word(line, from);
	text_addf(line, "> rcpts=%lld local=%lld size=%llu", (long long)facts->rcpts_remote,
		  (long long)facts->rcpts_local, (unsigned long long)session->message->size);
}

static const char *record_knowledge_word(enum knowledge known)
{
	static const char *const words[] = {
		[KNOWLEDGE_NONE] = "none", [KNOWLEDGE_LOCAL] = "local", [KNOWLEDGE_FULL] = "full"
	};
	return words[known];
}

/* What would have been done, and by the pool of which level, if no rule ran in shadow mode. */
static void record_add_would(struct text *line, const struct would *would)
{
	if (!would->shown)
		return;
	text_addf(line, " would=%s/%s", action_word(would->action), level_word(would->level));
	if (would->action != ACTION_PASS)
		text_addf(line, "/%s", reason_word(would->cause));
	if (would->breach.window != WINDOW_COUNT && !would->breach.blocked)
		text_addf(line, ":%s", window_path(would->breach.scope, would->breach.window));
}

/* What few messages have. */
static void record_add_more(struct text *line, const struct message *message)
{
	const struct facts *facts = &message->facts;
	const struct breach *breach = &message->verdict.breach;
	if (facts->class != MAIL_CLASS_ACCOUNT)
		text_addf(line, " class=%s", mail_class_word(facts->class));
	if (facts->rcpts_new_known)
		text_addf(line, " new=%lld", (long long)facts->rcpts_new);
	if (breach->window != WINDOW_COUNT)
		text_addf(line, " scope=%s", scope_word(breach->scope));
	record_add_would(line, &message->verdict.would);
}

static void record_add_end(struct text *line, const struct message *message, const char *stage, int64_t took_ms)
{
	if (message->reference[0] != '\0')
		text_addf(line, " ref=%s", message->reference);
	if (message->verdict.action == ACTION_HOLD && message->verdict.cause == REASON_QUIT)
		text_add(line, " wait=quit"); /* penstock-follow reads this */
	if (message->forged_count > 0)
		text_addf(line, " forged=%llu", (unsigned long long)message->forged_count);
	text_addf(line, " redis=%s ms=%lld stage=%s", record_knowledge_word(message->facts.state.known),
		  (long long)took_ms, stage);
}

static void record_write_line(const struct session *session, const char *stage, const char *queue_id, int64_t took_ms)
{
	const struct message *message = session->message;
	const struct facts *facts = &message->facts;
	const struct verdict *verdict = &message->verdict;
	char memory[LOG_LINE_MAX];
	struct text line = text_over(memory, sizeof memory - LOG_END_MAX);
	char id[QUEUE_ID_MOST + 1]; /* the rest of the line is worth more */
	text_copy(id, sizeof id, queue_id != NULL ? queue_id : "-");
	text_add_word(&line, id);
	text_addf(&line, ": action=%s level=%s", action_word(verdict->action), level_word(verdict->level));
	record_add_who(&line, session);
	const struct transport *mark = verdict_mark(verdict);
	text_addf(&line, " score=%.2f pool=%s transport=%s", verdict->score, mark != NULL ? verdict->pool->name : "-",
		  mark != NULL ? mark->name : "-");
	if (facts->limits.customer[0] != '\0') {
		text_add(&line, " customer=");
		account_add_word(&line, facts->limits.customer);
	}
	if (facts->content.known != KNOWLEDGE_NONE)
		text_addf(&line, " content=%.1f/%.1f", facts->content.score, facts->content.threshold);
	else
		text_add(&line, " content=-");
	record_add_listings(&line, &facts->listings);
	if (facts->spf.client != SPF_ANSWER_UNKNOWN)
		text_addf(&line, " spf=%s", spf_answer_word(facts->spf.client));
	record_add_reasons(&line, verdict);
	record_add_more(&line, message);
	line.size = sizeof memory;
	record_add_end(&line, message, stage, took_ms);
	log_line(SEVERITY_INFO, "%s", memory);
}

/* Users whose login gets lost on its way to us would be strangers. */
static void record_note_login(const struct session *session)
{
	const struct facts *facts = &session->message->facts;
	if (facts->source == SOURCE_AUTH)
		stats_login();
	else if (facts->source == SOURCE_CLIENT && !session->injected && facts->rcpts_remote > 0)
		stats_stranger();
}

static void record_tell_events(const struct session *session, enum stage stage, const char *queue_id)
{
	const struct message *message = session->message;
	struct notice events[2];
	const char *reference = message->reference[0] != '\0' ? message->reference : queue_id;
	int count = notice_of_verdict(&message->facts, &message->verdict, stage, reference, events);
	for (int i = 0; i < count; i++)
		event_tell(&events[i]);
}

void record_verdict(const struct session *session, enum stage stage, const struct facts *judged, const char *queue_id)
{
	const struct message *message = session->message;
	const struct verdict *verdict = &message->verdict;
	bool ended = stage == STAGE_MESSAGE;
	int64_t took_ms = clock_monotonic_ms() - message->started_ms;
	stats_verdict(verdict, ended, (uint64_t)message->facts.rcpts_remote, message->forged_count, took_ms);
	if (ended)
		record_note_login(session);
	/* a stranger's sender is somebody else's address; and what evades a rest says nothing of other receivers */
	if (ended && !verdict_refuses(verdict) && verdict->transport != NULL && message->from[0] != '\0' &&
	    message->facts.authenticated && message->facts.rcpts_remote > 0 && !verdict_has(verdict, REASON_REST))
		sender_remember(message->from, verdict->transport->name, clock_monotonic_ms());
	if (ended && verdict_mark(verdict) != NULL)
		warmup_count(verdict_mark(verdict));
	factlog_note(judged, &message->verdict, stage);
	shadow_note(session, stage, queue_id);
	record_write_line(session, ended ? "eom" : stage == STAGE_MAIL ? "mail" : "rcpt", queue_id, took_ms);
	explain_note(session, stage, queue_id);
	if (ended && verdict->action == ACTION_HOLD)
		held_note(session, queue_id);
	record_tell_events(session, stage, queue_id);
}
